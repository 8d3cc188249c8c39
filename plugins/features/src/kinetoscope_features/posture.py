"""Poses for guidance and targets for tracking: what a motion is asked to look like."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from array_api_compat import array_namespace

from kinetoscope_features import formulas, sides
from kinetoscope_features.body import Array, Body, role, roles_of
from kinetoscope_features.frame import MOST_S, ArrayFeature, flat, joint_columns, picked, within
from kinetoscope_features.root import RootTrack, smoothed
from kinetoscope_features.windows import SIX
from kinetoscope_spec import Column, kinematics, rotation
from kinetoscope_spec.errors import ValidationError

__all__ = ["GuidancePose", "TrackingTargets"]


@attrs.frozen(kw_only=True)
class GuidancePose(ArrayFeature):
    """The pose that a motion has on average around a frame: a hint at how it is to look.

    The root-space positions of the body's joints, or the directions of its bones, averaged under a
    Gaussian window. Directions (which carry a style to a body of other proportions) are not made
    unit again: where a limb moves much its mean is short, and says so.

    Options:
        window_s: standard deviation of the window, s.
        of: `positions` or `directions`.
    """

    window_s: float = attrs.field(default=0.25, validator=within(0.0, MOST_S))
    of: str = attrs.field(default="positions")

    @of.validator
    def _known(self, _: Any, value: str) -> None:
        if value not in ("positions", "directions"):
            raise ValidationError(f"of is {value!r}, expected 'positions' or 'directions'")

    def _columns(self, body: Body) -> list[Column]:
        if self.of == "positions":
            return joint_columns(body, "guidance_position", "m", "xyz")
        return [Column("guidance_direction", "1", name, axis) for name in body.names[1:] for axis in "xyz"]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        joints = formulas.to_root(root.ground, root.yaw, picked(positions, body.joints))
        if self.of == "directions":
            joints = _directions(joints, body)
        return flat(smoothed(joints, framerate, self.window_s))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        joints = body.joints if self.of == "positions" else body.joints[1:]
        return sides.mirrored_vectors(rows, body, joints)


def _directions(joints: Any, body: Body) -> Any:
    """Return the unit vectors `[T, B - 1, 3]` from each joint's parent to it; 0 where they coincide."""
    xp = array_namespace(joints)
    bones = joints[:, 1:, :] - picked(joints, body.parents[1:])
    squared = xp.sum(bones * bones, axis=-1, keepdims=True)
    some = squared > 1e-12
    return xp.where(some, bones, xp.zeros_like(bones)) / xp.sqrt(
        xp.where(some, squared, xp.ones_like(squared))
    )


class TrackingTargets(ArrayFeature):
    """Head and hands as a headset and two controllers know them: position, rotation and velocity.

    In root space; rotations are two columns of the matrix. A body without hands is tracked at its
    lower arms, one without a head at its neck or chest.
    """

    def _joints(self, body: Body) -> tuple[int, int, int]:
        head = role(roles_of(body.skeleton), body.skeleton, "head", "neck", "chest", "spine", "hips")
        return (head, *body.hands)

    def _columns(self, body: Body) -> list[Column]:
        names = [body.skeleton.names[joint] for joint in self._joints(body)]
        parts = (("position", "m", "xyz"), ("rotation_6d", "1", SIX), ("velocity", "m/s", "xyz"))
        return [
            Column(f"tracking_{part}", unit, name, component)
            for part, unit, components in parts
            for name in names
            for component in components
        ]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        joints = self._joints(body)
        places = picked(positions, joints)
        back = rotation.from_yaw(-root.yaw)[:, None, :]
        parts = (
            formulas.to_root(root.ground, root.yaw, places),
            rotation.to_6d(rotation.multiply(back, picked(rotations, joints))),
            rotation.rotate(back, kinematics.velocities(places, framerate)),
        )
        return array_namespace(places).concat([flat(part) for part in parts], axis=1)

    def _mirrored(self, rows: Array, body: Body) -> Array:
        joints = self._joints(body)
        return np.concatenate(
            [
                sides.mirrored_vectors(rows[:, :9], body, joints),
                sides.mirrored_rotations(rows[:, 9:27], body, joints),
                sides.mirrored_vectors(rows[:, 27:], body, joints),
            ],
            axis=1,
        )
