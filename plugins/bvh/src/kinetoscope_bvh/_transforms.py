"""The compiled way from channel values to transforms. Imports Numba: see `_kernel`."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kinetoscope_bvh._turns import COSINE, RADIAN, SINE, WHOLE

_S0, _S1, _S2, _S3, _S4, _S5, _S6 = SINE
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7 = COSINE


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _half_sines_cosines(row: Any, columns: Any, sines: Any, cosines: Any) -> None:
    """Fill sine and cosine of half the angles `row[columns]`, degrees: see `_turns.half_sine_cosine`.

    Loops without a branch or a call, which the compiler does for several angles at once.
    """
    wide = False
    for k in range(columns.shape[0]):
        sines[k] = row[columns[k]]
        wide |= abs(sines[k]) >= WHOLE
    if wide:
        for k in range(columns.shape[0]):
            if abs(sines[k]) >= WHOLE:
                sines[k] = np.fmod(sines[k], WHOLE)
    for k in range(columns.shape[0]):
        half = 0.5 * sines[k]
        quarter = np.rint(half / 90.0)
        rest = (half - 90.0 * quarter) * RADIAN
        square = rest * rest
        sine = _S5 + _S6 * square
        sine = _S3 + (_S4 + sine * square) * square
        sine = _S1 + (_S2 + sine * square) * square
        sine = rest + rest * square * (_S0 + sine * square)
        cosine = _C6 + _C7 * square
        cosine = _C4 + (_C5 + cosine * square) * square
        cosine = _C2 + (_C3 + cosine * square) * square
        cosine = _C0 + (_C1 + cosine * square) * square
        cosine = 1.0 + square * cosine
        turn = quarter - 4.0 * np.floor(quarter * 0.25)
        odd = (turn == 1.0) | (turn == 3.0)
        s, c = (cosine if odd else sine), (sine if odd else cosine)
        sines[k] = -s if turn >= 2.0 else s
        cosines[k] = -c if (turn == 1.0) | (turn == 2.0) else c


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _turned(x: float, y: float, z: float, w: float, axis: int, s: float, c: float) -> Any:
    """Return the quaternion after a further turn about an axis."""
    if axis == 0:
        return x * c + w * s, y * c + z * s, z * c - y * s, w * c - x * s
    if axis == 1:
        return x * c - z * s, y * c + w * s, z * c + x * s, w * c - y * s
    return x * c + y * s, y * c - x * s, z * c + w * s, w * c - z * s


@numba.njit(cache=True, nogil=True, error_model="numpy")
def transforms(
    values: Any,
    starts: Any,
    codes: Any,
    columns: Any,
    turning: Any,
    rest: Any,
    unit: float,
    positions: Any,
    rotations: Any,
    scales: Any,
) -> None:
    """Fill `positions [F, J, 3]`, `rotations [F, J, 4]`, `scales [F, J, 3]` from `values [F, C]`.

    Joint j has the channels `starts[j]` to `starts[j + 1]`: in column `columns[k]` a position
    (code 0 to 2), a rotation (3 to 5) or a scale (6 to 8) of an axis. `turning` holds the columns of
    the rotations, in that order. `rest [J, 3]` is where a joint stands along the axes without a
    position channel.
    """
    sines, cosines = np.empty(turning.shape[0]), np.empty(turning.shape[0])
    for frame in range(values.shape[0]):
        _half_sines_cosines(values[frame], turning, sines, cosines)
        turn = 0
        for joint in range(starts.shape[0] - 1):
            x, y, z, w = 0.0, 0.0, 0.0, 1.0
            for axis in range(3):
                positions[frame, joint, axis] = rest[joint, axis]
            for channel in range(starts[joint], starts[joint + 1]):
                code = codes[channel]
                if code < 3:
                    positions[frame, joint, code] = values[frame, columns[channel]] * unit
                elif code > 5:
                    scales[frame, joint, code - 6] = values[frame, columns[channel]]
                else:
                    x, y, z, w = _turned(x, y, z, w, code - 3, sines[turn], cosines[turn])
                    turn += 1
            rotations[frame, joint, 0] = x
            rotations[frame, joint, 1] = y
            rotations[frame, joint, 2] = z
            rotations[frame, joint, 3] = w


@numba.njit(cache=True, nogil=True, error_model="numpy")
def extent(
    row: Any, starts: Any, codes: Any, columns: Any, turning: Any, parents: Any, offsets: Any, first: int
) -> float:
    """Return the longest side of the box around the nodes from `first` on, posed by `row`; no scale."""
    count = parents.shape[0]
    sines, cosines = np.empty(turning.shape[0]), np.empty(turning.shape[0])
    _half_sines_cosines(row, turning, sines, cosines)
    places, turns = offsets.copy(), np.empty((count, 4))
    turn = 0
    for node in range(count):
        x, y, z, w = 0.0, 0.0, 0.0, 1.0
        for channel in range(starts[node], starts[node + 1]):
            code = codes[channel]
            if code < 3:
                places[node, code] = row[columns[channel]]
            elif code < 6:
                x, y, z, w = _turned(x, y, z, w, code - 3, sines[turn], cosines[turn])
                turn += 1
        if parents[node] >= 0:
            a, b, c, d = turns[parents[node]]
            px, py, pz = places[node]
            tx, ty, tz = 2 * (b * pz - c * py), 2 * (c * px - a * pz), 2 * (a * py - b * px)
            places[node, 0] = places[parents[node], 0] + px + d * tx + b * tz - c * ty
            places[node, 1] = places[parents[node], 1] + py + d * ty + c * tx - a * tz
            places[node, 2] = places[parents[node], 2] + pz + d * tz + a * ty - b * tx
            x, y, z, w = (
                d * x + a * w + b * z - c * y,
                d * y - a * z + b * w + c * x,
                d * z + a * y - b * x + c * w,
                d * w - a * x - b * y - c * z,
            )
        turns[node] = x, y, z, w
    longest = 0.0
    for axis in range(3):
        longest = max(longest, places[first:, axis].max() - places[first:, axis].min())
    return longest
