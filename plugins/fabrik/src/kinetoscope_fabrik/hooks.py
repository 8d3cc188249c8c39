"""The hook that this distribution brings: `solver`, with its protocol, value and contract.

Implement it in a distribution of your own without FABRIK's weight: a module with

    @hookimpl
    def solver() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.solver`. Importing this module loads nothing but the spec's
hook markers; protocols, values and `SolverContract` are imported when they are first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_fabrik._arrays import Library, portable_fabrik
    from kinetoscope_fabrik._chain import ArraySolver
    from kinetoscope_fabrik.contract import SolverContract
    from kinetoscope_fabrik.joints import Cone, Hinge
    from kinetoscope_fabrik.protocol import Planting, Solution, Solver
    from kinetoscope_fabrik.rig import Goal, Posed, PoseSolver, Rig

__all__ = [
    "HOOKS",
    "ArraySolver",
    "Cone",
    "Goal",
    "Hinge",
    "Library",
    "Planting",
    "PoseSolver",
    "Posed",
    "Rig",
    "Solution",
    "Solver",
    "SolverContract",
    "addhooks",
    "portable_fabrik",
    "solver",
]


@hookspec
def solver() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Inverse kinematics of joint chains: see `Solver`."""


HOOKS: Final = (
    Hook(
        "solver",
        "inverse kinematics of joint chains",
        "kinetoscope_fabrik.hooks:Solver",
        "kinetoscope_fabrik.hooks:SolverContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `solver` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    **dict.fromkeys(("Solver", "Solution", "Planting"), "protocol"),
    **dict.fromkeys(("Rig", "Goal", "Posed", "PoseSolver"), "rig"),
    **dict.fromkeys(("Hinge", "Cone"), "joints"),
    "SolverContract": "contract",
    **dict.fromkeys(("Library", "portable_fabrik"), "_arrays"),
    "ArraySolver": "_chain",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_fabrik.{_HOMES[name]}"), name)
