"""The skeleton of all nodes, and every stack baked to a motion, in our axes and metres."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._animation import Stack
from kinetoscope_fbx._axes import Basis
from kinetoscope_fbx._inherit import Told, plain_poses
from kinetoscope_fbx._models import Model, Nodes, beyond_measure
from kinetoscope_fbx._poses import Pose, Poses, posed
from kinetoscope_spec import Motion, Skeleton, rotation

__all__ = ["TRANSFORM_BYTES", "Bones", "bake"]

Array = NDArray[Any]

TRANSFORM_BYTES: Final = 80
"""What one node takes for one frame of a motion, and of the copies that are made of it."""

_AT_ONCE: Final = 1 << 16
"""Nodes times frames that are worked out at once; each takes up to 900 bytes meanwhile."""


@attrs.frozen(eq=False)
class Places:
    """Where each node stands in the skeleton.

    Nodes that shear (uneven scale above a turn, inherited in FBX's own ways) can't be told by a position,
    a turn and a scale: above each stands a helper that has half of the work, by singular values.

    Attributes:
        models: the nodes of the file, N.
        place: `[N]`, where each node of the file stands in the skeleton.
        moving: `[N]`, what moves in its place: the helper, for nodes that have one.
        helped: nodes of the file that have a helper before them.
    """

    models: list[Model]
    place: Array
    moving: Array
    helped: frozenset[int]

    @property
    def count(self) -> int:
        """How many bones there are."""
        return len(self.models) + len(self.helped)


@attrs.frozen(eq=False)
class Bones(Places):
    """The skeleton of all nodes and helpers, and where each node stands in it."""

    skeleton: Skeleton


@attrs.frozen(eq=False)
class Posed:
    """The nodes' plain local transforms at F times, in groups of nodes, and the linear parts of those that shear."""

    frames: int
    told: list[Told]
    sheared: dict[int, Array]


def inherited(nodes: Nodes, held: Poses) -> Posed:
    """Return the transforms with FBX's own ways to inherit scale made plain."""
    return Posed(held.frames, *plain_poses(nodes, held))


def build_bones(models: list[Model], rest: Posed, helped: Set[int], basis: Basis) -> Bones:
    """Return the skeleton at rest; the nodes `helped`, which shear, each get a helper above them."""
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
    moving = np.array([at - 1 if i in helped else at for i, at in enumerate(place)])
    places = Places(models, np.array(place), moving, frozenset(helped))
    positions, rotations, scales = _arrays(places, rest, basis, np.float64)
    skeleton = Skeleton(tuple(names), parents, positions[0], rotations[0], scales[0])
    return Bones(models, places.place, moving, places.helped, skeleton)


def bake(
    stacks: Sequence[Stack], spans: Sequence[Array], models: list[Model], basis: Basis, framerate: float
) -> tuple[Bones, list[Motion]]:
    """Return the skeleton and every stack sampled at its times, `spans`, as motions of float32.

    Raises:
        FormatError: a node is beyond all measure.
    """
    nodes = Nodes.of(models)
    still = posed(nodes, None, np.zeros(1))
    rest = inherited(nodes, still)
    helped = set(rest.sheared)
    while True:
        bones = build_bones(models, rest, helped, basis)
        baked = [
            _baked(stack, times, nodes, still.still, bones, basis, framerate, helped)
            for stack, times in zip(stacks, spans, strict=True)
        ]
        motions = [motion for motion in baked if motion is not None]
        if len(motions) == len(baked):
            return bones, motions


def _baked(
    stack: Stack,
    times: Array,
    nodes: Nodes,
    rest: Pose,
    bones: Bones,
    basis: Basis,
    framerate: float,
    helped: set[int],
) -> Motion | None:
    """Return a stack as a motion; None if nodes shear in it that have no helper, which `helped` gets."""
    frames, count = len(times), bones.count
    arrays = tuple(np.empty((frames, count, width), np.float32) for width in (3, 4, 3))
    step = max(_AT_ONCE // count, 1)
    for start in range(0, frames, step):
        held = inherited(nodes, posed(nodes, stack, times[start : start + step], rest))
        helped |= held.sheared.keys()
        if len(helped) == len(bones.helped):
            for array, found in zip(arrays, _arrays(bones, held, basis, np.float32), strict=True):
                array[start : start + step] = found
    if len(helped) > len(bones.helped):
        return None
    positions, rotations, scales = arrays
    moved = scales if (scales != 1).any() else None
    return Motion(
        bones.skeleton, positions, rotations, framerate, stack.name, scales=moved, start_time=stack.start
    )


def _arrays(bones: Places, held: Posed, basis: Basis, dtype: Any) -> tuple[Array, Array, Array]:
    """Return positions `[F, J, 3]`, rotations `[F, J, 4]` and scales `[F, J, 3]` seen from our basis.

    Raises:
        FormatError: a node stands too far away, or is too large, for a motion to hold it.
    """
    arrays = _assembled(bones, held, basis, dtype)
    if not all(np.isfinite(np.add.reduce(array, axis=None)) for array in arrays):
        finite = np.all([np.isfinite(array).all(axis=(0, 2)) for array in arrays], axis=0)
        for model, place in zip(bones.models, bones.place, strict=True):
            if not finite[max(place - 1, 0) : place + 1].all():
                raise beyond_measure(model)
    return arrays


def _assembled(bones: Places, held: Posed, basis: Basis, dtype: Any) -> tuple[Array, Array, Array]:
    positions, rotations, scales = (np.empty((held.frames, bones.count, width), dtype) for width in (3, 4, 3))
    helpers = [place - 1 for place in bones.place[sorted(bones.helped)]]
    rotations[:, helpers], scales[:, helpers] = (0, 0, 0, 1), 1
    for rows, pose in (group for group in held.told if len(group[0])):
        place = bones.place[rows]
        positions[:, bones.moving[rows]] = _by_frame(basis.points(pose.positions))
        rotations[:, place] = _by_frame(basis.rotations(rotation.normalize(pose.rotations)))
        scales[:, place] = _by_frame(basis.scales(pose.scales))
    positions[:, bones.place[sorted(bones.helped)]] = 0
    for i, shear in held.sheared.items():
        at = int(bones.place[i])
        left, stretch, right = _singular(basis.turn @ shear @ basis.turn.T)
        rotations[:, at - 1] = rotation.from_matrix(left)
        scales[:, at - 1] = stretch
        rotations[:, at] = rotation.from_matrix(right)
        scales[:, at] = 1.0
    return positions, rotations, scales


def _by_frame(found: Array) -> Array:
    return found.transpose(1, 0, 2)


def _singular(linear: Array) -> tuple[Array, Array, Array]:
    """Split `[F, 3, 3]` into a turn, a scale along axes, and a turn before that."""
    left, stretch, right = np.linalg.svd(linear)
    signs = [np.where(np.linalg.det(side)[:, None] < 0, (1.0, 1.0, -1.0), 1.0) for side in (left, right)]
    return left * signs[0][:, None, :], stretch * signs[0] * signs[1], right * signs[1][:, :, None]
