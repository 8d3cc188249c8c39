"""Speech for the tests, from eSpeak NG where its plugin is installed, and what they hear in it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Audio, Cue, Script

TEXT = (
    "The weather is lovely today, and we walk along the river. Nobody knows where the old man went after "
    "midnight. She sells sea shells by the sea shore. Please bring me a cup of coffee and two slices of "
    "bread! How much would it cost to repair the engine before Friday? My brother works at the hospital."
)


@lru_cache
def said(text: str = TEXT, voice: str = "neutral", language: str = "en-US") -> tuple[Audio, Script]:
    """Return speech with its native cues, and the script."""
    script = Script.of(text, voices={"narrator": voice}, language=language)
    return spoken(script), script


def spoken(script: Script) -> Audio:
    """Return a script as speech with native cues."""
    module: Any = pytest.importorskip(
        "kinetoscope_espeak.voice", reason="kinetoscope-espeak is not installed"
    )
    pytest.importorskip("espeakng_loader", reason="eSpeak NG is not installed")
    audio: Audio = module.EspeakVoice().speak(script)
    return audio


def bare(audio: Audio) -> Audio:
    return attrs.evolve(audio, cues=())


def words(audio: Audio) -> list[Cue]:
    return [cue for cue in audio.cues if cue.kind == "word"]


def off(found: Audio, truth: Audio) -> np.ndarray:
    """Return by how much each word begins too early or late, seconds."""
    pairs = zip(words(found), words(truth), strict=True)
    return np.array([abs(a.start - b.start) for a, b in pairs])


def envelope(audio: Audio, times: np.ndarray, half_s: float = 0.06) -> np.ndarray:
    """Return the RMS about each time."""
    power = np.concatenate([[0.0], np.cumsum(audio.samples[:, 0].astype(float) ** 2)])
    edges = (np.clip([times - half_s, times + half_s], 0, audio.duration) * audio.rate).astype(int)
    return np.sqrt((power[edges[1]] - power[edges[0]]) / np.maximum(edges[1] - edges[0], 1))


def onsets(audio: Audio, gap_s: float = 0.12) -> np.ndarray:
    """Return when sound begins after silences, by samples above -44 dB."""
    loud = np.flatnonzero(np.abs(audio.samples[:, 0]) > 0.006 * np.abs(audio.samples).max())
    first = np.r_[0, np.flatnonzero(np.diff(loud) > gap_s * audio.rate) + 1]
    return loud[first] / audio.rate
