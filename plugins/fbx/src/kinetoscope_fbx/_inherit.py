"""Scale inheritance: what FBX makes of a parent's scale, as plain parent-and-child transforms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._models import Model, Pose
from kinetoscope_spec import rotation

__all__ = ["plain_poses"]

Array = NDArray[Any]

# EInheritType of the FBX SDK: how a child's turn and scale follow those of its parent.
_TURN_FIRST, _PLAIN, _NOT_PARENTS_OWN = 0, 1, 2
_DEFAULT: Final = _TURN_FIRST


def unlike_others(models: list[Model], poses: list[Pose]) -> list[int]:
    """Return the nodes that do not follow their parent's matrix as all other formats have it.

    Where ancestors are scaled alike along their axes scale and turn may change places, and where
    nothing above is scaled at all every way is the plain one.
    """
    even = [_even(pose.scales) for pose in poses]
    found = []
    for i, model in enumerate(models):
        if model.parent < 0:
            continue
        mode = int(model.held.number("InheritType", _DEFAULT))
        above = poses[model.parent].scales
        compensates = mode == _NOT_PARENTS_OWN and not (above == 1).all()
        if compensates or (mode != _PLAIN and not even[model.parent]):
            found.append(i)
        even[i] = even[i] and even[model.parent]
    return found


def _even(scales: Array) -> bool:
    return bool((np.ptp(scales, axis=-1) <= 1e-6 * np.abs(scales).max(initial=0)).all())


def plain_poses(models: list[Model], poses: list[Pose], frames: int) -> tuple[list[Pose], dict[int, Array]]:
    """Return local transforms that give the same global ones, and what of them is no turn and scale.

    The second part holds for nodes that shear their linear parts `[F, 3, 3]`. The rules are those of the
    SDK's sample for global transforms: positions always follow the parent's whole matrix.
    """
    plain, sheared = list(poses), {}
    spaces: dict[int, tuple[Array, Array]] = {}
    for i in unlike_others(models, poses):
        _space(models, poses, frames, i, spaces)
        held, rest = _split(spaces[models[i].parent][1], spaces[i][1], poses[i])
        plain[i] = held
        if rest is not None:
            sheared[i] = rest
    return plain, sheared


def _space(
    models: list[Model], poses: list[Pose], frames: int, node: int, spaces: dict[int, tuple[Array, Array]]
) -> None:
    """Work out the global turns `[F, 4]` and linear parts `[F, 3, 3]` of a node and all above it."""
    line = []
    while node >= 0 and node not in spaces:
        line.append(node)
        node = models[node].parent
    for i in reversed(line):
        pose, above = poses[i], models[i].parent
        turn = np.broadcast_to(pose.rotations, (frames, 4))
        local = rotation.to_matrix(turn) * np.broadcast_to(pose.scales, (frames, 3))[:, None, :]
        if above < 0:
            spaces[i] = turn, local
            continue
        turns, linear = spaces[above]
        whole = _linear(models[i], poses[above].scales, linear, turns, local, turn, pose)
        spaces[i] = rotation.multiply(turns, turn), whole


def _linear(
    model: Model,
    parent_scales: Array,
    above: Array,
    turns: Array,
    local: Array,
    turn: Array,
    pose: Pose,
) -> Array:
    """Return a node's global linear part `[F, 3, 3]`."""
    mode = int(model.held.number("InheritType", _DEFAULT))
    if mode == _PLAIN:
        plain: Array = above @ local
        return plain
    up = rotation.to_matrix(turns)
    stretch = np.swapaxes(up, -1, -2) @ above  # what the parent does besides turning
    if mode == _NOT_PARENTS_OWN:
        own = np.where(parent_scales == 0, 1.0, parent_scales)
        stretch = stretch / np.broadcast_to(own, (len(stretch), 3))[:, None, :]
    made: Array = up @ rotation.to_matrix(turn) @ (stretch * pose.scales[:, None, :])
    return made


def _split(above: Array, linear: Array, pose: Pose) -> tuple[Pose, Array | None]:
    """Return the local pose below `above`, and its linear part where that shears."""
    flat = np.abs(np.linalg.det(above)) < 1e-12 * np.maximum(np.abs(above).max(axis=(-1, -2)) ** 3, 1e-300)
    safe = np.where(flat[:, None, None], np.eye(3), above)
    local = np.where(flat[:, None, None], linear, np.linalg.solve(safe, linear))
    lengths = np.linalg.norm(local, axis=-2)
    gram = np.swapaxes(local, -1, -2) @ local
    off = np.abs(gram - gram * np.eye(3)).max(axis=(-1, -2))
    if (off > 1e-6 * np.maximum(lengths.max(axis=-1) ** 2, 1e-300)).any():
        return pose, local
    mirrored = np.where(np.linalg.det(local) < 0, -1.0, 1.0)
    signs = np.where(pose.scales < 0, -1.0, 1.0) * np.ones((len(local), 1))
    signs = np.where((signs.prod(axis=-1) == mirrored)[:, None], signs, mirrored[:, None])
    scales = lengths * signs
    columns = local / np.where(scales == 0, 1.0, scales)[:, None, :]
    turns = np.where((lengths == 0).any(axis=-1)[:, None], pose.rotations, rotation.from_matrix(columns))
    return Pose(pose.positions, rotation.normalize(turns), scales), None
