"""Work that says nothing of how far it is: what it gives, and that it can be given up."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from kinetoscope.shot.waiting import attended
from kinetoscope_spec import Cancelled

NAME: ContextVar[str] = ContextVar("name")


def fail() -> None:
    raise TimeoutError("the work's own")


@pytest.mark.parametrize("progress", [None, lambda *_: None])
def test_what_the_work_gives_or_raises_comes_back(progress) -> None:
    NAME.set("plant")
    assert attended(lambda: (NAME.get(), 2), progress, "planting") == ("plant", 2)
    with pytest.raises(TimeoutError, match="own"):
        attended(fail, progress, "planting")


def test_the_one_who_waits_is_asked_and_may_give_up() -> None:
    end, asked = threading.Event(), []

    def progress(done: int, total: int, message: str) -> bool:
        asked.append((threading.current_thread(), done, total, message))
        return len(asked) < 3

    try:
        with pytest.raises(Cancelled, match="while planting"):
            attended(lambda: end.wait(60), progress, "planting")
        assert not end.is_set(), "the work was waited for"
        assert asked == [(threading.current_thread(), 0, 0, "planting")] * 3
    finally:
        end.set()


def test_work_without_anybody_to_ask_runs_here() -> None:
    assert attended(threading.current_thread, None, "planting") is threading.current_thread()
