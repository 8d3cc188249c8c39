"""Scale inheritance: what FBX makes of a parent's scale, as plain parent-and-child transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._models import Nodes, beyond_measure
from kinetoscope_fbx._poses import Pose, Poses
from kinetoscope_spec import rotation

__all__ = ["Told", "plain_poses"]

Array = NDArray[Any]
Told = tuple[Array, Pose]

# EInheritType of the FBX SDK: how a child's turn and scale follow those of its parent; 0 turns first.
_PLAIN, _NOT_PARENTS_OWN = 1, 2


def _unlike_others(nodes: Nodes, poses: Poses) -> Array:
    """Return the nodes that do not follow their parent's matrix as all other formats have it.

    Where ancestors are scaled alike along their axes scale and turn may change places, and where
    nothing above is scaled at all every way is the plain one.
    """
    even, plain = (np.append(found, True) for found in _scaled(poses))  # the last stands for no parent
    parents = np.array([model.parent for model in nodes.models])
    for generation in nodes.generations[1:]:
        even[generation] &= even[parents[generation]]
    compensates = (nodes.modes == _NOT_PARENTS_OWN) & ~plain[parents]
    unlike: Array = np.flatnonzero(compensates | ((nodes.modes != _PLAIN) & ~even[parents]))
    return unlike


def _scaled(poses: Poses) -> tuple[Array, Array]:
    """Tell of all nodes whether they are scaled evenly at all times, and whether not at all, `[N]`."""
    even, plain = _even(poses.still.scales), (poses.still.scales == 1).all(axis=(1, 2))
    even[poses.rows] = _even(poses.moved.scales)
    plain[poses.rows] = (poses.moved.scales == 1).all(axis=(1, 2))
    return even, plain


def _even(scales: Array) -> Array:
    spread = scales.max(axis=-1) - scales.min(axis=-1)
    even: Array = (spread <= 1e-6 * np.abs(scales).max(axis=(1, 2), initial=0)[:, None]).all(axis=1)
    return even


def plain_poses(nodes: Nodes, poses: Poses) -> tuple[list[Told], dict[int, Array]]:
    """Return local transforms that give the same global ones, and what of them is no turn and scale.

    The first part is in groups of nodes, of which later ones hold where nodes are in several; the second
    holds for nodes that shear their linear parts `[F, 3, 3]`. The rules are those of the SDK's sample for
    global transforms: positions always follow the parent's whole matrix.
    """
    told = [(np.arange(len(nodes.models)), poses.still), (poses.rows, poses.moved)]
    sheared = dict[int, Array]()
    unlike = _unlike_others(nodes, poses)
    if not len(unlike):
        return told, sheared
    still = _stand_still(nodes, poses)
    for chosen, frames in ((unlike[still[unlike]], 1), (unlike[~still[unlike]], poses.frames)):
        if not len(chosen):
            continue
        spaces = _Spaces(nodes, poses, frames, chosen)
        parents = [nodes.models[i].parent for i in chosen]
        local = _below(spaces.linear[spaces.rows[parents]], spaces.linear[spaces.rows[chosen]])
        shears = _shears(local)
        sheared |= {
            int(chosen[row]): np.repeat(local[row], poses.frames // frames, axis=0)
            for row in np.flatnonzero(shears)
        }
        rows = chosen[~shears]
        told.append((rows, _told(local[~shears], poses, rows)))
    return told, sheared


def _stand_still(nodes: Nodes, poses: Poses) -> Array:
    """Tell of each node whether neither it nor a node above it moves, `[N]`."""
    still = np.ones(len(nodes.models) + 1, bool)
    still[poses.rows] = False
    parents = np.array([model.parent for model in nodes.models])
    for generation in nodes.generations[1:]:
        still[generation] &= still[parents[generation]]
    return still[:-1]


class _Spaces:
    """Global turns and linear parts of some nodes and all above them, worked out a generation at a time."""

    def __init__(self, nodes: Nodes, poses: Poses, frames: int, chosen: Array) -> None:
        needed = np.zeros(len(nodes.models), bool)
        needed[chosen] = True
        parents = np.array([model.parent for model in nodes.models])
        for generation in reversed(nodes.generations[1:]):
            needed[parents[generation[needed[generation]]]] = True
        count = int(needed.sum())
        self.nodes = nodes
        self.poses = poses
        self.frames = frames
        self.parents = parents
        self.rows = np.cumsum(needed) - 1
        self.turns = np.empty((count, frames, 4))
        self.linear = np.empty((count, frames, 3, 3))
        for depth, generation in enumerate(nodes.generations):
            found = generation[needed[generation]]
            if len(found):
                self._work_out(found, roots=depth == 0)

    def _work_out(self, chosen: Array, *, roots: bool) -> None:
        rows = self.rows[chosen]
        turn, scales = (self.poses.over(chosen, what, self.frames) for what in ("rotations", "scales"))
        spin = rotation.to_matrix(turn)
        if roots:
            self.turns[rows], self.linear[rows] = turn, spin * scales[..., None, :]
            return
        parents = self.parents[chosen]
        above = self.rows[parents]
        self.turns[rows] = rotation.multiply(self.turns[above], turn)
        modes = self.nodes.modes[chosen]
        up = rotation.to_matrix(self.turns[above])
        stretch = np.swapaxes(up, -1, -2) @ self.linear[above]  # what the parent does besides turning
        own = self.poses.over(parents, "scales", self.frames)
        own = np.where((modes == _NOT_PARENTS_OWN)[:, None, None] & (own != 0), own, 1.0)
        after = up @ spin @ (stretch / own[..., None, :] * scales[..., None, :])
        plain = (self.linear[above] @ spin) * scales[..., None, :]
        self.linear[rows] = np.where((modes == _PLAIN)[:, None, None, None], plain, after)
        finite = np.isfinite(self.linear[rows]).all(axis=(1, 2, 3))
        if not finite.all():
            raise beyond_measure(self.nodes.models[chosen[int(finite.argmin())]])


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


def _told(local: Array, poses: Poses, rows: Array) -> Pose:
    """Return the local poses whose linear parts are `local [N, F, 3, 3]`, scales signed as they were."""
    positions, turns, scales = (
        poses.over(rows, what, local.shape[1]) for what in ("positions", "rotations", "scales")
    )
    lengths = np.linalg.norm(local, axis=-2)
    mirrored = np.where(np.linalg.det(local) < 0, -1.0, 1.0)
    signs = np.where(scales < 0, -1.0, 1.0)
    signs = np.where((signs.prod(axis=-1) == mirrored)[..., None], signs, mirrored[..., None])
    scales = lengths * signs
    columns = local / np.where(scales == 0, 1.0, scales)[..., None, :]
    turns = np.where((lengths == 0).any(axis=-1)[..., None], turns, rotation.from_matrix(columns))
    return Pose(positions, rotation.normalize(turns), scales)
