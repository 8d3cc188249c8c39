"""`DaskExecutor`: the interface of `concurrent.futures.Executor` over a Dask client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from functools import partial
from typing import Any, TypeVar

from distributed.scheduler import KilledWorker

__all__ = ["DaskExecutor"]

T = TypeVar("T")


class DaskExecutor(Executor):
    """Calls on the workers of a cluster.

    A call whose worker dies is tried again on another one, as often as the scheduler's setting
    `distributed.scheduler.allowed-failures` says (3 unless changed), and ends in `BrokenExecutor`
    after that. So does one that is at hand when the whole cluster goes.

    Args:
        client: a `distributed.Client`, connected; closed at the end.
        cluster: a `LocalCluster` that is closed at the end too, if it is given.
    """

    def __init__(self, client: Any, cluster: Any = None) -> None:
        self._client, self._cluster = client, cluster
        # Dask takes calls of equal functions and arguments for one unless told that they are not pure.
        self._calls = client.get_executor(pure=False)
        self._lock = threading.Lock()
        self._pending: set[Future[Any]] = set()
        self._ended = False

    @property
    def workers(self) -> int:
        """How many calls run at once: threads of all workers that are there now."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have `fn(*args, **kwargs)` called by one of the workers.

        Raises:
            RuntimeError: the executor was shut down.
            BrokenExecutor: the cluster is gone.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._ended:
                raise RuntimeError("the executor was shut down and takes no calls")
            if self._client.status not in ("running", "connecting"):
                raise BrokenExecutor(f"the Dask cluster is gone: its client is {self._client.status}")
            # In a partial, since Dask looks into arguments for futures of its own, and takes some names.
            call: Future[T] = self._calls.submit(partial(fn, *args, **kwargs))
            self._pending.add(future)
        future.add_done_callback(partial(self._done, call))
        call.add_done_callback(partial(_pass_on, future))
        return future

    def _done(self, call: Future[Any], future: Future[Any]) -> None:
        with self._lock:
            self._pending.discard(future)
        if future.cancelled():
            call.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, after what was submitted or (`cancel_futures`) at once."""
        with self._lock:
            first, self._ended = not self._ended, True
            pending = list(self._pending)
        for future in pending if cancel_futures else ():
            future.cancel()
        if wait:
            self._leave(pending)
        elif first:
            threading.Thread(target=self._leave, args=(pending,), daemon=True).start()

    def _leave(self, pending: list[Future[Any]]) -> None:
        wait(pending)
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def _pass_on(future: Future[T], call: Future[T]) -> None:
    """Hand on what became of a call in Dask's words."""
    if not future.set_running_or_notify_cancel():
        return
    if call.cancelled():
        future.set_exception(BrokenExecutor("the Dask cluster is gone, and the call with it"))
        return
    error = call.exception()
    if isinstance(error, KilledWorker):
        broken = BrokenExecutor(str(error))
        broken.__cause__ = error
        future.set_exception(broken)
    elif error is not None:
        future.set_exception(error)
    else:
        future.set_result(call.result())
