"""Branches of a run, side by side: what needs what, how many at once, and one that fails."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from kinetoscope.shot.branches import Branch, cores, run


def diamond(log: list[str]) -> dict[str, Branch]:
    def work(name: str) -> Any:
        def done(*given: str) -> str:
            log.append(name)
            return name + "(" + "".join(given) + ")"

        return done

    return {
        "a": Branch(work("a")),
        "b": Branch(work("b"), ("a",)),
        "c": Branch(work("c"), ("a",)),
        "d": Branch(work("d"), ("c", "b")),
    }


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_each_is_given_what_it_comes_after(at_once: int) -> None:
    log: list[str] = []
    done = run(diamond(log), at_once, lambda: None)
    assert done == {"a": "a()", "b": "b(a())", "c": "c(a())", "d": "d(c(a())b(a()))"}
    assert list(done) == ["a", "b", "c", "d"]
    assert log[0] == "a"
    assert log[-1] == "d"


def test_so_many_work_at_once_and_no_more() -> None:
    met, lock, here, most = threading.Barrier(2), threading.Lock(), [0], [0]

    def work() -> None:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        met.wait(10)  # comes to nothing unless two are at work
        time.sleep(0.02)  # and a third would come
        with lock:
            here[0] -= 1

    run({str(i): Branch(work) for i in range(6)}, 2, lambda: None)
    assert most == [2]


def test_the_first_that_fails_stops_the_others_and_is_told() -> None:
    stopped, begun, late = threading.Event(), threading.Event(), []

    def long() -> None:
        begun.set()
        stopped.wait(10)
        raise RuntimeError("it was stopped")

    def fails() -> None:
        assert begun.wait(10)
        raise ArithmeticError("the first")

    branches = {"long": Branch(long), "fails": Branch(fails), "late": Branch(late.append, ("long",))}
    branches |= {
        f"queued {i}": Branch(lambda: late.append(0)) for i in range(9)
    }  # more than there are threads
    with pytest.raises(ArithmeticError, match="the first"):
        run(branches, 2, stopped.set)
    assert stopped.is_set()
    assert late == []


def test_here_an_error_ends_it_where_it_comes() -> None:
    def fails(_: object) -> None:
        raise ArithmeticError

    log: list[str] = []
    with pytest.raises(ArithmeticError):
        run(diamond(log) | {"b": Branch(fails, ("a",))}, 1, lambda: None)
    assert log == ["a"]
    assert cores() >= 1
