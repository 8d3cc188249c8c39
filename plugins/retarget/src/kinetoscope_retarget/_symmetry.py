"""The plane of symmetry of a rest pose, and which joints mirror one another in it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import Skeleton
from kinetoscope_spec.anatomy import Tree

__all__ = ["NEAR", "Plane", "best_plane", "mirrored_pairs", "named_plane"]

NEAR = 0.05
"""Of the body's size, how far a joint may be from its partner's mirror image."""

_WORK = 60_000
"""Planes times joints that are tried at most."""

_WIDE = 64
"""More branches than this leave no joint of a body; those of a joint that has more are not paired."""


@attrs.frozen(eq=False)
class Plane:
    """A plane: a point `[3]` m and a unit vector `[3]` across it."""

    point: Array
    normal: Array

    def mirror(self, points: Array) -> Array:
        """Return points `[..., 3]` on the other side."""
        away = (points - self.point) @ self.normal
        mirrored: Array = points - 2 * away[..., None] * self.normal
        return mirrored


def size_of(positions: Array) -> float:
    """Return the largest extent m of joints `[J, 3]`."""
    return max(float(np.ptp(positions, axis=0).max()), 1e-9)


def named_plane(positions: Array, pairs: Sequence[tuple[int, int]], middle: Sequence[int]) -> Plane | None:
    """Return the plane that pairs of joints agree on, or None where they don't.

    Every pair proposes the plane half way between its joints; the one in which all pairs together
    are mirrored best is taken, if at least half of them are, and half of the joints in the `middle`
    stand in it. Its normal points to the left.
    """
    size = size_of(positions)
    left, right = (np.array([positions[pair[i]] for pair in pairs]).reshape(-1, 3) for i in (0, 1))
    across = left - right
    length = np.linalg.norm(across, axis=-1)
    best, least = None, np.inf
    for i in np.flatnonzero(length > 1e-3 * size):
        plane = Plane(0.5 * (left[i] + right[i]), across[i] / length[i])
        off = np.minimum(np.linalg.norm(plane.mirror(right) - left, axis=-1), NEAR * size)
        aside = np.abs((positions[list(middle)] - plane.point) @ plane.normal)
        if len(aside) and np.mean(aside < NEAR * size) < 0.5:
            continue
        if off.sum() < least and np.mean(off < NEAR * size) >= 0.5:
            best, least = plane, float(off.sum())
    return best


def best_plane(skeleton: Skeleton, positions: Array) -> Plane | None:
    """Return the plane in which most joints mirror another, or None where no two branches do.

    Every two branches that leave a joint alike propose the plane half way between them.
    """
    tree = Tree(skeleton)
    sizes = _sizes(tree)
    near = NEAR * size_of(positions)
    best, most = None, 0
    for a, b in _twins(tree, sizes)[: max(_WORK // len(skeleton), 4)]:
        across = positions[a] - positions[b]
        a_deep, b_deep = a, b
        while np.linalg.norm(across) < 1e-6 and tree.children[a_deep] and tree.children[b_deep]:
            a_deep, b_deep = tree.children[a_deep][0], tree.children[b_deep][0]
            across = positions[a_deep] - positions[b_deep]
        length = float(np.linalg.norm(across))
        if length < 1e-6:
            continue
        plane = Plane(0.5 * (positions[a_deep] + positions[b_deep]), across / length)
        found = 2 * len(mirrored_pairs(skeleton, positions, plane, near))
        if found > most:
            best, most = plane, found
    return best


def mirrored_pairs(
    skeleton: Skeleton, positions: Array, plane: Plane, near: float | None = None
) -> list[tuple[int, int]]:
    """Return (left, right) joints that mirror one another and hang on partners, or on one joint.

    Left is the side to which the plane's normal points.
    """
    near = NEAR * size_of(positions) if near is None else near
    tree = Tree(skeleton)
    image = plane.mirror(positions)
    partner = np.full(len(skeleton), -1)
    roots = [joint for joint, parent in enumerate(tree.parents) if parent < 0]
    for joint in range(len(skeleton)):
        parent = tree.parents[joint]
        opposite = -1 if parent < 0 else int(partner[parent])
        if partner[joint] >= 0 or (parent >= 0 and opposite < 0):
            continue
        rivals = roots if parent < 0 else tree.children[opposite]
        free = [j for j in rivals if partner[j] < 0] if len(rivals) <= _WIDE else []
        if not free:
            continue
        off = np.linalg.norm(positions[free] - image[joint], axis=-1)
        # Where several joints stand in one place, what hangs on them decides.
        off = off + near * 0.1 * np.array([_unlike(tree, joint, j) for j in free])
        nearest = free[int(np.argmin(off))]
        if off.min() < near:
            partner[joint], partner[nearest] = nearest, joint
    side = (positions - plane.point) @ plane.normal
    return [(a, int(b)) for a, b in enumerate(partner) if b >= 0 and b != a and side[a] > side[b]]


def _unlike(tree: Tree, a: int, b: int) -> float:
    return float(min(abs(len(tree.children[a]) - len(tree.children[b])), 5))


def _sizes(tree: Tree) -> list[int]:
    sizes = [1] * len(tree.parents)
    for joint in range(len(sizes) - 1, 0, -1):
        if tree.parents[joint] >= 0:
            sizes[tree.parents[joint]] += sizes[joint]
    return sizes


def _twins(tree: Tree, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return pairs of equally large branches that leave one joint, the largest first."""
    twins = [
        (a, b)
        for branches in tree.children
        if len(branches) <= _WIDE
        for i, a in enumerate(branches)
        for b in branches[i + 1 :]
        if sizes[a] == sizes[b]
    ]
    return sorted(twins, key=lambda pair: -sizes[pair[0]])
