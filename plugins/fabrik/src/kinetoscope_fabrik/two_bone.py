"""Two bones: the law of cosines."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from kinetoscope_fabrik import _cases
from kinetoscope_fabrik._chain import ArraySolver
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import ValidationError

__all__ = ["TwoBoneSolver"]


class TwoBoneSolver(ArraySolver):
    """The provider `two-bone` of the hook `solver`: legs and arms, exactly, in one step.

    The middle joint stays in the plane that it bends in; a straight chain bends as `_cases` says.
    """

    bones: ClassVar[tuple[int, int]] = (2, 2)

    def _run(
        self, chains: Array, targets: Array, tolerance: float, iterations: int
    ) -> tuple[Array, Array, Array]:
        if chains.shape[1] != 3:
            raise ValidationError(
                f"chains have {chains.shape[1]} joints, expected 3: two-bone takes two bones"
            )
        p, goal = chains - chains[:, :1], targets - chains[:, 0]
        solved = _cases.dot(p[:, -1] - goal, p[:, -1] - goal) <= tolerance * tolerance
        lengths = _cases.lengths_of(p)
        start, closed = _cases.prepare(p, lengths, goal)
        bent = np.where(closed[:, None, None], start, _cases.close(start, lengths, goal))
        still = solved | (~closed & (iterations == 0))
        bent = np.where(still[:, None, None], p, bent)
        off = bent[:, -1] - goal
        count = (~still & ~closed).astype(np.int64)
        reached: Array = _cases.dot(off, off) <= tolerance * tolerance
        return np.where(still[:, None, None], chains, bent + chains[:, :1]), count, reached
