"""Every fault that Gemini is known for, through the real client: what is sent again, what is not, what is said."""

import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from gemini_loopback import KEY, Loopback

from kinetoscope_gemini import _takes, errors
from kinetoscope_gemini._settings import Settings
from kinetoscope_gemini._takes import wait_s
from kinetoscope_spec import KinetoscopeError, Script
from kinetoscope_spec.errors import ProviderUnavailable

SCRIPT = Script.of("The words that are to be said.")
PREVIEW = "gemini-3.1-flash-tts-preview"

PASSING = {
    "429:0.01": (errors.RateLimited, "too many requests"),
    "500": (errors.ServerFault, "500 INTERNAL"),
    "503": (errors.ServerFault, "503 UNAVAILABLE"),
    "502": (errors.ServerFault, "502: Bad Gateway"),
    "truncated-json": (errors.NoAudio, "can't be read"),
    "bad-base64": (errors.NoAudio, "can't be read"),
    "mp3": (errors.NoAudio, "MP3"),
    "cut": (errors.ConnectionFault, "broke"),
    "empty": (errors.NoAudio, "empty"),
    "no-candidates": (errors.NoAudio, "empty"),
    "text": (errors.NoAudio, "text in place of audio"),
    "silent": (errors.NoAudio, "silent"),
    "finish:OTHER": (errors.NoAudio, "OTHER and gave no audio"),
    "partial:OTHER": (errors.NoAudio, "OTHER and gave only a part"),
    "partial:MAX_TOKENS": (errors.NoAudio, "MAX_TOKENS"),
}
FINAL = {
    "400": (errors.RequestRefused, "400 INVALID_ARGUMENT"),
    "400-key": (errors.KeyRefused, "refuses the key"),
    "404": (errors.UnknownModel, "does not know the model"),
    "429-per-day": (errors.QuotaExhausted, "the day's quota is used up"),
    "429:3600": (errors.RateLimited, "too many requests"),
    "blocked:SAFETY": (errors.Blocked, "refuses the text (SAFETY)"),
    "blocked:PROHIBITED_CONTENT": (errors.Blocked, "PROHIBITED_CONTENT"),
    "finish:SAFETY": (errors.Blocked, "SAFETY"),
    "finish:PROHIBITED_CONTENT": (errors.Blocked, "PROHIBITED_CONTENT"),
    "finish:LANGUAGE": (errors.Blocked, "LANGUAGE"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_passing_faults_are_sent_again(fault: str, make: Any, server: Loopback) -> None:
    server.faults.extend([fault, fault])
    audio = make().speak(SCRIPT)
    assert len(server.seen) == 3
    assert server.bodies[0] == server.bodies[1] == server.bodies[2]
    usage = audio.provenance.details["usage"]
    assert (usage["requests"], usage["retries"]) == (3, 2)


@pytest.mark.parametrize("fault", PASSING)
def test_faults_that_do_not_pass_are_told(fault: str, make: Any, server: Loopback) -> None:
    server.faults.extend([fault] * 9)
    kind, said = PASSING[fault]
    with pytest.raises(kind) as caught:
        make(attempts=3).speak(SCRIPT)
    assert len(server.seen) == 3
    assert said in str(caught.value)
    assert caught.value.__notes__ == ["gemini: it was sent 3 times"]


@pytest.mark.parametrize("fault", FINAL)
def test_what_will_not_pass_is_sent_once(fault: str, make: Any, server: Loopback) -> None:
    server.faults.append(fault)
    kind, said = FINAL[fault]
    with pytest.raises(kind) as caught:
        make().speak(SCRIPT)
    assert len(server.seen) == 1
    assert said in str(caught.value)


@pytest.mark.parametrize("fault", ["blocked:PROHIBITED_CONTENT", "finish:PROHIBITED_CONTENT"])
def test_a_doubtful_refusal_is_asked_once_more_and_plainly(fault: str, make: Any, server: Loopback) -> None:
    server.faults.append(fault)
    make(model=PREVIEW).speak(SCRIPT)
    first, second = (body["contents"][0]["parts"][0]["text"] for body in server.bodies)
    assert "text-to-speech synthesis" in second
    assert "text-to-speech synthesis" not in first
    server.faults.extend([fault, fault])
    with pytest.raises(errors.Blocked):
        make(model=PREVIEW).speak(Script.of("Other words."))
    assert len(server.seen) == 4


def test_what_gemini_asks_to_wait_is_waited(
    make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []
    monkeypatch.setattr(_takes, "wait_s", lambda *held: waits.append(wait_s(*held)) or 0.0)
    server.faults.extend(["429:2.5", "503", "429:7"])
    make(first_wait_s=1.0).speak(SCRIPT)
    assert waits[0] >= 2.5
    assert 2 <= waits[1] <= 3
    assert waits[2] >= 7


def test_waits_double_and_have_an_end() -> None:
    settings = Settings(first_wait_s=1.0, patience_s=6.0, attempts=6)
    fault = errors.ServerFault("x")
    waits = [wait_s(fault, attempt, settings) for attempt in range(1, 7)]
    assert all(2**i <= wait <= 1.5 * 2**i for i, wait in enumerate(waits[:2]))
    assert waits[4:] == [6.0, None]
    assert wait_s(errors.RateLimited("x", retry_after_s=6.1), 1, settings) is None
    assert wait_s(errors.RequestRefused("x"), 1, settings) is None


def test_a_slow_server_is_given_up(make: Any, server: Loopback) -> None:
    server.faults.extend(["slow:1.5", "ok"])
    assert make(timeout_s=0.5).speak(SCRIPT).duration > 0
    server.faults.append("slow:1.5")
    with pytest.raises(errors.ConnectionFault, match="time limit"):
        make(timeout_s=0.5, attempts=1, cache=False).speak(SCRIPT)


def test_a_server_that_is_not_there(make: Any) -> None:
    with pytest.raises(errors.ConnectionFault, match="can't be reached"):
        make(base_url="http://127.0.0.1:9", attempts=2).speak(SCRIPT)


@pytest.mark.parametrize(
    "fault", ["429:0.01", "503", "stream-cut:0", "stream-text", "stream-nothing", "stream-silent"]
)
def test_streams_begin_again_before_the_first_sample(fault: str, make: Any, server: Loopback) -> None:
    server.faults.extend([fault, fault])
    pieces = list(make().stream(SCRIPT))
    assert len(server.seen) == 3
    assert len(pieces) > 1


BROKEN_OFF = {
    "stream-cut:4": (errors.ConnectionFault, "broke"),
    "stream-finish:OTHER": (errors.NoAudio, "OTHER"),
    "stream-finish:SAFETY": (errors.Blocked, "SAFETY"),
    "stream-endless": (errors.NoAudio, "ended before the speech did"),
}


@pytest.mark.parametrize("fault", BROKEN_OFF)
def test_streams_that_break_off_say_after_how_long(fault: str, make: Any, server: Loopback) -> None:
    server.faults.append(fault)
    voice = make()
    kind, said = BROKEN_OFF[fault]
    with pytest.raises(kind, match=r"\d\.\d s of it had been given out") as caught:
        list(voice.stream(SCRIPT))
    assert said in str(caught.value)
    assert len(server.seen) == 1
    assert voice.estimate(SCRIPT).cached == 0, "half a take was kept"


def test_a_blocked_stream_is_final(make: Any, server: Loopback) -> None:
    server.faults.append("stream-blocked")
    with pytest.raises(errors.Blocked, match="SAFETY"):
        list(make().stream(SCRIPT))
    assert len(server.seen) == 1


def test_without_a_key_nothing_is_sent(make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")
    with pytest.raises(ProviderUnavailable, match="set GEMINI_API_KEY"):
        make().speak(SCRIPT)
    assert not server.seen


def test_a_wrong_key_is_refused_once(make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "wrong")
    with pytest.raises(errors.KeyRefused, match="403 PERMISSION_DENIED"):
        make().speak(SCRIPT)
    assert len(server.seen) == 1


def test_one_fault_ends_the_other_requests(make: Any, server: Loopback) -> None:
    server.faults.extend(["ok", "blocked:SAFETY"])
    with pytest.raises(errors.Blocked):
        make(chunk_s=2, parallel=1, live=False).speak(
            Script.of(" ".join(f"The sentence {i} of many." for i in range(8)))
        )
    assert len(server.seen) == 2


ALL = [*PASSING, *FINAL, "slow:1", "stream-cut:0", "stream-cut:4", "stream-finish:OTHER", "stream-blocked"]


@pytest.mark.parametrize("fault", ALL)
def test_the_key_is_nowhere(
    fault: str, make: Any, server: Loopback, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.extend([fault] * 2)
    voice = make(attempts=2, timeout_s=0.4 if fault.startswith("slow") else 20)
    with pytest.raises(KinetoscopeError) as caught:
        list(voice.stream(SCRIPT)) if "stream" in fault else voice.speak(SCRIPT)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None, "the client's exception, which holds the request, came along"
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown = ["".join(told.format()), repr(error), repr(vars(error)), repr(voice), caplog.text]
    assert KEY not in "".join(shown)
    assert KEY.encode() not in pickle.dumps(error)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.reason) == (type(error), str(error), error.reason)


def test_the_key_is_in_no_file_and_no_report(
    make: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    voice = make()
    audio = voice.speak(SCRIPT)
    list(voice.stream(Script.of("More words.")))
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert not any(KEY.encode() in data or b"words" in data for data in files)
    assert KEY not in repr(audio.provenance) + caplog.text + repr(voice.settings)
