"""What no frame shows, made of patches of what surrounds it (Criminisi, Perez and Toyama 2004)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["exemplar"]

Array = NDArray[Any]

RADIUS = 4
"""Of a patch, pixels: 9 x 9, as in the paper."""

MOST_PIXELS = 1600
"""Of a hole that are filled patch by patch; patches for larger ones are sought at a fraction of the size."""

MOST_BOX = 200_000
"""Of the box around a hole, pixels, likewise."""

AROUND = 56
"""Pixels around a hole, at the size that is worked in, among which patches are sought."""

LEAST = 0.01
"""The priority of a flat place, of that of the strongest edge (the paper has none, and ends up with zeros)."""


def exemplar(picture: Array, hole: Array, barred: Array | None = None) -> Array | None:
    """Return `picture`, `uint8 [H, W, C]`, with its hole made of patches from outside it.

    A patch on the rim, where most is known and where edges run into the hole, is completed first, by the
    patch of the surroundings that is most like what is known of it. Colours are those of the
    surroundings, at full size.

    Args:
        barred: what no patch may be taken of, beside the hole.

    Returns:
        The picture, or None where the surroundings hold no whole patch.
    """
    shape = hole.shape
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    extent = int(np.ptp(rows) + 1) * int(np.ptp(columns) + 1)
    factor = int(np.ceil(np.sqrt(max(1, hole.sum() / MOST_PIXELS, extent / MOST_BOX))))
    reach = AROUND * factor
    box = (
        slice(max(0, rows[0] - reach), min(shape[0], rows[-1] + reach + 1)),
        slice(max(0, columns[0] - reach), min(shape[1], columns[-1] + reach + 1)),
    )
    inner, left = picture[box], hole[box]
    shut = left if barred is None else left | barred[box]
    small = _shrunk(inner[..., :3].astype(np.float32), shut, factor)
    unknown, closed = (_covered(held, factor) for held in (left, shut))
    found = _sources(small, unknown, closed)
    if found is None:
        return None
    y, x = np.nonzero(left)
    step = found[y // factor, x // factor] * factor
    made = picture.copy()
    made[box][y, x] = inner[
        (y + step[:, 0]).clip(0, left.shape[0] - 1), (x + step[:, 1]).clip(0, left.shape[1] - 1)
    ]
    return made


def _covered(hole: Array, factor: int) -> Array:
    """Return the blocks `[h, w]` that hold any pixel of a hole or reach over the border."""
    high, wide = -(-hole.shape[0] // factor) * factor, -(-hole.shape[1] // factor) * factor
    whole = np.zeros((high, wide), bool)
    whole[: hole.shape[0], : hole.shape[1]] = hole
    return np.asarray(whole.reshape(high // factor, factor, wide // factor, factor).any(axis=(1, 3)))


def _shrunk(picture: Array, shut: Array, factor: int) -> Array:
    """Return the mean of each block, of what may be looked at."""
    high, wide = (-(-side // factor) for side in shut.shape)
    pad = ((0, high * factor - shut.shape[0]), (0, wide * factor - shut.shape[1]))
    weight = np.pad(~shut, pad).astype(np.float32)
    held = np.pad(picture, (*pad, (0, 0))) * weight[..., None]
    total = weight.reshape(high, factor, wide, factor).sum(axis=(1, 3))
    added = held.reshape(high, factor, wide, factor, -1).sum(axis=(1, 3))
    return np.asarray(added / np.maximum(total, 1)[..., None], np.float32)


def _sources(picture: Array, hole: Array, shut: Array) -> Array | None:
    """Return of each pixel of a hole how far away the one lies that it becomes, `[h, w, 2]` (down, right)."""
    side = 2 * RADIUS + 1
    if min(hole.shape) < side:
        return None
    # A patch may be taken where nothing of it is shut, and none of it lies outside.
    barred = cv2.dilate(shut.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    barred = barred[RADIUS:-RADIUS, RADIUS:-RADIUS]
    if barred.all():
        return None
    original = picture
    picture, left, known = picture.copy(), hole.copy(), ~shut
    confidence = known.astype(np.float32)
    steps = np.zeros((*hole.shape, 2), np.intp)
    while left.any():
        y, x, sure = _next(picture, left, known, confidence)
        top, start = np.clip((y - RADIUS, x - RADIUS), 0, np.array(hole.shape) - side)
        patch = slice(top, top + side), slice(start, start + side)
        weight = np.repeat(known[patch][..., None], 3, axis=2).astype(np.float32)
        off = cv2.matchTemplate(original, picture[patch], cv2.TM_SQDIFF, mask=weight)
        off[barred] = np.inf
        row, column = np.unravel_index(int(off.argmin()), off.shape)
        new = left[patch]
        picture[patch][new] = original[row : row + side, column : column + side][new]
        steps[patch][new] = row - top, column - start
        confidence[patch][new] = sure
        known[patch] |= new
        left[patch] = False
    return steps


def _next(picture: Array, left: Array, known: Array, confidence: Array) -> tuple[int, int, float]:
    """Return the place (row, column) on the rim that is filled next, and how sure what is known there is."""
    side = 2 * RADIUS + 1
    rim = left & (cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    if not rim.any():  # all around is shut
        rim = left
    sure = cv2.boxFilter(confidence, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    grey = picture.mean(axis=2)
    across, down = cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1)
    # Only where all that the derivative looks at is known.
    whole = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    strength = np.where(whole, across**2 + down**2, 0)
    edge = cv2.dilate(strength, np.ones((side, side), np.uint8))
    towards = cv2.Sobel(known.astype(np.float32), -1, 1, 0), cv2.Sobel(known.astype(np.float32), -1, 0, 1)
    size = np.maximum(np.hypot(*towards), 1e-6)
    # The isophote runs along the edge, so its share across the rim is that of the gradient along the rim.
    places = np.flatnonzero(rim)
    at = _strongest(strength, rim.shape, places)
    along = np.abs(
        across.ravel()[at] * towards[1].ravel()[places] - down.ravel()[at] * towards[0].ravel()[places]
    )
    data = np.where(edge.ravel()[places] > 0, along / size.ravel()[places], 0)
    priority = sure.ravel()[places] * (data + LEAST * max(float(data.max()), 1.0))
    best = places[int(priority.argmax())]
    y, x = divmod(int(best), rim.shape[1])
    return y, x, float(sure[y, x])


def _strongest(strength: Array, shape: tuple[int, ...], places: Array) -> Array:
    """Return the pixel with the strongest edge in the patch around each place."""
    reach = np.arange(-RADIUS, RADIUS + 1)
    y = (places // shape[1])[:, None, None] + reach[:, None]
    x = (places % shape[1])[:, None, None] + reach
    at = (y.clip(0, shape[0] - 1) * shape[1] + x.clip(0, shape[1] - 1)).reshape(len(places), -1)
    return np.asarray(at[np.arange(len(places)), strength.ravel()[at].argmax(axis=1)])
