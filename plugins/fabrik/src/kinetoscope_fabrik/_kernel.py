"""FABRIK compiled with Numba: many chains side by side in SIMD lanes.

Importing this module imports Numba. Joints lie in memory component by component and lane by lane,
so that the compiler turns each step into vector instructions over the lanes. A lane whose chain is
done takes the next chain of the batch, so no chain waits for a slower one. No operation looks
across lanes and none is reordered (no fastmath): results don't depend on the batch around a chain.
The formulas are those of `_plain` and `_cases`, which say what they are for; a test holds the two
equal. All compiled code is in this one file: of what a function imports Numba's cache sees no change.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kinetoscope_fabrik._constants import BOW, BURST, EXACT, FLAT, FOLDS, SECANTS
from kinetoscope_fabrik.protocol import Array

_LANES = 16
"""Chains side by side: enough to hide the latency of root and division with 256-bit registers."""

_options: Any = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": False}


# -- The cases of `_cases`, for one chain `p [N, 3]`, relative to its root.


@numba.njit(inline="always", **_options)  # type: ignore[untyped-decorator]
def _squared_error(p: Any, goal: Any) -> Any:
    dx, dy, dz = p[-1, 0] - goal[0], p[-1, 1] - goal[1], p[-1, 2] - goal[2]
    return dx * dx + dy * dy + dz * dz


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _unit(x: float, y: float, z: float, ox: float, oy: float, oz: float) -> tuple[float, float, float]:
    largest = max(abs(x), abs(y), abs(z))
    if largest < 1e-150:
        x, y, z = ox, oy, oz
    else:
        x, y, z = x / largest, y / largest, z / largest
    size = np.sqrt(x * x + y * y + z * z)
    return x / size, y / size, z / size


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _prepare(p: Any, lengths: Any, goal: Any) -> bool:
    """Fill `lengths`; return True if `p` is now the answer, False if it is where to start from."""
    joints = p.shape[0]
    total, longest, far, farthest = 0.0, 0, 0, 0.0
    for i in range(joints - 1):
        dx, dy, dz = p[i + 1, 0] - p[i, 0], p[i + 1, 1] - p[i, 1], p[i + 1, 2] - p[i, 2]
        lengths[i] = np.sqrt(dx * dx + dy * dy + dz * dz)
        total += lengths[i]
        if lengths[i] > lengths[longest]:
            longest = i
        squared = p[i + 1, 0] * p[i + 1, 0] + p[i + 1, 1] * p[i + 1, 1] + p[i + 1, 2] * p[i + 1, 2]
        if squared > farthest:
            farthest, far = squared, i + 1
    distance = np.sqrt(goal[0] * goal[0] + goal[1] * goal[1] + goal[2] * goal[2])
    if distance > 1e-9 * total:
        ux, uy, uz = _unit(goal[0], goal[1], goal[2], 1.0, 0.0, 0.0)
    else:
        ux, uy, uz = _unit(p[far, 0], p[far, 1], p[far, 2], 1.0, 0.0, 0.0)
    if distance >= total or distance <= 2 * lengths[longest] - total:
        along = 0.0
        p[0, 0], p[0, 1], p[0, 2] = 0.0, 0.0, 0.0
        for i in range(joints - 1):
            along += lengths[i] if distance >= total or i == longest else -lengths[i]
            p[i + 1, 0], p[i + 1, 1], p[i + 1, 2] = along * ux, along * uy, along * uz
        return True
    _unlock(p, lengths, total, ux, uy, uz)
    return False


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _unlock(p: Any, lengths: Any, total: float, ux: float, uy: float, uz: float) -> None:
    most, wx, wy, wz = -1.0, 0.0, 0.0, 0.0
    for i in range(p.shape[0]):
        dot = p[i, 0] * ux + p[i, 1] * uy + p[i, 2] * uz
        ax, ay, az = p[i, 0] - dot * ux, p[i, 1] - dot * uy, p[i, 2] - dot * uz
        off = ax * ax + ay * ay + az * az
        if off > most:
            most, wx, wy, wz = off, ax, ay, az
    most = np.sqrt(most)
    if most >= FLAT * total:
        return
    if most <= 1e-9 * total:
        wx, wy, wz = _across(ux, uy, uz)
    wx, wy, wz = _unit(wx, wy, wz, 1.0, 0.0, 0.0)
    done = 0.0
    for i in range(p.shape[0] - 1):
        share = done / total
        bow = (4 * BOW) * share * (1 - share) * total
        p[i, 0], p[i, 1], p[i, 2] = p[i, 0] + bow * wx, p[i, 1] + bow * wy, p[i, 2] + bow * wz
        done += lengths[i]
    share = done / total
    bow = (4 * BOW) * share * (1 - share) * total
    p[-1, 0], p[-1, 1], p[-1, 2] = p[-1, 0] + bow * wx, p[-1, 1] + bow * wy, p[-1, 2] + bow * wz


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _across(ux: float, uy: float, uz: float) -> tuple[float, float, float]:
    """Return `u` cross the axis of the world that is least along it."""
    if abs(ux) <= abs(uy) and abs(ux) <= abs(uz):
        return 0.0, uz, -uy
    if abs(uy) <= abs(uz):
        return -uz, 0.0, ux
    return uy, -ux, 0.0


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _end(
    way: Any, lengths: Any, ux: float, uy: float, uz: float, bend: float, longest: int
) -> tuple[float, float, float]:
    ex, ey, ez = 0.0, 0.0, 0.0
    keep = 1.0 - abs(bend)
    for i in range(len(lengths)):
        m = bend if longest < 0 or i == longest else -bend
        dx, dy, dz = keep * way[i, 0] + m * ux, keep * way[i, 1] + m * uy, keep * way[i, 2] + m * uz
        squared = dx * dx + dy * dy + dz * dz
        lost = squared < 1e-200
        ratio = lengths[i] / np.sqrt(1.0 if lost else squared)
        ex += lengths[i] if lost else dx * ratio
        ey += dy * ratio
        ez += dz * ratio
    return ex, ey, ez


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _over(
    way: Any, lengths: Any, ux: float, uy: float, uz: float, bend: float, longest: int, distance: float
) -> Any:
    ex, ey, ez = _end(way, lengths, ux, uy, uz, bend, longest)
    return np.sqrt(ex * ex + ey * ey + ez * ez) - distance


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _close(p: Any, lengths: Any, goal: Any, way: Any) -> None:
    """Stretch or fold the chain evenly until its end is at `goal`; `way` is scratch."""
    distance = np.sqrt(goal[0] * goal[0] + goal[1] * goal[1] + goal[2] * goal[2])
    ux, uy, uz = _unit(goal[0], goal[1], goal[2], 1.0, 0.0, 0.0)
    total = 0.0
    for i in range(len(lengths)):
        total += lengths[i]
        way[i, 0], way[i, 1], way[i, 2] = _unit(
            p[i + 1, 0] - p[i, 0], p[i + 1, 1] - p[i, 1], p[i + 1, 2] - p[i, 2], ux, uy, uz
        )
    if len(lengths) == 2:
        _close_two(p, lengths, distance, ux, uy, uz)
        return
    bend, longest = _search(way, lengths, ux, uy, uz, distance, total)
    if abs(_over(way, lengths, ux, uy, uz, bend, longest, distance)) < 1e-9 * total:
        _shape(p, way, lengths, ux, uy, uz, bend, longest)


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _close_two(p: Any, lengths: Any, distance: float, ux: float, uy: float, uz: float) -> None:
    a, b = lengths[0], lengths[1]
    along = (a * a - b * b + distance * distance) / (2 * max(distance, 1e-300))
    along = min(max(along, -a), a)
    bow = np.sqrt(max(a * a - along * along, 0.0))
    dot = p[1, 0] * ux + p[1, 1] * uy + p[1, 2] * uz
    sx, sy, sz = _across(ux, uy, uz)
    sx, sy, sz = _unit(sx, sy, sz, 1.0, 0.0, 0.0)
    wx, wy, wz = _unit(p[1, 0] - dot * ux, p[1, 1] - dot * uy, p[1, 2] - dot * uz, sx, sy, sz)
    p[1, 0], p[1, 1], p[1, 2] = along * ux + bow * wx, along * uy + bow * wy, along * uz + bow * wz
    p[2, 0], p[2, 1], p[2, 2] = distance * ux, distance * uy, distance * uz


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _search(
    way: Any, lengths: Any, ux: float, uy: float, uz: float, distance: float, total: float
) -> tuple[float, int]:
    a, fa = 0.0, _over(way, lengths, ux, uy, uz, 0.0, -1, distance)
    b, fb, longest = 1.0, total - distance, -1
    if fa > 0:
        first = fa
        for step in range(1, FOLDS + 1):
            b = -0.125 * step
            fb = _over(way, lengths, ux, uy, uz, b, -1, distance)
            if fb < 0:
                break
            a, fa = b, fb
        if fb >= 0:
            longest = int(np.argmax(lengths))
            a, fa, b, fb = 0.0, first, 1.0, abs(2 * lengths[longest] - total) - distance
        if fb >= 0:
            return 0.0, -1
    for _ in range(SECANTS):
        c = (a * fb - b * fa) / (fb - fa)
        fc = _over(way, lengths, ux, uy, uz, c, longest, distance)
        if (fc < 0) != (fb < 0):
            a, fa = b, fb
        else:
            fa *= 0.5
        b, fb = c, fc
        if abs(fc) <= EXACT * total:
            break
    return b, longest


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _shape(
    p: Any, way: Any, lengths: Any, ux: float, uy: float, uz: float, bend: float, longest: int
) -> None:
    keep = 1.0 - abs(bend)
    p[0, 0], p[0, 1], p[0, 2] = 0.0, 0.0, 0.0
    for i in range(len(lengths)):
        m = bend if longest < 0 or i == longest else -bend
        dx, dy, dz = keep * way[i, 0] + m * ux, keep * way[i, 1] + m * uy, keep * way[i, 2] + m * uz
        squared = dx * dx + dy * dy + dz * dz
        lost = squared < 1e-200
        ratio = lengths[i] / np.sqrt(1.0 if lost else squared)
        p[i + 1, 0] = p[i, 0] + (lengths[i] if lost else dx * ratio)
        p[i + 1, 1] = p[i, 1] + dy * ratio
        p[i + 1, 2] = p[i, 2] + dz * ratio
    ax, ay, az = _unit(p[-1, 0], p[-1, 1], p[-1, 2], 1.0, 0.0, 0.0)
    hx, hy, hz = _unit(ax + ux, ay + uy, az + uz, ax, ay, az)
    for i in range(p.shape[0]):
        twice = 2 * (p[i, 0] * ax + p[i, 1] * ay + p[i, 2] * az)
        x, y, z = p[i, 0] - twice * ax, p[i, 1] - twice * ay, p[i, 2] - twice * az
        twice = 2 * (x * hx + y * hy + z * hz)
        p[i, 0], p[i, 1], p[i, 2] = x - twice * hx, y - twice * hy, z - twice * hz


# -- The passes of `_plain`, in all lanes.


@numba.njit(inline="always", **_options)  # type: ignore[untyped-decorator]
def _place(x: Any, y: Any, z: Any, joint: int, anchor: int, length: Any) -> None:
    for lane in range(_LANES):
        ax, ay, az = x[anchor, lane], y[anchor, lane], z[anchor, lane]
        dx, dy, dz = x[joint, lane] - ax, y[joint, lane] - ay, z[joint, lane] - az
        squared = dx * dx + dy * dy + dz * dz
        lost = squared < 1e-200
        ratio = length[lane] / np.sqrt(1.0 if lost else squared)
        x[joint, lane] = ax + (length[lane] if lost else dx * ratio)
        y[joint, lane] = ay + dy * ratio
        z[joint, lane] = az + dz * ratio


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _passes(x: Any, y: Any, z: Any, length: Any, target: Any, error: Any) -> None:
    """Reach backwards and forwards once, in all lanes."""
    last = x.shape[0] - 1
    for lane in range(_LANES):
        x[last, lane], y[last, lane], z[last, lane] = target[0, lane], target[1, lane], target[2, lane]
    for i in range(last - 1, -1, -1):
        _place(x, y, z, i, i + 1, length[i])
    for lane in range(_LANES):
        x[0, lane], y[0, lane], z[0, lane] = 0.0, 0.0, 0.0
    for i in range(last):
        _place(x, y, z, i + 1, i, length[i])
    for lane in range(_LANES):
        dx, dy, dz = (
            x[last, lane] - target[0, lane],
            y[last, lane] - target[1, lane],
            z[last, lane] - target[2, lane],
        )
        error[lane] = dx * dx + dy * dy + dz * dz


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _write(out: Any, chains: Any, chain: int, p: Any) -> None:
    for i in range(p.shape[0]):
        for axis in range(3):
            out[chain, i, axis] = p[i, axis] + chains[chain, 0, axis]


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _into_lane(
    p: Any, lengths: Any, goal: Any, lane: int, x: Any, y: Any, z: Any, length: Any, target: Any
) -> None:
    for i in range(p.shape[0]):
        x[i, lane], y[i, lane], z[i, lane] = p[i, 0], p[i, 1], p[i, 2]
    for i in range(p.shape[0] - 1):
        length[i, lane] = lengths[i]
    target[0, lane], target[1, lane], target[2, lane] = goal[0], goal[1], goal[2]


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _run(
    chains: Any, targets: Any, limit: float, iterations: int, out: Any, count: Any, reached: Any
) -> None:
    joints = chains.shape[1]
    x, y, z = np.zeros((joints, _LANES)), np.zeros((joints, _LANES)), np.zeros((joints, _LANES))
    length, target, error = np.zeros((max(joints - 1, 1), _LANES)), np.zeros((3, _LANES)), np.zeros(_LANES)
    p, lengths, goal = np.zeros((joints, 3)), np.zeros(max(joints - 1, 1)), np.zeros(3)
    way = np.zeros((max(joints - 1, 1), 3))
    row, burst = np.full(_LANES, -1), np.zeros(_LANES, np.int64)
    taken, running = 0, 0
    for lane in range(_LANES):
        taken, row[lane] = _next(chains, targets, limit, iterations, taken, p, lengths, goal, out, reached)
        if row[lane] >= 0:
            _into_lane(p, lengths, goal, lane, x, y, z, length, target)
            running += 1
    while running > 0:
        _passes(x, y, z, length, target, error)
        for lane in range(_LANES):
            chain = row[lane]
            if chain < 0:
                continue
            burst[lane] += 1
            count[chain] += 1
            done = error[lane] <= limit
            if not done and count[chain] < iterations and burst[lane] < BURST:
                continue
            for i in range(joints):
                p[i, 0], p[i, 1], p[i, 2] = x[i, lane], y[i, lane], z[i, lane]
            burst[lane] = 0
            if not done and count[chain] < iterations:
                for i in range(joints - 1):
                    lengths[i] = length[i, lane]
                goal[0], goal[1], goal[2] = target[0, lane], target[1, lane], target[2, lane]
                _close(p, lengths, goal, way)
                count[chain] += 1
                done = _squared_error(p, goal) <= limit
                if not done and count[chain] < iterations:
                    _into_lane(p, lengths, goal, lane, x, y, z, length, target)
                    continue
            _write(out, chains, chain, p)
            reached[chain] = done
            taken, row[lane] = _next(
                chains, targets, limit, iterations, taken, p, lengths, goal, out, reached
            )
            if row[lane] >= 0:
                _into_lane(p, lengths, goal, lane, x, y, z, length, target)
            else:
                running -= 1


@numba.njit(**_options)  # type: ignore[untyped-decorator]
def _next(
    chains: Any,
    targets: Any,
    limit: float,
    iterations: int,
    taken: int,
    p: Any,
    lengths: Any,
    goal: Any,
    out: Any,
    reached: Any,
) -> tuple[int, int]:
    """Find the next chain that the passes have to solve; write down those before it.

    Returns how many chains have been taken, and the chain that `p`, `lengths`, `goal` hold, or -1.
    """
    while taken < chains.shape[0]:
        chain = taken
        taken += 1
        for axis in range(3):
            goal[axis] = targets[chain, axis] - chains[chain, 0, axis]
            for i in range(p.shape[0]):
                p[i, axis] = chains[chain, i, axis] - chains[chain, 0, axis]
        if _squared_error(p, goal) <= limit:
            reached[chain] = True
            out[chain] = chains[chain]
        elif p.shape[0] == 1:
            out[chain] = chains[chain]
        elif _prepare(p, lengths, goal):
            reached[chain] = _squared_error(p, goal) <= limit
            _write(out, chains, chain, p)
        elif iterations == 0:
            out[chain] = chains[chain]
        else:
            return taken, chain
    return taken, -1


def solve(chains: Array, targets: Array, tolerance: float, iterations: int) -> tuple[Array, Array, Array]:
    """Do the same as `_plain.solve`."""
    out = np.empty_like(chains)
    count, reached = np.zeros(len(chains), np.int64), np.zeros(len(chains), bool)
    _run(chains, targets, tolerance * tolerance, iterations, out, count, reached)
    return out, count, reached
