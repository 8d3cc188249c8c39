"""Windows out of frames: which number of which frame goes into which column, in compiled code."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import attrs
import numpy as np

from kinetoscope_features import fused
from kinetoscope_features.body import Array

__all__ = ["Layout", "gather"]


@attrs.frozen(eq=False)
class Layout:
    """Where the C columns of a window come from.

    Attributes:
        offsets: `[C]`, frames from the window's own.
        columns: `[2, C]` of the stored columns; the second row is for windows seen in the mirror.
        signs: `[2, C]`, 1 or -1, float32.
    """

    offsets: Array
    columns: Array
    signs: Array

    def __len__(self) -> int:
        return len(self.offsets)

    def places(self, stored: int) -> Array:
        """Return where numbers lie from the first of a window's own frame, of `stored` each: int64 `[2, C]`."""
        return np.ascontiguousarray(self.offsets * stored + self.columns, np.int64)


def _gather(
    rows: Any,
    starts: Any,
    mirrored: Any,
    places: Any,
    signs: Any,
    mean: Any,
    scale: Any,
    where: Any,
    out: Any,
) -> None:
    for i in range(starts.shape[0]):
        side = 1 if mirrored[i] else 0
        start, w = starts[i], where[i]
        for c in range(places.shape[1]):
            out[w, c] = (rows[start + places[side, c]] * signs[side, c] - mean[c]) * scale[c]


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., None] | None:
    """Return the loop compiled by Numba, or None where there is none."""
    if not fused.available():
        return None
    import numba
    from numba import types

    def given(kind: Any, dimensions: int) -> Any:
        return types.Array(kind, dimensions, "C", readonly=True)

    signature = types.void(
        given(types.float32, 1),
        given(types.int64, 1),
        given(types.boolean, 1),
        given(types.int64, 2),
        given(types.float32, 2),
        given(types.float32, 1),
        given(types.float32, 1),
        given(types.int64, 1),
        types.Array(types.float32, 2, "C"),
    )
    made: Callable[..., None] = numba.njit(signature, cache=True, nogil=True)(_gather)
    return made


def gather(
    rows: Array,
    at: Array,
    mirrored: Array,
    layout: Layout,
    where: Array,
    out: Array,
    *,
    normal: tuple[Array, Array] | None = None,
    compiled: bool | None = None,
) -> None:
    """Write windows into `out [N, C]`, float32.

    Args:
        rows: float32 `[T, S]`, C-contiguous, what is stored of each frame.
        at: int64 `[M]`, the windows' own frames; all their offsets lie in `rows`.
        mirrored: bool `[M]`.
        layout: what goes where.
        where: int64 `[M]`, into which rows of `out`.
        out: float32 `[N, C]`.
        normal: float32 `[C]` each, the mean to be taken off and the scale to multiply by then.
        compiled: whether by compiled code, which gives the same; None is where Numba is installed.

    Raises:
        IndexError: a window reaches beyond `rows`.
    """
    if not len(at):
        return
    if at.min() + layout.offsets.min() < 0 or at.max() + layout.offsets.max() >= len(rows):
        raise IndexError(f"windows at {at.min()} to {at.max()} reach beyond the {len(rows)} rows there are")
    size = len(layout)
    mean, scale = (np.zeros(size, np.float32), np.ones(size, np.float32)) if normal is None else normal
    flat, starts, places = rows.reshape(-1), at * rows.shape[1], layout.places(rows.shape[1])
    loop = _compiled() if compiled in (None, True) else None
    if loop is not None:
        loop(flat, starts, mirrored, places, layout.signs, mean, scale, where, out)
        return
    side = mirrored.astype(np.int64)
    out[where] = (flat[starts[:, None] + places[side]] * layout.signs[side] - mean) * scale
