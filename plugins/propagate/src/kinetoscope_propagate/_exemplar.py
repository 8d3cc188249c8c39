"""What no frame shows, made of patches of what surrounds it (Criminisi, Perez and Toyama 2004)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["exemplar", "weighed"]

Array = NDArray[Any]

RADIUS = 4
"""Of a patch, pixels: 9 x 9, as in the paper."""

MOST_PIXELS = 1600
"""Of a hole that are filled patch by patch; patches for larger ones are sought at a fraction of the size."""

MOST_BOX = 200_000
"""Of the box around a hole, pixels, likewise."""

AROUND = 56
"""Pixels around a patch, at the size that is worked in, among which others are sought."""

MOST_PATCHES = 240
"""Of a picture: what is left then is left. One takes 2 to 4 ms, so that no picture takes more than a second or so."""

LEAST = 0.01
"""The priority of a flat place, of that of the strongest edge (the paper has none, and ends up with zeros)."""


def exemplar(
    picture: Array, hole: Array, barred: Array | None = None, *, most: int | None = None
) -> tuple[Array, Array] | None:
    """Return `picture`, `uint8 [H, W, C]`, with its hole made of patches from outside it, and what of it is left.

    A patch on the rim, where most is known and where edges run into the hole, is completed first, by the
    patch of the surroundings that is most like what is known of it. Colours are those of the
    surroundings, at full size. More than `most` patches are not made, `MOST_PATCHES` unless given: a hole of many
    small parts is left in part.

    Args:
        barred: what no patch may be taken of, beside the hole.

    Returns:
        The picture and bool `[H, W]`, or None where the surroundings hold no whole patch.
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
    small = _shrunk(weighed(inner), shut, factor)
    unknown, closed = (_covered(held, factor) for held in (left, shut))
    found = _sources(small, unknown, closed, MOST_PATCHES if most is None else most)
    if found is None:
        return None
    steps, undone = found
    y, x = np.nonzero(left)
    step = steps[y // factor, x // factor] * factor
    made, rest = picture.copy(), np.zeros(shape, bool)
    made[box][y, x] = inner[
        (y + step[:, 0]).clip(0, left.shape[0] - 1), (x + step[:, 1]).clip(0, left.shape[1] - 1)
    ]
    rest[box][y, x] = undone[y // factor, x // factor]
    return made, rest


def weighed(picture: Array) -> Array:
    """Return a picture `float32 [H, W, C]` in which colours count as far as they are seen, by the fourth channel."""
    colours = picture.astype(np.float32)
    if colours.shape[2] == 4:
        colours[..., :3] *= colours[..., 3:] / 255
    return colours


def _covered(hole: Array, factor: int) -> Array:
    """Return the blocks `[h, w]` that hold any pixel of a hole; those at the border may hold fewer pixels."""
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


def _sources(picture: Array, hole: Array, shut: Array, most: int) -> tuple[Array, Array] | None:
    """Return of each pixel of a hole how far away the one lies that it becomes, `[h, w, 2]` (down, right), and
    of which pixels nothing is said, bool `[h, w]`."""
    side = 2 * RADIUS + 1
    if min(hole.shape) < side:
        return None
    # A patch may be taken where nothing of it is shut, and none of it lies outside.
    barred = cv2.dilate(shut.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    barred = barred[RADIUS:-RADIUS, RADIUS:-RADIUS]
    if barred.all():
        return None
    front = _Front(picture.copy(), hole.copy(), ~shut)
    steps = np.zeros((*hole.shape, 2), np.intp)
    for _ in range(most):
        if not front.left.any():
            break
        y, x = front.next()
        top, start = (int(i) for i in np.clip((y - RADIUS, x - RADIUS), 0, np.array(hole.shape) - side))
        patch = slice(top, top + side), slice(start, start + side)
        row, column = _alike(picture, front.picture[patch], front.known[patch], barred, (top, start))
        steps[patch][front.left[patch]] = row - top, column - start
        front.fill(patch, picture[row : row + side, column : column + side], (y, x))
    return steps, front.left


def _alike(picture: Array, patch: Array, known: Array, barred: Array, at: tuple[int, int]) -> tuple[int, int]:
    """Return where the patch begins that is most like what is `known` of one that begins at a place."""
    side = 2 * RADIUS + 1
    reach = AROUND
    while True:
        low = [max(0, at[i] - reach) for i in range(2)]
        high = [min(barred.shape[i], at[i] + reach + 1) for i in range(2)]
        shut = barred[low[0] : high[0], low[1] : high[1]]
        if not shut.all():
            break
        reach *= 2
    part = picture[low[0] : high[0] + side - 1, low[1] : high[1] + side - 1]
    weight = known.astype(np.float32)
    off = np.zeros(shut.shape, np.float32)
    for channels in (slice(0, 3), slice(3, None))[: 2 if picture.shape[2] == 4 else 1]:
        image, template = (np.ascontiguousarray(held[..., channels]) for held in (part, patch))
        mask = np.repeat(weight[..., None], template.shape[2], axis=2)
        off += cv2.matchTemplate(image, template, cv2.TM_SQDIFF, mask=mask)
    off[shut] = np.inf
    row, column = np.unravel_index(int(off.argmin()), off.shape)
    return int(row) + low[0], int(column) + low[1]


class _Front:
    """The rim of what is still to be filled, and what is filled next there.

    Attributes:
        picture: `float32 [h, w, C]`, as far as it is filled.
        left: bool `[h, w]`, what is to be filled.
        known: bool `[h, w]`.
    """

    def __init__(self, picture: Array, left: Array, known: Array) -> None:
        self.picture, self.left, self.known = picture, left, known
        self._confidence = known.astype(np.float32)
        self._sure = np.zeros(left.shape, np.float32)
        self._priority = np.full(left.shape, -np.inf, np.float32)
        self._least = 0.0
        every = slice(0, left.shape[0]), slice(0, left.shape[1])
        edges = self._rank(every)
        self._least = LEAST * max(edges, 1.0)
        self._rank(every)

    def next(self) -> tuple[int, int]:
        """Return the place (row, column) on the rim that is filled next."""
        at = int(self._priority.argmax())
        if np.isinf(self._priority.flat[at]):  # all around is shut
            at = int(self.left.argmax())
        y, x = divmod(at, self.left.shape[1])
        return y, x

    def fill(self, patch: tuple[slice, slice], colours: Array, at: tuple[int, int]) -> None:
        """Take what is left in a patch, chosen for the place `at`, from the colours of another."""
        new = self.left[patch].copy()
        self.picture[patch][new] = colours[new]
        self._confidence[patch][new] = self._sure[at]
        self.known[patch] |= new
        self.left[patch] = False
        self._rank(_around(patch, 2 * RADIUS + 2))

    def _rank(self, part: tuple[slice, slice]) -> float:
        """Weigh the rim within a part of the picture again, and return the strongest edge that runs into it."""
        wide = _around(part, 2 * RADIUS + 2)
        known, left = self.known[wide], self.left[wide]
        side = 2 * RADIUS + 1
        held = known.astype(np.uint8)
        rim = left & (cv2.dilate(held, np.ones((3, 3), np.uint8)) > 0)
        sure = cv2.boxFilter(self._confidence[wide], -1, (side, side), borderType=cv2.BORDER_CONSTANT)
        data = _edges(self.picture[wide].mean(axis=2), held, np.flatnonzero(rim))
        priority = np.full(rim.shape, -np.inf, np.float32)
        priority[rim] = sure[rim] * (data + self._least)
        inner = tuple(
            slice(one.start - other.start, one.stop - other.start)
            for one, other in zip(part, wide, strict=True)
        )
        part = tuple(
            slice(one.start, one.start + got) for one, got in zip(part, priority[inner].shape, strict=True)
        )
        self._priority[part], self._sure[part] = priority[inner], sure[inner]
        return float(data.max(initial=0.0))


def _around(part: tuple[slice, slice], by: int) -> tuple[slice, slice]:
    rows, columns = (slice(max(0, held.start - by), held.stop + by) for held in part)
    return rows, columns


def _edges(grey: Array, known: Array, places: Array) -> Array:
    """Return how strong the edge is that runs into a hole at each place on its rim."""
    across, down = cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1)
    # Only where all that the derivative looks at is known.
    whole = cv2.erode(known, np.ones((3, 3), np.uint8)) > 0
    strength = np.where(whole, across**2 + down**2, 0)
    towards = [cv2.Sobel(known.astype(np.float32), -1, *way).ravel()[places] for way in ((1, 0), (0, 1))]
    if not len(places):
        return np.zeros(0)
    size = np.maximum(np.hypot(*towards), 1e-6)
    # The isophote runs along the edge, so its share across the rim is that of the gradient along the rim.
    at = _strongest(strength, grey.shape, places)
    along = np.abs(across.ravel()[at] * towards[1] - down.ravel()[at] * towards[0])
    return np.where(strength.ravel()[at] > 0, along / size, 0)


def _strongest(strength: Array, shape: tuple[int, ...], places: Array) -> Array:
    """Return the pixel with the strongest edge in the patch around each place."""
    reach = np.arange(-RADIUS, RADIUS + 1)
    y = (places // shape[1])[:, None, None] + reach[:, None]
    x = (places % shape[1])[:, None, None] + reach
    at = (y.clip(0, shape[0] - 1) * shape[1] + x.clip(0, shape[1] - 1)).reshape(len(places), -1)
    return np.asarray(at[np.arange(len(places)), strength.ravel()[at].argmax(axis=1)])
