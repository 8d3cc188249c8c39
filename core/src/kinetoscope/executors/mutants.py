"""Executors with one thing wrong: what shows that the laws of `ExecutorContract` have teeth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Changed(Executor):
    """An executor around another, changed in one thing by a subclass."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.workers = real.workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = self.real.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.real.shutdown(wait, cancel_futures=cancel_futures)


class _Opens(Wrapper):
    """Opens a changed executor."""

    kind: type[_Changed] = _Changed

    def open(self, address: str = "", *, workers: int = 1) -> Executor:
        """Return the changed executor."""
        return self.kind(self.real.open(address, workers=workers))


@mutant(MUTANTS, "results_and_errors_come_back")
class Swallows(_Opens):
    """gives None where a call raised an error that is arithmetic"""

    class kind(_Changed):  # noqa: N801 - it takes the place of the attribute
        """Swallows errors."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            error = (real := self.real.submit(fn, *args, **kwargs)).exception()
            if error is None or isinstance(error, ArithmeticError):
                future.set_result(None if error else real.result())
            else:
                future.set_exception(error)
            return future


@mutant(MUTANTS, "it_says_how_many_work_at_once")
class KeepsQuiet(_Opens):
    """says that 0 work at once"""

    class kind(_Changed):  # noqa: N801
        """Has no workers, as it says."""

        def __init__(self, real: Any) -> None:
            super().__init__(real)
            self.workers = 0


@mutant(MUTANTS, "leaving_waits_for_what_was_submitted")
class GoesOn(_Opens):
    """takes calls after its end"""

    class kind(_Changed):  # noqa: N801
        """Answers for ever."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            try:
                return super().submit(fn, *args, **kwargs)
            except BrokenExecutor:
                raise
            except RuntimeError:
                future: Future[Any] = Future()
                future.set_result(fn(*args, **kwargs))
                return future


@mutant(MUTANTS, "a_worker_that_dies_costs_its_call_at_most")
class StaysBroken(_Opens):
    """takes no call any more once a worker has died"""

    class kind(_Changed):  # noqa: N801
        """Remembers the death of a worker."""

        broken: BaseException | None = None

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            if self.broken is not None:
                raise BrokenExecutor(str(self.broken))
            future = super().submit(fn, *args, **kwargs)
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                self.broken = error
            return future


@mutant(MUTANTS, "an_address_of_nobody_is_an_error")
class GoesAnywhere(Wrapper):
    """opens an executor at any address"""

    def open(self, address: str = "", *, workers: int = 1) -> Executor:
        """Return an executor, whatever the address."""
        executor: Executor = self.real.open("", workers=workers)
        return executor
