"""What the pixels of a hole are, from what other frames show there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["agreed", "apart", "nearest", "steady"]

Array = NDArray[Any]

SIDE, WIDER = 2, 8
"""Views on either side in time that say what a pixel was right before it was hidden, and right after; and those
that say, without these, what it was for a while."""

ALIKE, LASTING = 0.55, 1.0
"""Shares of what both sides differ by, and of what they differ by from a little before and after, by which their
mean has to differ from what most views show. Where one side is what most views show, the mean is off by half of
what they differ by; where both are for a few frames only what they are, by all of it."""

FAR = 1.5
"""Levels by which a view may be off in any case."""

NOISE = 2.0
"""Deviations by which that has to differ from what most views show for it to be more than noise."""


def nearest(colours: Array, valid: Array, count: int = 5) -> Array:
    """Return the median `[N, C]` of the first `count` views that show each pixel; NaN where none does.

    Args:
        colours: `[V, C, N]` float32, finite, views in order of preference.
        valid: bool `[V, N]`: whether a view shows the pixel.
        count: of views.
    """
    return _middle(*_first(colours, valid, range(len(valid)), count)).T


def apart(one: Array, other: Array, axis: int = -1) -> Array:
    """Return how far colours lie apart in the channel in which they differ most; channels lie along an axis."""
    off = one - other
    # A reduction over so short an axis takes several times as long.
    return np.asarray(reduce(np.maximum, np.moveaxis(np.abs(off, out=off), axis, 0)))


def agreed(colours: Array, valid: Array) -> Array:
    """Return the mean `[N, C]` of the views that agree with most; NaN where none shows a pixel.

    Views count the less the farther they are from the median of all, and none that is beyond four deviations
    (told by the median deviation): what passes by in some of them is voted out.
    """
    return _agreed(colours, valid, np.inf).T


def steady(colours: Array, valid: Array, when: Array, noise: float) -> Array:
    """Return the colours `[N, C]` of pixels before a camera that stands still; NaN where no view shows them.

    Most pixels are what all views agree on: with so many there is no noise left, and nothing flickers. Where
    what was there right before a pixel was hidden is there right after, too, and was for a while, but is not
    what most views show, then the background was changed at that time, and the pixel is what it was then.
    What is on one side only, or for a frame or two, has passed by. All this stays the same as long as the
    pixel is hidden.

    Args:
        colours: `[V, C, N]` float32, finite, views in order of preference.
        valid: bool `[V, N]`: whether a view shows the pixel.
        when: `[V]`, frames after that of the pixels, below 0 before it.
        noise: the deviation of views by noise, levels.
    """
    # Where there was one light first and then another, the mean of both was at no time.
    usual = _agreed(colours, valid, 2 * noise)
    sides = []
    for side in (when < 0, when > 0):
        held, number = _first(colours, valid, np.flatnonzero(side).tolist(), WIDER)
        near = np.minimum(number, SIDE)
        sides.append((_middle(held[:SIDE], near), _middle(held[SIDE:], number - near)))
    (before, earlier), (after, later) = sides
    then, wider = (before + after) / 2, _either(earlier, later)
    with np.errstate(invalid="ignore"):
        off = np.square(apart(then, usual, 0))
        passing = np.square(ALIKE * apart(before, after, 0)) + np.square(LASTING * apart(then, wider, 0))
        share = (off - passing - (NOISE * noise) ** 2).clip(0) / (off + 1e-3)
    share = np.nan_to_num(share)
    return np.where(share > 0, usual + (then - usual) * share, usual).T


def _agreed(colours: Array, valid: Array, most: float) -> Array:
    """Return what views agree on, `[C, N]`; `most` is that of a pixel's deviation, levels."""
    number = valid.sum(axis=0, dtype=np.intp)
    middle = _middle(np.where(valid[:, None], colours, np.inf), number)
    off = apart(colours, middle, 1)
    spread = 1.4826 * _middle(np.where(valid, off, np.inf)[:, None], number)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = 4 * np.minimum(spread, most) + FAR
        # Tukey's biweight: none of them is in or out by a hair.
        weight = np.square(np.where(valid, 1 - np.square(off / reach), 0).clip(0), dtype=np.float32)
        total = weight.sum(axis=0)
        made = np.asarray(np.einsum("vn,vcn->cn", weight, colours) / total)
    # Half of the views show one thing and half another, and none what is in the middle: the nearest is as good as any.
    split = (total == 0) & (number > 0)
    if split.any():
        made[:, split] = _first(colours[..., split], valid[:, split], range(len(valid)), 1)[0][0]
    return made


def _either(one: Array, other: Array) -> Array:
    """Return the mean of two colours, or the one that there is."""
    return np.where(np.isnan(one), other, np.where(np.isnan(other), one, (one + other) / 2))


def _first(colours: Array, valid: Array, views: Iterable[int], count: int) -> tuple[Array, Array]:
    """Return the first `count` colours of each pixel that are valid, infinite where there are fewer.

    They come as `[count, C, N]`, with how many there are, `[N]`.
    """
    channels, pixels = colours.shape[1:]
    found = np.full((count, channels, pixels), np.inf, np.float32)
    flat = found.reshape(-1)
    number = np.zeros(pixels, np.intp)
    for view in views:
        at = np.flatnonzero(valid[view] & (number < count))
        place = number[at] * (channels * pixels) + at
        for channel in range(channels):
            flat[place + channel * pixels] = colours[view, channel].take(at)
        number[at] += 1
        if number.min(initial=count) == count:
            break
    return found, number


def _middle(held: Array, number: Array) -> Array:
    """Return the median `[C, N]` of `[V, C, N]`, which is infinite but for a `number` `[N]` of views; NaN for 0.

    What is `held` is sorted in its place.
    """
    held.sort(axis=0)  # what is infinite comes last: two picks are faster than nanmedian
    last = len(held) - 1
    low, high = ((number - 1) // 2).clip(0), np.minimum(number // 2, last)
    pick = [np.take_along_axis(held, i[None, None], axis=0)[0] for i in (low, high)]
    return np.where(number > 0, (pick[0] + pick[1]) / 2, np.float32(np.nan))
