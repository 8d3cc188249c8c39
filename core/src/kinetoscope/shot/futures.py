"""How much the futures differ that a model draws from one beginning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot import measure
from kinetoscope_spec import Motion

__all__ = ["VISIBLE_M", "apart", "different", "posture"]

VISIBLE_M = 0.1
"""Joints that are so far apart on average are seen to be in different poses: a third of a stride."""
_MOST = 16


def posture(motion: Motion) -> NDArray[np.float64]:
    """Return joint positions `[T, J, 3]` m seen from the point on the ground below the pelvis."""
    positions = motion.global_transforms()[0].astype(np.float64)
    positions[..., [0, 2]] -= measure.pelvis(motion)[:, None]
    return positions


def apart(motions: Sequence[Motion], seconds: float) -> NDArray[np.float64]:
    """Return how far apart postures are, `[S, S]` m: the mean over joints and the first `seconds`.

    Where one character is on its way does not count, which pose it is in does. Its mean over pairs is
    the average pairwise distance of Yuan and Kitani 2020, "DLow", section 5, per joint and frame.
    """
    asked = max(round(seconds * motions[0].framerate), 1)
    count = min(asked, *(motion.frame_count for motion in motions))
    poses = np.stack([posture(motion.slice(0, count)) for motion in motions])
    found = np.zeros((len(poses), len(poses)))
    for a, b in combinations(range(len(poses)), 2):
        found[a, b] = found[b, a] = np.linalg.norm(poses[a] - poses[b], axis=-1).mean()
    return found


def different(distances: NDArray[np.float64], visible_m: float = VISIBLE_M) -> tuple[int, ...]:
    """Return the most of the `distances [S, S]` that are all at least `visible_m` from each other.

    The first such set in order; of more than 16 only those that are taken one after the other.
    """
    numbers = range(len(distances))
    if len(distances) > _MOST:
        taken: list[int] = []
        for i in numbers:
            if all(distances[i, j] >= visible_m for j in taken):
                taken.append(i)
        return tuple(taken)
    for size in range(len(distances), 1, -1):
        for chosen in combinations(numbers, size):
            if all(distances[a, b] >= visible_m for a, b in combinations(chosen, 2)):
                return chosen
    return tuple(numbers[:1])
