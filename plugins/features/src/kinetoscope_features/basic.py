"""The plain features: one row of numbers for each frame, all seen from the root.

Moving a clip over the ground or turning it about the vertical changes none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from array_api_compat import array_namespace

from kinetoscope_features import formulas, sides
from kinetoscope_features.body import Array, Body, require_rigid
from kinetoscope_features.root import SMOOTHING_S, RootTrack, root_track
from kinetoscope_features.windows import SIX
from kinetoscope_spec import Column, FeatureSchema, Motion, Skeleton, kinematics, rotation
from kinetoscope_spec.errors import ValidationError

__all__ = ["FootContacts", "JointPositions", "JointRotations", "JointVelocities", "RootTrajectory"]


@attrs.frozen(kw_only=True)
class _FrameFeature:
    """What the plain features share.

    Options:
        framerate: frames per second at which rows are computed; a clip is resampled to it. None
            keeps the clip's own.
        smoothing_s: standard deviation of the root's Gaussian smoothing, s.
    """

    framerate: float | None = None
    smoothing_s: float = SMOOTHING_S

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the columns for motions of `skeleton`."""
        return FeatureSchema(tuple(self._columns(Body.of(skeleton))))

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return rows `[N, D]` for the `frames` asked for, all if None.

        Frames count at the feature's framerate. Velocities and smoothing look at the whole clip,
        so a row does not depend on which others are asked for.

        Raises:
            ValidationError: a joint is missing or a frame lies outside the clip.
        """
        require_rigid(motion)
        if self.framerate is not None:
            motion = motion.resample(self.framerate)
        body = Body.of(motion.skeleton)
        positions, rotations = motion.global_transforms()
        rows: Array = self._seen(
            body, np.asarray(positions, np.float64), np.asarray(rotations, np.float64), motion.framerate
        )
        return rows if frames is None else rows[_checked(frames, motion)]

    def mirrored(self, rows: Array, skeleton: Skeleton) -> Array:
        """Return the rows of the motion mirrored on the plane x = 0, left and right exchanged.

        A joint is turned out of its rest pose by the mirror image of its partner's turn.
        """
        return self._mirrored(np.asarray(rows), Body.of(skeleton))

    def _seen(self, body: Body, positions: Any, rotations: Any, framerate: float) -> Any:
        root = root_track(body, positions, framerate, smoothing_s=self.smoothing_s)
        return self._rows(body, positions, rotations, root, framerate)

    def _columns(self, body: Body) -> list[Column]:
        raise NotImplementedError

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        raise NotImplementedError

    def _mirrored(self, rows: Array, body: Body) -> Array:
        raise NotImplementedError


class _ArrayFeature(_FrameFeature):
    """A plain feature that array libraries other than NumPy compute, too."""

    def rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        """Return the rows `[T, D]` of all frames, by arrays of any library, which may differentiate them.

        Args:
            skeleton: whose motion it is; rigid.
            positions: `[T, J, 3]` m, relative to the parent.
            rotations: `[T, J, 4]` unit quaternions xyzw, relative to the parent.
            framerate: frames per second.

        Raises:
            ValidationError: a joint is missing, or the feature has another framerate.
        """
        if self.framerate is not None and self.framerate != framerate:
            raise ValidationError(
                f"arrays of {framerate:g} frames a second, expected {self.framerate:g}: `rows` does not resample"
            )
        positions, rotations = kinematics.global_transforms(skeleton.parents, positions, rotations)
        return self._seen(Body.of(skeleton), positions, rotations, framerate)


def _checked(frames: Sequence[int] | Array, motion: Motion) -> Array:
    asked = np.asarray(frames, dtype=np.int64).reshape(-1)
    outside = (asked < -motion.frame_count) | (asked >= motion.frame_count)
    if outside.any():
        raise ValidationError(
            f"frame {asked[outside][0]} asked of {motion.name!r}, which has {motion.frame_count} frames"
        )
    return asked


def _picked(values: Any, joints: Sequence[int]) -> Any:
    """Return the `joints` of `values [T, J, K]`, of any array library."""
    xp = array_namespace(values)
    return xp.take(values, xp.asarray(list(joints), device=getattr(values, "device", None)), axis=1)


def _flat(values: Any) -> Any:
    """Return `values [T, B, K]` as rows `[T, B K]`."""
    frames, joints, size = values.shape
    return array_namespace(values).reshape(values, (frames, joints * size))


def _joint_columns(body: Body, name: str, unit: str, components: Sequence[str]) -> list[Column]:
    return [Column(name, unit, joint, component) for joint in body.names for component in components]


class RootTrajectory(_ArrayFeature):
    """Velocity of the root in root space (x, z), its turn rate, and the hips' height and offset."""

    def _columns(self, body: Body) -> list[Column]:
        hips = body.skeleton.names[body.hips]
        return [
            Column("root_velocity", "m/s", None, "x"),
            Column("root_velocity", "m/s", None, "z"),
            Column("root_turn_rate", "rad/s"),
            *(Column("hips_offset", "m", hips, axis) for axis in "xyz"),
        ]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        velocity = formulas.unturned(root.yaw, kinematics.velocities(root.ground, framerate))
        turn = kinematics.velocities(root.yaw[:, None], framerate)
        hips = formulas.to_root(root.ground, root.yaw, _picked(positions, [body.hips]))[:, 0, :]
        return array_namespace(hips).concat((velocity, turn, hips), axis=1)

    def _mirrored(self, rows: Array, body: Body) -> Array:
        negated: Array = rows * [-1.0, 1.0, -1.0, -1.0, 1.0, 1.0]
        return negated


class JointPositions(_ArrayFeature):
    """Positions of the hips and all joints below them, in root space."""

    def _columns(self, body: Body) -> list[Column]:
        return _joint_columns(body, "joint_position", "m", "xyz")

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        return _flat(formulas.to_root(root.ground, root.yaw, _picked(positions, body.joints)))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return sides.mirrored_vectors(rows, body)


class JointRotations(_ArrayFeature):
    """Rotations of the hips and all joints below them in root space: two columns of the matrix."""

    def _columns(self, body: Body) -> list[Column]:
        return _joint_columns(body, "joint_rotation_6d", "1", SIX)

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        back = rotation.from_yaw(-root.yaw)[:, None, :]
        return _flat(rotation.to_6d(rotation.multiply(back, _picked(rotations, body.joints))))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return sides.mirrored_rotations(rows, body)


class JointVelocities(_ArrayFeature):
    """World velocities of the hips and all joints below them, turned into the root's axes."""

    def _columns(self, body: Body) -> list[Column]:
        return _joint_columns(body, "joint_velocity", "m/s", "xyz")

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        velocity = kinematics.velocities(_picked(positions, body.joints), framerate)
        return _flat(rotation.rotate(rotation.from_yaw(-root.yaw)[:, None, :], velocity))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return sides.mirrored_vectors(rows, body)


@attrs.frozen(kw_only=True)
class FootContacts(_FrameFeature):
    """Whether the left and the right foot stand on the ground, 1 or 0.

    Options:
        height_m: how far above its resting height the toe joint may be.
        speed_m_s: how fast it may move.
        ground_m: its resting height; None measures it from the clip.
    """

    height_m: float = 0.03
    speed_m_s: float = 0.4
    ground_m: float | None = None

    def _columns(self, body: Body) -> list[Column]:
        return [Column("contact", "1", body.skeleton.names[foot]) for foot in body.feet]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        touching = body.contacts(
            body.foot_positions(positions),
            framerate,
            height_m=self.height_m,
            speed_m_s=self.speed_m_s,
            ground_m=self.ground_m,
        )
        return touching.astype(np.float64)

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return rows[:, ::-1]
