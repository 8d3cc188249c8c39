"""An event loop in a thread of its own: one client for callers of every kind, who may cancel."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, Final, TypeVar

__all__ = ["LoopThread"]

T = TypeVar("T")

_DONE: Final = object()


class LoopThread:
    """Runs coroutines for threads and for other event loops. The thread begins with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0

    @property
    def running(self) -> bool:
        """Whether the thread is there, in this process."""
        return self._loop is not None and self._process == os.getpid()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine; cancelling the future cancels it."""
        with self._lock:
            if not self.running:  # also after a fork, where the thread is not
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="gemini", daemon=True)
                self._process = os.getpid()
                self._thread.start()
            assert self._loop is not None
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for it."""
        return _result(self.submit(work))

    def iterate(self, source: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """Return what an async generator yields, to a thread."""
        try:
            while (item := _result(self.submit(_next(source)))) is not _DONE:
                yield item
        finally:
            self.submit(_close(source)).result()

    async def aiterate(self, source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Return what an async generator yields, to another event loop."""
        try:
            while (item := await asyncio.wrap_future(self.submit(_next(source)))) is not _DONE:
                yield item
        finally:
            await asyncio.shield(asyncio.wrap_future(self.submit(_close(source))))

    def stop(self) -> None:
        """End the thread; a later coroutine begins another."""
        with self._lock:
            if self.running:
                assert self._loop is not None
                assert self._thread is not None
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
            self._loop = self._thread = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


async def _next(source: AsyncGenerator[T, None]) -> T | Any:
    return await anext(source, _DONE)


async def _close(source: AsyncGenerator[T, None]) -> None:
    """Close a generator, once a step that was cancelled a moment ago has ended."""
    while True:
        try:
            return await source.aclose()
        except RuntimeError as error:
            if "already running" not in str(error):
                raise
            await asyncio.sleep(0.005)


def _result(future: Future[T]) -> T:
    """Wait for a result; a thread that is interrupted (Ctrl-C) takes the work with it."""
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
