"""Joints in the world, and joints that look at things."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import ValidationError, rotation
from kinetoscope_stage import _fast
from kinetoscope_stage._component import Array
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import GlobalPose, LookAt, Pose, PreviousPose, Rig
from kinetoscope_stage.springs import damp
from kinetoscope_stage.transforms import GlobalTransform
from kinetoscope_stage.view import View

__all__ = ["LookAtSystem", "PoseSystem", "alike", "line_to", "parents_of", "posed_line"]


class PoseSystem:
    """Computes `GlobalPose` of `Pose`, `Rig` and `GlobalTransform`, all characters of a skeleton at once.

    `PreviousPose`, where an entity has it, takes what `GlobalPose` was before; who is new has stood
    as it stands.
    """

    name = "poses"
    reads = (Pose, Rig, GlobalTransform)
    writes = (GlobalPose, PreviousPose)

    def step(self, world: View, dt: float) -> None:
        """Compute; `dt` does not matter.

        Raises:
            ValidationError: a skeleton that is not in the library, or of another number of joints.
        """
        library = world.resource(Library)
        for chunk in world.query(Pose, Rig, GlobalTransform, GlobalPose):
            pose, out, at = chunk[Pose], chunk[GlobalPose], chunk[GlobalTransform]
            before = chunk.get(PreviousPose)
            if before is not None:
                before.positions[:], before.rotations[:] = _locals(out)
            numbers = chunk[Rig].skeleton
            for number in np.unique(numbers):
                parents = parents_of(library, int(number), pose.positions.shape[1])
                joints, rows = np.arange(len(parents)), np.flatnonzero(numbers == number)
                if len(rows) == len(numbers):
                    _fast.pose(parents, joints, rows, _locals(pose), _place(at), _locals(out))
                else:
                    out.positions[rows], out.rotations[rows] = _posed(parents, joints, rows, pose, at)
            if before is not None:
                new = np.flatnonzero(~before.known)
                before.positions[new], before.rotations[new] = out.positions[new], out.rotations[new]
                before.known[new] = True


def _locals(held: Pose | GlobalPose) -> tuple[Array, Array]:
    return held.positions, held.rotations


def _place(at: GlobalTransform) -> tuple[Array, Array, Array]:
    return at.position, at.rotation, at.scale


def _posed(
    parents: tuple[int, ...], joints: Array, rows: Array, pose: Pose, at: GlobalTransform
) -> tuple[Array, Array]:
    shape = len(rows), len(joints)
    out = np.empty((*shape, 3)), np.empty((*shape, 4))
    _fast.pose(parents, joints, rows, _locals(pose), _place(at), out)
    return out


def posed_line(pose: Pose, at: GlobalTransform, line: list[int], rows: Array) -> tuple[Array, Array]:
    """Return positions `[n, K, 3]` and rotations `[n, K, 4]` in the world of the joints on a `line_to`."""
    return _posed(tuple(range(-1, len(line) - 1)), np.array(line), rows, pose, at)


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
    and by `weight`; what is more than `widest` off is not looked at. Joints above it are not moved.
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
            for (number, joint), rows in alike(held.joint >= 0, chunk[Rig].skeleton, held.joint):
                parents = parents_of(library, number, chunk[Pose].positions.shape[1])
                if joint >= len(parents):
                    raise ValidationError(f"joint {joint} is not in skeleton {number}")
                _look(
                    chunk[Pose],
                    held,
                    chunk[GlobalTransform],
                    line_to(parents, joint),
                    rows,
                    target[rows],
                    dt,
                )


def alike(chosen: Array, *keys: Array) -> list[tuple[tuple[int, ...], Array]]:
    """Return the rows of `chosen` (bool `[n]`) by what stands in their integer `keys [n]`."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return []
    first = tuple(int(key[rows[0]]) for key in keys)
    if all((key[rows] == held).all() for key, held in zip(keys, first, strict=True)):
        return [(first, rows)]
    table = np.stack([key[rows] for key in keys], axis=-1)
    kinds, place = np.unique(table, axis=0, return_inverse=True)
    return [(tuple(kind), rows[place.reshape(-1) == i]) for i, kind in enumerate(kinds.astype(int).tolist())]


def line_to(parents: tuple[int, ...], joint: int) -> list[int]:
    """Return the joints from the root down to `joint`."""
    line = [joint]
    while parents[line[-1]] >= 0:
        line.append(parents[line[-1]])
    return line[::-1]


def _look(
    pose: Pose, held: LookAt, at: GlobalTransform, line: list[int], rows: Array, target: Array, dt: float
) -> None:
    positions, rotations = posed_line(pose, at, line, rows)
    p, q = positions[:, -1], rotations[:, -1]
    above = rotations[:, -2] if len(line) > 1 else at.rotation[rows]
    ahead = rotation.rotate(q, rotation.normalize(held.axis[rows]))
    way = target - p
    near = (np.linalg.norm(way, axis=-1, keepdims=True) < 1e-6) | (
        np.linalg.norm(ahead, axis=-1, keepdims=True) < 1e-6
    )
    wanted = rotation.to_rotation_vector(rotation.between(ahead, np.where(near, ahead, way)))
    wanted = np.where(near, 0.0, wanted)
    size = np.linalg.norm(wanted, axis=-1, keepdims=True)
    wanted = np.where(size > held.widest[rows, None], 0.0, wanted)
    most = np.maximum(held.most[rows, None], 0.0)
    wanted = wanted * np.minimum(1.0, most / np.maximum(size, 1e-12)) * np.clip(held.weight[rows, None], 0, 1)
    turn, velocity = damp(held.turn[rows], held.velocity[rows], wanted, held.halflife[rows, None], dt)
    # Two goals that lie within the cone may be further apart than their way through it: hold it in.
    size = np.linalg.norm(turn, axis=-1, keepdims=True)
    turn = turn * np.minimum(1.0, most / np.maximum(size, 1e-12))
    held.turn[rows], held.velocity[rows] = turn, velocity
    looking = rotation.multiply(rotation.from_rotation_vector(turn), q)
    pose.rotations[rows, line[-1]] = rotation.normalize(rotation.multiply(rotation.conjugate(above), looking))
