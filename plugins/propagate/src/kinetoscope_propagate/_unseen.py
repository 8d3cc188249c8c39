"""What no frame shows, in one frame: what was guessed before, carried on, else a guess."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._guess import Guess, trusted
from kinetoscope_propagate._membrane import spread
from kinetoscope_propagate._smooth import smooth
from kinetoscope_propagate._views import EDGE, Held, Sight, seen_from

__all__ = ["completed", "wider"]

Array = NDArray[Any]

KEPT = 0.5
"""Share of a smooth guess that is carried on while the camera moves, or what is around it changes."""

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

    was_smooth = guess.smoothed(sight)
    parts = guess.parts(left, sight)
    carried = None if done is None else seen_from(sight, done, whole=True)
    if done is None or carried is None:
        made, plain = guess.fill(picture, [(bordered(where), hole) for where, hole in parts], unsure)
        guess.remember(sight, plain & left)
        return made
    before = _relit(picture, carried[0].astype(np.float32), carried[1] & ~unsure & ~sight.hole)
    still = np.allclose(done.place, sight.target.place, atol=1e-9)
    # What was seen once, or is made of patches, is not made again: other patches would flicker.
    kept, again, asked = np.zeros_like(left), np.zeros_like(left), []
    for where, hole in parts:
        there = where & carried[1]
        anew = there & was_smooth if not hole.patches else np.zeros_like(there)
        kept, again = kept | (there & ~anew), again | anew
        new = where & ~there if still else where & ~(there & ~anew)
        if new.any():
            asked.append((bordered(new), hole))
    made = picture.copy()
    made[kept | again] = before[kept | again]
    made, plain = guess.fill(made, asked, unsure)
    if still and again.any():
        fresh = smooth(made, bordered(again), unsure)
        # Noise beside it moves nothing; what is around it, and has changed, does.
        off = np.where(again[..., None], fresh - before, 0)
        changed = again & (_light(off, again) != 0).any(axis=2)
        made[changed] = np.rint(before + (1 - KEPT) * off)[changed]
    elif again.any():
        # A guess that is carried on does not flicker; one made anew knows what the camera has brought into sight.
        made[again] = np.rint(KEPT * before + (1 - KEPT) * made)[again]
    guess.remember(sight, left & (plain | again | (kept & was_smooth)))
    return made


def _relit(picture: Array, before: Array, told: Array) -> Array:
    """Return the frame before as it is in the light of this one, which is told where both show the same."""
    off = _light(np.where(told[..., None], picture - before, 0), told)
    return np.rint(before + spread(off, told)).clip(0, 255)


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
