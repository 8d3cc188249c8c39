"""The skeleton of all nodes, and every stack baked to a motion, in our axes and metres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._animation import Stack
from kinetoscope_fbx._axes import Basis
from kinetoscope_fbx._inherit import plain_poses
from kinetoscope_fbx._models import Model, Pose, local_pose
from kinetoscope_spec import Motion, Skeleton, rotation

__all__ = ["Bones", "Posed", "baked", "build_bones", "inherited", "posed"]

Array = NDArray[Any]

TRANSFORM_BYTES: Final = 200
"""What one node costs for one frame while it is baked, and a little after."""


@attrs.frozen(eq=False)
class Bones:
    """The skeleton, and where each node stands in it.

    Nodes that shear (uneven scale above a turn, inherited in FBX's own ways) can't be told by a position,
    a turn and a scale: above each stands a helper that has half of the work, by singular values.

    Attributes:
        skeleton: of all nodes and helpers.
        place: `[N]`, where each node of the file stands in it.
        helped: nodes of the file that have a helper before them.
    """

    skeleton: Skeleton
    place: Array
    helped: frozenset[int]


@attrs.frozen(eq=False)
class Posed:
    """The nodes' plain local transforms at some times, and the linear parts of those that shear."""

    times: Array
    poses: list[Pose]
    sheared: dict[int, Array]


def posed(models: list[Model], stack: Stack | None, times: Array, rest: Sequence[Pose] = ()) -> Posed:
    """Evaluate the nodes; `rest`, where given, serves for those that the stack leaves alone."""
    poses = [
        rest[i] if rest and stack is not None and not moves(model, stack) else local_pose(model, stack, times)
        for i, model in enumerate(models)
    ]
    return Posed(times, poses, {})


def moves(model: Model, stack: Stack) -> bool:
    """Tell whether a stack moves a node."""
    return any(stack.moves(model.held, f"Lcl {what}") for what in ("Translation", "Rotation", "Scaling"))


def inherited(models: list[Model], held: Posed) -> Posed:
    """Return the transforms with FBX's own ways to inherit scale made plain."""
    plain, sheared = plain_poses(models, held.poses, len(held.times))
    return Posed(held.times, plain, sheared)


def build_bones(models: list[Model], rest: Posed, moved: Sequence[Posed], basis: Basis) -> Bones:
    """Return the skeleton at rest; nodes get helpers if they shear at rest or at any time of a clip."""
    helped = set(rest.sheared).union(*(held.sheared for held in moved))
    names: list[str] = []
    parents: list[int] = []
    place: list[int] = []
    for i, model in enumerate(models):
        above = -1 if model.parent < 0 else place[model.parent]
        if i in helped:
            names.append(f"{model.name} (shear)")
            parents.append(above)
            above = len(names) - 1
        place.append(len(names))
        names.append(model.name)
        parents.append(above)
    held = Bones(Skeleton(("root",), [-1], np.zeros((1, 3))), np.array(place), frozenset(helped))
    positions, rotations, scales = _arrays(held, len(names), rest, basis, np.float64)
    skeleton = Skeleton(tuple(names), parents, positions[0], rotations[0], scales[0])
    return attrs.evolve(held, skeleton=skeleton)


def baked(stack: Stack, held: Posed, bones: Bones, basis: Basis, framerate: float) -> Motion:
    """Return the transforms of a stack as a motion of float32."""
    positions, rotations, scales = _arrays(bones, len(bones.skeleton), held, basis, np.float32)
    scaled = bool((scales != 1).any())
    return Motion(
        bones.skeleton,
        positions,
        rotations,
        framerate,
        stack.name,
        scales=scales if scaled else None,
        start_time=stack.start,
    )


def _arrays(bones: Bones, count: int, held: Posed, basis: Basis, dtype: Any) -> tuple[Array, Array, Array]:
    """Return positions `[F, J, 3]`, rotations `[F, J, 4]` and scales `[F, J, 3]` seen from our basis."""
    frames = len(held.times)
    positions = np.zeros((frames, count, 3), dtype)
    rotations = np.zeros((frames, count, 4), dtype)
    rotations[..., 3] = 1
    scales = np.ones((frames, count, 3), dtype)
    for i, pose in enumerate(held.poses):
        at = int(bones.place[i])
        first = at - 1 if i in bones.helped else at  # what moves, and turns last
        positions[:, first] = pose.positions
        if i not in held.sheared:
            rotations[:, at] = pose.rotations
            scales[:, at] = pose.scales
    positions = basis.points(positions).astype(dtype, copy=False)
    rotations = basis.rotations(rotation.normalize(rotations)).astype(dtype, copy=False)
    scales = basis.scales(scales).astype(dtype, copy=False)
    for i, shear in held.sheared.items():
        at = int(bones.place[i])
        left, stretch, right = _singular(basis.turn @ shear @ basis.turn.T)
        rotations[:, at - 1] = rotation.from_matrix(left)
        scales[:, at - 1] = stretch
        rotations[:, at] = rotation.from_matrix(right)
        scales[:, at] = 1.0
    return positions, rotations, scales


def _singular(linear: Array) -> tuple[Array, Array, Array]:
    """Split `[F, 3, 3]` into a turn, a scale along axes, and a turn before that."""
    left, stretch, right = np.linalg.svd(linear)
    signs = [np.where(np.linalg.det(side)[:, None] < 0, (1.0, 1.0, -1.0), 1.0) for side in (left, right)]
    return left * signs[0][:, None, :], stretch * signs[0] * signs[1], right * signs[1][:, :, None]
