"""Joints in the world, and joints that look at things."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import ValidationError, kinematics, rotation
from kinetoscope_stage._component import Array
from kinetoscope_stage.clips import Library
from kinetoscope_stage.poses import GlobalPose, LookAt, Pose, Rig
from kinetoscope_stage.springs import damp
from kinetoscope_stage.transforms import GlobalTransform
from kinetoscope_stage.view import View

__all__ = ["LookAtSystem", "PoseSystem", "line_to", "parents_of"]


class PoseSystem:
    """Computes `GlobalPose` of `Pose`, `Rig` and `GlobalTransform`, all characters of a skeleton at once."""

    name = "poses"
    reads = (Pose, Rig, GlobalTransform)
    writes = (GlobalPose,)

    def step(self, world: View, dt: float) -> None:
        """Compute; `dt` does not matter.

        Raises:
            ValidationError: a skeleton that is not in the library, or of another number of joints.
        """
        library = world.resource(Library)
        for chunk in world.query(Pose, Rig, GlobalTransform, GlobalPose):
            pose, out, at = chunk[Pose], chunk[GlobalPose], chunk[GlobalTransform]
            numbers = chunk[Rig].skeleton
            for number in np.unique(numbers):
                parents = parents_of(library, int(number), pose.positions.shape[1])
                rows = slice(None) if (numbers == number).all() else np.flatnonzero(numbers == number)
                p, q = _posed(parents, pose, at, rows)
                out.positions[rows], out.rotations[rows] = p[:, 1:], q[:, 1:]


def _posed(
    parents: tuple[int, ...], pose: Pose, at: GlobalTransform, rows: slice | Array
) -> tuple[Array, Array]:
    """Return the entity and its joints in the world: the entity counts as the root of all."""
    p = np.concatenate([at.position[rows, None], at.scale[rows, None, None] * pose.positions[rows]], axis=1)
    q = np.concatenate([at.rotation[rows, None], pose.rotations[rows]], axis=1)
    posed: tuple[Array, Array] = kinematics.global_transforms((-1, *(i + 1 for i in parents)), p, q)
    return posed


def parents_of(library: Library, number: int, joints: int) -> tuple[int, ...]:
    """Return a skeleton's parents, and make sure that it has so many joints."""
    if not 0 <= number < len(library.skeletons):
        raise ValidationError(
            f"skeleton {number} is not in the library, which holds {len(library.skeletons)}"
        )
    parents = tuple(library.skeletons[number].parents.tolist())
    if len(parents) != joints:
        raise ValidationError(f"skeleton {number} has {len(parents)} joints, a pose has {joints}")
    return parents


class LookAtSystem:
    """Turns the joint of each `LookAt` so that its axis points at the target.

    Not further than `most` from where the clip looks, with a critically damped spring on the way,
    and by `weight`. Joints above it are not moved.
    """

    name = "look-at"
    reads = (Pose, Rig, GlobalTransform, LookAt)
    writes = (Pose, LookAt)

    def step(self, world: View, dt: float) -> None:
        """Turn on by `dt` s.

        Raises:
            ValidationError: as `PoseSystem`; a joint that the skeleton has not.
        """
        library = world.resource(Library)
        for chunk in world.query(Pose, Rig, GlobalTransform, LookAt):
            held = chunk[LookAt]
            goals, there = world.gather(held.entity, GlobalTransform)
            target = np.where(there[:, None], goals.position, held.target)
            keys = np.stack([chunk[Rig].skeleton, held.joint], axis=-1)
            for number, joint in np.unique(keys[held.joint >= 0], axis=0):
                parents = parents_of(library, int(number), chunk[Pose].positions.shape[1])
                if joint >= len(parents):
                    raise ValidationError(f"joint {joint} is not in skeleton {number}")
                rows = np.flatnonzero((keys == (number, joint)).all(axis=1))
                _look(
                    chunk[Pose],
                    held,
                    chunk[GlobalTransform],
                    line_to(parents, int(joint)),
                    rows,
                    target[rows],
                    dt,
                )


def line_to(parents: tuple[int, ...], joint: int) -> list[int]:
    """Return the joints from the root down to `joint`."""
    line = [joint]
    while parents[line[-1]] >= 0:
        line.append(parents[line[-1]])
    return line[::-1]


def _look(
    pose: Pose, held: LookAt, at: GlobalTransform, line: list[int], rows: Array, target: Array, dt: float
) -> None:
    p, q, scale = at.position[rows], at.rotation[rows], at.scale[rows, None]
    above = q
    for joint in line:
        above = q
        p = p + rotation.rotate(q, scale * pose.positions[rows, joint])
        q = rotation.multiply(q, pose.rotations[rows, joint])
    ahead = rotation.rotate(q, rotation.normalize(held.axis[rows]))
    way = target - p
    near = (np.linalg.norm(way, axis=-1, keepdims=True) < 1e-6) | (
        np.linalg.norm(ahead, axis=-1, keepdims=True) < 1e-6
    )
    wanted = rotation.to_rotation_vector(rotation.between(ahead, np.where(near, ahead, way)))
    wanted = np.where(near, 0.0, wanted)
    size = np.linalg.norm(wanted, axis=-1, keepdims=True)
    most = np.maximum(held.most[rows, None], 0.0)
    wanted = wanted * np.minimum(1.0, most / np.maximum(size, 1e-12)) * np.clip(held.weight[rows, None], 0, 1)
    turn, velocity = damp(held.turn[rows], held.velocity[rows], wanted, held.halflife[rows, None], dt)
    # Two goals that lie within the cone may be further apart than their way through it: hold it in.
    size = np.linalg.norm(turn, axis=-1, keepdims=True)
    turn = turn * np.minimum(1.0, most / np.maximum(size, 1e-12))
    held.turn[rows], held.velocity[rows] = turn, velocity
    looking = rotation.multiply(rotation.from_rotation_vector(turn), q)
    pose.rotations[rows, line[-1]] = rotation.normalize(rotation.multiply(rotation.conjugate(above), looking))
