"""The provider `processes` of the hook `executor`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from kinetoscope_spec.errors import ConfigError

__all__ = ["ProcessExecutor", "Processes"]

T = TypeVar("T")


class Processes:
    """Processes of this machine, started anew (spawned), so that no lock or thread is inherited."""

    def open(self, address: str = "", *, workers: int = 1) -> ProcessExecutor:
        """Return an executor of `workers` processes.

        Raises:
            ConfigError: an address, which processes have none of; fewer than one worker.
        """
        if address:
            raise ConfigError(f"executor 'processes' takes no address, got {address!r}; --jobs says how many")
        if workers < 1:
            raise ConfigError(f"workers is {workers}, expected at least 1")
        return ProcessExecutor(workers)


class ProcessExecutor(Executor):
    """A `ProcessPoolExecutor` that outlives its processes, which do not outlive it.

    When one dies, the calls at hand end in `BrokenProcessPool` (a `BrokenExecutor`), and the next
    that is submitted finds new processes.
    """

    same_files = True

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._lock = threading.Lock()
        self._pool = self._new()
        self._ended = False

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)
        for _ in range(self.workers):  # each call starts one: while they get up, work can be looked for
            pool.submit(_nothing)
        return pool

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have `fn(*args, **kwargs)` called in one of the processes.

        Raises:
            RuntimeError: the executor was shut down.
        """
        with self._lock:
            try:
                return self._pool.submit(fn, *args, **kwargs)
            except BrokenProcessPool:
                if self._ended:
                    raise RuntimeError("the executor was shut down and takes no calls") from None
                self._pool.shutdown(wait=False)
                self._pool = self._new()
                return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, after what was submitted or (`cancel_futures`) what has begun."""
        with self._lock:
            self._ended = True
            self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def kill(self) -> None:
        """End the processes at once, whatever they are at; nothing that was submitted comes to its end."""
        with self._lock:
            self._ended = True
            # Python has a word for it (`kill_workers`) from 3.14 on.
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(wait=False, cancel_futures=True)


def _nothing() -> None:
    """Be a process's first call."""


def _begin() -> None:
    """Make a process depend on the one that asked for it, and on nobody else."""
    # Ctrl-C reaches the whole group; the process that was asked stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the parent is gone: a worker would wait for its calls for ever once that is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
