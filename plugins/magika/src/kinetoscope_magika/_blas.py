"""BLAS on one thread, for one caller at a time, and as it was before afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

__all__ = ["one_blas_thread"]

_LOCK = threading.Lock()
_controller = cache(ThreadpoolController)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread inside.

    The setting is the whole process's, so one caller at a time changes it, whichever host it works
    for: of two that overlap, the second would put back what the first had set, and the application
    were left with one thread. What is done with the lock held is short: the products for a few dozen
    files, and nothing of a caller's.
    """
    with _LOCK, _controller().limit(limits=1, user_api="blas"):
        yield
