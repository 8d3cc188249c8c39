"""What the features compute, on the array API standard: NumPy, PyTorch and JAX alike.

The *root* is the character's place on the ground: the hips projected onto it, with the facing as
its forward axis. A yaw is the angle in radians by which +Z is turned about +Y to face that way,
so the facing is `(sin yaw, cos yaw)` in world x and z. Batch dimensions lead.
"""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import array_namespace

from kinetoscope_spec import rotation

__all__ = [
    "angular_velocities",
    "facing_yaw",
    "from_root",
    "ground_point",
    "heading",
    "to_root",
    "turned",
    "unturned",
    "unwrapped",
]


def _level_direction(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    x, z = a[..., 0] - b[..., 0], a[..., 2] - b[..., 2]
    length = xp.sqrt(x * x + z * z)
    length = xp.where(length < 1e-9, xp.ones_like(length), length)
    return x / length, z / length


def facing_yaw(left_leg: Any, right_leg: Any, left_arm: Any, right_arm: Any) -> Any:
    """Return the yaw `[...]` that a body faces, of global joint positions `[..., 3]` each.

    The mean of the directions from right to left across hips and across shoulders, each levelled
    and of length 1, crossed with up.
    """
    xp = array_namespace(left_leg, right_leg)
    hips_x, hips_z = _level_direction(xp, left_leg, right_leg)
    arms_x, arms_z = _level_direction(xp, left_arm, right_arm)
    return xp.atan2(-(hips_z + arms_z), hips_x + arms_x)


def unwrapped(angles: Any) -> Any:
    """Return `angles [T]` rad with whole turns added, so that neighbours are at most half a turn apart.

    Whole turns have no gradient: that of the angles is left as it is.
    """
    xp = array_namespace(angles)
    turns = xp.cumulative_sum(xp.round((angles[1:] - angles[:-1]) / math.tau))
    return xp.concat((angles[:1], angles[1:] - math.tau * turns))


def heading(yaw: Any) -> Any:
    """Return the facing `[..., 2]` in world x and z of `yaw [...]`."""
    xp = array_namespace(yaw)
    return xp.stack((xp.sin(yaw), xp.cos(yaw)), axis=-1)


def turned(yaw: Any, v: Any) -> Any:
    """Turn ground vectors `v [..., 2]` (x, z) by `yaw [...]`: from root space into the world."""
    xp = array_namespace(yaw, v)
    sine, cosine = xp.sin(yaw), xp.cos(yaw)
    x, z = v[..., 0], v[..., 1]
    return xp.stack((cosine * x + sine * z, cosine * z - sine * x), axis=-1)


def unturned(yaw: Any, v: Any) -> Any:
    """Turn ground vectors `v [..., 2]` back by `yaw [...]`: from the world into root space."""
    return turned(-yaw, v)


def ground_point(ground: Any) -> Any:
    """Return the points `[..., 3]` that lie at `ground [..., 2]` (x, z), height 0."""
    xp = array_namespace(ground)
    return xp.stack((ground[..., 0], xp.zeros_like(ground[..., 0]), ground[..., 1]), axis=-1)


def to_root(ground: Any, yaw: Any, positions: Any) -> Any:
    """Return global `positions [..., J, 3]` seen from the roots at `ground [..., 2]`, `yaw [...]`."""
    back = rotation.from_yaw(-yaw)[..., None, :]
    return rotation.rotate(back, positions - ground_point(ground)[..., None, :])


def from_root(ground: Any, yaw: Any, positions: Any) -> Any:
    """Return the global positions of `positions [..., J, 3]` in root space: `to_root` undone."""
    return (
        rotation.rotate(rotation.from_yaw(yaw)[..., None, :], positions) + ground_point(ground)[..., None, :]
    )


def angular_velocities(rotations: Any, framerate: float) -> Any:
    """Return the angular velocities `[T, ..., 3]`, rad/s, world axes, of global `rotations [T, ..., 4]`.

    Of each pair of neighbouring frames the shortest turn from one to the other; of a frame the mean of
    the two turns it takes part in, at the ends the one there is. One frame does not turn.
    """
    xp = array_namespace(rotations)
    if rotations.shape[0] < 2:
        return xp.zeros_like(rotations[..., :3])
    turns = rotation.multiply(rotations[1:, ...], rotation.conjugate(rotations[:-1, ...]))
    steps = rotation.to_rotation_vector(turns) * framerate
    return xp.concat((steps[:1, ...], 0.5 * (steps[1:, ...] + steps[:-1, ...]), steps[-1:, ...]), axis=0)
