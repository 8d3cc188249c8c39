"""eSpeak NG 1.52 crashes on some texts: that is an error with a name, and then it speaks on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listening import VOICE, said

from kinetoscope_espeak import _library
from kinetoscope_espeak._languages import TAGS
from kinetoscope_espeak._library import EspeakCrashed, Worker, loaded
from kinetoscope_espeak._voices import TIMBRES
from kinetoscope_spec import ProviderUnavailable, Script, ValidationError

CRASHING = "\u0960"
"""A letter of Sanskrit, at which the voice of southern Vietnamese reads from address 0x38."""
SOUTH = "aav/vi-VN-x-south"
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="each session has a process of its own here")


def test_a_crash_is_an_error_that_says_what_was_spoken() -> None:
    before = said("Still here.")
    with (
        pytest.raises(EspeakCrashed, match=r"crashed \(SIGSEGV\) at .*\u0960.*vi-VN-x-south"),
        loaded() as library,
    ):
        library.speak(f"<speak>{CRASHING} </speak>", SOUTH)
    assert np.array_equal(said("Still here.").samples, before.samples)


def test_words_that_it_crashes_at_are_spelt_out() -> None:
    audio = said(f"xin {CRASHING} chao", language="vi-VN-x-south")
    held = [cue for cue in audio.cues if cue.kind == "word"]
    assert [cue.value for cue in held] == ["xin", CRASHING, "chao"]
    for cue in held:
        start, end = round(cue.start * audio.rate), round(cue.end * audio.rate)
        assert np.abs(audio.samples[start:end]).max() > 0.02


def test_strange_signs_between_words_silence_none() -> None:
    (cue,) = [cue for cue in said("¹\U00011ef7").cues if cue.kind == "word"]
    assert cue.value == "¹"
    assert cue.end - cue.start > 0.1


@forks
def test_the_worker_outlives_its_sessions() -> None:
    said("warm up")
    (worker,) = _library._idle[-1:]
    with pytest.raises(EspeakCrashed), loaded() as library:
        library.speak(f"<speak>{CRASHING} </speak>", SOUTH)
    assert worker.alive
    assert worker in _library._idle


def test_a_worker_that_was_killed_is_replaced() -> None:
    said("warm up")
    for worker in list(_library._idle):
        os.kill(worker._process.pid, signal.SIGTERM)
        worker._process.wait()
    assert said("and on").duration > 0
    with loaded() as library:
        os.kill(library._worker._process.pid, signal.SIGTERM)
        library._worker._process.wait()
        with pytest.raises(EspeakCrashed, match="SIGTERM"):
            library.speak("<speak>gone </speak>", "gmw/en-US")
    assert said("and on").duration > 0


@forks
def test_what_comes_to_no_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_library, "_SECONDS", 1)
    monkeypatch.setattr(_library, "_LETTERS_A_SECOND", 10**9)
    with pytest.raises(EspeakCrashed, match="came to no end"), loaded() as library:
        library.speak(f"<speak>{'hippopotamus, ' * 400_000} </speak>", "gmw/en-US")


def test_closing_ends_the_processes_and_speaking_begins_anew() -> None:
    said("hello")
    held = list(_library._idle)
    assert held
    VOICE.close()
    assert _library._idle == []
    assert not any(worker.alive for worker in held)
    assert said("hello again").duration > 0


def test_no_more_workers_wait_than_there_are_cores() -> None:
    threads = [threading.Thread(target=said, args=("one two three",)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(_library._idle) <= (os.cpu_count() or 1)


_FORKS = """
import os
from kinetoscope_espeak import _library
from kinetoscope_espeak.voice import EspeakVoice
from kinetoscope_spec import Script

voice = EspeakVoice()
assert voice.speak(Script.of("warm up")).duration > 0
assert _library._idle
child = os.fork()
if not child:
    status = 1
    try:
        status = 0 if not _library._idle and voice.speak(Script.of("in the child")).duration > 0 else 2
    finally:
        os._exit(status)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert voice.speak(Script.of("in the parent")).duration > 0
"""


@forks
def test_a_forked_process_has_workers_of_its_own() -> None:
    # In a process of its own: what other tests have loaded here has threads, which do not survive a fork.
    subprocess.run([sys.executable, "-c", _FORKS], check=True, timeout=120)


def test_what_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library, data = _library._paths()
    monkeypatch.setattr(_library, "_paths", lambda: (library, tmp_path / "nothing"))
    with pytest.raises(ProviderUnavailable, match=r"did not start with .*nothing.*reinstall espeakng-loader"):
        Worker()
    monkeypatch.setattr(_library, "_paths", lambda: (tmp_path / "none.so", data))
    with pytest.raises(ProviderUnavailable, match=r"none\.so"):
        Worker()
    monkeypatch.setattr(_library, "get_executable", lambda: str(tmp_path / "python"))
    with pytest.raises(ProviderUnavailable, match="can't be started"):
        Worker()


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_data_that_lies_far_down_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library, data = _library._paths()
    deep = tmp_path / ("d" * 100) / "espeak-ng-data"
    deep.parent.mkdir()
    deep.symlink_to(data)
    monkeypatch.setattr(_library, "_paths", lambda: (library, deep))
    worker = Worker()
    assert worker.close() == 0


@settings(max_examples=60)
@given(st.text(max_size=40), st.sampled_from(TAGS), st.sampled_from(list(TIMBRES)))
def test_any_text_in_any_language_is_spoken_or_refused(text: str, language: str, voice: str) -> None:
    told = text.replace("[", "(").replace("]", ")")
    try:
        audio = VOICE.speak(Script.of(told, voices={"narrator": voice}, language=language))
    except ValidationError:
        return  # no word in it
    assert audio.duration > 0
    assert np.isfinite(audio.samples).all()
