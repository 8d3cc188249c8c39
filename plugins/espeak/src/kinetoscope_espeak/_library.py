"""eSpeak NG in processes of its own: one call in, samples and events out, nothing remembered in between.

The library keeps its state in globals: what one text leaves behind changes the samples of the next, and
threads would share it. And it crashes on some texts, in some voices; which, nobody knows beforehand. So
it runs in worker processes (`_worker`), which begin every session with the same state. The same text
gives the same bytes, threads speak side by side, and a crash is an error with a name.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_espeak import _worker
from kinetoscope_espeak._worker import RATE
from kinetoscope_spec.errors import KinetoscopeError, ProviderUnavailable

__all__ = ["RATE", "EspeakCrashed", "Event", "Session", "Spoken", "close", "loaded"]

_SECONDS, _LETTERS_A_SECOND = 20, 50
"""Processor time that a call may take: 100 times what one takes, and some for short ones."""

_SESSIONS: Final = 2000
"""After so many a worker is replaced: whatever the library leaks goes with it."""


class EspeakCrashed(KinetoscopeError):
    """eSpeak NG itself crashed, or came to no end; nothing else is harmed, and it can speak again."""


@attrs.frozen
class Event:
    """Something at a sample: the beginning of a word or of a phoneme.

    Attributes:
        kind: `word` or `phoneme`.
        sample: where.
        place: of a word, where it stands in the text that was passed in, from 0.
        ipa: of a phoneme; empty for silence.
    """

    kind: str
    sample: int
    place: int = 0
    ipa: str = ""


@attrs.frozen(eq=False)
class Spoken:
    """What one call gave.

    Attributes:
        samples: float32 `[N]` in [-1, 1).
        events: in order.
    """

    samples: NDArray[np.float32]
    events: tuple[Event, ...]


@lru_cache(maxsize=1)
def _paths() -> tuple[Path, Path]:
    """Return the library's file and its data."""
    try:
        import espeakng_loader  # type: ignore[import-untyped] # it has no annotations
    except ImportError as error:
        raise ProviderUnavailable("espeakng-loader is not installed; pip install espeakng-loader") from error
    library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    if not library.is_file():
        raise ProviderUnavailable(f"espeakng-loader has no library for this system ({library} is missing)")
    return library, data


class Worker:
    """One worker process. Not for two threads at once."""

    def __init__(self) -> None:
        library, data = _paths()
        command = [sys.executable, "-I", "-S", "-B", _worker.__file__, str(library), str(data)]
        self.sessions = 0
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError as error:
            raise ProviderUnavailable(f"eSpeak NG's process can't be started: {error}") from error
        try:
            told, _ = self.receive()
        except EOFError:
            told = {"failed": f"its process ended with status {self.close()}"}
        if told.get("rate") != RATE:
            self.close()
            why = told.get("failed") or f"it returned {told['rate']}, expected {RATE}"
            raise ProviderUnavailable(
                f"eSpeak NG did not start with {library} and {data}: {why}; reinstall espeakng-loader"
            )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> None:
        """Send a request."""
        assert self._process.stdin is not None
        try:
            _worker.write(self._process.stdin.fileno(), request)
        except OSError as error:
            raise EOFError from error

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Return the next answer.

        Raises:
            EOFError: the process has ended.
        """
        assert self._process.stdout is not None
        return _worker.receive(self._process.stdout.fileno())

    def close(self) -> int:
        """End the process; return its status."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        try:
            return self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the process at once."""
        self._process.kill()
        return self.close()

    def disown(self) -> None:
        """Leave the process to that which this one was forked from."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        self._process.returncode = 0  # else it would warn of a child that is none of ours


class Session:
    """The library as it is after loading. Not for two threads at once."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def speak(self, ssml: str, voice: str, *, volume: int = 100, phonemes: bool = False) -> Spoken:
        """Speak `ssml` with the library's voice of that name (`en-us`, `en-us+f3`).

        `volume` is in per cent of the library's own; with `phonemes`, `[[...]]` holds its mnemonics.

        Raises:
            ProviderUnavailable: the library has no such voice or fails.
            EspeakCrashed: it crashes at this.
        """
        request = {"ssml": ssml, "voice": voice, "volume": volume, "phonemes": phonemes}
        request["seconds"] = _SECONDS + len(ssml) // _LETTERS_A_SECOND
        try:
            self._worker.ask(request)
            told, samples = self._worker.receive()
        except EOFError:
            told, samples = {"died": -self._worker.close()}, b""
        if "died" in told:
            raise EspeakCrashed(f"eSpeak NG {_death(told['died'])} at {ssml[:200]!r} in its voice {voice!r}")
        if not told["voice"]:
            raise ProviderUnavailable(f"eSpeak NG has no voice {voice!r} (status {told['status']})")
        if told["status"]:
            raise ProviderUnavailable(f"eSpeak NG failed (status {told['status']}) at {ssml[:80]!r}")
        heard = np.frombuffer(samples, "<i2").astype(np.float32) / np.float32(32768)
        return Spoken(heard, tuple(_event(sample, what) for sample, what in told["events"]))


def _death(number: int) -> str:
    known = {int(held): held.name for held in signal.Signals}
    if known.get(number) == "SIGXCPU":
        return "came to no end"
    return f"crashed ({known.get(number, number)})"


def _event(sample: int, what: str | int) -> Event:
    return Event("phoneme", sample, 0, what) if isinstance(what, str) else Event("word", sample, what)


_lock = threading.Lock()
_idle: list[Worker] = []


@contextmanager
def loaded() -> Iterator[Session]:
    """Yield the library, as it is when it was just loaded.

    Raises:
        ProviderUnavailable: it can't be loaded here; says why.
    """
    worker = _taken()
    try:
        yield Session(worker)
        worker.ask({})
    except EspeakCrashed:
        # It said so itself, and goes on; or it is no more, and the next who takes it finds that out.
        _put_back(worker)
        raise
    except EOFError:
        worker.close()
    except BaseException:
        worker.kill()  # an answer that is still to come must not meet the next question
        raise
    else:
        _put_back(worker)


def _taken() -> Worker:
    while True:
        with _lock:
            worker = _idle.pop() if _idle else None
        if worker is None:
            return Worker()
        if worker.alive:
            return worker
        worker.close()


def _put_back(worker: Worker) -> None:
    worker.sessions += 1
    with _lock:
        keep = worker.alive and worker.sessions < _SESSIONS and len(_idle) < (os.cpu_count() or 1)
        if keep:
            _idle.append(worker)
    if not keep:
        worker.close()


def close() -> None:
    """End the workers that nobody is using."""
    with _lock:
        held = _idle[:]
        _idle.clear()
    for worker in held:
        worker.close()


def _forget() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it when this process was forked
    _lock = threading.Lock()
    for worker in _idle:
        worker.disown()
    _idle.clear()


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
