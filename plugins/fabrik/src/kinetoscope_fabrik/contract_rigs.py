"""Rigs for the laws of solvers, and how far their joints leave their limits: by none of the solvers' code."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_fabrik.joints import Cone, Hinge, Limit
from kinetoscope_fabrik.protocol import Array
from kinetoscope_fabrik.rig import Goal, Rig

__all__ = ["Drawn", "beyond", "rigs"]


@attrs.frozen(eq=False)
class Drawn:
    """A rig in poses `rotations [B, J, 4]`, and what it is to reach."""

    rig: Rig
    rotations: Array
    goals: tuple[Goal, ...]
    free: bool

    def one(self, i: int) -> Drawn:
        """Return the same with pose `i` alone."""
        one = slice(i, i + 1)
        goals = [
            Goal(
                goal.joint,
                None if goal.position is None else goal.position[one],
                None if goal.rotation is None else goal.rotation[one],
                weight=goal.weight,
            )
            for goal in self.goals
        ]
        return Drawn(self.rig, self.rotations[one], tuple(goals), self.free)


@st.composite
def rigs(draw: Any, *, met: bool = False) -> Drawn:
    """Draw a rig of up to six joints with limits, and goals. `met`: the poses keep the limits and meet the goals; otherwise
    they may begin outside of their limits.

    Numbers come from a drawn seed: what counts here is the shape of the tree, and which joints are limited.
    """
    joints, batch = draw(st.integers(2, 6)), draw(st.integers(1, 2))
    parents = (-1, *(draw(st.integers(max(0, joint - 2), joint - 1)) for joint in range(1, joints)))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    limits = {
        joint: _limit(random, kind)
        for joint in range(joints)
        if (kind := draw(st.sampled_from(("none", "hinge", "cone")))) != "none"
    }
    rig = Rig(parents, random.uniform(-0.5, 0.5, (joints, 3)), limits)
    start, end = (_pose(random, rig, batch) for _ in range(2))
    places, frames = _stand(rig, start if met else end)
    if not met and draw(st.booleans()):
        start = _pose(random, Rig(parents, rig.offsets), batch)
    if not met:
        places = places * draw(st.sampled_from((1.0, 0.5, 20.0)))
    leaves = [joint for joint in range(1, joints) if joint not in parents]
    turned = draw(st.booleans())
    goals = tuple(
        Goal(leaf, places[:, leaf], _quaternions(frames[:, leaf]) if turned else None, weight=1.0 + i)
        for i, leaf in enumerate(leaves)
    )
    return Drawn(rig, start, goals, draw(st.booleans()))


def beyond(rig: Rig, rotations: Array) -> float:
    """Return by how much the worst joint leaves its limit, rad; angles are read off rotation matrices."""
    worst = 0.0
    for joint, limit in rig.limits.items():
        for local in _matrices(rotations[:, joint]):
            seen = _matrices(limit.zero).T @ local
            bone = seen @ limit.axis
            swing = _angle(bone, limit.axis)
            back = _shortest(bone, limit.axis)
            twist = _about(back @ seen, limit.axis)
            if isinstance(limit, Hinge):
                over = max(swing, _past(twist, limit.low, limit.high))
            else:
                over = max(swing - limit.swing, _past(twist, limit.twist_low, limit.twist_high))
            worst = max(worst, over)
    return worst


def _past(angle: float, low: float, high: float) -> float:
    turns = (angle - 2 * np.pi, angle, angle + 2 * np.pi)
    return float(min(max(low - turn, turn - high, 0.0) for turn in turns))


def _limit(random: np.random.Generator, kind: str) -> Limit:
    low = random.uniform(-2.5, 0.5)
    high = random.uniform(low, 2.5)
    zero = random.normal(size=4)
    if kind == "hinge":
        return Hinge(random.normal(size=3), low, high, zero)
    return Cone(random.normal(size=3), random.uniform(0.0, 2.0), low, high, zero)


def _pose(random: np.random.Generator, rig: Rig, batch: int) -> Array:
    """Return poses `[B, J, 4]` well within the limits."""
    local = np.empty((batch, len(rig.parents), 3, 3))
    for joint in range(len(rig.parents)):
        limit = rig.limits.get(joint)
        for row in range(batch):
            if limit is None:
                local[row, joint] = _rodrigues(random.normal(size=3), random.uniform(0, 3))
                continue
            low, high = (
                (limit.low, limit.high) if isinstance(limit, Hinge) else (limit.twist_low, limit.twist_high)
            )
            turn = _rodrigues(limit.axis, random.uniform(0.9 * low + 0.1 * high, 0.1 * low + 0.9 * high))
            if isinstance(limit, Cone):
                across = np.cross(limit.axis, random.normal(size=3))
                turn = _rodrigues(across, random.uniform(0, 0.9 * limit.swing)) @ turn
            local[row, joint] = _matrices(limit.zero) @ turn
    return _quaternions(local)


def _stand(rig: Rig, rotations: Array) -> tuple[Array, Array]:
    local = _matrices(rotations)
    places, frames = np.zeros(local.shape[:3]), local.copy()
    for joint, up in enumerate(rig.parents):
        if up >= 0:
            places[:, joint] = places[:, up] + frames[:, up] @ rig.offsets[joint]
            frames[:, joint] = frames[:, up] @ local[:, joint]
    return places, frames


def _matrices(q: Array) -> Array:
    x, y, z, w = np.moveaxis(np.asarray(q), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([np.stack(row, -1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))], -2)
    matrix: Array = np.eye(3) + 2 * w[..., None, None] * cross + 2 * cross @ cross
    return matrix


def _quaternions(matrices: Array) -> Array:
    """Return the quaternions: the eigenvectors of Bar-Itzhack's symmetric matrix (2000)."""
    m = matrices
    rows = (
        (
            m[..., 0, 0] - m[..., 1, 1] - m[..., 2, 2],
            m[..., 1, 0] + m[..., 0, 1],
            m[..., 2, 0] + m[..., 0, 2],
        ),
        (
            m[..., 1, 0] + m[..., 0, 1],
            m[..., 1, 1] - m[..., 0, 0] - m[..., 2, 2],
            m[..., 2, 1] + m[..., 1, 2],
        ),
        (
            m[..., 2, 0] + m[..., 0, 2],
            m[..., 2, 1] + m[..., 1, 2],
            m[..., 2, 2] - m[..., 0, 0] - m[..., 1, 1],
        ),
    )
    last = (m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1])
    table = [np.stack((*row, side), -1) for row, side in zip(rows, last, strict=True)]
    table.append(np.stack((*last, m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]), -1))
    best: Array = np.linalg.eigh(np.stack(table, -2))[1][..., -1]
    return best


def _rodrigues(axis: Array, angle: float) -> Array:
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return matrix


def _angle(a: Array, b: Array) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


def _shortest(a: Array, b: Array) -> Array:
    """Return the rotation `[3, 3]` that turns `a` to `b` the shortest way."""
    across = np.cross(a, b)
    return _rodrigues(across, _angle(a, b)) if np.linalg.norm(across) > 1e-12 else np.eye(3)


def _about(matrix: Array, axis: Array) -> float:
    """Return the angle in [-pi, pi] of a rotation `[3, 3]` about `axis`."""
    skew = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    return float(np.arctan2(skew @ axis, np.trace(matrix) - 1))
