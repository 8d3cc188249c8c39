"""FABRIK's iterations compiled with Numba: many chains side by side in SIMD lanes.

Importing this module imports Numba. Joints lie in memory component by component and lane by lane,
so that the compiler turns each step into vector instructions over the lanes. A lane whose chain is
done takes the next chain of the batch, so no chain waits for a slower one. No operation looks
across lanes and none is reordered (no fastmath): results don't depend on the batch around a chain.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kinetoscope_fabrik.protocol import Array

_LANES = 16
"""Chains side by side: enough to hide the latency of root and division with 256-bit registers."""

_options = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": False}


@numba.njit(inline="always", **_options)  # type: ignore[untyped-decorator]
def _place(x: Any, y: Any, z: Any, joint: int, anchor: int, length: Any) -> None:
    for lane in range(_LANES):
        ax, ay, az = x[anchor, lane], y[anchor, lane], z[anchor, lane]
        dx, dy, dz = x[joint, lane] - ax, y[joint, lane] - ay, z[joint, lane] - az
        squared = dx * dx + dy * dy + dz * dz
        # Two joints in one place have no direction between them: any will do, +X is taken.
        lost = squared < 1e-200
        ratio = length[lane] / np.sqrt(1.0 if lost else squared)
        x[joint, lane] = ax + (length[lane] if lost else dx * ratio)
        y[joint, lane] = ay + dy * ratio
        z[joint, lane] = az + dz * ratio


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _run(p: Any, lengths: Any, targets: Any, limit: float, iterations: int, out: Any, count: Any) -> None:
    batch, joints = p.shape[0], p.shape[1]
    x, y, z = np.zeros((joints, _LANES)), np.zeros((joints, _LANES)), np.zeros((joints, _LANES))
    length = np.zeros((max(joints - 1, 1), _LANES))
    tx, ty, tz = np.zeros(_LANES), np.zeros(_LANES), np.zeros(_LANES)
    row, spent = np.full(_LANES, -1), np.zeros(_LANES, np.int64)
    error = np.zeros(_LANES)
    taken, running = 0, 0
    for lane in range(min(_LANES, batch)):
        _load(p, lengths, targets, lane, lane, x, y, z, length, tx, ty, tz)
        row[lane] = lane
        taken += 1
        running += 1
    while running > 0:
        for lane in range(_LANES):
            x[joints - 1, lane], y[joints - 1, lane], z[joints - 1, lane] = tx[lane], ty[lane], tz[lane]
        for i in range(joints - 2, -1, -1):
            _place(x, y, z, i, i + 1, length[i])
        for lane in range(_LANES):
            x[0, lane], y[0, lane], z[0, lane] = 0.0, 0.0, 0.0
        for i in range(joints - 1):
            _place(x, y, z, i + 1, i, length[i])
        for lane in range(_LANES):
            dx = x[joints - 1, lane] - tx[lane]
            dy = y[joints - 1, lane] - ty[lane]
            dz = z[joints - 1, lane] - tz[lane]
            error[lane] = dx * dx + dy * dy + dz * dz
            spent[lane] += 1
        for lane in range(_LANES):
            if row[lane] < 0 or (error[lane] > limit and spent[lane] < iterations):
                continue
            for i in range(joints):
                out[row[lane], i, 0], out[row[lane], i, 1], out[row[lane], i, 2] = (
                    x[i, lane],
                    y[i, lane],
                    z[i, lane],
                )
            count[row[lane]] = spent[lane]
            if taken < batch:
                _load(p, lengths, targets, taken, lane, x, y, z, length, tx, ty, tz)
                row[lane] = taken
                spent[lane] = 0
                taken += 1
            else:
                row[lane] = -1
                running -= 1


@numba.njit(inline="always", **_options)  # type: ignore[untyped-decorator]
def _load(
    p: Any,
    lengths: Any,
    targets: Any,
    chain: int,
    lane: int,
    x: Any,
    y: Any,
    z: Any,
    length: Any,
    tx: Any,
    ty: Any,
    tz: Any,
) -> None:
    for i in range(p.shape[1]):
        x[i, lane], y[i, lane], z[i, lane] = p[chain, i, 0], p[chain, i, 1], p[chain, i, 2]
    for i in range(p.shape[1] - 1):
        length[i, lane] = lengths[chain, i]
    tx[lane], ty[lane], tz[lane] = targets[chain, 0], targets[chain, 1], targets[chain, 2]


def iterate(
    p: Array, lengths: Array, targets: Array, tolerance: float, iterations: int
) -> tuple[Array, Array]:
    """Run FABRIK's backward and forward passes until each chain's end is within `tolerance`.

    Args:
        p: float64 `[B, N, 3]`, joints relative to the chain's root.
        lengths: float64 `[B, N-1]`, segment lengths.
        targets: float64 `[B, 3]`, relative to the root.
        tolerance: distance at which a chain stops.
        iterations: at least 1.

    Returns:
        Joints `[B, N, 3]` and the iterations `[B]` that each chain took.
    """
    out, count = np.empty_like(p), np.zeros(len(p), np.int64)
    _run(p, lengths, targets, tolerance * tolerance, iterations, out, count)
    return out, count
