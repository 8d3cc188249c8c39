"""What our layer costs over the bare client, what streaming saves, and how fast sound is handled.

Requests go to the loopback server in a process of its own: in this one it would share the interpreter's
lock with the client. What it takes to answer is in both sides of a comparison.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gemini_loopback import KEY
from gemini_speech import spoken

from kinetoscope_gemini._cues import word_cues
from kinetoscope_gemini._models import model_of
from kinetoscope_gemini._plan import plan_of
from kinetoscope_gemini._requests import request_of
from kinetoscope_gemini._sound import RATE, decoded, level, matching_gain
from kinetoscope_gemini.direction import Direction
from kinetoscope_gemini.provider import GeminiVoice
from kinetoscope_spec import Script

pytestmark = pytest.mark.bench
MODEL = model_of("gemini-3.8-flash-tts")
SHORT = Script.of("Two words.")
LONG = Script.of("A sentence that goes on for quite some time before it ends. " * 4)
SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
from gemini_loopback import Loopback
with Loopback() as server:
    server.pause_s = float(sys.argv[2])
    print(server.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def serve() -> Iterator[Callable[[float], str]]:
    running: list[subprocess.Popen[str]] = []

    def begin(pause_s: float = 0.0) -> str:
        arguments = [sys.executable, "-c", SERVE, str(Path(__file__).parent), str(pause_s)]
        server = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(server)
        assert server.stdout is not None
        return server.stdout.readline().strip()

    yield begin
    for server in running:
        server.communicate("")


def told(benchmark: Any, **more: Any) -> None:
    benchmark.extra_info |= {"value": benchmark.stats.stats.min * 1e3, "unit": "ms a call", **more}


def test_bare_client(benchmark: Any, serve: Any) -> None:
    from google import genai

    client = genai.Client(api_key=KEY, http_options={"base_url": serve(), "api_version": "v1beta"})
    request = request_of(plan_of(SHORT, MODEL, 40).chunks[0], MODEL, Direction(), {})
    call = client.models.generate_content
    benchmark.pedantic(call, kwargs={"model": MODEL.id, **request}, rounds=300, warmup_rounds=10)
    client.close()
    told(benchmark)


def test_speak(benchmark: Any, serve: Any) -> None:
    voice = GeminiVoice(base_url=serve(), cache=False)
    benchmark.pedantic(voice.speak, args=(SHORT,), rounds=300, warmup_rounds=10)
    voice.close()
    note = "the difference is our layer: planning, a hop to another thread and back, decoding, level, cues"
    told(benchmark, peer_test="test_bare_client", note=note)


def test_from_the_cache(benchmark: Any, serve: Any) -> None:
    voice = GeminiVoice(base_url=serve())
    duration = voice.speak(LONG).duration
    benchmark(voice.speak, LONG)
    voice.close()
    told(benchmark, value=duration / benchmark.stats.stats.min, unit="x real time")


def test_first_piece(benchmark: Any, serve: Any) -> None:
    """Until the first piece of a stream of some 7 s, of which 0.1 s comes every 10 ms."""
    voice = GeminiVoice(base_url=serve(0.01), cache=False)

    def first() -> None:
        stream = voice.stream(LONG)
        next(stream)
        stream.close()

    benchmark.pedantic(first, rounds=30, warmup_rounds=2)
    voice.close()
    told(benchmark, note="a word and 0.4 s after it must have come, which takes 70 ms; all of it takes 700")


def test_sound(benchmark: Any) -> None:
    """Decoding, matching and cueing of one request's audio."""
    words = LONG.text.split() * 4
    data = spoken([("kore", "", " ".join(words))])

    def handled() -> None:
        samples, _ = decoded(data, "audio/L16;rate=24000")
        matching_gain(samples, level(samples, RATE), 0.1)
        word_cues(words, samples)

    benchmark(handled)
    told(benchmark, value=len(data) / 2 / RATE / benchmark.stats.stats.min, unit="x real time")
