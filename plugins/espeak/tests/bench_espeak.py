"""How fast it speaks: `python plugins/espeak/tests/bench_espeak.py`."""

from __future__ import annotations

import ctypes
import time
from statistics import median

import espeakng_loader

from kinetoscope_espeak._library import loaded
from kinetoscope_espeak.voice import EspeakVoice
from kinetoscope_spec import Line, Script

SENTENCE = "The quick brown fox jumps over the lazy dog and then it sleeps for a while."
TAGGED = (
    "[excited] The quick brown fox [short pause] jumps [whispers] over the lazy *dog* and then it sleeps."
)


def timed(work, times: int = 9) -> float:
    """Return the median of `times` runs, in seconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def bare() -> None:
    """Speak the sentence with the library alone: loaded once, nothing kept."""
    library = bare.library
    text = SENTENCE.encode() + b"\0"
    library.espeak_Synth(text, len(text), 0, 1, 0, 1, None, None)


def main() -> None:
    voice = EspeakVoice()
    bare.library = ctypes.CDLL(espeakng_loader.get_library_path())
    bare.library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0x8000)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    bare.callback = kind(lambda *_: 0)
    bare.library.espeak_SetSynthCallback(bare.callback)
    bare.library.espeak_SetVoiceByName(b"en-us")

    def load() -> None:
        with loaded():
            pass

    scripts = {
        "one sentence": Script.of(SENTENCE, language="en-US"),
        "one line with four tags": Script.of(TAGGED, language="en-US"),
        "a hundred lines": Script(tuple(Line(SENTENCE) for _ in range(100)), language="en-US"),
        "a line of 2,000 words": Script.of(" ".join([SENTENCE] * 125), language="en-US"),
    }
    print(f"load the library: {1000 * timed(load):.1f} ms")
    print(f"one sentence, the bare library: {1000 * timed(bare):.1f} ms")
    for name, script in scripts.items():
        audio = voice.speak(script)
        took = timed(lambda script=script: voice.speak(script), 5)
        first = timed(lambda script=script: next(voice.stream(script)), 5)
        print(
            f"{name}: {audio.duration:.1f} s in {1000 * took:.0f} ms, {audio.duration / took:.0f} x real time; "
            f"first piece after {1000 * first:.0f} ms"
        )


if __name__ == "__main__":
    main()
