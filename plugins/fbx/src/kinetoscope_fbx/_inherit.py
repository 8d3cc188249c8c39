"""Scale inheritance: what FBX makes of a parent's scale, as plain parent-and-child transforms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._models import Model, Pose, beyond_measure
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
        mode = _mode(model)
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
    plain, sheared = list(poses), dict[int, Array]()
    unlike = unlike_others(models, poses)
    still = _stand_still(models, poses)
    for chosen, count in (
        ([i for i in unlike if still[i]], 1),
        ([i for i in unlike if not still[i]], frames),
    ):
        if not chosen:
            continue
        spaces = _Spaces(models, poses, count, chosen)
        local = _below(spaces.of([models[i].parent for i in chosen]), spaces.of(chosen))
        shears = _shears(local)
        sheared |= {
            i: np.repeat(local[row], frames // count, axis=0) for row, i in enumerate(chosen) if shears[row]
        }
        rows = np.flatnonzero(~shears)
        told = _told(local[rows], [poses[chosen[row]] for row in rows])
        for row, pose in zip(rows, told, strict=True):
            plain[chosen[row]] = pose
    return plain, sheared


def _stand_still(models: list[Model], poses: list[Pose]) -> list[bool]:
    """Tell of each node whether neither it nor a node above it moves."""
    still: list[bool] = []
    for model, pose in zip(models, poses, strict=True):
        own = len(pose.rotations) == len(pose.scales) == 1
        still.append(own and (model.parent < 0 or still[model.parent]))
    return still


class _Spaces:
    """Global turns and linear parts of some nodes and all above them, worked out a generation at a time."""

    def __init__(self, models: list[Model], poses: list[Pose], frames: int, nodes: list[int]) -> None:
        depths: dict[int, int] = {-1: -1}
        for i, model in enumerate(models):
            depths[i] = depths[model.parent] + 1
        needed = set(nodes)
        for i in reversed(range(len(models))):  # children come after their parents
            if i in needed and models[i].parent >= 0:
                needed.add(models[i].parent)
        self.models = models
        self.poses = poses
        self.frames = frames
        self.rows = {i: row for row, i in enumerate(sorted(needed))}
        self.turns = np.empty((len(needed), frames, 4))
        self.linear = np.empty((len(needed), frames, 3, 3))
        generations: dict[int, list[int]] = {}
        for i in self.rows:
            generations.setdefault(depths[i], []).append(i)
        for depth in sorted(generations):
            self._work_out(generations[depth], roots=depth == 0)

    def of(self, nodes: list[int]) -> Array:
        """Return the linear parts of some nodes, `[N, F, 3, 3]`."""
        found: Array = self.linear[[self.rows[i] for i in nodes]]
        return found

    def _stacked(self, nodes: list[int], name: str, width: int) -> Array:
        held = [np.broadcast_to(getattr(self.poses[i], name), (self.frames, width)) for i in nodes]
        return np.array(held)

    def _work_out(self, nodes: list[int], *, roots: bool) -> None:
        rows = [self.rows[i] for i in nodes]
        turn, scales = self._stacked(nodes, "rotations", 4), self._stacked(nodes, "scales", 3)
        spin = rotation.to_matrix(turn)
        if roots:
            self.turns[rows], self.linear[rows] = turn, spin * scales[..., None, :]
            return
        parents = [self.models[i].parent for i in nodes]
        above = [self.rows[i] for i in parents]
        self.turns[rows] = rotation.multiply(self.turns[above], turn)
        modes = np.array([_mode(self.models[i]) for i in nodes])
        up = rotation.to_matrix(self.turns[above])
        stretch = np.swapaxes(up, -1, -2) @ self.linear[above]  # what the parent does besides turning
        own = self._stacked(parents, "scales", 3)
        own = np.where((modes == _NOT_PARENTS_OWN)[:, None, None] & (own != 0), own, 1.0)
        after = up @ spin @ (stretch / own[..., None, :] * scales[..., None, :])
        plain = (self.linear[above] @ spin) * scales[..., None, :]
        self.linear[rows] = np.where((modes == _PLAIN)[:, None, None, None], plain, after)
        finite = np.isfinite(self.linear[rows]).all(axis=(1, 2, 3))
        if not finite.all():
            raise beyond_measure(self.models[nodes[int(finite.argmin())]])


def _mode(model: Model) -> int:
    return int(model.held.number("InheritType", _DEFAULT))


def _below(above: Array, linear: Array) -> Array:
    """Return the linear parts `[..., 3, 3]` below `above`; the global ones where that is flat."""
    most = np.maximum(np.abs(above).max(axis=(-1, -2)) ** 3, 1e-300)
    flat = (np.abs(np.linalg.det(above)) < 1e-12 * most)[..., None, None]
    local: Array = np.where(flat, linear, np.linalg.solve(np.where(flat, np.eye(3), above), linear))
    return local


def _shears(local: Array) -> Array:
    """Tell of nodes `[N, F, 3, 3]` which are more than a turn after a scale in any frame, `[N]`."""
    gram = np.swapaxes(local, -1, -2) @ local
    longest = np.maximum(np.einsum("...ii->...i", gram).max(axis=-1), 1e-300)
    off = np.abs(gram * (1 - np.eye(3))).max(axis=(-1, -2))
    sheared: Array = (off > 1e-6 * longest).any(axis=-1)
    return sheared


def _told(local: Array, poses: list[Pose]) -> list[Pose]:
    """Return the local poses whose linear parts are `local [N, F, 3, 3]`, scales signed as they were."""
    frames = local.shape[1]
    scales, turns = (
        np.array([np.broadcast_to(held, (frames, held.shape[1])) for held in column]).reshape(
            -1, frames, width
        )
        for column, width in (([pose.scales for pose in poses], 3), ([pose.rotations for pose in poses], 4))
    )
    lengths = np.linalg.norm(local, axis=-2)
    mirrored = np.where(np.linalg.det(local) < 0, -1.0, 1.0)
    signs = np.where(scales < 0, -1.0, 1.0)
    signs = np.where((signs.prod(axis=-1) == mirrored)[..., None], signs, mirrored[..., None])
    scales = lengths * signs
    columns = local / np.where(scales == 0, 1.0, scales)[..., None, :]
    turns = np.where((lengths == 0).any(axis=-1)[..., None], turns, rotation.from_matrix(columns))
    turns = rotation.normalize(turns)
    return [Pose(pose.positions, turns[i], scales[i]) for i, pose in enumerate(poses)]
