"""What a solver takes and gives."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Motion, ValidationError

__all__ = ["Array", "Planting", "Solution", "Solver"]

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


@attrs.frozen(eq=False)
class Planting:
    """A motion whose feet stand still, and what it took.

    Attributes:
        motion: the planted motion, of the same skeleton, frames and framerate.
        contacts: bool `[T, 2]`, left and right, when the toes were held.
        ground_m: height at which toes rest.
        skate_before_cm_s, skate_after_cm_s: mean speed of the toes over all steps from frame to frame
            that begin and end in contact; 0 where there is none.
        contact_share: share of frames in contact, left and right.
        excess_rad: by how much the planted legs leave the joint limits at most; None without limits.
    """

    motion: Motion
    contacts: Array
    ground_m: float
    skate_before_cm_s: float
    skate_after_cm_s: float
    contact_share: tuple[float, ...]
    excess_rad: float | None = None


@runtime_checkable
class Solver(Protocol):
    """Moves the joints of chains so that their last joints reach targets.

    The distances between neighbouring joints and the place of the first joint are kept. A target
    out of reach leaves the chain straight, towards the target. A chain that already reaches its
    target is returned as it came. Chains of a batch don't influence each other. Moving, turning or
    scaling the world (with the tolerance) moves, turns or scales the solution. No result holds NaN.

    A provider that takes only chains of some sizes has an attribute `bones`, the least and the
    greatest number of segments.
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
