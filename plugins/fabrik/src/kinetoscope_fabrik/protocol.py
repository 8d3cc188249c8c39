"""What a solver takes and gives."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np
from kinetoscope_spec import ValidationError
from numpy.typing import NDArray

__all__ = ["Array", "Solution", "Solver"]

Array = NDArray[Any]


@attrs.frozen(eq=False)
class Solution:
    """Where the joints of `B` chains stand after solving.

    Attributes:
        positions: `[B, N, 3]` m, of the dtype of the chains; a chain's first joint stays where it was.
        iterations: int64 `[B]`, iterations that each chain took; 0 where nothing had to be iterated.
        converged: bool `[B]`, whether a chain's last joint came within the tolerance of its target.

    Raises:
        ValidationError: the shapes don't fit each other.
    """

    positions: Array
    iterations: Array
    converged: Array

    def __attrs_post_init__(self) -> None:
        batch = self.positions.shape[:1]
        if self.positions.ndim != 3 or self.positions.shape[2] != 3:
            raise ValidationError(f"Solution.positions has shape {self.positions.shape}, expected [B, N, 3]")
        for name in ("iterations", "converged"):
            if np.shape(getattr(self, name)) != batch:
                raise ValidationError(
                    f"Solution.{name} has shape {np.shape(getattr(self, name))}, expected {batch}"
                )


@runtime_checkable
class Solver(Protocol):
    """Moves the joints of chains so that their last joints reach targets.

    The distances between neighbouring joints and the place of the first joint are kept. A target
    out of reach leaves the chain straight, towards the target. A chain that already reaches its
    target is returned as it came. Chains of a batch don't influence each other. Moving, turning or
    scaling the world (with the tolerance) moves, turns or scales the solution. No result holds NaN.
    """

    def solve(
        self,
        chains: Array,
        targets: Array,
        *,
        tolerance: float = 1e-3,
        iterations: int = 100,
        poles: Array | None = None,
    ) -> Solution:
        """Solve a batch of chains that have equally many joints.

        Args:
            chains: `[B, N, 3]` m, the joints from root to end; N is at least 1.
            targets: `[B, 3]` m, where the last joints are to be.
            tolerance: m, how near is near enough.
            iterations: at most so many.
            poles: `[B, 3]` m, points towards which the chains are to bend, or None.

        Raises:
            ValidationError: a shape, NaN, an infinity, a negative tolerance or number.
        """
        ...
