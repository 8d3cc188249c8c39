"""What no frame shows, made up."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._exemplar import exemplar, weighed
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

AGAIN, KEPT = 12, 0.5
"""Guesses after which both ways are tried again, and what former trials count for then."""


@attrs.define(eq=False)
class Guess:
    """Fills what no frame shows in the way that its surroundings ask for.

    Both ways are tried on the first hole, and from time to time again: a thing may go from a plain wall to a
    patterned one. Patches, once chosen, are kept as long as they are no worse than smooth colours: to change
    back and forth would flicker.

    Attributes:
        patches: whether patches are taken at present.
        used: the ways in which something has been filled, of `telea` and `exemplar`.
    """

    patches: bool = False
    used: set[str] = attrs.field(factory=set)
    _errors: Array = attrs.field(factory=lambda: np.zeros(2), init=False)
    _waited: int = attrs.field(default=AGAIN, init=False)

    @property
    def way(self) -> str:
        """How it was filled: `telea`, `exemplar`, `both`, or an empty string as long as nothing had to be."""
        return "both" if len(self.used) == 2 else next(iter(self.used), "")

    def __call__(self, picture: Array, hole: Array) -> Array:
        """Return `picture`, `uint8 [H, W, C]`, with its hole filled; grey if nothing is around."""
        self._waited += 1
        if self._waited >= AGAIN:
            self._try(picture, hole)
        found = exemplar(picture, hole) if self.patches else None
        made, left = (picture, hole) if found is None else found
        if found is not None and not (left == hole).all():
            self.used.add("exemplar")
        if left.any():
            self.used.add("telea")
            made = telea(made, left)
        return made

    def _try(self, picture: Array, hole: Array) -> None:
        errors = _tried(picture, hole)
        if errors is None:
            return
        self._waited = 0
        self._errors = KEPT * self._errors + errors
        patched, smooth = self._errors
        self.patches = bool(patched < (1 if self.patches else WORTH**2) * smooth)


def _tried(picture: Array, hole: Array) -> Array | None:
    """Return the squared error of patches and of smooth colours beside a hole, where it is known what is there."""
    trial = _trial(hole)
    found = exemplar(picture, trial, hole) if trial.any() else None
    if found is None:
        return None
    made, left = found
    made = telea(made, left | hole) if left.any() else made
    smooth = telea(picture, trial | hole)
    truth = weighed(picture)[trial]
    return np.array([np.square(weighed(held)[trial] - truth).mean() for held in (made, smooth)])


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
