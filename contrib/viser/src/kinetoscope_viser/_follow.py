"""Following what moves: softly, and the same at any frame rate."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.viewpoint import spring

__all__ = ["Follower"]

Array = NDArray[Any]

HALFLIFE_S: Final = 0.18
"""After so long about half of a distance is caught up."""


@attrs.define(eq=False)
class Follower:
    """A point that goes after another by `kinetoscope_spec.viewpoint.spring`.

    `step(a + b)` is `step(a)`, then `step(b)`, for a goal that stands still: what is seen does not
    depend on how often it is asked.

    Attributes:
        point: `[3]` m, where it is; None before it has a goal.
        velocity: `[3]` m/s.
    """

    point: Array | None = None
    velocity: Array = attrs.field(factory=lambda: np.zeros(3))
    _goal: Array | None = None

    def step(self, goal: Array, dt: float, *, jumped: bool = False) -> Array:
        """Move on by `dt` s towards `goal [3]` m and return the point.

        Where the goal `jumped` (a clip begins again), the point goes along, lag and all.
        """
        goal = np.asarray(goal, np.float64)
        if self.point is None or self._goal is None:
            self.point = goal.copy()
        elif jumped:
            self.point = self.point + goal - self._goal
        self._goal = goal
        still = np.zeros(3)
        self.point, self.velocity = spring(self.point, self.velocity, goal, still, HALFLIFE_S, dt)
        return self.point
