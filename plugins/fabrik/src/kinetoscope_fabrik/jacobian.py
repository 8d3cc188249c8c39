"""Damped least squares on the Jacobian.

Wampler 1986, "Manipulator inverse kinematic solutions based on vector formulations and damped
least-squares methods"; the damping is that of Sugihara 2011, "Solvability-Unconcerned Inverse
Kinematics by the Levenberg-Marquardt Method", IEEE Transactions on Robotics 27(5): half the squared
error and a little more, which neither bursts near singular poses nor holds up the last steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinetoscope_fabrik import _plain, _tree, _tree_jacobian
from kinetoscope_fabrik._cases import dot, size
from kinetoscope_fabrik._poser import RigSolver
from kinetoscope_fabrik.protocol import Array

__all__ = ["JacobianSolver"]

_FLOOR = 1e-6
"""Of the chain's squared length: the damping that stays when the error is gone."""


class JacobianSolver(RigSolver):
    """The provider `jacobian` of the hook `solver`: spreads the bend over all joints, changing them least."""

    def _run(
        self, chains: Array, targets: Array, tolerance: float, iterations: int
    ) -> tuple[Array, Array, Array]:
        return _plain.solve(chains, targets, tolerance, iterations, iterate)

    def _steps(self) -> Sequence[_tree.Step]:
        return (_tree_jacobian.step,)


def iterate(p: Array, lengths: Array, goal: Array, tolerance: float, iterations: int) -> tuple[Array, Array]:
    """Step until each chain's end is within `tolerance`, or `iterations` times; as `_plain.iterate`."""
    out, count, rows = p.copy(), np.zeros(len(p), np.int64), np.arange(len(p))
    for iteration in range(1, iterations + 1):
        if not len(rows):
            break
        p = _stepped(p, lengths, goal)
        off = p[:, -1] - goal
        done = (dot(off, off) <= tolerance * tolerance) | (iteration == iterations)
        out[rows[done]], count[rows[done]] = p[done], iteration
        rows, p, lengths, goal = rows[~done], p[~done], lengths[~done], goal[~done]
    return out, count


def _stepped(p: Array, lengths: Array, goal: Array) -> Array:
    """Turn every segment by the damped least-squares answer for ball joints.

    Joint i's turn w moves the end by w x r, r = end - joint, so J Jt = sum of (r.r) 1 - r rt, and the
    answer is w = r x y with (J Jt + damping) y = error. Segments turn with all joints before them;
    their turn is taken whole (Rodrigues), so no length changes.
    """
    r, error = p[:, -1:] - p[:, :-1], goal - p[:, -1]
    # By powers of two of the chain's length, which round nothing: sixth powers of it are to fit.
    unit = np.exp2(-np.frexp(np.cumsum(lengths, axis=1)[:, -1])[1])[:, None]
    r, error, total = r * unit[..., None], error * unit, (np.cumsum(lengths, axis=1)[:, -1:] * unit)[:, 0]
    y = _solved(r, error, 0.5 * dot(error, error) + _FLOOR * total * total)
    turns = np.cumsum(np.cross(r, y[:, None]), axis=1)
    angle = size(turns)
    still = angle < 1e-150
    axis = turns / np.where(still, 1.0, angle)[..., None]
    steps = np.diff(p, axis=1)
    cosine, sine = np.cos(angle)[..., None], np.sin(angle)[..., None]
    along = dot(axis, steps)[..., None] * axis
    turned = along + cosine * (steps - along) + sine * np.cross(axis, steps)
    turned = np.where(still[..., None], steps, turned)
    # Many small turns would let rounding add up.
    turned *= (lengths / np.maximum(size(turned), 1e-300))[..., None]
    return np.concatenate([np.zeros_like(goal)[:, None], np.cumsum(turned, axis=1)], axis=1)


def _solved(r: Array, error: Array, damping: Array) -> Array:
    """Return y `[B, 3]` of the 3x3 systems, by cofactors: the same for a chain in any batch."""
    x, y, z = (r[..., axis] for axis in range(3))
    a, b, c = (
        np.cumsum(term, axis=1)[:, -1] + damping for term in (y * y + z * z, x * x + z * z, x * x + y * y)
    )
    d, e, f = (-np.cumsum(term, axis=1)[:, -1] for term in (x * y, x * z, y * z))
    rows = (
        (b * c - f * f, e * f - c * d, d * f - b * e),
        (e * f - c * d, a * c - e * e, d * e - a * f),
        (d * f - b * e, d * e - a * f, a * b - d * d),
    )
    determinant = a * rows[0][0] + d * rows[0][1] + e * rows[0][2]
    solved = [row[0] * error[:, 0] + row[1] * error[:, 1] + row[2] * error[:, 2] for row in rows]
    answer: Array = np.stack(solved, axis=-1) / determinant[:, None]
    return answer
