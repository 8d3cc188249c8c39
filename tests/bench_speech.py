"""What the host's marking costs speech: the whole of it, and until the first piece of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kinetoscope import Host
from kinetoscope_espeak.voice import EspeakVoice
from kinetoscope_spec import Line, Script

pytestmark = pytest.mark.bench
SENTENCE = "The quick brown fox jumps over the lazy dog and then it sleeps for a while."
SCRIPT = Script(tuple(Line(SENTENCE) for _ in range(20)), language="en-US")


@pytest.fixture(scope="module", params=["unmarked", "marked"])
def voice(request: pytest.FixtureRequest) -> Iterator[tuple[str, Any]]:
    """The provider itself, which marks nothing, and as the host hands it out."""
    with Host() as host:
        host.voice("espeak").speak(Script.of("warm up"))  # reads the network's weights
        yield request.param, EspeakVoice() if request.param == "unmarked" else host.voice("espeak")


def test_speak(benchmark: Any, voice: Any) -> None:
    which, speaker = voice
    seconds = speaker.speak(SCRIPT).duration
    benchmark.pedantic(speaker.speak, (SCRIPT,), rounds=5, warmup_rounds=1)
    value = seconds / benchmark.stats.stats.min
    peer = {"peer_test": "test_speak[unmarked]"} if which == "marked" else {}
    benchmark.extra_info |= {"value": value, "unit": "x real time", **peer}


def test_first_piece(benchmark: Any, voice: Any) -> None:
    which, speaker = voice

    def first() -> None:
        stream = iter(speaker.stream(SCRIPT))
        next(stream)
        stream.close()  # type: ignore[attr-defined]

    benchmark.pedantic(first, rounds=20, warmup_rounds=2)
    peer = {"peer_test": "test_first_piece[unmarked]"} if which == "marked" else {}
    benchmark.extra_info |= {"value": benchmark.stats.stats.min * 1e3, "unit": "ms", **peer}
