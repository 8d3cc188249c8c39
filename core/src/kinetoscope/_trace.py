"""Timing of what providers do, on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from kinetoscope.infos import Timing

__all__ = ["Trace"]


class Trace:
    """Adds up calls by (hook, provider, operation), and tells plugins before and after each."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, str, str], tuple[int, float]] = {}

    @contextmanager
    def span(self, hook: str, provider: str, operation: str) -> Iterator[None]:
        """Time what happens inside, and tell plugins of it."""
        where = {"hook": hook, "provider": provider, "operation": operation}
        self._tell("before_use", **where)
        start = perf_counter()
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            seconds = perf_counter() - start
            self.add(hook, provider, operation, seconds)
            self._tell("after_use", **where, seconds=seconds, error=error)

    def add(self, hook: str, provider: str, operation: str, seconds: float) -> None:
        """Count one call."""
        key = (hook, provider, operation)
        with self._lock:
            calls, total = self._sums.get(key, (0, 0.0))
            self._sums[key] = (calls + 1, total + seconds)

    def observer(self, hook: str, provider: str) -> Callable[[str], Any]:
        """Return what a stand-in enters around each of its operations."""
        return lambda operation: self.span(hook, provider, operation)

    def timings(self) -> list[Timing]:
        """Return the sums, the slowest first."""
        with self._lock:
            sums = [Timing(*key, calls, seconds) for key, (calls, seconds) in self._sums.items()]
        return sorted(sums, key=lambda timing: -timing.seconds)
