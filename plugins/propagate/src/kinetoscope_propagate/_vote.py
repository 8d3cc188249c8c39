"""What the pixels of a hole are, from what other frames show there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["agreed", "apart", "nearest"]

Array = NDArray[Any]


def nearest(colours: Array, valid: Array, count: int = 5) -> Array:
    """Return the median `[N, 3]` of the first `count` views that show each pixel; NaN where none does.

    Args:
        colours: `[V, N, 3]` float32, views in order of preference.
        valid: bool `[V, N]`: whether a view shows the pixel.
        count: of views.
    """
    return _median(colours, _first(valid, count))


def apart(one: Array, other: Array) -> Array:
    """Return how far colours `[..., C]` lie apart in the channel in which they differ most."""
    off = np.abs(one - other)
    most = off[..., 0]
    for channel in range(1, off.shape[-1]):  # a reduction over so short an axis takes several times as long
        most = np.maximum(most, off[..., channel])
    return np.asarray(most)


def _first(valid: Array, count: int) -> Array:
    """Return which are among the first `count` that are valid."""
    return np.asarray(valid & (np.cumsum(valid, axis=0, dtype=np.int16) <= count))


def agreed(colours: Array, valid: Array, count: int) -> Array:
    """Return the mean `[N, 3]` of the first `count` views that agree with most; NaN where none shows a pixel.

    Few of them keep what is sharp where views are not aligned to the last fraction of a pixel, many keep
    noise away where they are. A view agrees that lies within three deviations (told by the median
    deviation) of the median of all: what passes by in some of them is voted out.
    """
    middle = _median(colours, valid)
    off = apart(colours, middle)
    spread = 1.4826 * _median(off[..., None], valid)[..., 0]
    inside = valid & (off <= 3 * spread + 4)
    chosen = _first(inside, count) if count < len(colours) else inside
    total = np.einsum("vn,vnc->nc", chosen.astype(np.float32), np.where(valid[..., None], colours, 0))
    number = chosen.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / number[:, None])


def _median(colours: Array, valid: Array) -> Array:
    """Return the median over views that count, NaN where none does."""
    held = np.where(valid[..., None], colours, np.nan)
    # Sorting puts NaN last: two picks are faster than nanmedian.
    ordered = np.sort(held, axis=0)
    number = valid.sum(axis=0)
    low, high = np.maximum((number - 1) // 2, 0), np.maximum(number // 2, 0)
    pick = [
        np.take_along_axis(ordered, np.minimum(i, len(held) - 1)[None, :, None], axis=0)[0]
        for i in (low, high)
    ]
    return np.asarray((pick[0] + pick[1]) / 2)
