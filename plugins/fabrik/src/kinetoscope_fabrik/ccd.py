"""Cyclic coordinate descent.

Wang and Chen 1991, "A combined optimization method for solving the inverse kinematics problem of
mechanical manipulators", IEEE Transactions on Robotics and Automation 7(4), for ball joints: from
the last joint to the root each turns what hangs on it, so that the end points to the target.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinetoscope_fabrik import _plain, _tree, _tree_ccd
from kinetoscope_fabrik._cases import dot, unit
from kinetoscope_fabrik._poser import RigSolver
from kinetoscope_fabrik.protocol import Array

__all__ = ["CcdSolver"]


class CcdSolver(RigSolver):
    """The provider `ccd` of the hook `solver`: bends the chain's end first, as tentacles and tails do."""

    def _run(
        self, chains: Array, targets: Array, tolerance: float, iterations: int
    ) -> tuple[Array, Array, Array]:
        return _plain.solve(chains, targets, tolerance, iterations, iterate)

    def _steps(self) -> Sequence[_tree.Step]:
        return (_tree_ccd.step,)


def iterate(p: Array, lengths: Array, goal: Array, tolerance: float, iterations: int) -> tuple[Array, Array]:
    """Descend until each chain's end is within `tolerance`, or `iterations` times; as `_plain.iterate`."""
    # Chains that were bowed to free them from a line are longer than they should be.
    steps = unit(np.diff(p, axis=1)) * lengths[..., None]
    p = np.concatenate([np.zeros_like(goal)[:, None], np.cumsum(steps, axis=1)], axis=1)
    out, count, rows = p.copy(), np.zeros(len(p), np.int64), np.arange(len(p))
    for iteration in range(1, iterations + 1):
        if not len(rows):
            break
        for joint in range(p.shape[1] - 2, -1, -1):
            p[:, joint + 1 :] = _aimed(p[:, joint + 1 :], p[:, joint], goal)
        off = p[:, -1] - goal
        done = (dot(off, off) <= tolerance * tolerance) | (iteration == iterations)
        out[rows[done]], count[rows[done]] = p[done], iteration
        rows, p, goal = rows[~done], p[~done], goal[~done]
    return out, count


def _aimed(after: Array, joint: Array, goal: Array) -> Array:
    """Turn the joints `after [B, K, 3]` about `joint [B, 3]` the shortest way so that the last points to `goal`.

    Two reflections are a rotation: across the planes normal to the end's direction and to the
    direction half-way to the goal's. An end or a goal at the joint itself has no direction.
    """
    v, to = after - joint[:, None], goal - joint
    lost = (dot(v[:, -1], v[:, -1]) < 1e-200) | (dot(to, to) < 1e-200)
    a, u = unit(v[:, -1]), unit(to)
    half = unit(a + u, a)
    first = v - (2 * dot(v, a[:, None]))[..., None] * a[:, None]
    turned = first - (2 * dot(first, half[:, None]))[..., None] * half[:, None]
    return np.where(lost[:, None, None], after, turned + joint[:, None])
