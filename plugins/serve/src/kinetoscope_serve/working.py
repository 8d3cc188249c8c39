"""A job's work, in a process of its own: what hostile files do to a library ends with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import attrs

from kinetoscope_spec.errors import Cancelled, KinetoscopeError

__all__ = ["Task", "Work", "Worker", "shoot"]

Message = tuple[str, dict[str, Any]]
Work = Callable[["Task", Callable[[dict[str, Any]], bool]], dict[str, Any]]
"""Does a task; told events go to the second argument, which returns False once it is to stop."""

LEAST_BETWEEN_S: Final = 0.1
"""Seconds between two events of one stage."""

THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "LP_NUM_THREADS",
)
"""By these variables libraries learn how many threads they may have: OpenMP, NumPy's, Numba, Mesa's llvmpipe."""


@attrs.frozen
class Task:
    """What a process is handed; it pickles.

    Attributes:
        make_host: makes the host whose providers work.
        shot: the shot file.
        within: the folders in which it may name files.
        out: where the film goes.
        scratch: for temporary files.
        cores: how many it may use; None for all.
    """

    make_host: Callable[[], Any]
    shot: Path
    within: tuple[Path, ...]
    out: Path
    scratch: Path
    cores: int | None = None


def shoot(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Shoot the task's shot; return the files by kind, stages and warnings."""
    with task.make_host() as host:
        film = host.shoot(
            task.shot,
            out=task.out,
            within=task.within,
            workers=task.cores,
            progress=lambda event: tell(attrs.asdict(event)),
        )
    kinds = ("film", "report", "page", "motion", "unplanted")
    files = {kind: str(getattr(film, kind)) for kind in kinds}
    stages = [{key: stage[key] for key in ("name", "provider", "seconds", "cached")} for stage in film.stages]
    return {"files": files, "stages": stages, "warnings": film.warnings}


class Worker:
    """A process that does one task.

    Args:
        task: what.
        work: how; a function of a module, since it is called in the other process.
    """

    def __init__(self, task: Task, work: Work = shoot) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(task, work, theirs), name="kinetoscope-job")
        self._process.start()
        theirs.close()
        self._asked_at: float | None = None

    def messages(self, timeout_s: float) -> Iterator[Message]:
        """Yield what the process has said, waiting at most `timeout_s` for the first; `died` ends it."""
        try:
            while self._connection.poll(timeout_s):
                yield self._connection.recv()
                timeout_s = 0.0
        except (EOFError, OSError):
            self._process.join()
            yield "died", {"code": self._process.exitcode}

    def cancel(self, grace_s: float) -> None:
        """Ask the process to stop; what does not after `grace_s` is ended, and killed after twice that.

        Call it again and again until the process has said that it ended.
        """
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            with suppress(OSError):
                self._connection.send("cancel")
        elif now - self._asked_at > 2 * grace_s:
            self._process.kill()
        elif now - self._asked_at > grace_s:
            self._process.terminate()

    def close(self) -> None:
        """Wait for the process's end, which comes at once where nobody listens any longer."""
        self._connection.close()
        self._process.join(5.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


@attrs.define
class _Telling:
    """Sends events to the service, of each stage a few a second; False once the task is to stop."""

    connection: Connection
    _asked: bool = attrs.field(default=False, init=False)
    _told_at: dict[str, float] = attrs.field(factory=dict, init=False)

    def __call__(self, event: dict[str, Any]) -> bool:
        with suppress(EOFError, OSError):
            self._asked = self._asked or (self.connection.poll() and self.connection.recv() == "cancel")
            # Stages that work side by side take turns: each has a clock of its own.
            now, told_at = time.monotonic(), self._told_at.get(event["stage"])
            if told_at is None or now - told_at >= LEAST_BETWEEN_S:
                self._told_at[event["stage"]] = now
                self.connection.send(("event", event))
            return not self._asked
        return False  # the service is gone


def _run(task: Task, work: Work, connection: Connection) -> None:
    _settle(task.scratch)
    if task.cores is not None:
        # Nothing that has threads is loaded yet. What was said to the whole service stays as it was said.
        os.environ.update({name: str(task.cores) for name in THREADS if name not in os.environ})
    try:
        answer: Message = "done", work(task, _Telling(connection))
    except (Cancelled, SystemExit):
        answer = "cancelled", {}
    except (KinetoscopeError, OSError) as error:
        answer = "failed", {"error": "\n".join([str(error), *getattr(error, "__notes__", ())])}
    except Exception as error:  # noqa: BLE001 - whatever happens in a job is told where it was asked for
        answer = "failed", {"error": f"{type(error).__name__}: {error}"}
        sys.excepthook(type(error), error, error.__traceback__)  # into the job's log
    with suppress(OSError):
        connection.send(answer)
        connection.close()


def _settle(scratch: Path) -> None:
    """Make the process a job's: temporary files and what libraries print go into its folder."""

    def end(_number: int, _frame: object) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, end)  # unwinds, so that nothing half-written is left
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which tells us
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)))
    tempfile.tempdir = str(scratch)
    with (scratch / "log.txt").open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
