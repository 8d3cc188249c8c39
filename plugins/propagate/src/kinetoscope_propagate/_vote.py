"""What the pixels of a hole are, from what other frames show there."""

from __future__ import annotations

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
        colours: `[V, N, C]` float32, views in order of preference.
        valid: bool `[V, N]`: whether a view shows the pixel.
        count: of views.
    """
    return _middle(_first(colours, valid, count))


def apart(one: Array, other: Array) -> Array:
    """Return how far colours `[..., C]` lie apart in the channel in which they differ most."""
    off = np.abs(one - other)
    most = off[..., 0]
    for channel in range(1, off.shape[-1]):  # a reduction over so short an axis takes several times as long
        most = np.maximum(most, off[..., channel])
    return np.asarray(most)


def agreed(colours: Array, valid: Array) -> Array:
    """Return the mean `[N, C]` of the views that agree with most; NaN where none shows a pixel.

    Views count the less the farther they are from the median of all, and none that is beyond four deviations
    (told by the median deviation): what passes by in some of them is voted out.
    """
    return _agreed(colours, valid, np.inf)


def steady(colours: Array, valid: Array, when: Array, noise: float) -> Array:
    """Return the colours `[N, C]` of pixels before a camera that stands still; NaN where no view shows them.

    Most pixels are what all views agree on: with so many there is no noise left, and nothing flickers. Where
    what was there right before a pixel was hidden is there right after, too, and was for a while, but is not
    what most views show, then the background was changed at that time, and the pixel is what it was then.
    What is on one side only, or for a frame or two, has passed by. All this stays the same as long as the
    pixel is hidden.

    Args:
        colours: `[V, N, C]` float32, views in order of preference.
        valid: bool `[V, N]`: whether a view shows the pixel.
        when: `[V]`, frames after that of the pixels, below 0 before it.
        noise: the deviation of views by noise, levels.
    """
    # Where there was one light first and then another, the mean of both was at no time.
    usual = _agreed(colours, valid, 2 * noise)
    sides = []
    for side in (when < 0, when > 0):
        held = _first(colours[side], valid[side], WIDER)
        sides.append((_middle(held[:SIDE]), _middle(held[SIDE:])))
    (before, earlier), (after, later) = sides
    then, wider = (before + after) / 2, _either(earlier, later)
    with np.errstate(invalid="ignore"):
        off = np.square(apart(then, usual))
        passing = np.square(ALIKE * apart(before, after)) + np.square(LASTING * apart(then, wider))
        share = (off - passing - (NOISE * noise) ** 2).clip(0) / (off + 1e-3)
    share = np.nan_to_num(share)[:, None]
    return np.where(share > 0, usual + (then - usual) * share, usual)


def _agreed(colours: Array, valid: Array, most: float) -> Array:
    """Return what views agree on; `most` is that of a pixel's deviation, levels."""
    middle = _middle(np.where(valid[..., None], colours, np.nan))
    off = apart(colours, middle)
    spread = 1.4826 * _middle(np.where(valid, off, np.nan)[..., None])[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = 4 * np.minimum(spread, most) + FAR
        # Tukey's biweight: none of them is in or out by a hair.
        weight = np.where(valid, 1 - np.square(off / reach), 0).clip(0).astype(np.float32) ** 2
        total = np.einsum("vn,vnc->nc", weight, np.where(valid[..., None], colours, 0))
        return np.asarray(total / weight.sum(axis=0)[:, None])


def _either(one: Array, other: Array) -> Array:
    """Return the mean of two colours, or the one that there is."""
    return np.where(np.isnan(one), other, np.where(np.isnan(other), one, (one + other) / 2))


def _first(colours: Array, valid: Array, count: int) -> Array:
    """Return the first `count` colours of each pixel that are valid, `[count, N, C]`, NaN where there are fewer."""
    found = np.full((count, *colours.shape[1:]), np.nan, np.float32)
    number = np.zeros(colours.shape[1], np.intp)
    for view, shown in zip(colours, valid, strict=True):
        at = np.flatnonzero(shown & (number < count))
        found[number[at], at] = view[at]
        number[at] += 1
    return found


def _middle(held: Array) -> Array:
    """Return the median `[N, C]` of `[V, N, C]`, of what is not NaN; NaN where there is nothing."""
    # Sorting puts NaN last: two picks are faster than nanmedian.
    ordered = np.sort(held, axis=0)
    number = (~np.isnan(held[..., 0])).sum(axis=0)
    low, high = np.maximum((number - 1) // 2, 0), np.maximum(number // 2, 0)
    pick = [
        np.take_along_axis(ordered, np.minimum(i, len(held) - 1)[None, :, None], axis=0)[0]
        for i in (low, high)
    ]
    return np.asarray((pick[0] + pick[1]) / 2)
