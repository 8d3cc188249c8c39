"""What noise is left in the mean of many views, taken out where its neighbours say that it is noise.

Coefficients of small blocks that are no more than known noise are dropped, and overlapping blocks are averaged: Yu and
Sapiro 2011, "DCT image denoising: a simple and effective image denoising algorithm", after Donoho and Johnstone 1994.
"""

from __future__ import annotations

from functools import cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "doubt", "shrunk"]

Array = NDArray[Any]

BLOCK, STEP = 8, 2
"""Pixels along the side of a block, and from one block to the next."""

SIGMAS = 3.0
"""Deviations of noise above which nothing is touched."""

MANY = 8
"""Views that have to agree: by fewer, noise is not known, nor whether there is but one background."""

AGREE = 4.0
"""Deviations of noise within which a view agrees."""


def doubt(colours: Array, valid: Array, answer: Array, noise: float) -> Array:
    """Return how far answers may be off by noise, a deviation `[N, C]`, levels; NaN where fewer than `MANY` views agree.

    It is that of the mean of the views that agree, as they differ among each other, and no more than noise makes.

    Args:
        colours: `[V, C, N]` float32, finite.
        valid: bool `[V, N]`: whether a view shows the pixel.
        answer: `[N, C]`, what most of them say; NaN where none shows a pixel.
        noise: the deviation of views by noise, levels.
    """
    said = np.ascontiguousarray(answer.T)
    number, total = np.zeros(len(answer), np.float32), np.zeros_like(said)
    most = (AGREE * noise) ** 2
    with np.errstate(invalid="ignore"):
        for view, shown in zip(colours, valid, strict=True):
            off = view - said
            off *= off
            agrees = shown & (reduce(np.maximum, off) < most)
            number += agrees
            np.add(total, off, out=total, where=agrees)
        error = np.sqrt(np.minimum(total / number, noise**2) / number)
    return np.asarray(np.where(number >= MANY, error, np.nan).T)


def shrunk(picture: Array, error: Array, where: Array, start: tuple[int, int] = (0, 0)) -> Array:
    """Return `picture`, `float32 [h, w, C]`, with less noise `where` bool `[h, w]` says so.

    Args:
        picture: the colours, levels.
        error: their deviation by noise, `[h, w, C]`; NaN where it is not known: blocks with such pixels are left out.
        where: what is wanted; the rest is looked at, and stays as it is.
        start: row and column of a larger picture at which this one begins: blocks are those of that one.
    """
    known = ~np.isnan(error).any(axis=2)
    rows, columns = _blocks(known, where, start)
    if not len(rows):
        return picture
    side = np.arange(BLOCK)
    pixels = (
        (rows[:, None] + side)[:, :, None] * known.shape[1] + (columns[:, None] + side)[:, None]
    ).reshape(len(rows), -1)
    flat = picture.reshape(-1, picture.shape[2])
    variance = np.square(error).reshape(flat.shape)
    total, weight = np.zeros_like(flat), np.zeros_like(flat)
    basis = _basis()
    for channel in range(flat.shape[1]):
        made = flat[:, channel][pixels] @ basis
        least = SIGMAS**2 * variance[:, channel][pixels].mean(axis=1, keepdims=True)
        kept = np.square(made) > least
        kept[:, 0] = True  # the mean of a block
        trust = 1 / kept.sum(axis=1, keepdims=True, dtype=np.float32)
        made = (np.where(kept, made, 0) @ basis.T) * trust
        at, size = pixels.ravel(), len(flat)
        total[:, channel] = np.bincount(at, made.ravel(), minlength=size)
        weight[:, channel] = np.bincount(at, np.broadcast_to(trust, made.shape).ravel(), minlength=size)
    better = total / np.maximum(weight, 1e-6)
    taken = (weight > 0) & where.reshape(-1, 1)
    return np.asarray(np.where(taken, better, flat).reshape(picture.shape))


def _blocks(known: Array, where: Array, start: tuple[int, int]) -> tuple[Array, Array]:
    """Return rows and columns of the blocks that are known throughout and have something of what is wanted."""
    if min(known.shape) < BLOCK:
        return np.zeros(0, int), np.zeros(0, int)
    first = [-at % STEP for at in start]
    count = [_sums(held)[first[0] :: STEP, first[1] :: STEP] for held in (known, where)]
    rows, columns = np.nonzero((count[0] == BLOCK**2) & (count[1] > 0))
    return rows * STEP + first[0], columns * STEP + first[1]


def _sums(held: Array) -> Array:
    """Return of how many pixels each block is, at every row and column."""
    total = np.zeros((held.shape[0] + 1, held.shape[1] + 1), np.int64)
    total[1:, 1:] = held.cumsum(axis=0).cumsum(axis=1)
    both = total[BLOCK:] - total[:-BLOCK]
    return np.asarray(both[:, BLOCK:] - both[:, :-BLOCK])


@cache
def _basis() -> Array:
    """Return the cosines `float32 [64, 64]` of a block, orthonormal: pixels row by row, then coefficients."""
    line = np.arange(BLOCK)
    cosines = np.cos(np.pi * (line[:, None] + 0.5) * line / BLOCK) * np.sqrt(2 / BLOCK)
    cosines[:, 0] /= np.sqrt(2)
    return np.kron(cosines, cosines).astype(np.float32)
