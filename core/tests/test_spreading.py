"""Calls spread over workers that die: who is to blame fails, all others come to their end, side by side."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from kinetoscope.executors.processes import Processes
from kinetoscope.executors.spreading import MOST_DEATHS, spread, workers_of


class Pool(Executor):
    """Works here, when what is in flight is complete; a poisoned call takes all that fly with it."""

    workers = 2

    def __init__(self, poisoned: set[int]) -> None:
        self.poisoned = poisoned
        self.flights: list[list[int]] = []
        self._flying: list[tuple[Future[Any], Callable[[], Any], int]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._flying.append((future, lambda: fn(*args, **kwargs), args[1]))
        return future

    def work(self) -> None:
        """Do what flies, or die of it."""
        flying, self._flying = self._flying, []
        self.flights.append([number for _, _, number in flying])
        for future, call, number in flying:
            if self.poisoned & {number for _, _, number in flying}:
                future.set_exception(BrokenExecutor(f"died with {number}"))
            else:
                future.set_result(call())


def add(held: int, number: int) -> int:
    return held + number


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinetoscope.executors.spreading.ASK_S", 0.001)


@pytest.mark.parametrize("poisoned", [set(), {0}, {3, 4}, {9}, set(range(10))])
def test_whoever_kills_fails_and_the_others_are_made_side_by_side(poisoned: set[int]) -> None:
    pool = Pool(poisoned)
    results = list(spread(pool, add, 100, range(10), queued=1, meanwhile=pool.work))
    for number, result in enumerate(results):
        if number in poisoned:
            assert isinstance(result, BrokenExecutor)
        else:
            assert result == 100 + number
    alone = {flight[0] for flight in pool.flights if len(flight) == 1}
    assert len(alone) <= 2 * len(poisoned) + 1  # those that flew with it, and no others but the last
    assert max(map(len, pool.flights)) <= 2
    flown = Counter(number for flight in pool.flights for number in flight)
    assert max(flown.values()) <= 3


class Trickling(Pool):
    """Tells of a second death one call at a time, as a busy machine does, and of the others to all at once."""

    def __init__(self, poisoned: set[int]) -> None:
        super().__init__(poisoned)
        self._dying: list[Future[Any]] = []

    def work(self) -> None:
        if sum(map(bool, self.flights)) == 1 and self._flying:
            flying, self._flying = self._flying, []
            self.flights.append([number for _, _, number in flying])
            self._dying = [future for future, _, _ in flying]
        if self._dying:
            self._dying.pop(0).set_exception(BrokenExecutor("died with another"))
        else:
            super().work()


@pytest.mark.parametrize("poisoned", [{0}, {1}, {0, 5}])
def test_the_last_to_hear_of_a_death_is_not_to_blame_for_it(poisoned: set[int]) -> None:
    results = list(spread(pool := Trickling(poisoned), add, 100, range(8), meanwhile=pool.work))
    dead = {number for number, result in enumerate(results) if isinstance(result, BrokenExecutor)}
    assert dead == poisoned


class Unlucky(Pool):
    """Takes all with it at first, and then one more, when the others that flew with that are done."""

    def work(self) -> None:
        flying, self._flying = self._flying, []
        self.flights.append([number for _, _, number in flying])
        deaths = sum(map(bool, self.flights))
        for future, call, number in flying:
            if deaths == 1 or (deaths == 2 and number in self.poisoned):
                future.set_exception(BrokenExecutor(f"died in flight {deaths}"))
            else:
                future.set_result(call())


@pytest.mark.parametrize("number", range(4))
def test_who_goes_down_once_with_others_and_once_alone_is_made_again(number: int) -> None:
    results = list(spread(pool := Unlucky({number}), add, 100, range(8), queued=2, meanwhile=pool.work))
    assert number in pool.flights[0]  # it was there the first time, too
    assert results == list(range(100, 108))


def test_a_death_that_is_told_in_pieces_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """On many workers more calls go down with one death than there may be deaths."""
    pool = Trickling({0})
    monkeypatch.setattr(pool, "workers", 2 * MOST_DEATHS)
    results = list(spread(pool, add, 100, range(400), meanwhile=pool.work))
    second = [flight for flight in pool.flights if flight][1]
    assert len(second) > MOST_DEATHS  # they are all told of the second death, one by one
    dead = [number for number, result in enumerate(results) if isinstance(result, BrokenExecutor)]
    assert dead == [0]


def test_a_machine_that_kills_all_has_peace_after_a_while() -> None:
    pool = Pool(set(range(10_000)))
    results = list(spread(pool, add, 0, range(10_000), meanwhile=pool.work))
    assert all(isinstance(result, BrokenExecutor) for result in results)
    assert len(list(filter(None, pool.flights))) <= MOST_DEATHS


def test_an_executor_that_takes_nothing_is_not_asked_for_ever() -> None:
    class Gone(Executor):
        workers = 1

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise BrokenExecutor("the cluster is gone")

    assert all(isinstance(result, BrokenExecutor) for result in spread(Gone(), add, 0, range(5)))


def test_results_do_not_run_further_ahead_than_was_said() -> None:
    begun: list[int] = []
    with ThreadPoolExecutor(4) as executor:
        results = spread(executor, lambda _, number: begun.append(number), None, range(100), ahead=5)
        for taken, _ in enumerate(results):
            time.sleep(0.001)
            assert max(begun) <= taken + 5
        assert sorted(begun) == list(range(100))
        assert workers_of(executor) == 4


def test_what_is_raised_meanwhile_ends_all_and_leaves_the_rest_undone() -> None:
    begun: list[int] = []

    def enough() -> None:
        if len(begun) > 2:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as executor, pytest.raises(KeyboardInterrupt):
        list(
            spread(
                executor,
                lambda _, i: (time.sleep(0.01), begun.append(i)),
                None,
                range(1000),
                meanwhile=enough,
            )
        )
    assert len(begun) < 20


def kill_once(folder: str, number: int) -> tuple[int, int]:
    mark = os.path.join(folder, str(number))
    if number % 5 == 3 and not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return number, os.getpid()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL")
def test_processes_that_are_killed_are_replaced(tmp_path: Any) -> None:
    with Processes().open(workers=2) as executor:
        results = list(spread(executor, kill_once, str(tmp_path), range(12)))
    assert [number for number, _ in results] == list(range(12))
