"""The sound of a speech: pieces put together, written to files, played."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope.files import replacing
from kinetoscope_spec import Audio, Cue
from kinetoscope_spec.errors import ConfigError, KinetoscopeError, ProviderUnavailable

__all__ = ["CODED", "check_suffix", "joined", "play", "write_sound"]

CODED: Final = (".flac", ".mp3", ".opus", ".ogg", ".m4a")
"""Suffixes that a provider of `media` has to write; `.wav` takes none."""

_PLAYERS: Final = (
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("afplay",),
    ("ffplay", "-nodisp", "-autoexit", "-v", "quiet"),
)


def joined(pieces: Sequence[Audio]) -> Audio:
    """Return the pieces of a stream as one audio, their cues moved to where they are in it."""
    if not pieces:
        raise KinetoscopeError("the voice gave no sound at all")
    cues: list[Cue] = []
    before = 0
    for piece in pieces:
        shift = before / piece.rate
        cues += [attrs.evolve(cue, start=cue.start + shift, end=cue.end + shift) for cue in piece.cues]
        before += len(piece.samples)
    first = pieces[0]
    return Audio(np.concatenate([piece.samples for piece in pieces]), first.rate, cues, first.provenance)


def write_sound(path: Path, audio: Audio, media: Any = None) -> None:
    """Write what a voice gave: 16-bit WAV, or with `media` what its `write_audio` can.

    Raises:
        KinetoscopeError: the audio carries no watermark; nothing is written.
        ConfigError: a suffix that nobody here writes.
        OSError: it can't be written.
    """
    made = audio.provenance
    if made is None or not made.watermark:
        raise KinetoscopeError(
            f"{path} is not written: the speech carries no watermark; install kinetoscope-perth, or ask the "
            "host for the voice"
        )
    check_suffix(path, media)
    with replacing(path) as building:
        if path.suffix.lower() == ".wav":
            _write_wav(building, audio)
        else:
            media.write_audio(building, audio)


def check_suffix(path: Path, media: Any = None) -> None:
    """Raise `ConfigError` for a suffix that nobody here writes."""
    suffix = path.suffix.lower()
    can = [".wav", *(CODED if hasattr(media, "write_audio") else ())]
    if suffix not in can:
        what = suffix or "a file without a suffix"
        raise ConfigError(f"{path}: nothing here writes {what}; there is {', '.join(can)}")


def _write_wav(path: Path, audio: Audio) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(audio.samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(audio.rate)
        # Half a step of 16 bits is nothing one hears; rounding keeps silence silent.
        file.writeframes(np.rint(audio.samples * 32767).astype("<i2").tobytes())


def play(path: Path) -> None:
    """Play a file with what the system has for that, and wait until it is over.

    Raises:
        ProviderUnavailable: there is no player, or it fails.
    """
    if sys.platform == "win32":
        import winsound

        winsound.PlaySound(str(path), winsound.SND_FILENAME)
        return
    player = next((words for words in _PLAYERS if shutil.which(words[0])), None)
    if player is None:
        names = ", ".join(words[0] for words in _PLAYERS)
        raise ProviderUnavailable(f"nothing here plays sound, expected one of {names}")
    ran = subprocess.run([*player, str(path)], check=False, capture_output=True, text=True)
    if ran.returncode:
        raise ProviderUnavailable(f"{player[0]} failed: {ran.stderr.strip()[:200] or ran.returncode}")
