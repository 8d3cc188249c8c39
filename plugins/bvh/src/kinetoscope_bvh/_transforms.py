"""The compiled way from channel values to transforms. Imports Numba: see `_kernel`."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kinetoscope_bvh._turns import COSINE, RADIAN, SINE, WHOLE

_SINE = np.array(SINE)
_COSINE = np.array(COSINE)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _half_sine_cosine(degrees: float) -> tuple[float, float]:
    half = 0.5 * (degrees if abs(degrees) < WHOLE else np.fmod(degrees, WHOLE))
    quarter = np.rint(half / 90.0)
    rest = (half - 90.0 * quarter) * RADIAN
    square = rest * rest
    sine, cosine = _SINE[6], _COSINE[7]
    for k in range(5, -1, -1):
        sine = sine * square + _SINE[k]
    for k in range(6, -1, -1):
        cosine = cosine * square + _COSINE[k]
    sine = rest + rest * square * sine
    cosine = 1.0 + square * cosine
    turn = np.int64(quarter - 4.0 * np.floor(quarter * 0.25))
    if turn & 1:
        sine, cosine = cosine, sine
    return (-sine if turn >= 2 else sine), (-cosine if turn in (1, 2) else cosine)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def transforms(
    values: Any,
    starts: Any,
    codes: Any,
    columns: Any,
    rest: Any,
    unit: float,
    positions: Any,
    rotations: Any,
    scales: Any,
) -> None:
    """Fill `positions [F, J, 3]`, `rotations [F, J, 4]`, `scales [F, J, 3]` from `values [F, C]`.

    Joint j has the channels `starts[j]` to `starts[j + 1]`: in column `columns[k]` a position
    (code 0 to 2), a rotation (3 to 5) or a scale (6 to 8) of an axis. `rest [J, 3]` is where a joint
    stands along the axes without a position channel.
    """
    for frame in range(values.shape[0]):
        for joint in range(starts.shape[0] - 1):
            x, y, z, w = 0.0, 0.0, 0.0, 1.0
            for axis in range(3):
                positions[frame, joint, axis] = rest[joint, axis]
            for channel in range(starts[joint], starts[joint + 1]):
                code = codes[channel]
                value = values[frame, columns[channel]]
                if code < 3:
                    positions[frame, joint, code] = value * unit
                elif code > 5:
                    scales[frame, joint, code - 6] = value
                else:
                    s, c = _half_sine_cosine(value)
                    if code == 3:
                        x, y, z, w = x * c + w * s, y * c + z * s, z * c - y * s, w * c - x * s
                    elif code == 4:
                        y, z, x, w = y * c + w * s, z * c + x * s, x * c - z * s, w * c - y * s
                    else:
                        z, x, y, w = z * c + w * s, x * c + y * s, y * c - x * s, w * c - z * s
            rotations[frame, joint, 0] = x
            rotations[frame, joint, 1] = y
            rotations[frame, joint, 2] = z
            rotations[frame, joint, 3] = w
