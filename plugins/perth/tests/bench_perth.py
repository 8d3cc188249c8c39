"""How much faster than one listens sound is marked and looked at."""

from __future__ import annotations

from typing import Any

import pytest

from kinetoscope_perth.babble import babble
from kinetoscope_perth.marker import PerthMarker

pytestmark = pytest.mark.bench
MARKER = PerthMarker()
SECONDS = 20


def told(benchmark: Any, seconds: float, **more: Any) -> None:
    benchmark.extra_info |= {"value": seconds / benchmark.stats.stats.min, "unit": "x real time", **more}


def test_mark(benchmark: Any) -> None:
    sound = babble(seed=0, seconds=SECONDS, rate=22_050)
    benchmark.pedantic(MARKER.mark, (sound,), rounds=10, warmup_rounds=1)
    told(benchmark, SECONDS)


def test_verify_marked(benchmark: Any) -> None:
    sound = MARKER.mark(babble(seed=0, seconds=SECONDS, rate=22_050))
    benchmark.pedantic(MARKER.verify, (sound,), rounds=10, warmup_rounds=1)
    told(benchmark, SECONDS, note="found at the sound's own speed")


def test_verify_unmarked(benchmark: Any) -> None:
    sound = babble(seed=0, seconds=SECONDS, rate=22_050)
    benchmark.pedantic(MARKER.verify, (sound,), rounds=3, warmup_rounds=1)
    told(benchmark, SECONDS, note="not found, at nine speeds")


@pytest.mark.parametrize("piece_s", [0.05, 1.0])
def test_mark_a_stream(benchmark: Any, piece_s: float) -> None:
    sound = babble(seed=0, seconds=SECONDS, rate=22_050)
    size = round(piece_s * sound.rate)

    def stream() -> None:
        marking = MARKER.open(sound.rate, 1)
        for at in range(0, len(sound.samples), size):
            marking.push(sound.samples[at : at + size])
        marking.finish()

    benchmark.pedantic(stream, rounds=10, warmup_rounds=1)
    told(benchmark, SECONDS, peer_test="test_mark", note=f"in pieces of {piece_s:g} s")
