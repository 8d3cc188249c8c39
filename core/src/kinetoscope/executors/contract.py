"""The laws of the hook `executor`, for every provider of it.

    class TestMine(ExecutorContract):
        provider = MyExecutors()

Needs hypothesis: `pip install "kinetoscope-spec[contracts]"`.
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import BrokenExecutor, Executor, as_completed
from typing import ClassVar

from hypothesis import strategies as st

from kinetoscope.executors.processes import Processes
from kinetoscope_spec.contracts import Contract, bounded_time, law, require
from kinetoscope_spec.errors import ConfigError, KinetoscopeError

__all__ = ["ExecutorContract"]

SECONDS = 120.0
"""What a handful of tiny calls may take, workers started and ended."""

NO_ADDRESS = "no such address \0"


class ExecutorContract(Contract):
    """What callers of executors rely on.

    Attributes:
        address: where executors are opened.
        workers: how many workers are asked for.
    """

    hook: ClassVar[str] = "executor"
    mutants: ClassVar[str | None] = "kinetoscope.executors.mutants:MUTANTS"
    provider = Processes
    name = "processes"
    address: str = ""
    workers: int = 2

    def opened(self) -> Executor:
        """Return an executor to be judged."""
        held: Executor = self.subject.open(self.address, workers=self.workers)
        return held

    @law(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20), cost=20)
    def test_results_and_errors_come_back(self, numbers: list[int]) -> None:
        """A future gives what its call returned, or raises what it raised."""
        calls = [call for number in numbers for call in (2 * number, 2 * number + 1)]
        with bounded_time(SECONDS, "a few calls"), self.opened() as executor:
            futures = {executor.submit(_half, number): number for number in calls}
            for future in as_completed(futures):
                number, error = futures[future], future.exception()
                if number % 2:
                    told = f"{type(error).__name__}: {error}"
                    require(isinstance(error, ArithmeticError), f"an odd number gave {told}")
                    require(str(number) in str(error), f"the error says {error}, expected {number} in it")
                else:
                    require(error is None, f"half of {number} raised {error}")
                    require(future.result() == number // 2, f"half of {number} is {future.result()}")

    @law(cost=20)
    def test_it_says_how_many_work_at_once(self) -> None:
        """`workers` is a whole number of at least 1."""
        with self.opened() as executor:
            held = getattr(executor, "workers", None)
            require(isinstance(held, int) and held >= 1, f"workers is {held!r}, expected 1 or more")

    @law(cost=20)
    def test_leaving_waits_for_what_was_submitted(self) -> None:
        """After `with`, every future is done; nothing more can be submitted."""
        with bounded_time(SECONDS, "a few calls"):
            with self.opened() as executor:
                futures = [executor.submit(_half, 2 * i) for i in range(8)]
            require(all(future.done() for future in futures), "a call was still at work after `with`")
            try:
                executor.submit(_half, 2)
            except RuntimeError:
                return
            require(False, "a call was taken after the end, expected a RuntimeError")

    @law(cost=30)
    def test_a_worker_that_dies_costs_its_call_at_most(self) -> None:
        """When a worker is killed, its call ends in `BrokenExecutor`, and what comes next is done."""
        with bounded_time(SECONDS, "calls around one that kills its worker"), self.opened() as executor:
            error = executor.submit(_die).exception()
            found = f"{type(error).__name__}: {error}"
            require(isinstance(error, BrokenExecutor), f"the call ended in {found}, expected BrokenExecutor")
            try:
                found = str(executor.submit(_half, 84).result())
            except Exception as after:  # noqa: BLE001 - whatever it is breaks the law
                found = f"{type(after).__name__}: {after}"
            require(found == "42", f"the next call gave {found}, expected 42")

    @law(cost=20)
    def test_an_address_of_nobody_is_an_error(self) -> None:
        """An address that means nothing is a `ConfigError`, or a `KinetoscopeError` where nobody answers."""
        try:
            with self.subject.open(NO_ADDRESS):
                found = "an executor"
        except (ConfigError, KinetoscopeError):
            return
        except Exception as error:  # noqa: BLE001 - whatever it is breaks the law
            found = f"{type(error).__name__}: {error}"
        require(False, f"the address {NO_ADDRESS!r} gave {found}")


def _half(number: int) -> int:
    if number % 2:
        raise ArithmeticError(f"{number} is odd")
    return number // 2


def _die() -> None:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
