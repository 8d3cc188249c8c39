"""Trees of joints: where they stand, what they miss, and the loop that all solvers of rigs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from kinetoscope_fabrik._cases import dot, size
from kinetoscope_fabrik.protocol import Array
from kinetoscope_fabrik.rig import Goal, Posed, Rig
from kinetoscope_spec import rotation


@attrs.frozen(eq=False)
class Task:
    """A rig and its goals, for the poses that are still to be solved.

    Attributes:
        rig, goals: as the caller gave them, arrays float64 and of the poses at hand.
        free: whether the root may move.
        above: joints above each joint, and itself, the root first.
        pulled: joints that a goal or a loop hangs on, at them or below.
        reach: m, the longest way from the root to a joint: what lengths are measured by.
    """

    rig: Rig
    goals: tuple[Goal, ...]
    free: bool
    above: tuple[tuple[int, ...], ...]
    pulled: frozenset[int]
    reach: float

    @classmethod
    def of(cls, rig: Rig, goals: Sequence[Goal], free: bool) -> Task:
        """Return the task of all poses."""
        above: list[tuple[int, ...]] = []
        way: list[float] = []
        for joint, parent in enumerate(rig.parents):
            above.append((*(above[parent] if parent >= 0 else ()), joint))
            way.append((way[parent] + float(np.linalg.norm(rig.offsets[joint]))) if parent >= 0 else 0.0)
        ends = [goal.joint for goal in goals] + [joint for loop in rig.loops for joint in loop]
        pulled = frozenset(joint for end in ends for joint in above[end])
        return cls(rig, tuple(goals), free, tuple(above), pulled, max(way) or 1.0)

    def at(self, rows: Array) -> Task:
        """Return the task of some of the poses."""
        return attrs.evolve(self, goals=tuple(_at(goal, rows) for goal in self.goals))

    def children(self, joint: int) -> list[int]:
        """Return the joints that hang on `joint` and are pulled at."""
        return [child for child in sorted(self.pulled) if self.rig.parents[child] == joint]

    def clamped(self, joint: int, local: Array) -> Array:
        """Return local rotations `[B, 4]` of `joint` within its limit."""
        limit = self.rig.limits.get(joint)
        return local if limit is None else limit.clamp(local)


Step = Callable[[Task, Array, Array], tuple[Array, Array]]
"""Improves poses: from local rotations `[B, J, 4]` and roots `[B, 3]` to better ones, within limits."""


def _at(goal: Goal, rows: Array) -> Goal:
    parts = {name: getattr(goal, name) for name in ("position", "rotation", "pole")}
    return attrs.evolve(goal, **{name: part[rows] for name, part in parts.items() if part is not None})


def stand(rig: Rig, local: Array, roots: Array) -> tuple[Array, Array]:
    """Return the global positions `[B, J, 3]` and rotations `[B, J, 4]`."""
    positions, turned = np.empty((*local.shape[:2], 3)), np.empty_like(local)
    positions[:, 0], turned[:, 0] = roots, local[:, 0]
    restand(rig, local, positions, turned, range(1, len(rig.parents)))
    return positions, turned


def restand(rig: Rig, local: Array, positions: Array, turned: Array, joints: Sequence[int]) -> None:
    """Place `joints`, parents first, anew by their local rotations."""
    for joint in joints:
        up = rig.parents[joint]
        offset = np.broadcast_to(rig.offsets[joint], positions[:, up].shape)
        positions[:, joint] = positions[:, up] + rotation.rotate(turned[:, up], offset)
        turned[:, joint] = rotation.normalize(rotation.multiply(turned[:, up], local[:, joint]))


def misses(task: Task, positions: Array, turned: Array) -> tuple[Array, Array, Array]:
    """Return the farthest miss in m `[B]`, the greatest in rad `[B]`, and all of them weighed `[B]`."""
    metres, radians, score = (np.zeros(len(positions)) for _ in range(3))
    for goal in task.goals:
        if goal.position is not None:
            off = size(positions[:, goal.joint] - goal.position)
            metres, score = np.maximum(metres, off), score + goal.weight * off * off
        if goal.rotation is not None:
            off = rotation.angle(turned[:, goal.joint], goal.rotation)
            radians, score = np.maximum(radians, off), score + goal.weight * (off * task.reach) ** 2
    for a, b in task.rig.loops:
        off = size(positions[:, a] - positions[:, b])
        metres, score = np.maximum(metres, off), score + off * off
    return metres, radians, score


def solve(
    task: Task, local: Array, roots: Array, steps: Sequence[Step], limits: tuple[float, float, int]
) -> Posed:
    """Step until all goals are met to `limits` (m, rad) or so many times; keep the best pose of each.

    `local` are within their limits. The `steps` take turns. A pose that is solved rests, so that none depends on its batch.
    """
    tolerance, angle, iterations = limits
    local, roots = local.copy(), roots.copy()
    positions, turned = stand(task.rig, local, roots)
    metres, radians, score = misses(task, positions, turned)
    count = np.zeros(len(local), np.int64)
    rows = np.flatnonzero((metres > tolerance) | (radians > angle))
    now_local, now_roots = local[rows], roots[rows]
    for iteration in range(iterations):
        if not len(rows):
            break
        part = task.at(rows)
        now_local, now_roots = steps[iteration % len(steps)](part, now_local, now_roots)
        off_m, off_rad, now = misses(part, *stand(task.rig, now_local, now_roots))
        count[rows] += 1
        done = (off_m <= tolerance) & (off_rad <= angle)
        better = done | (now < score[rows])
        kept = rows[better]
        local[kept], roots[kept] = now_local[better], now_roots[better]
        metres[kept], radians[kept], score[kept] = off_m[better], off_rad[better], now[better]
        rows, now_local, now_roots = rows[~done], now_local[~done], now_roots[~done]
    positions, _ = stand(task.rig, local, roots)
    met = (metres <= tolerance) & (radians <= angle)
    return Posed(local, roots, positions, count, met, metres, radians)


def fitted(before: Array, after: Array, weights: Array) -> Array:
    """Return the rotations `[B, 4]` that turn vectors `before [B, K, 3]` best onto `after`, by `weights [K]`.

    Horn 1987, "Closed-form solution of absolute orientation using unit quaternions". Where vectors
    leave a turn open, such as that about the line on which they all lie, the least one is taken.
    """
    s = [[(weights * before[..., i] * after[..., j]).sum(axis=-1) for j in range(3)] for i in range(3)]
    least = 1e-6 * (weights * np.sqrt(dot(before, before) * dot(after, after))).sum(axis=-1) + 1e-300
    x, y, z = (s[i][i] + least for i in range(3))
    p, q, r = s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]
    a, b, c = s[0][1] + s[1][0], s[0][2] + s[2][0], s[1][2] + s[2][1]
    rows = [
        [x - y - z, a, b, p],
        [a, y - x - z, c, q],
        [b, c, z - x - y, r],
        [p, q, r, x + y + z],
    ]
    matrix = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    best: Array = np.linalg.eigh(matrix)[1][..., -1]
    return best
