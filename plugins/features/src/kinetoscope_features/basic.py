"""The plain features: one row of numbers for each frame, all seen from the root.

Moving a clip over the ground or turning it about the vertical changes none of them.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from kinetoscope_features import formulas, sides
from kinetoscope_features.body import Array, Body
from kinetoscope_features.frame import ArrayFeature, flat, joint_columns, picked
from kinetoscope_features.root import RootTrack
from kinetoscope_features.windows import SIX
from kinetoscope_spec import Column, kinematics, rotation

__all__ = ["JointAngularVelocities", "JointPositions", "JointRotations", "JointVelocities", "RootTrajectory"]


class RootTrajectory(ArrayFeature):
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
        hips = formulas.to_root(root.ground, root.yaw, picked(positions, [body.hips]))[:, 0, :]
        return array_namespace(hips).concat((velocity, turn, hips), axis=1)

    def _mirrored(self, rows: Array, body: Body) -> Array:
        negated: Array = rows * [-1.0, 1.0, -1.0, -1.0, 1.0, 1.0]
        return negated


class JointPositions(ArrayFeature):
    """Positions of the hips and all joints below them, in root space."""

    fused = "positions"

    def _columns(self, body: Body) -> list[Column]:
        return joint_columns(body, "joint_position", "m", "xyz")

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        return flat(formulas.to_root(root.ground, root.yaw, picked(positions, body.joints)))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return sides.mirrored_vectors(rows, body)


class JointRotations(ArrayFeature):
    """Rotations of the hips and all joints below them in root space: two columns of the matrix."""

    fused = "rotations"

    def _columns(self, body: Body) -> list[Column]:
        return joint_columns(body, "joint_rotation_6d", "1", SIX)

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        back = rotation.from_yaw(-root.yaw)[:, None, :]
        return flat(rotation.to_6d(rotation.multiply(back, picked(rotations, body.joints))))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return sides.mirrored_rotations(rows, body)


class JointVelocities(ArrayFeature):
    """World velocities of the hips and all joints below them, turned into the root's axes."""

    fused = "velocities"

    def _columns(self, body: Body) -> list[Column]:
        return joint_columns(body, "joint_velocity", "m/s", "xyz")

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        velocity = kinematics.velocities(picked(positions, body.joints), framerate)
        return flat(rotation.rotate(rotation.from_yaw(-root.yaw)[:, None, :], velocity))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return sides.mirrored_vectors(rows, body)


class JointAngularVelocities(ArrayFeature):
    """World angular velocities of the hips and all joints below them, turned into the root's axes.

    The vector points along the axis of the turn (right-hand rule) and is as long as its rate. That of a
    frame is the mean of the turns from the frame before and to the frame after.
    """

    def _columns(self, body: Body) -> list[Column]:
        return joint_columns(body, "joint_angular_velocity", "rad/s", "xyz")

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        turns = formulas.angular_velocities(picked(rotations, body.joints), framerate)
        return flat(rotation.rotate(rotation.from_yaw(-root.yaw)[:, None, :], turns))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return sides.mirrored_vectors(rows, body, axial=True)
