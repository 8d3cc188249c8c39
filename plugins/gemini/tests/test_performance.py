"""Whole performances: streams, loudness, cache, budget, callers of every kind."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gemini_loopback import Loopback
from gemini_speech import GAP_S, LETTER_S

from kinetoscope_gemini import errors
from kinetoscope_gemini._cost import Ledger
from kinetoscope_gemini._models import MODELS
from kinetoscope_gemini._sound import level
from kinetoscope_spec import Audio, Line, Script, ValidationError
from kinetoscope_spec.errors import Cancelled

PREVIEW, OLD = "gemini-3.1-flash-tts-preview", "gemini-2.5-flash-preview-tts"
LONG = Script.of(" ".join(f"This is the sentence of number {i}, one of a good many." for i in range(12)))


def joined(pieces: list[Audio]) -> np.ndarray:
    return np.concatenate([piece.samples for piece in pieces])


def words(pieces: list[Audio]) -> list[str]:
    return [cue.value for piece in pieces for cue in piece.cues]


def test_a_stream_is_what_is_spoken_though_it_came_live(make: Any, server: Loopback) -> None:
    spoken = make(cache=False, chunk_s=15).speak(LONG)
    voice = make(cache=False, chunk_s=15)
    pieces = list(voice.stream(LONG))
    assert [path.partition(":")[2] for path, _, _ in server.seen].count("streamGenerateContent?alt=sse") == 1
    assert len(pieces) > 20
    assert np.array_equal(joined(pieces), spoken.samples)
    assert words(pieces) == words([spoken])


def test_the_first_piece_comes_before_the_speech_is_over(make: Any, server: Loopback) -> None:
    server.pause_s = 0.01
    stream = make().stream(Script.of("A text that goes on for some time, word after word, until it ends."))
    next(stream)
    total = server.events
    list(stream)
    assert total < server.events / 2


def test_what_was_streamed_is_kept_and_then_comes_whole(make: Any, server: Loopback) -> None:
    voice = make()
    first = list(voice.stream(LONG))
    sent = len(server.seen)
    again = list(voice.stream(LONG))
    assert len(server.seen) == sent
    assert np.array_equal(joined(first), joined(again))
    assert np.array_equal(joined(first), voice.speak(LONG).samples)
    usage = again[-1].provenance.details["usage"]
    assert (usage["requests"], usage["cached"], usage["usd"]) == (0, sent, 0)


def test_31_streams_nothing_that_it_would_cut_off(make: Any, server: Loopback) -> None:
    text = Script.of(" ".join(f"Sentence number {i} of a text that is long." for i in range(20)))
    list(make(model=PREVIEW, chunk_s=120).stream(text))
    assert [path.endswith(":generateContent") for path, _, _ in server.seen] == [True]
    list(make(model=OLD).stream(Script.of("The 2.5 models do not stream.")))
    assert server.seen[-1][0].endswith(":generateContent")


def test_requests_of_one_mood_are_made_equally_loud(make: Any, server: Loopback) -> None:
    server.loudness.extend([1.0, 0.6, 1.5])
    text = Script.of("[pause 1s]".join(f"The sentence of number {i} in this text." for i in range(3)))
    audio = make(parallel=1).speak(text)
    assert len(server.seen) == 3
    starts = [round(cue.start * audio.rate) for cue in audio.cues if cue.value == "The"]
    levels = [level(part[:, 0], audio.rate) for part in np.split(audio.samples, starts[1:])]
    assert max(levels) / min(levels) < 1.03
    assert np.abs(audio.samples).max() < 0.99


def test_a_whisper_is_not_made_as_loud_as_the_rest(make: Any, server: Loopback) -> None:
    server.loudness.extend([1.0, 0.3])
    audio = make(parallel=1).speak(Script((Line("Out loud."), Line("[whispers] [pause 1s] And not."))))
    loud, quiet = audio.samples[: audio.rate // 2, 0], audio.samples[-audio.rate // 2 :, 0]
    assert level(quiet, audio.rate) < 0.4 * level(loud, audio.rate)


def test_words_are_cued_near_where_they_are(make: Any) -> None:
    text = "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun."
    audio = make().speak(Script.of(text))
    begin, truth = 0.12, []
    for word in text.split():
        truth.append(begin)
        begin += LETTER_S * len(word) + GAP_S
    errors_s = np.abs([cue.start - at for cue, at in zip(audio.cues, truth, strict=True)])
    assert np.median(errors_s) < 0.06
    assert errors_s.max() < 0.15
    assert {cue.source for cue in audio.cues} == {"estimated"}


def test_rates_other_than_24_khz_are_resampled(make: Any, server: Loopback) -> None:
    script = Script.of("Words in another rate.")
    expected = make(cache=False, model=PREVIEW).speak(script)
    server.rate = 16000
    for audio in (
        make(cache=False, model=PREVIEW).speak(script),
        Audio(joined(list(make(cache=False, model=PREVIEW).stream(script))), 24000),
    ):
        assert audio.rate == 24000
        assert abs(audio.duration - expected.duration) < 0.03
        assert level(audio.samples[:, 0], 24000) == pytest.approx(
            level(expected.samples[:, 0], 24000), rel=0.05
        )


# -- the cache


def test_the_cache_needs_no_key_and_another_take_is_another_request(
    make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script.of("Said once.")
    first = make().speak(script)
    monkeypatch.delenv("GEMINI_API_KEY")
    again = make().speak(script)
    assert np.array_equal(first.samples, again.samples)
    assert first.provenance.created == again.provenance.created
    assert len(server.seen) == 1
    monkeypatch.setenv("GEMINI_API_KEY", "x")
    with pytest.raises(errors.KeyRefused):
        make().speak(script, take=1)


@pytest.mark.parametrize("change", ["model", "direction", "voice", "text"])
def test_what_shapes_the_speech_is_in_the_key(change: str, make: Any, server: Loopback) -> None:
    voice = make()
    voice.speak(Script.of("Words."))
    options: dict[str, Any] = {"model": PREVIEW} if change == "model" else {}
    if change == "direction":
        options = {"direction": {"style": "warm"}}
    voices = {"narrator": "Puck"} if change == "voice" else {}
    voice.speak(Script.of("Others." if change == "text" else "Words.", voices=voices), **options)
    assert len(server.seen) == 2


@pytest.mark.parametrize("damage", ["short", "flipped", "empty", "folder"])
def test_what_is_broken_in_the_cache_is_asked_for_again(
    damage: str, make: Any, server: Loopback, tmp_path: Path
) -> None:
    voice = make(cache_folder=tmp_path / "takes")
    expected = voice.speak(Script.of("Words."))
    (path,) = (tmp_path / "takes").rglob("*.take")
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        path.write_bytes({"short": data[:-9], "flipped": data[:-9] + b"\x99" * 9, "empty": b""}[damage])
    assert np.array_equal(voice.speak(Script.of("Words.")).samples, expected.samples)
    assert len(server.seen) == 2


def test_a_cache_that_can_not_be_written_is_no_reason_not_to_speak(make: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert make(cache_folder=tmp_path / "file").speak(Script.of("Words.")).duration > 0


def test_the_cache_is_kept_small(make: Any, tmp_path: Path) -> None:
    voice = make(cache_folder=tmp_path / "takes", cache_mb=0.2)
    for i in range(12):
        voice.speak(Script.of(f"The sentence of number {i}, said once."))
    assert sum(path.stat().st_size for path in (tmp_path / "takes").rglob("*")) < 0.35e6
    assert not list((tmp_path / "takes").rglob("*.part"))


# -- what it costs


def test_the_estimate_is_near_what_answers_tell(make: Any, server: Loopback) -> None:
    voice = make()
    found = voice.estimate(LONG)
    assert not server.seen
    assert (found.requests, found.cached) == (2, 0)
    assert found.tokens_out == pytest.approx(25 * found.seconds, abs=3)
    assert found.usd == pytest.approx((0.5 * found.tokens_in + 9 * found.tokens_out) / 1e6)
    usage = voice.speak(LONG).provenance.details["usage"]
    assert usage["tokens_in"] == pytest.approx(found.tokens_in, rel=0.7)
    assert usage["usd"] == pytest.approx((0.5 * usage["tokens_in"] + 9 * usage["tokens_out"]) / 1e6, abs=1e-6)
    after = voice.estimate(LONG)
    assert (after.requests, after.cached, after.usd) == (0, 2, 0)


def test_a_budget_is_kept_before_anything_is_sent(make: Any, server: Loopback) -> None:
    voice = make(budget_usd=0.001)
    with pytest.raises(errors.BudgetExceeded, match="nothing was sent"):
        voice.speak(LONG)
    assert not server.seen
    voice.speak(LONG, budget_usd=1.0)
    voice.speak(LONG)  # from the cache, which costs nothing
    with pytest.raises(ValidationError, match="price"):
        voice.speak(LONG, model="gemini-4.0-flash-tts")


def test_retries_are_paid_from_the_budget_too(make: Any, server: Loopback) -> None:
    server.faults.extend(["silent"] * 5)
    voice = make()
    script = Script.of("Some words that come out silent, " * 3)
    with pytest.raises(errors.BudgetExceeded, match="are spent"):
        voice.speak(script, budget_usd=voice.estimate(script).usd * 1.05)
    assert 1 <= len(server.seen) < 4


def test_introductory_prices_end() -> None:
    from datetime import date

    model = MODELS["gemini-3.8-flash-tts"]
    before, after = (model.usd(0, 1e6, today=date(year, 1, 1)) for year in (2026, 2027))
    assert (before, after) == (9, 18)
    assert MODELS[PREVIEW].usd(0, 25, today=date(2027, 1, 1)) == pytest.approx(0.0005)  # a second


def test_requests_under_way_count_against_the_budget() -> None:
    ledger = Ledger(MODELS[PREVIEW], 0.03)
    ledger.promise(0, lambda: (0, 1000))
    ledger.promise(0, lambda: (0, 1000))  # once more after a fault
    with pytest.raises(errors.BudgetExceeded):
        ledger.promise(1, lambda: (0, 600))
    ledger.spend(0, (0, 500))
    ledger.promise(1, lambda: (0, 600))


# -- callers of every kind


def test_requests_run_side_by_side_but_no_more_than_allowed(make: Any, server: Loopback) -> None:
    server.faults.extend(["slow:0.1"] * 6)
    text = Script.of(" ".join(f"The sentence {i} of many, all of them long." for i in range(6)))
    make(chunk_s=4, parallel=3, live=False).speak(text)
    assert len(server.seen) >= 6
    assert server.most_active == 3


def test_a_stream_that_is_not_read_does_not_run_ahead(make: Any, server: Loopback) -> None:
    text = Script.of(" ".join(f"The sentence {i} of many, all of them long." for i in range(12)))
    stream = make(chunk_s=4, parallel=2, live=False).stream(text)
    next(stream)
    assert len(server.seen) <= 4
    stream.close()


def test_progress_is_told_and_can_cancel(make: Any, server: Loopback) -> None:
    told: list[tuple[int, int]] = []
    voice = make(chunk_s=5, parallel=1)
    voice.speak(LONG, progress=lambda done, total, _: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(server.seen) == len(told)
    with pytest.raises(Cancelled):
        voice.speak(LONG, take=1, progress=lambda done, total, _: done < 2)
    assert len(server.seen) <= len(told) + 3


def test_async_callers_get_the_same_and_may_cancel(make: Any, server: Loopback) -> None:
    voice = make()
    spoken = voice.speak(LONG)

    async def gathered() -> tuple[Audio, list[Audio]]:
        return await voice.aspeak(LONG), [piece async for piece in voice.astream(LONG)]

    audio, pieces = asyncio.run(gathered())
    assert np.array_equal(audio.samples, spoken.samples)
    assert audio.cues == spoken.cues
    assert np.array_equal(joined(pieces), spoken.samples)

    async def impatient() -> None:
        await asyncio.wait_for(voice.aspeak(Script.of("Slow.")), 0.2)

    server.faults.append("slow:1.5")
    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert voice.speak(Script.of("Quick.")).duration > 0


def test_async_streams_may_be_left(make: Any, server: Loopback) -> None:
    async def first() -> Audio:
        stream = make().astream(LONG)
        async for piece in stream:
            await stream.aclose()
            return piece
        raise AssertionError

    server.pause_s = 0.01
    assert asyncio.run(first()).duration > 0


def test_threads_share_a_voice(make: Any, server: Loopback) -> None:
    voice = make()
    found: dict[int, Audio] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: voice.speak(Script.of(f"Thread {i}."))}))
        for i in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(6))
    assert [found[i].cues[-1].value for i in range(6)] == [str(i) for i in range(6)]


def test_closing_and_speaking_again(make: Any) -> None:
    voice = make(cache=False)
    voice.close()
    for _ in range(2):
        assert voice.speak(Script.of("Words.")).duration > 0
        voice.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "gemini"]


def test_making_a_voice_costs_nothing() -> None:
    import subprocess
    import sys

    code = (
        "import sys, kinetoscope_gemini; from kinetoscope_gemini.provider import GeminiVoice; v = GeminiVoice();"
        "v.voices(); print([n for n in ('google.genai', 'httpx2', 'pydantic', 'keyring') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_silence_without_words_is_no_fault(make: Any, server: Loopback) -> None:
    server.faults.extend(["ok", "silent"])
    audio = make(parallel=1, live=False).speak(Script((Line("Hello."), Line("[pause 1s][laughs]"))))
    assert [cue.value for cue in audio.cues] == ["Hello"]
