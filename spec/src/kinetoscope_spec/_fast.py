"""Compiled forward kinematics for NumPy, when Numba is installed (extra `fast`).

The formulas are those of `kinematics` and `rotation`, in the same order without fused products:
a test holds the results equal to the last bit, so which of the two ran can't be told from them.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec

import numpy as np

from kinetoscope_spec._arrays import Array

_START_UP_S = 0.7
_CALL_S, _JOINT_S = 1.2e-3, 1.7e-7
"""What importing Numba costs, and a call and each of its joint transforms in plain NumPy (measured)."""

_spent_s = 0.0


def wanted(count: int) -> bool:
    """Tell whether `count` more joint transforms are a case for compiled code.

    Numba is imported once plain NumPy would have spent in this process about what the import
    costs, and then does everything. The estimate reads no clock: a run repeats itself.
    """
    global _spent_s  # noqa: PLW0603 - a hint: threads that race here lose a count, nothing else
    if _spent_s < _START_UP_S:
        _spent_s += _CALL_S + _JOINT_S * count
    return _spent_s >= _START_UP_S and available()


@lru_cache(maxsize=1)
def available() -> bool:
    """Tell whether Numba can be imported, without importing it."""
    return find_spec("numba") is not None


def global_transforms(parents: tuple[int, ...], positions: Array, rotations: Array) -> tuple[Array, Array]:
    """The same as `kinematics.global_transforms`, for NumPy arrays of float32 or float64."""
    from kinetoscope_spec._fast_kernel import forward

    dtype = np.result_type(positions, rotations, np.float32)
    batch = np.broadcast_shapes(positions.shape[:-2], rotations.shape[:-2])
    joints = len(parents)
    p, q = (
        np.ascontiguousarray(np.broadcast_to(array, (*batch, joints, size)), dtype).reshape(-1, joints, size)
        for array, size in ((positions, 3), (rotations, 4))
    )
    out_p, out_q = np.empty_like(p), np.empty_like(q)
    forward(np.dtype(dtype))(np.asarray(parents, np.int64), p, q, out_p, out_q)
    return out_p.reshape(*batch, joints, 3), out_q.reshape(*batch, joints, 4)
