"""Kinematics of bones in metres: rest positions with all scales worked in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import Skeleton, ValidationError, rotation

__all__ = ["chained", "check_scales", "metric_offsets", "scales_above"]

_EVEN = 1e-3


def scales_above(skeleton: Skeleton) -> Array:
    """Return `[J]`, by how much everything above a joint scales it (the mean of an uneven scale)."""
    above = np.ones(len(skeleton))
    own = np.asarray(skeleton.rest_scales, np.float64).mean(axis=1)
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            above[joint] = above[parent] * own[parent]
    return above


def check_scales(skeleton: Skeleton, joints: Iterable[int]) -> None:
    """Refuse what shears or mirrors `joints`: rotations alone cannot move them.

    Raises:
        ValidationError: a joint above one of them has an uneven scale, or one that is not above 0.
    """
    above = {int(skeleton.parents[joint]) for joint in joints} - {-1}
    for joint in range(len(skeleton) - 1, -1, -1):
        scale = np.asarray(skeleton.rest_scales[joint], np.float64)
        if joint not in above:
            continue
        above.add(int(skeleton.parents[joint]))
        if scale.min() <= 0 or np.ptp(scale) > _EVEN * scale.max():
            raise ValidationError(
                f"joint {skeleton.names[joint]!r} rests at the scale {scale.tolist()}, "
                "expected one number above 0 for all axes"
            )


def metric_offsets(skeleton: Skeleton) -> Array:
    """Return `[J, 3]` m: each bone as it is, whatever scales stand above it."""
    offsets: Array = np.asarray(skeleton.rest_positions, np.float64) * scales_above(skeleton)[:, None]
    return offsets


def chained(skeleton: Skeleton, offsets: Array, world: Array) -> Array:
    """Return global positions `[..., J, 3]` of bones `[J, 3]` with global rotations `[..., J, 4]`."""
    positions = np.empty((*world.shape[:-1], 3))
    for joint, parent in enumerate(skeleton.parents):
        bone = np.broadcast_to(offsets[joint], (*world.shape[:-2], 3))
        if parent >= 0:
            bone = positions[..., parent, :] + rotation.rotate(world[..., parent, :], bone)
        positions[..., joint, :] = bone
    return positions
