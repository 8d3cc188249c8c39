"""Bounds on what a call may take: time, by interrupting it, and memory, by measuring it."""

from __future__ import annotations

import ctypes
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

from kinetoscope_spec.errors import ContractError

__all__ = ["bounded_memory", "bounded_time"]


class _TooLong(BaseException):
    """Raised in the thread that takes too long; no `except Exception` holds it up."""


@contextmanager
def bounded_time(seconds: float, what: str) -> Iterator[None]:
    """Break the law if the block runs longer than `seconds`.

    A watching thread raises in this one: code that waits inside a compiled call is interrupted
    when that call returns.

    Raises:
        ContractError: naming `what`.
    """
    thread = threading.get_ident()
    done = threading.Event()
    fired = threading.Event()

    def watch() -> None:
        if not done.wait(seconds):
            fired.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_TooLong))

    watcher = threading.Thread(target=watch, daemon=True, name="kinetoscope-contract-clock")
    watcher.start()
    try:
        try:
            yield
        finally:
            done.set()
            watcher.join()
            if fired.is_set():
                _let_arrive()
    except _TooLong:
        raise ContractError(f"{what} took longer than {seconds:g} s") from None


def _let_arrive() -> None:
    """Run a few bytecodes: an exception that another thread has sent is raised between two of them."""
    for _ in range(100):
        pass


@contextmanager
def bounded_memory(most: int, what: str) -> Iterator[None]:
    """Break the law if the block takes more than `most` bytes at once, as Python and NumPy count.

    Raises:
        ContractError: naming `what`.
    """
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        if not tracing:
            tracemalloc.stop()
    if peak > most:
        raise ContractError(f"{what} took {peak:,} bytes, expected at most {most:,}")
