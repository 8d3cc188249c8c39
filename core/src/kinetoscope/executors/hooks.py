"""The hook `executor`: who runs work elsewhere. Imports nothing but the spec and the standard library.

A provider of it needs no import of this module: a class with `open`, named by

    @hookimpl
    def executor() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.executor`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope.executors.contract import ExecutorContract

__all__ = ["HOOKS", "ExecutorContract", "Executors", "addhooks", "executor"]


@runtime_checkable
class Executors(Protocol):
    """Opens executors: objects of the interface `concurrent.futures.Executor`.

    What callers rely on: what a function returns or raises, its future gives; leaving `with` waits
    for what was submitted; `workers` says how many calls run at once. A worker that dies costs its
    call at most (which is tried again, or fails with `BrokenExecutor`), never the executor: what is
    submitted afterwards is done.
    """

    def open(self, address: str = "", *, workers: int = 1) -> Executor:
        """Return an executor with an attribute `workers`, to be closed by `shutdown` or `with`.

        Functions and arguments are pickled. `address` is what stands after `NAME://`; `workers` is
        how many are wanted, where the provider starts them itself. An attribute `same_files` that is
        true says that calls find this machine's files under the same paths and may write there.

        Raises:
            ConfigError: an address that means nothing to it.
            KinetoscopeError: nobody answers at the address.
        """
        ...


@hookspec
def executor() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Places where work runs: see `Executors`."""


HOOKS: Final = (
    Hook(
        "executor",
        "where work runs",
        "kinetoscope.executors.hooks:Executors",
        "kinetoscope.executors.hooks:ExecutorContract",
    ),
)
"""What the entry-point group `kinetoscope` finds: the host brings a hook as plugins do."""


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook known: this module is its specification."""
    return [sys.modules[__name__]]


def __getattr__(name: str) -> Any:
    # The contract needs hypothesis: it is imported when it is first named.
    if name != "ExecutorContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("kinetoscope.executors.contract").ExecutorContract
