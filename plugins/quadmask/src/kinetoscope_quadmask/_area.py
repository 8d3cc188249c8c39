"""Pictures of another size, each pixel the mean of those that it covers."""

from __future__ import annotations

import numpy as np

from kinetoscope_quadmask._grid import Array

__all__ = ["area_resized"]


def area_resized(picture: Array, width: int, height: int) -> Array:
    """Return `picture` `[H, W]` as float64 `[height, width]`, or as it is where that is its size.

    Pixel i of the result is the mean of the whole pixels from floor(i n / m) to ceil((i + 1) n / m), as
    PyTorch's `interpolate(mode="area")`, with which VOID brings masks to its size. Enlarged, pixels repeat.
    """
    high, wide = picture.shape
    if (high, wide) == (height, width):
        return picture
    return _means(_means(picture, height).T, width).T


def _means(lines: Array, count: int) -> Array:
    """Return `count` means over neighbouring rows of `[N, M]`."""
    total = len(lines)
    sums = np.concatenate([np.zeros((1, lines.shape[1])), np.cumsum(lines, axis=0, dtype=np.float64)])
    places = np.arange(count)
    start, stop = places * total // count, -((-(places + 1) * total) // count)
    means: Array = (sums[stop] - sums[start]) / (stop - start)[:, None]
    return means
