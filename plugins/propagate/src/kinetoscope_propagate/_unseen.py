"""What no frame shows, in one frame: what was guessed before, carried on, else a guess."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._guess import Guess, trusted
from kinetoscope_propagate._membrane import spread
from kinetoscope_propagate._views import EDGE, Held, Sight, seen_from

__all__ = ["completed", "wider"]

Array = NDArray[Any]

KEPT = 0.5
"""Share of a smooth guess that is carried on while the camera moves."""

AROUND, FAINT = 15, 0.5
"""Pixels along the square over which changes of light are averaged, and levels that noise may leave of it."""

FINE = 448
"""Pixels along the longer side of a picture for each of `EDGE`, where that is more: masks of large pictures were
made of smaller ones, and miss by as much more."""


def completed(picture: Array, left: Array, sight: Sight, done: Held | None, guess: Guess) -> Array:
    """Return a picture `uint8 [h, w, C]` in whose hole nothing is left.

    Args:
        picture: what is within the sight, as far as other frames show it.
        left: bool `[h, w]`, what they don't.
        sight: the frame around its hole.
        done: the frame before, whose guesses are carried on.
        guess: makes up what can't be.
    """
    edge = max(EDGE, round(max(sight.target.hole.shape) / FINE))
    unsure = _fringe(sight, edge)

    def bordered(where: Array) -> Array:  # so that it is made from beyond what is unsure
        return where | (wider(where, 2 * edge) & unsure)

    parts = guess.parts(left, sight)
    carried = None if done is None else seen_from(sight, done, whole=True)
    if done is None or carried is None:
        return guess.fill(picture, [(bordered(where), hole) for where, hole in parts], unsure)
    before, shown = carried[0].astype(np.float32), carried[1]
    told = shown & ~unsure & ~sight.hole
    before = before + spread(_light(np.where(told[..., None], picture - before, 0), told), told)
    before = np.rint(before).clip(0, 255)
    still = np.allclose(done.place, sight.target.place, atol=1e-9)
    # What stands still, or is made of patches, is not made twice: other patches would flicker.
    kept, asked = np.zeros_like(left), []
    for where, hole in parts:
        there = where & shown if still or hole.patches else np.zeros_like(where)
        kept |= there
        if (where & ~there).any():
            asked.append((bordered(where & ~there), hole))
    made = picture.copy()
    made[kept] = before[kept]
    if not asked:
        return made
    made = guess.fill(made, asked, unsure)
    # A guess that is carried on does not flicker; one made anew knows what the camera has brought into sight.
    again = left & shown & ~kept
    made[again] = np.rint(KEPT * before + (1 - KEPT) * made)[again]
    return made


def wider(hole: Array, by: int) -> Array:
    """Return a hole, bool `[H, W]`, with all that is no more than `by` px away, along rows or columns."""
    return np.asarray(cv2.dilate(hole.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)) > 0)


def _fringe(sight: Sight, edge: int) -> Array:
    """Return what may still show of the thing beside its hole, bool `[h, w]`: nothing is made of that."""
    if trusted(sight.picture, sight.hole):
        return np.zeros_like(sight.hole)
    return wider(sight.hole, edge) & ~sight.hole


def _light(off: Array, told: Array) -> Array:
    """Return the mean around each pixel of what is `told`, `[h, w, C]`, 0 where noise may be all of it."""
    size = (AROUND, AROUND)
    weight = cv2.blur(told.astype(np.float32), size)
    mean = cv2.blur(off * told[..., None], size).reshape(off.shape) / np.maximum(weight, 1e-6)[..., None]
    return np.where(np.abs(mean) < FAINT, 0, mean)
