"""The two inner loops of a crowd, sampling clips and posing joints: in NumPy, or compiled where Numba is.

Both do the same sums and products in the same order, so that which of them ran can't be told from the
result, to the last bit: a test holds them equal. That leaves no room for a sine, of which every library
has its own last bit. Slerp's weights sin(t a) / sin(a) are summed up instead, as a series in
cos(a) - 1 (Eberly 2011, "A Fast and Accurate Algorithm for Computing SLERP"), with as many terms as the
clip's widest turn from frame to frame needs.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Final

import numpy as np

from kinetoscope_spec import kinematics, rotation
from kinetoscope_stage._component import Array

__all__ = ["pose", "sample", "series_terms"]

_BLOCK: Final = 32
"""Rows that NumPy works on together: few enough that what lies in between stays in the cache."""

_WORTH: Final = 1_000_000
"""Joints moved in NumPy take about as long as importing Numba."""

_spent = 0


@lru_cache(maxsize=1)
def available() -> bool:
    """Tell whether Numba can be imported, without importing it."""
    return find_spec("numba") is not None


def wanted(joints: int) -> bool:
    """Tell whether so many more joints are a case for compiled code; reads no clock."""
    global _spent  # noqa: PLW0603 - a hint: threads that race here lose a count, nothing else
    if _spent < _WORTH:
        _spent += joints
    return _spent >= _WORTH and available()


def series_terms(widest: float) -> int:
    """Return how many terms of the series leave an error below rounding; `widest` is 1 - cos(a)."""
    if widest <= 0:
        return 1
    # Each term is less than `widest` / 2 of the one before; quaternions of one side have a <= pi/2.
    return max(1, int(np.ceil(np.log(1e-17) / np.log(0.5 * min(widest, 1.0)))))


def sample(
    frames: tuple[Array, Array, Array],
    terms: int,
    low: Array,
    share: Array,
    rows: Array,
    out: tuple[Array, Array],
) -> None:
    """Write poses between frames: positions on the line, rotations on the arc at constant speed.

    Args:
        frames: `positions [T, J, 3]` m; `rotations [T, J, 4]` of length 1, neighbours on one side;
            `cosines [T-1, J]`, the cosine of the angle between neighbours, less 1.
        terms: of the series, at least 1.
        low: int64 `[n]`, the frame before, at most T-2 (0 where T is 1).
        share: `[n]`, 0 to 1, how far to the next frame.
        rows: int64 `[n]`, each once, where to write in `out`.
        out: `positions [N, J, 3]` and `rotations [N, J, 4]`, C-contiguous.
    """
    if not len(low):
        return
    if wanted(len(low) * out[0].shape[1]):
        from kinetoscope_stage._kernels import sample_kernel

        sample_kernel()(*frames, terms, low, share, rows, *out)
        return
    for start in range(0, len(low), _BLOCK):
        part = slice(start, start + _BLOCK)
        held = _sampled(frames, terms, low[part], share[part])
        out[0][rows[part]], out[1][rows[part]] = held


def _sampled(frames: tuple[Array, Array, Array], terms: int, low: Array, share: Array) -> tuple[Array, Array]:
    positions, rotations, cosines = frames
    if len(positions) == 1:
        return positions[low], rotations[low]
    t = share[:, None, None]
    x = cosines[low]
    a = _weights(1.0 - share, x, terms)[..., None]
    b = _weights(share, x, terms)[..., None]
    between = positions[low] + (positions[low + 1] - positions[low]) * t
    return between, a * rotations[low] + b * rotations[low + 1]


def _weights(t: Array, x: Array, terms: int) -> Array:
    """Return sin(t a) / sin(a) `[n, J]` for `t [n]` and `x [n, J]`, cos(a) - 1."""
    squared = (t * t)[:, None]
    f = np.ones_like(x)
    for i in range(terms, 0, -1):
        f = 1.0 + ((1.0 / (i * (2 * i + 1)) * squared - i / (2 * i + 1)) * x) * f
    found: Array = t[:, None] * f
    return found


def pose(
    parents: tuple[int, ...],
    joints: Array,
    rows: Array,
    local: tuple[Array, Array],
    at: tuple[Array, Array, Array],
    out: tuple[Array, Array],
) -> None:
    """Write joints in the world, for entities that are scaled, turned and moved.

    Args:
        parents: `[K]`, of the joints in `joints`, by their places there; parents first.
        joints: int64 `[K]`, which joints: all, or those on the way to one.
        rows: int64 `[n]`, which entities.
        local: `positions [N, J, 3]` m, `rotations [N, J, 4]`, relative to the parent or the entity.
        at: `positions [N, 3]` m, `rotations [N, 4]` and `scales [N]` of the entities.
        out: `positions [n, K, 3]`, `rotations [n, K, 4]`, C-contiguous.
    """
    if wanted(len(rows) * len(joints)):
        from kinetoscope_stage._kernels import pose_kernel

        pose_kernel()(np.asarray(parents, np.int64), joints, rows, *local, *at, *out)
        return
    p, q = (array[rows[:, None], joints] for array in local)
    place, turn, scale = (array[rows] for array in at)
    roots = [i for i, parent in enumerate(parents) if parent < 0]
    p *= scale[:, None, None]
    p[:, roots] = place[:, None] + rotation.rotate(turn[:, None], p[:, roots])
    q[:, roots] = rotation.multiply(turn[:, None], q[:, roots])
    out[0][:], out[1][:] = kinematics.global_transforms(parents, p, q)
