"""What no frame shows, made up."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._exemplar import exemplar
from kinetoscope_propagate._views import MARGIN

__all__ = ["Guess", "trusted"]

Array = NDArray[Any]

RADIUS = 5

BAND = 3
"""Pixels of a band beside a hole."""

JUMP, NOISE = 1.5, 2.0
"""How much more the band beside a hole may be off than the next one, and levels that are nothing."""


TRIALS, LEAST_TRIAL, MOST_TRIAL = 6, 7, (MARGIN - 1) // 4
"""Places where both ways are tried at most, and pixels of radius that such a place has: as much again, and
more, must be known on both sides of it, within the margin around a hole that is looked at."""

WORTH = 0.9
"""Share of Telea's error by which patches have to do: of two that are as far off, the smooth one is less seen to be."""


@attrs.define(eq=False)
class Guess:
    """Fills what no frame shows, throughout a film in the way that its first hole's surroundings ask for.

    Attributes:
        way: `telea`, `exemplar`, or an empty string as long as nothing had to be made up.
    """

    way: str = ""

    def __call__(self, picture: Array, hole: Array) -> Array:
        """Return `picture`, `uint8 [H, W, C]`, with its hole filled; grey if nothing is around."""
        if not self.way:
            self.way = "exemplar" if _patches_fit(picture, hole) else "telea"
        made = exemplar(picture, hole) if self.way == "exemplar" else None
        return telea(picture, hole) if made is None else made


def _patches_fit(picture: Array, hole: Array) -> bool:
    """Return whether patches say better than smooth colours what lies beside the hole, where it is known."""
    trial = _trial(hole)
    if not trial.any():
        return False
    made = exemplar(picture, trial, hole)
    if made is None:
        return False
    smooth = telea(picture, trial | hole)
    truth = picture[trial].astype(np.float32)
    patched, plain = (np.square(held[trial] - truth).mean() for held in (made, smooth))
    return bool(patched < WORTH**2 * plain)


def _trial(hole: Array) -> Array:
    """Return discs around a hole, far enough from it and from each other to be surrounded by what is known."""
    deep = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3).max(initial=0)
    radius = int(np.clip(deep, LEAST_TRIAL, MOST_TRIAL))
    free = np.pad(hole, 1, constant_values=True)
    away = cv2.distanceTransform((~free).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    from_hole = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    at = np.argwhere((away > 2 * radius) & (from_hole < 4 * radius))
    trial = np.zeros(hole.shape, np.uint8)
    if not len(at):
        return trial > 0
    apart = np.full(len(at), np.inf)
    chosen = 0
    for _ in range(TRIALS):
        y, x = at[chosen]
        cv2.circle(trial, (int(x), int(y)), radius, 1, -1)
        apart = np.minimum(apart, np.hypot(*(at - at[chosen]).T))
        chosen = int(apart.argmax())
        if apart[chosen] < 3 * radius:
            break
    return trial > 0


def telea(picture: Array, hole: Array) -> Array:
    """Return `picture`, `uint8 [H, W, C]`, with its hole filled by what surrounds it (Telea 2004); grey if nothing does."""
    if hole.all():
        return np.full_like(picture, 128)
    # At the border of a picture OpenCV's result is not the same twice.
    mask = np.pad(hole.astype(np.uint8), RADIUS + 1, mode="edge")
    wide = np.pad(picture, ((RADIUS + 1, RADIUS + 1), (RADIUS + 1, RADIUS + 1), (0, 0)), mode="edge")
    parts = [
        np.ascontiguousarray(wide[..., :3]),
        *(np.ascontiguousarray(wide[..., i]) for i in range(3, wide.shape[2])),
    ]
    made = [cv2.inpaint(part, mask, RADIUS, cv2.INPAINT_TELEA) for part in parts]
    inner = np.dstack(made)[RADIUS + 1 : -RADIUS - 1, RADIUS + 1 : -RADIUS - 1]
    return np.where(hole[..., None], inner, picture)


def trusted(picture: Array, hole: Array) -> bool:
    """Return whether nothing of the thing shows beside a hole: the colours there go on as they do further off."""
    away = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    means = []
    for i in range(3):
        band = ((away > i * BAND) & (away <= (i + 1) * BAND)).astype(np.float32)
        total = cv2.blur(band, (7, 7))
        held = cv2.blur(picture[..., :3] * band[..., None], (7, 7)) / np.maximum(total, 1e-6)[..., None]
        means.append((held, total > 0.1))
    jumps = []
    for (one, shown), (other, too) in pairwise(means):
        both = shown & too
        if not both.any():
            return False
        jumps.append(float(np.abs(one - other)[both].mean()))
    return jumps[0] < JUMP * jumps[1] + NOISE
