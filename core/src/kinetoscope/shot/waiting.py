"""Waiting for work that says nothing of how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TypeVar

from kinetoscope_spec.errors import Cancelled
from kinetoscope_spec.protocols import Progress

__all__ = ["ASK_S", "asking", "attended"]

T = TypeVar("T")

ASK_S = 0.1
"""How often `progress` is asked while the work goes on."""


def attended(work: Callable[[], T], progress: Progress | None, message: str) -> T:
    """Return what `work` gives, or raise what it raises; meanwhile `progress` is asked whether to go on.

    For providers whose protocol has no `progress`. Without one, `work` runs here. With one it runs in a
    thread, which nothing can stop: once cancelled it goes on to its end in the background, where nobody
    takes what it gives. So `work` must compute and no more, writing neither files nor what others read.

    Raises:
        Cancelled: `progress` returned False, within `ASK_S`.
    """
    if progress is None:
        return work()
    future: Future[T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(work))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is taken
            future.set_exception(error)

    # A daemon: what was given up must not keep a process from ending.
    threading.Thread(target=run, name=f"kinetoscope {message}", daemon=True).start()
    while not wait([future], ASK_S).done:
        if progress(0, 0, message) is False:
            raise Cancelled(f"cancelled while {message}")
    return future.result()


def asking(progress: Progress | None, stage: str) -> Callable[[], None]:
    """Return what is called while another run makes what `stage` needs.

    It raises `Cancelled` once `progress` returns False.
    """

    def ask() -> None:
        if progress is not None and progress(0, 0, f"another run makes the same: {stage}") is False:
            raise Cancelled(f"cancelled while another run makes the same: {stage}")

    return ask
