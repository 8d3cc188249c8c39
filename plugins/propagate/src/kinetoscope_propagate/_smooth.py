"""What is hidden made of colours that go over into each other as smoothly as may be: Laplace's equation."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["smooth"]

Array = NDArray[Any]

STEPS = 12
"""Of relaxation at each size of a picture, from coarse to fine: each takes out what goes up and down within a few
pixels, and what is left of it at a size was taken out at half of that."""

FINEST = 4
"""Steps at the full size, which cost most, and have only the rim to get right."""

AROUND = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def smooth(picture: Array, hole: Array, beside: Array | None = None) -> Array:
    """Return `picture`, `uint8 [H, W, C]`, with its hole filled by a membrane that is held at its rim.

    Args:
        picture: any colours in the hole.
        hole: bool `[H, W]`.
        beside: bool `[H, W]`, what is not heard either, and not filled.

    Where nothing is around, the hole becomes grey.
    """
    if not hole.any():
        return picture.copy()
    unknown = hole if beside is None else hole | beside
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    box = slice(max(0, rows[0] - 2), rows[-1] + 3), slice(max(0, columns[0] - 2), columns[-1] + 3)
    if unknown[box].all():
        box = slice(None), slice(None)
    inner = unknown[box]
    known = np.where(inner[..., None], 0, picture[box]).astype(np.float32)
    field = np.full_like(known, 128) if inner.all() else _relaxed(known, ~inner, FINEST)
    made = picture.copy()
    made[hole] = np.rint(field).clip(0, 255).astype(np.uint8)[hole[box]]
    return made


def _relaxed(values: Array, known: Array, steps: int) -> Array:
    """Return values `float32 [h, w, C]` where they are known, and a membrane between: begun by that of half the size."""
    height, width = known.shape
    if known.all():
        return values
    if max(height, width) <= 2:
        return np.where(known[..., None], values, values[known].mean(axis=0)).astype(np.float32)
    size = (width + 1) // 2, (height + 1) // 2
    even = 0, 2 * size[1] - height, 0, 2 * size[0] - width
    wide = cv2.copyMakeBorder(np.dstack([values, known]), *even, cv2.BORDER_CONSTANT)
    half = 0.25 * (wide[0::2, 0::2] + wide[1::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 1::2])
    weight = half[..., -1]
    coarse = _relaxed(half[..., :-1] / np.maximum(weight, 0.25)[..., None], weight > 0, STEPS)
    field = cv2.resize(coarse, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)
    field = field.reshape(2 * size[1], 2 * size[0], -1)[:height, :width]
    free = ~known[..., None]
    field = np.where(free, field, values)
    for _ in range(steps):
        mean = cv2.filter2D(field, -1, AROUND, borderType=cv2.BORDER_REPLICATE).reshape(field.shape)
        np.copyto(field, mean, where=free)
    return field
