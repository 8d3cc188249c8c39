"""Work of a run that does not depend on each other, side by side in threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

import attrs

__all__ = ["Branch", "cores", "run"]


@attrs.frozen
class Branch:
    """A part of a run.

    Attributes:
        work: called with what those gave that are named in `after`.
        after: names of the branches whose results it needs.
    """

    work: Callable[..., Any]
    after: tuple[str, ...] = ()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(branches: Mapping[str, Branch], at_once: int, stop: Callable[[], object]) -> dict[str, Any]:
    """Return what each branch gives, by name.

    One by one in their order, in this thread, for an `at_once` of 1. Else so many at a time, in threads: the
    results are the same, for each branch sees nothing but those it comes after. When one fails, `stop` is
    called, which has the others end early; all have ended when the error is raised, the first one.

    Args:
        branches: each after those it needs.
        at_once: how many may work at a time.
        stop: makes those at work end.
    """
    if at_once < 2:
        done: dict[str, Any] = {}
        for name, branch in branches.items():
            done[name] = branch.work(*(done[needed] for needed in branch.after))
        return done
    with ThreadPoolExecutor(at_once, "kinetoscope stages") as threads:
        side = _Side(dict(branches), threads, at_once)
        try:
            for future in side.ended():
                side.done[side.flying.pop(future)] = future.result()
        except BaseException:  # Ctrl-C too: this thread only waits
            stop()
            side.waiting.clear()
            raise
    return {name: side.done[name] for name in branches}


@attrs.define(eq=False)
class _Side:
    """Branches that wait for others, those at work, and what was given."""

    waiting: dict[str, Branch]
    threads: ThreadPoolExecutor
    at_once: int
    flying: dict[Future[Any], str] = attrs.field(factory=dict)
    done: dict[str, Any] = attrs.field(factory=dict)

    def ended(self) -> Iterator[Future[Any]]:
        """Begin what can be begun, and yield what has ended, until nothing is left."""
        while self.waiting or self.flying:
            for name, branch in list(self.waiting.items()):
                # None waits in the pool: its threads would begin it although another one has failed.
                if len(self.flying) < self.at_once and all(needed in self.done for needed in branch.after):
                    del self.waiting[name]
                    given = [self.done[needed] for needed in branch.after]
                    self.flying[self.threads.submit(copy_context().run, branch.work, *given)] = name
            yield next(iter(wait(self.flying, return_when=FIRST_COMPLETED).done))
