"""What the rim of a hole says of what is in it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._membrane import spread

__all__ = ["light_at", "spread_over"]

Array = NDArray[Any]

STRANGE, MOST_SHIFT = 25.0, 40.0
"""Levels: what rims are off by beyond the rest is another thing, and nothing is shifted by more."""

BLOCK, SIGMAS = 8, 5.0
"""Pixels of a block over which what rims are off by is averaged, and how many deviations of that are noise."""

MOST_BLOCKS = 400
"""Of a rim, that are asked whether they go together."""


def light_at(
    answer: Array, known: Array, inside: Array, unseen: Array, where: tuple[tuple[int, ...], Array]
) -> Array:
    """Return what answers are off by at the rim, spread into the hole: light that has changed meanwhile.

    Args:
        answer: `[N, C]`, what the pixels of hole and rim are said to be.
        known: `[N, C]`, what they are; of the rim it is the truth.
        inside: bool `[N]`, which of them are in the hole.
        unseen: bool `[N]`, for which there is no answer.
        where: rows and columns of the picture, and where in it the pixels are, counted row by row.
    """
    off = known - answer
    told = ~inside & ~unseen
    if not told.any():
        return np.zeros_like(answer)
    told &= (np.abs(off - np.median(off[told], axis=0)) < STRANGE).all(axis=1)
    if not told.any():
        return np.zeros_like(answer)
    shape, pixels = where
    mean, number = _blocks(off, told, where)
    share = _told_by_others(mean, number, int(np.sqrt(inside.sum() / np.pi)) // BLOCK)
    if share == 0:
        return np.zeros_like(answer)
    field = spread(mean, number >= BLOCK) * share
    size = mean.shape[1] * BLOCK, mean.shape[0] * BLOCK
    fine = cv2.resize(field, size, interpolation=cv2.INTER_LINEAR).reshape(size[1], size[0], -1)
    shift = fine[: shape[0], : shape[1]].reshape(-1, fine.shape[2])[pixels]
    return np.asarray(shift.clip(-MOST_SHIFT, MOST_SHIFT))


def spread_over(values: Array, told: Array, where: tuple[tuple[int, ...], Array]) -> Array:
    """Return values `[N, C]` where they are `told`, and smooth in between; `where` as for `light_at`."""
    shape, pixels = where
    field = np.zeros((shape[0] * shape[1], values.shape[1]), np.float32)
    known = np.zeros(len(field), bool)
    field[pixels], known[pixels] = values, told
    out = spread(field.reshape(*shape, -1), known.reshape(shape))
    return out.reshape(len(field), -1)[pixels]


def _blocks(off: Array, told: Array, where: tuple[tuple[int, ...], Array]) -> tuple[Array, Array]:
    """Return what blocks are off by in the mean, `[h, w, C]`, beyond noise, and of how many pixels `[h, w]`."""
    shape, pixels = where
    rows, columns = pixels // shape[1] // BLOCK, pixels % shape[1] // BLOCK
    coarse = (shape[0] - 1) // BLOCK + 1, (shape[1] - 1) // BLOCK + 1
    block = (rows * coarse[1] + columns)[told]
    number = np.bincount(block, minlength=coarse[0] * coarse[1]).astype(np.float32)
    total = np.stack([np.bincount(block, held, minlength=len(number)) for held in off[told].T], axis=1)
    mean = total / np.maximum(number, 1)[:, None]
    # What is no more than noise makes of so many pixels is none.
    sure = (SIGMAS * np.median(np.abs(off[told]), axis=0)) ** 2 / np.maximum(number, 1)[:, None]
    mean *= 1 - np.minimum(sure / np.maximum(mean**2, 1e-6), 1)
    return mean.reshape(*coarse, -1), number.reshape(coarse)


def _told_by_others(mean: Array, number: Array, depth: int) -> float:
    """Return how much of what blocks `[h, w, C]` are off by is told by those `depth` blocks away and more, 0 to 1.

    Light falls on all that is around. What one side alone is off by, where the shadow of the thing falls, say,
    doesn't go on in the hole.
    """
    rows, columns = np.nonzero(number >= BLOCK)
    every = slice(None, None, -(-len(rows) // MOST_BLOCKS) or 1)
    rows, columns = rows[every], columns[every]
    held, weight = mean[rows, columns], number[rows, columns]
    away = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    heard = np.where(away >= max(depth, 2), weight / np.maximum(away, 1) ** 2, 0)
    total = heard.sum(axis=1)
    asked = total > 0
    raw = float((weight[asked, None] * np.square(held[asked])).sum())
    if raw == 0:
        return 0.0
    told = (heard @ held)[asked] / total[asked, None]
    left = float((weight[asked, None] * np.square(held[asked] - told)).sum())
    return max(0.0, 1 - 2 * left / raw)
