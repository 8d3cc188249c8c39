"""The loops of `_fast`, compiled. Imports Numba: only `_fast` imports this, when it is asked.

No fused products and no reordering: results are those of NumPy to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba import types

__all__ = ["pose_kernel", "sample_kernel"]

_ONE = types.Array(types.float64, 1, "C", readonly=True)
_TWO = types.Array(types.float64, 2, "C", readonly=True)
_THREE = types.Array(types.float64, 3, "C", readonly=True)
_OUT = types.Array(types.float64, 3, "C")
_INTS = types.Array(types.int64, 1, "C", readonly=True)


def _sample(
    positions: Any,
    rotations: Any,
    cosines: Any,
    terms: Any,
    low: Any,
    share: Any,
    rows: Any,
    out_p: Any,
    out_q: Any,
) -> None:
    joints = positions.shape[1]
    flat_p, flat_q = positions.reshape(-1, joints * 3), rotations.reshape(-1, joints * 4)
    a, b = np.empty(joints), np.empty(joints)
    for i in range(len(low)):
        f, t = low[i], share[i]
        p, q = out_p[rows[i]].reshape(-1), out_q[rows[i]].reshape(-1)
        if len(flat_p) == 1:
            p[:] = flat_p[f]
            q[:] = flat_q[f]
            continue
        low_p, high_p, low_q, high_q = flat_p[f], flat_p[f + 1], flat_q[f], flat_q[f + 1]
        for j in range(joints * 3):
            p[j] = low_p[j] + (high_p[j] - low_p[j]) * t
        x = cosines[f]
        s = 1.0 - t
        a[:] = 1.0
        b[:] = 1.0
        for k in range(terms, 0, -1):
            u, v = 1.0 / (k * (2 * k + 1)), k / (2 * k + 1)
            first, second = u * (s * s) - v, u * (t * t) - v
            for j in range(joints):
                a[j] = 1.0 + (first * x[j]) * a[j]
                b[j] = 1.0 + (second * x[j]) * b[j]
        for j in range(joints):
            left, right = s * a[j], t * b[j]
            for c in range(4 * j, 4 * j + 4):
                q[c] = left * low_q[c] + right * high_q[c]


@numba.njit(inline="always")
def _carried(parent: Any, at: Any, p: Any, q: Any, scale: Any, out_p: Any, out_q: Any) -> None:
    """Write what `parent`, which stands at `at`, makes of `p` and `q`; as in `rotation`."""
    x, y, z, w = parent[0], parent[1], parent[2], parent[3]
    vx, vy, vz = scale * p[0], scale * p[1], scale * p[2]
    tx, ty, tz = 2.0 * (y * vz - z * vy), 2.0 * (z * vx - x * vz), 2.0 * (x * vy - y * vx)
    out_p[0] = at[0] + ((vx + w * tx) + (y * tz - z * ty))
    out_p[1] = at[1] + ((vy + w * ty) + (z * tx - x * tz))
    out_p[2] = at[2] + ((vz + w * tz) + (x * ty - y * tx))
    bx, by, bz, bw = q[0], q[1], q[2], q[3]
    out_q[0] = w * bx + x * bw + y * bz - z * by
    out_q[1] = w * by - x * bz + y * bw + z * bx
    out_q[2] = w * bz + x * by - y * bx + z * bw
    out_q[3] = w * bw - x * bx - y * by - z * bz


def _pose(
    parents: Any,
    joints: Any,
    rows: Any,
    p: Any,
    q: Any,
    at_p: Any,
    at_q: Any,
    at_s: Any,
    out_p: Any,
    out_q: Any,
) -> None:
    for i in range(len(rows)):
        row = rows[i]
        scale = at_s[row]
        for k in range(len(joints)):
            j, above = joints[k], parents[k]
            if above < 0:
                _carried(at_q[row], at_p[row], p[row, j], q[row, j], scale, out_p[i, k], out_q[i, k])
            else:
                _carried(
                    out_q[i, above], out_p[i, above], p[row, j], q[row, j], scale, out_p[i, k], out_q[i, k]
                )


def _compiled(function: Callable[..., None], *arguments: Any) -> Callable[..., None]:
    # The signature is given, so that arrays that can't be written to are not compiled for again.
    made: Callable[..., None] = numba.njit(types.void(*arguments), cache=True, nogil=True)(function)
    return made


@lru_cache(maxsize=1)
def sample_kernel() -> Callable[..., None]:
    """Return `_sample`, compiled."""
    return _compiled(_sample, _THREE, _THREE, _TWO, types.int64, _INTS, _ONE, _INTS, _OUT, _OUT)


@lru_cache(maxsize=1)
def pose_kernel() -> Callable[..., None]:
    """Return `_pose`, compiled."""
    return _compiled(_pose, _INTS, _INTS, _INTS, _THREE, _THREE, _TWO, _TWO, _ONE, _OUT, _OUT)
