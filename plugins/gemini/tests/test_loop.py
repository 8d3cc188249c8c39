"""The thread with the event loop: interruptions, forks, work that is under way when it ends."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import CancelledError, Future

import pytest

from kinetoscope_gemini import _loop
from kinetoscope_gemini._loop import LoopThread


@pytest.fixture
def ended() -> threading.Event:
    return threading.Event()


async def endless(ended: threading.Event) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        ended.set()


async def counting(ended: threading.Event) -> AsyncGenerator[int, None]:
    try:
        for i in range(1000):
            yield i
            await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0.01)
        ended.set()


def test_an_interrupted_thread_takes_its_work_with_it(
    ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = LoopThread()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.run(endless(ended))
    assert ended.wait(5)
    loop.stop()


def test_stopping_ends_what_is_under_way(ended: threading.Event) -> None:
    loop = LoopThread()
    future = loop.submit(endless(ended))
    loop.run(asyncio.sleep(0))
    loop.stop()
    assert ended.is_set()
    with pytest.raises(CancelledError):
        future.result(timeout=5)
    assert loop.run(_seven()) == 7
    loop.stop()


def test_leaving_an_iteration_closes_its_source(ended: threading.Event) -> None:
    loop = LoopThread()
    source = loop.iterate(counting(ended))
    assert [next(source) for _ in range(3)] == [0, 1, 2]
    source.close()
    assert ended.is_set()
    loop.stop()


def test_cancelling_an_async_iteration_closes_its_source(ended: threading.Event) -> None:
    loop = LoopThread()

    async def slow() -> AsyncGenerator[int, None]:
        yield 1
        await endless(ended)

    async def consume() -> None:
        async for _ in loop.aiterate(slow()):
            pass

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(consume(), 0.2)

    asyncio.run(impatient())
    assert ended.wait(5)
    loop.stop()


def test_after_a_fork_there_is_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = LoopThread()
    assert loop.run(_seven()) == 7
    first, parents = loop._thread, loop._loop
    with monkeypatch.context() as patch:
        patch.setattr(_loop.os, "getpid", lambda: -1)
        assert loop.run(_seven()) == 7
        assert loop._thread is not first
        loop.stop()
    parents.call_soon_threadsafe(parents.stop)
    first.join()


async def _seven() -> int:
    return 7
