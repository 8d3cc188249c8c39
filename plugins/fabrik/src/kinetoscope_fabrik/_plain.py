"""FABRIK in NumPy, all chains of a batch side by side: what `_kernel` compiles, operation by operation.

Chains are float64 `[B, N, 3]`; joints inside are relative to each chain's root.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kinetoscope_fabrik import _cases
from kinetoscope_fabrik._constants import BURST
from kinetoscope_fabrik.protocol import Array

Passes = Callable[[Array, Array, Array, float, int], tuple[Array, Array]]
"""Iterates chains, as `iterate` does: from joints, lengths, targets, tolerance and how often."""


def solve(
    chains: Array, targets: Array, tolerance: float, iterations: int, passes: Passes | None = None
) -> tuple[Array, Array, Array]:
    """Return solved chains `[B, N, 3]`, iterations `[B]` and whether each target was reached `[B]`.

    After every `BURST` iterations of `passes` (FABRIK's two), what is still off is bent evenly to its
    target (`_cases.close`), which counts as an iteration.
    """
    passes = passes or iterate
    root = chains[:, :1]
    p, goal = chains - root, targets - chains[:, 0]
    limit = tolerance * tolerance
    count = np.zeros(len(p), np.int64)
    solved = _squared_error(p, goal) <= limit
    still = solved | (p.shape[1] == 1)
    lengths = _cases.lengths_of(p)
    start, closed = _cases.prepare(p, lengths, goal)
    still |= ~closed & (iterations == 0)
    p = np.where(still[:, None, None], p, start)
    pending = np.flatnonzero(~still & ~closed)
    left = iterations
    while len(pending) and left:
        burst = min(BURST, left)
        p[pending], spent = passes(p[pending], lengths[pending], goal[pending], tolerance, burst)
        count[pending] += spent
        left -= burst
        pending = pending[_squared_error(p[pending], goal[pending]) > limit]
        if len(pending) and left:
            p[pending] = _cases.close(p[pending], lengths[pending], goal[pending])
            count[pending] += 1
            left -= 1
            pending = pending[_squared_error(p[pending], goal[pending]) > limit]
    out = np.where(still[:, None, None], chains, p + root)
    return out, count, _squared_error(p, goal) <= limit


def _squared_error(p: Array, goal: Array) -> Array:
    off = p[:, -1] - goal
    squared: Array = _cases.dot(off, off)
    return squared


def iterate(p: Array, lengths: Array, goal: Array, tolerance: float, iterations: int) -> tuple[Array, Array]:
    """Run FABRIK's two passes until each chain's end is within `tolerance`, or `iterations` times.

    Returns the joints and how many iterations each chain took.
    """
    out, count = p.copy(), np.zeros(len(p), np.int64)
    rows = np.arange(len(p))
    x, y, z = (np.ascontiguousarray(p[:, :, axis].T) for axis in range(3))
    length, target = np.ascontiguousarray(lengths.T), np.ascontiguousarray(goal.T)
    limit = tolerance * tolerance
    for iteration in range(1, iterations + 1):
        if not len(rows):
            break
        _passes(x, y, z, length, target)
        dx, dy, dz = x[-1] - target[0], y[-1] - target[1], z[-1] - target[2]
        done = (dx * dx + dy * dy + dz * dz <= limit) | (iteration == iterations)
        out[rows[done]] = np.stack([x[:, done].T, y[:, done].T, z[:, done].T], axis=-1)
        count[rows[done]] = iteration
        rest = ~done
        rows, length, target = rows[rest], length[:, rest], target[:, rest]
        x, y, z = x[:, rest], y[:, rest], z[:, rest]
    return out, count


def _passes(x: Array, y: Array, z: Array, length: Array, target: Array) -> None:
    """Reach backwards from the target, then forwards from the root (algorithm 1 of the paper)."""
    x[-1], y[-1], z[-1] = target
    for i in range(len(x) - 2, -1, -1):
        _place(x, y, z, i, i + 1, length[i])
    x[0], y[0], z[0] = 0.0, 0.0, 0.0
    for i in range(len(x) - 1):
        _place(x, y, z, i + 1, i, length[i])


def _place(x: Array, y: Array, z: Array, joint: int, anchor: int, length: Array) -> None:
    """Put `joint` at its distance from `anchor`, on the line between the two."""
    dx, dy, dz = x[joint] - x[anchor], y[joint] - y[anchor], z[joint] - z[anchor]
    squared = dx * dx + dy * dy + dz * dz
    # Two joints in one place have no direction between them: any will do, +X is taken.
    lost = squared < 1e-200
    ratio = length / np.sqrt(np.where(lost, 1.0, squared))
    x[joint] = x[anchor] + np.where(lost, length, dx * ratio)
    y[joint] = y[anchor] + dy * ratio
    z[joint] = z[anchor] + dz * ratio
