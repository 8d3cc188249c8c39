"""FABRIK: forward and backward reaching inverse kinematics.

Aristidou and Lasenby 2011, "FABRIK: A fast, iterative solver for the Inverse Kinematics problem",
Graphical Models 73(5), algorithm 1; the cases it leaves open (dead lock on a line, slow convergence
of nearly stretched chains, targets too near) are closed as `_cases` says.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kinetoscope_fabrik import _tree, _tree_fabrik, _tree_jacobian
from kinetoscope_fabrik._poser import RigSolver
from kinetoscope_fabrik.protocol import Array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FabrikSolver"]


class FabrikSolver(RigSolver):
    """The provider `fabrik` of the hook `solver`: see `Solver` for what it keeps to."""

    def __init__(self, *, compiled: bool | None = None) -> None:
        """`compiled` chooses Numba or NumPy, whose results are equal; None takes what is there.

        Numba compiles when the first batch is solved, once for each installation: some 15 seconds.
        """
        self._compiled = compiled

    @cached_property
    def _implementation(self) -> Callable[..., tuple[Array, Array, Array]]:
        return _implementation(self._compiled)

    def _run(
        self, chains: Array, targets: Array, tolerance: float, iterations: int
    ) -> tuple[Array, Array, Array]:
        return self._implementation(chains, targets, tolerance, iterations)

    def _steps(self) -> Sequence[_tree.Step]:
        # FABRIK's points don't see limits and stop short of them; damped steps go round.
        return (*[_tree_fabrik.step] * 3, *[_tree_jacobian.step] * 5)


def _implementation(compiled: bool | None) -> Callable[..., tuple[Array, Array, Array]]:
    if compiled is not False:
        try:
            from kinetoscope_fabrik._kernel import solve

            return solve
        except ImportError:
            if compiled:
                raise
    from kinetoscope_fabrik._plain import solve as plain

    return plain
