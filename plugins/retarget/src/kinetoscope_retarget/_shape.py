"""Whether two skeletons are one skeleton under other names, axes and scale."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import Skeleton, rotation

__all__ = ["Likeness", "same_shape"]

_NEAR = 1e-4
"""Of the skeleton's size, how far joints may be off."""


@attrs.frozen(eq=False)
class Likeness:
    """How one rest pose becomes another: turned by `turn [4]`, then scaled."""

    turn: Array
    scale: float


def same_shape(source: Skeleton, target: Skeleton) -> Likeness | None:
    """Return what turns and scales the source's rest pose into the target's, or None."""
    if len(source) != len(target) or not np.array_equal(source.parents, target.parents):
        return None
    a, b = (np.asarray(s.rest_transforms()[0], np.float64) for s in (source, target))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = float(np.sqrt((a * a).sum())), float(np.sqrt((b * b).sum()))
    if min(size) < 1e-9:
        return None
    if np.linalg.norm(b - a * (size[1] / size[0]), axis=-1).max() <= _NEAR * np.ptp(b, axis=0).max():
        return Likeness(np.array([0.0, 0.0, 0.0, 1.0]), size[1] / size[0])
    # Kabsch (1976), "A solution for the best rotation to relate two sets of vectors".
    u, _, v = np.linalg.svd(b.T @ a)
    proper = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    turn = u @ proper @ v
    scale = size[1] / size[0]
    off = np.linalg.norm(b - scale * (a @ turn.T), axis=-1).max()
    if off > _NEAR * np.ptp(b, axis=0).max():
        return None
    return Likeness(rotation.from_matrix(turn), scale)
