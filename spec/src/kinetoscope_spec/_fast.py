"""Compiled forward kinematics for NumPy, when Numba is installed (extra `fast`).

The formulas are those of `kinematics` and `rotation`; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from kinetoscope_spec._arrays import Array


@lru_cache(maxsize=1)
def available() -> bool:
    """Tell whether Numba can be imported, without importing it."""
    return find_spec("numba") is not None


@lru_cache(maxsize=1)
def _kernel() -> Callable[..., None]:
    import numba

    @numba.njit(cache=True, nogil=True, fastmath=False)  # type: ignore[untyped-decorator]
    def forward(parents: Any, p: Any, q: Any, out_p: Any, out_q: Any) -> None:
        for t in range(p.shape[0]):
            for j in range(p.shape[1]):
                parent = parents[j]
                x, y, z = p[t, j, 0], p[t, j, 1], p[t, j, 2]
                bx, by, bz, bw = q[t, j, 0], q[t, j, 1], q[t, j, 2], q[t, j, 3]
                if parent < 0:
                    out_p[t, j, 0], out_p[t, j, 1], out_p[t, j, 2] = x, y, z
                    out_q[t, j, 0], out_q[t, j, 1], out_q[t, j, 2], out_q[t, j, 3] = bx, by, bz, bw
                    continue
                ax, ay, az, aw = (
                    out_q[t, parent, 0],
                    out_q[t, parent, 1],
                    out_q[t, parent, 2],
                    out_q[t, parent, 3],
                )
                tx, ty, tz = 2 * (ay * z - az * y), 2 * (az * x - ax * z), 2 * (ax * y - ay * x)
                out_p[t, j, 0] = out_p[t, parent, 0] + x + aw * tx + (ay * tz - az * ty)
                out_p[t, j, 1] = out_p[t, parent, 1] + y + aw * ty + (az * tx - ax * tz)
                out_p[t, j, 2] = out_p[t, parent, 2] + z + aw * tz + (ax * ty - ay * tx)
                out_q[t, j, 0] = aw * bx + ax * bw + ay * bz - az * by
                out_q[t, j, 1] = aw * by - ax * bz + ay * bw + az * bx
                out_q[t, j, 2] = aw * bz + ax * by - ay * bx + az * bw
                out_q[t, j, 3] = aw * bw - ax * bx - ay * by - az * bz

    return forward  # type: ignore[no-any-return]


def global_transforms(parents: tuple[int, ...], positions: Array, rotations: Array) -> tuple[Array, Array]:
    """The same as `kinematics.global_transforms`, for NumPy arrays."""
    dtype = np.result_type(positions, rotations)
    batch, joints = positions.shape[:-2], positions.shape[-2]
    p = np.ascontiguousarray(positions, dtype).reshape(-1, joints, 3)
    q = np.ascontiguousarray(rotations, dtype).reshape(-1, joints, 4)
    out_p, out_q = np.empty_like(p), np.empty_like(q)
    _kernel()(np.asarray(parents, np.int64), p, q, out_p, out_q)
    return out_p.reshape(*batch, joints, 3), out_q.reshape(*batch, joints, 4)
