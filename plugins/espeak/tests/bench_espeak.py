"""How fast it speaks, against the bare library in this process, without cues that are exact or a crash that is none."""

from __future__ import annotations

import ctypes
from typing import Any

import espeakng_loader
import pytest

from kinetoscope_espeak._library import loaded
from kinetoscope_espeak.voice import EspeakVoice
from kinetoscope_spec import Line, Script

pytestmark = pytest.mark.bench
SENTENCE = "The quick brown fox jumps over the lazy dog and then it sleeps for a while."
TAGGED = (
    "[excited] The quick brown fox [short pause] jumps [whispers] over the lazy *dog* and then it sleeps."
)
VOICE = EspeakVoice()
SCRIPTS = {
    "one sentence": Script.of(SENTENCE, language="en-US"),
    "a line with four tags": Script.of(TAGGED, language="en-US"),
    "a hundred lines": Script(tuple(Line(SENTENCE) for _ in range(100)), language="en-US"),
    "a line of 2000 words": Script.of(" ".join([SENTENCE] * 125), language="en-US"),
}


def told(benchmark: Any, seconds: float, **more: Any) -> None:
    benchmark.extra_info |= {"value": seconds / benchmark.stats.stats.min, "unit": "x real time", **more}


def test_bare_library(benchmark: Any) -> None:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0x8000)
    counted: list[int] = []
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    callback = kind(lambda _samples, count, _events: counted.append(count) or 0)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(b"en-us")
    text = SENTENCE.encode() + b"\0"

    def speak() -> None:
        counted.clear()
        library.espeak_Synth(text, len(text), 0, 1, 0, 1, None, None)

    benchmark.pedantic(speak, rounds=50, warmup_rounds=3)
    told(benchmark, sum(counted) / 22_050)


@pytest.mark.parametrize("name", SCRIPTS)
def test_speak(benchmark: Any, name: str) -> None:
    script = SCRIPTS[name]
    seconds = VOICE.speak(script).duration
    benchmark.pedantic(VOICE.speak, (script,), rounds=30 if "one" in name or "tags" in name else 3)
    told(benchmark, seconds, peer_test="test_bare_library", note=f"{seconds:.1f} s of speech")


def test_first_piece_of_a_hundred_lines(benchmark: Any) -> None:
    script = SCRIPTS["a hundred lines"]
    benchmark.pedantic(lambda: next(iter(VOICE.stream(script))), rounds=30, warmup_rounds=2)
    benchmark.extra_info |= {"value": benchmark.stats.stats.min * 1e3, "unit": "ms"}


def test_session(benchmark: Any) -> None:
    """A session of the worker process that says nothing but `a`."""

    def hold() -> None:
        with loaded() as library:
            library.speak("<speak>a </speak>", "gmw/en-US")

    benchmark.pedantic(hold, rounds=100, warmup_rounds=3)
    benchmark.extra_info |= {"value": benchmark.stats.stats.min * 1e3, "unit": "ms"}
