"""Calls spread over the workers of an executor: results in order, and workers that die survived."""

from __future__ import annotations

import os
import time
from bisect import insort
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Generic, TypeVar

import attrs

__all__ = ["MOST_DEATHS", "spread", "workers_of"]

H = TypeVar("H")
T = TypeVar("T")
R = TypeVar("R")

MOST_DEATHS = 32
"""So often may workers die without a result in between: what is left then fails, and the machine has peace."""

QUEUED = 4
"""Calls in flight for each worker: none waits for work, and few go down with one that dies."""

ASK_S = 0.1
"""How often it is asked whether to go on while workers work."""

_COUNT_S = 1.0
"""How often workers are counted: those of a cluster come and go, and counting may ask the scheduler."""


def workers_of(executor: Executor) -> int:
    """Return how many calls an executor runs at once; of one that does not say, as many as there are cores."""
    told = getattr(executor, "workers", None) or getattr(executor, "_max_workers", None)
    return int(told or os.cpu_count() or 1)


def spread(
    executor: Executor,
    call: Callable[[H, T], R],
    held: H,
    tasks: Sequence[T],
    *,
    queued: int = QUEUED,
    ahead: int | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Generator[R | BrokenExecutor, None, None]:
    """Yield what `call(held, task)` gives in the workers of `executor`, in order of the tasks.

    When a worker dies, others' calls may go down with it. All are made again, together with the rest; those
    that go down once more are made again one at a time. The error stands for the result of a call that went
    down by itself, twice, or once after it had gone down twice with others. Close it to have what has not begun left undone.

    Args:
        executor: where.
        call: a function that can be pickled.
        held: its first argument, the same for all.
        tasks: its second ones.
        queued: calls in flight for each worker.
        ahead: how far results may run ahead of what was taken: so many wait in memory at most.
        meanwhile: called every `ASK_S` while workers work; what it raises ends all.
    """
    calls: _Spread[R] = _Spread(
        executor, lambda i: executor.submit(call, held, tasks[i]), len(tasks), queued, ahead, meanwhile
    )
    try:
        for i in range(len(tasks)):
            yield calls.result(i)
    finally:
        calls.cancel()


@attrs.define(eq=False)
class _Spread(Generic[R]):
    """Calls by their numbers: what waits, what flies, what has landed."""

    executor: Executor
    submit: Callable[[int], Future[R]]
    count: int
    queued: int
    ahead: int | None
    meanwhile: Callable[[], object] | None
    _waiting: list[int] = attrs.field(factory=list, init=False)
    _next: int = attrs.field(default=0, init=False)
    _flying: dict[Future[R], int] = attrs.field(factory=dict, init=False)
    _shaken: set[int] = attrs.field(factory=set, init=False)
    _landed: dict[int, R | BrokenExecutor] = attrs.field(factory=dict, init=False)
    _deaths: Counter[int] = attrs.field(factory=Counter, init=False)
    _blamed: Counter[int] = attrs.field(factory=Counter, init=False)
    _suspects: deque[int] = attrs.field(factory=deque, init=False)
    _solo: bool = attrs.field(default=False, init=False)
    _in_a_row: int = attrs.field(default=0, init=False)
    _last: BrokenExecutor | None = attrs.field(default=None, init=False)
    _counted: tuple[float, int] = attrs.field(default=(-_COUNT_S, 1), init=False)

    def result(self, number: int) -> R | BrokenExecutor:
        """Return what became of a call, at the latest when all before it were asked for."""
        while number not in self._landed:
            if self._last is not None and not self._flying:
                return self._last
            self._launch(number)
            self._land()
        return self._landed.pop(number)

    def cancel(self) -> None:
        """Leave undone what has not begun."""
        for future in self._flying:
            future.cancel()

    def _launch(self, asked: int) -> None:
        self._solo = self._solo and bool(self._flying)
        if self._last is not None or self._solo:
            return
        if self._suspects:
            if not self._flying:
                self._solo = True
                self._submit(self._suspects.popleft())
            return
        end = self.count if self.ahead is None else min(self.count, asked + self.ahead + 1)
        most = self.queued * self._workers()
        while len(self._flying) < most:
            if self._waiting:
                self._submit(self._waiting.pop(0))
            elif self._next < end:
                self._next += 1
                self._submit(self._next - 1)
            else:
                return
            if self._suspects or self._last is not None:
                return

    def _submit(self, number: int) -> None:
        self._shaken.discard(number)
        try:
            self._flying[self.submit(number)] = number
        except BrokenExecutor as error:  # a cluster that is gone says so before it takes a call
            self._in_a_row += 1
            self._died(number, error, alone=not self._flying)

    def _land(self) -> None:
        if not self._flying:
            return
        done = wait(self._flying, None if self.meanwhile is None else ASK_S, FIRST_COMPLETED).done
        died: dict[int, BrokenExecutor] = {}
        for future in done:
            number = self._flying.pop(future)
            try:
                self._landed[number] = future.result()
                self._in_a_row = 0
            except BrokenExecutor as error:
                died[number] = error
        # Of those that one death takes along, each may be told by itself: that is one death all the same.
        self._in_a_row += bool(died.keys() - self._shaken)
        if died:
            self._shaken.update(self._flying.values())
        for number, why in died.items():
            alone = len(died) == 1 and not self._flying and number not in self._shaken
            self._died(number, why, alone=alone)
        if self.meanwhile is not None:
            self.meanwhile()

    def _died(self, number: int, error: BrokenExecutor, *, alone: bool) -> None:
        """Note that a call went down; `alone` says that no other did, so that it is to blame."""
        self._deaths[number] += 1
        self._blamed[number] += alone
        if self._in_a_row >= MOST_DEATHS:
            self._last = error
        if alone and (self._blamed[number] > 1 or self._deaths[number] > 2):
            self._landed[number] = error
        elif self._deaths[number] > 1:
            self._suspects.append(number)
        else:
            insort(self._waiting, number)

    def _workers(self) -> int:
        now = time.monotonic()
        if now - self._counted[0] >= _COUNT_S:
            self._counted = now, workers_of(self.executor)
        return self._counted[1]
