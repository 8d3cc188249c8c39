"""The feature: where hands and feet are and how they move, seen from the hips.

All of it is computed by operators and functions of the array API standard, so that one formula
serves NumPy, PyTorch (which differentiates it) and JAX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from kinetoscope_spec import Column, FeatureSchema, Motion, Skeleton, anatomy, kinematics, rotation
from kinetoscope_spec.errors import ValidationError

__all__ = ["AcmeThingFeature"]

Array = NDArray[Any]

ENDS = ("left_hand", "right_hand", "left_foot", "right_foot")
LEGS = ("left_upper_leg", "right_upper_leg")
OTHER_SIDE = [1, 0, 3, 2]
"""For each of ENDS its place when left and right are exchanged."""


class AcmeThingFeature:
    """Position (m) and velocity (m/s) of hands and feet, in axes that face where the hips face."""

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the 24 columns for motions of `skeleton`.

        Raises:
            ValidationError: it has no joint for one of the roles.
        """
        names = [skeleton.names[joint] for joint in joints(skeleton, *ENDS)]
        kinds = (("position_from_hips", "m"), ("velocity", "m/s"))
        return FeatureSchema(
            tuple(Column(kind, unit, name, axis) for kind, unit in kinds for name in names for axis in "xyz")
        )

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return rows `[N, 24]` for the `frames` asked for, all if None.

        Raises:
            ValidationError: a joint is missing, joints are scaled, or a frame lies outside the clip.
        """
        if motion.scales is not None and not np.allclose(motion.scales, 1.0):
            raise ValidationError(f"motion {motion.name!r} scales its joints, expected a rigid skeleton")
        positions, rotations = (np.asarray(held, np.float64) for held in (motion.positions, motion.rotations))
        rows: Array = self.rows(motion.skeleton, positions, rotations, motion.framerate)
        if frames is None:
            return rows
        asked = np.asarray(frames, np.int64).reshape(-1)
        if ((asked < -len(rows)) | (asked >= len(rows))).any():
            raise ValidationError(f"frames {asked.tolist()} asked of the {len(rows)} of {motion.name!r}")
        return rows[asked]

    def rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        """Return the rows of all frames, of local `positions [T, J, 3]` and `rotations [T, J, 4]`."""
        xp = array_namespace(positions, rotations)
        (hips,) = joints(skeleton, "hips")
        left, right = joints(skeleton, *LEGS)
        points, _ = kinematics.global_transforms(skeleton.parents, positions, rotations)
        # Facing is the level direction from the right leg to the left one, crossed with up.
        across = points[:, left, :] - points[:, right, :]
        back = rotation.from_yaw(xp.atan2(across[:, 2], across[:, 0]))[:, None, :]
        ends = xp.stack([points[:, joint, :] for joint in joints(skeleton, *ENDS)], axis=1)
        seen = rotation.rotate(back, ends - points[:, hips, :][:, None, :])
        moving = rotation.rotate(back, kinematics.velocities(ends, framerate))
        return xp.reshape(xp.concat((seen, moving), axis=1), (-1, 24))

    def mirrored(self, rows: Array, skeleton: Skeleton) -> Array:
        """Return the rows of the mirrored motion: sides exchanged, x negated."""
        vectors = np.asarray(rows).reshape(-1, 2, len(ENDS), 3)
        return (vectors[:, :, OTHER_SIDE] * [-1.0, 1.0, 1.0]).reshape(-1, 24)


def joints(skeleton: Skeleton, *names: str) -> list[int]:
    """Return the joints that have these roles, as their names tell.

    Raises:
        ValidationError: one has none.
    """
    roles = anatomy.roles(skeleton)
    for name in names:
        if name not in roles:
            raise ValidationError(f"no joint of {', '.join(skeleton.names[:40])} has the role {name!r}")
    return [roles[name] for name in names]
