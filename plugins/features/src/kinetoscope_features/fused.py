"""Rows of joints in one compiled loop: positions, rotations and velocities seen from the root.

The formulas are those of `formulas` and `rotation`, in the same order without fused products; a test
holds the rows equal to the last bit, so which of the two ran can't be told from them. Each frame's
joints are read once and each number is written once, where plain NumPy makes forty arrays of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from kinetoscope_features.body import Array, Body
from kinetoscope_features.root import RootTrack
from kinetoscope_spec import rotation

__all__ = ["KINDS", "available", "joint_rows", "wanted"]

KINDS = {"positions": 3, "rotations": 6, "velocities": 3}
"""What the loop computes of each joint, and in how many columns."""

_START_UP_S, _JOINT_S = 0.7, 3e-7
"""What importing Numba costs, and a joint's row of one kind in plain NumPy (measured)."""

_spent_s = 0.0


def wanted(count: int) -> bool:
    """Tell whether `count` more joints' rows are a case for compiled code.

    Where Numba is installed: once it is imported, or once plain NumPy would have spent in this process
    what importing it costs. The estimate reads no clock.
    """
    global _spent_s  # noqa: PLW0603 - a hint: threads that race here lose a count, nothing else
    if _spent_s < _START_UP_S:
        _spent_s += _JOINT_S * count
    return available() and (_spent_s >= _START_UP_S or "numba" in sys.modules)


@lru_cache(maxsize=1)
def available() -> bool:
    """Tell whether Numba can be imported, without importing it."""
    return find_spec("numba") is not None


def joint_rows(
    body: Body,
    positions: Array,
    rotations: Array,
    root: RootTrack,
    framerate: float,
    out: Array,
    places: Mapping[str, int],
) -> None:
    """Write the rows of all frames into `out [T, S]`, float32 or float64.

    Args:
        body: whose joints.
        positions, rotations: global, float64 `[T, J, 3]` and `[T, J, 4]`.
        root: seen from which.
        framerate: frames per second.
        out: C-contiguous; columns of other things are left as they are.
        places: of each of the `KINDS` that are wanted its first column.
    """
    back = np.ascontiguousarray(rotation.from_yaw(-np.asarray(root.yaw, np.float64)))
    _compiled(out.dtype)(
        np.ascontiguousarray(positions, np.float64),
        np.ascontiguousarray(rotations, np.float64),
        np.ascontiguousarray(root.ground, np.float64),
        back,
        np.asarray(body.joints, np.int64),
        float(framerate),
        *(places.get(kind, -1) for kind in KINDS),
        out,
    )


@lru_cache(maxsize=2)
def _compiled(dtype: np.dtype[Any]) -> Callable[..., None]:
    """Return the loop that writes `dtype`. The signature is given, so that it is compiled once."""
    import numba
    from numba import types

    def read(kind: Any, dimensions: int) -> Any:
        return types.Array(kind, dimensions, "C", readonly=True)

    signature = types.void(
        read(types.float64, 3),
        read(types.float64, 3),
        read(types.float64, 2),
        read(types.float64, 2),
        read(types.int64, 1),
        types.float64,
        types.int64,
        types.int64,
        types.int64,
        types.Array(numba.from_dtype(dtype), 2, "C"),
    )
    made: Callable[..., None] = numba.njit(signature, cache=True, nogil=True)(_loop)
    return made


def _loop(
    positions: Any,
    rotations: Any,
    ground: Any,
    back: Any,
    joints: Any,
    framerate: float,
    at_position: int,
    at_rotation: int,
    at_velocity: int,
    out: Any,
) -> None:
    """One frame after the other. `back [T, 4]` turns about the vertical: its x and z are 0."""
    frames = positions.shape[0]
    for t in range(frames):
        ay, aw = back[t, 1], back[t, 3]
        gx, gz = ground[t, 0], ground[t, 1]
        before, after = max(t - 1, 0), min(t + 1, frames - 1)
        for b in range(joints.shape[0]):
            j = joints[b]
            px, py, pz = positions[t, j, 0], positions[t, j, 1], positions[t, j, 2]
            if at_position >= 0:
                # v + w t + y x t with t = 2 (y x v): `rotation.rotate` about the vertical.
                vx, vz = px - gx, pz - gz
                tx, tz = 2.0 * (ay * vz), -(2.0 * (ay * vx))
                c = at_position + 3 * b
                out[t, c] = (vx + aw * tx) + ay * tz
                out[t, c + 1] = py
                out[t, c + 2] = (vz + aw * tz) - ay * tx
            if at_rotation >= 0:
                bx, by = rotations[t, j, 0], rotations[t, j, 1]
                bz, bw = rotations[t, j, 2], rotations[t, j, 3]
                x, y = aw * bx + ay * bz, aw * by + ay * bw
                z, w = aw * bz - ay * bx, aw * bw - ay * by
                c = at_rotation + 6 * b
                out[t, c] = 1 - 2 * (y * y + z * z)
                out[t, c + 1] = 2 * (x * y + z * w)
                out[t, c + 2] = 2 * (x * z - y * w)
                out[t, c + 3] = 2 * (x * y - z * w)
                out[t, c + 4] = 1 - 2 * (x * x + z * z)
                out[t, c + 5] = 2 * (y * z + x * w)
            if at_velocity >= 0:
                # The mean of the differences to the frames before and after; at the ends the one there is.
                ux = (px - positions[before, j, 0]) * framerate
                uy = (py - positions[before, j, 1]) * framerate
                uz = (pz - positions[before, j, 2]) * framerate
                vx = (positions[after, j, 0] - px) * framerate
                vy = (positions[after, j, 1] - py) * framerate
                vz = (positions[after, j, 2] - pz) * framerate
                if before < t < after:
                    vx, vy, vz = 0.5 * (vx + ux), 0.5 * (vy + uy), 0.5 * (vz + uz)
                elif before < t:
                    vx, vy, vz = ux, uy, uz
                tx, tz = 2.0 * (ay * vz), -(2.0 * (ay * vx))
                c = at_velocity + 3 * b
                out[t, c] = (vx + aw * tx) + ay * tz
                out[t, c + 1] = vy
                out[t, c + 2] = (vz + aw * tz) - ay * tx
