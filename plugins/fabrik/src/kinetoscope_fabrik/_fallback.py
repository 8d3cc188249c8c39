"""FABRIK's iterations in NumPy: the same operations in the same order as `_kernel`, bit for bit."""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik.protocol import Array


def iterate(
    p: Array, lengths: Array, targets: Array, tolerance: float, iterations: int
) -> tuple[Array, Array]:
    """Do the same as `_kernel.iterate` for all chains side by side."""
    batch = len(p)
    out, count = p.copy(), np.zeros(batch, np.int64)
    rows = np.arange(batch)
    x, y, z = (np.ascontiguousarray(p[:, :, axis].T) for axis in range(3))
    length, target = np.ascontiguousarray(lengths.T), np.ascontiguousarray(targets.T)
    limit = tolerance * tolerance
    for iteration in range(1, iterations + 1):
        if not len(rows):
            break
        _pass(x, y, z, length, target)
        dx, dy, dz = x[-1] - target[0], y[-1] - target[1], z[-1] - target[2]
        done = (dx * dx + dy * dy + dz * dz <= limit) | (iteration == iterations)
        out[rows[done]] = np.stack([x[:, done].T, y[:, done].T, z[:, done].T], axis=-1)
        count[rows[done]] = iteration
        rest = ~done
        rows, length, target = rows[rest], length[:, rest], target[:, rest]
        x, y, z = x[:, rest], y[:, rest], z[:, rest]
    return out, count


def _pass(x: Array, y: Array, z: Array, length: Array, target: Array) -> None:
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
