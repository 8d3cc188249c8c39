"""What no frame shows, made up: hole by hole, in the way that its surroundings ask for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate import _exemplar
from kinetoscope_propagate._exemplar import exemplar, weighed
from kinetoscope_propagate._smooth import smooth
from kinetoscope_propagate._views import MARGIN, Sight

__all__ = ["Guess", "Hole", "trusted"]

Array = NDArray[Any]

BAND = 3
"""Pixels of a band beside a hole."""

JUMP, NOISE = 1.5, 2.0
"""How much more the band beside a hole may be off than the next one, and levels that are nothing."""

JOINED, MOST_HOLES = 4, 6
"""Pixels by which parts of a hole may lie apart from others, each way; and holes that are told apart in a frame:
what is smaller goes with the nearest of them, since each is tried by itself."""

KEPT_HOLES = 20
"""Of all that a film had, the largest, of which it is told what was done."""

TRIALS, LEAST_TRIAL, MOST_TRIAL = 6, 7, (MARGIN - 1) // 4
"""Places where both ways are tried at most, and pixels of radius that such a place has: as much again, and
more, must be known on both sides of it, within the margin around a hole that is looked at."""

NEAR = 2.5
"""Radii by which the middle of the first place may lie from the hole; 2 it lies at least, others 4 at most."""

WORTH = 0.9
"""Share of the smooth colours' error by which patches have to do: of two that are as far off, the smooth one is
less seen to be."""

AGAIN, KEPT = 12, 0.5
"""Guesses after which both ways are tried again, and what former trials count for then."""


@attrs.define(eq=False)
class Hole:
    """Something that no frame shows, followed from frame to frame.

    Both ways are tried when it comes up, and from time to time again: a thing may go from a plain wall to a
    patterned one. Patches, once chosen, are kept as long as they are no worse than smooth colours: to change
    back and forth would flicker.

    Attributes:
        first, last: numbers of the frames in which it was there.
        box: left, top, right and bottom in the first of them, pixels; the last two lie outside.
        pixels: of it in all frames.
        patches: whether it is filled with patches at present.
        used: the ways in which something of it has been filled, of `smooth` and `exemplar`.
    """

    first: int
    last: int
    box: tuple[int, int, int, int]
    pixels: int = 0
    patches: bool = False
    used: set[str] = attrs.field(factory=set)
    _errors: Array = attrs.field(factory=lambda: np.zeros(2), init=False)
    _waited: int = attrs.field(default=AGAIN, init=False)

    @property
    def way(self) -> str:
        """How it was filled: `smooth`, `exemplar`, `both`, or an empty string as long as nothing had to be."""
        return _said(self.used)

    def tried(self, picture: Array, hole: Array, unknown: Array) -> None:
        """Choose the way to fill `hole` next, where that has not been tried for a while; see `_tried`."""
        self._waited += 1
        errors = _tried(picture, hole, unknown) if self._waited >= AGAIN else None
        if errors is None:
            return
        self._waited = 0
        self._errors = KEPT * self._errors + errors
        patched, plain = self._errors
        self.patches = bool(patched < (1 if self.patches else WORTH**2) * plain)


@attrs.define(eq=False)
class Guess:
    """Fills what no frame of a film shows.

    Attributes:
        holes: what had to be made up so far, the `KEPT_HOLES` largest and those of the last frame.
        used: the ways in which something has been filled, as a hole has them.
    """

    holes: list[Hole] = attrs.field(factory=list)
    used: set[str] = attrs.field(factory=set)
    _last: tuple[Array, Array, list[Hole]] | None = attrs.field(default=None, init=False)
    _smooth: tuple[Array, Array, int] | None = attrs.field(default=None, init=False)

    @property
    def way(self) -> str:
        """How the film was filled, as a hole says it."""
        return _said(self.used)

    def parts(self, left: Array, sight: Sight) -> list[tuple[Array, Hole]]:
        """Return the holes that make up what is `left`, bool `[h, w]`, in a frame, and which pixels are whose.

        A hole of the frame before is the same one where it lies now, seen with the camera.
        """
        labels, before = _parted(left), self._before(sight)
        found: dict[int, tuple[Array, Hole]] = {}
        for label in range(1, int(labels.max(initial=0)) + 1):
            where = labels == label
            hole = self._known(where, before) or self._new(where, sight)
            # Two parts of what was one before stay one.
            found[id(hole)] = (found[id(hole)][0] | where if id(hole) in found else where), hole
        made = list(found.values())
        whose = np.zeros(sight.target.hole.shape, np.uint8)
        for number, (where, hole) in enumerate(made, 1):
            whose[sight.box][where] = number
            hole.last, hole.pixels = sight.target.number, hole.pixels + int(where.sum())
        self._last = whose, sight.target.place, [hole for _, hole in made]
        self._pruned()
        return made

    def fill(self, picture: Array, asked: Sequence[tuple[Array, Hole]], beside: Array) -> tuple[Array, Array]:
        """Return `picture`, `uint8 [h, w, C]`, with what is `asked` of holes made up, and what of it is smooth.

        Grey if nothing is around. `beside`, bool `[h, w]`, is what is not looked at besides.
        """
        unknown, made, rest = beside.copy(), picture.copy(), np.zeros(beside.shape, bool)
        for where, _ in asked:
            unknown |= where
        total = max(1, sum(int(where.sum()) for where, _ in asked))
        for where, hole in asked:
            hole.tried(made, where, unknown)
            share = -(-_exemplar.MOST_PATCHES * int(where.sum()) // total)
            found = exemplar(made, where, unknown, most=share) if hole.patches else None
            left = where if found is None else found[1]
            filled = where & ~left
            if found is not None:
                made[filled] = found[0][filled]
            self._note(hole, {"smooth": left, "exemplar": filled})
            unknown, rest = unknown & ~filled, rest | left
        return smooth(made, rest, unknown), rest

    def smoothed(self, sight: Sight) -> Array:
        """Return what smooth colours were made up for in the frame before, as it lies now, bool `[h, w]`."""
        if self._smooth is None or self._smooth[2] != sight.target.number - 1:
            return np.zeros(sight.hole.shape, bool)
        return _seen(self._smooth[0], self._smooth[1], sight) > 0

    def remember(self, sight: Sight, plain: Array) -> None:
        """Keep for the next frame what of this one is made up of smooth colours, bool `[h, w]`."""
        whole = np.zeros(sight.target.hole.shape, np.uint8)
        whole[sight.box] = plain
        self._smooth = whole, sight.target.place, sight.target.number

    def _note(self, hole: Hole, filled: dict[str, Array]) -> None:
        ways = {way for way, where in filled.items() if where.any()}
        hole.used |= ways
        self.used |= ways

    def _before(self, sight: Sight) -> Array:
        """Return the number of the hole of the frame before at each pixel, `uint8 [h, w]`, 0 where there was none."""
        if self._last is None:
            return np.zeros(sight.hole.shape, np.uint8)
        return _seen(self._last[0], self._last[1], sight)

    def _known(self, where: Array, before: Array) -> Hole | None:
        if self._last is None:
            return None
        near = cv2.dilate(where.astype(np.uint8), np.ones((2 * JOINED + 1, 2 * JOINED + 1), np.uint8)) > 0
        counts = np.bincount(before[near], minlength=1)
        counts[0] = 0
        return self._last[2][int(counts.argmax()) - 1] if counts.any() else None

    def _new(self, where: Array, sight: Sight) -> Hole:
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        top, left = sight.box[0].start, sight.box[1].start
        box = (left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)
        number = sight.target.number
        hole = Hole(number, number, (int(box[0]), int(box[1]), int(box[2]), int(box[3])))
        self.holes.append(hole)
        return hole

    def _pruned(self) -> None:
        if len(self.holes) <= KEPT_HOLES + MOST_HOLES or self._last is None:
            return
        now = {id(hole) for hole in self._last[2]}
        largest = sorted(self.holes, key=lambda hole: -hole.pixels)[:KEPT_HOLES]
        kept = now | {id(hole) for hole in largest}
        self.holes = [hole for hole in self.holes if id(hole) in kept]


def _seen(numbers: Array, place: Array, sight: Sight) -> Array:
    """Return `numbers`, `uint8 [H, W]` of a frame that has a place, as they are seen in another `[h, w]`."""
    matrix = np.linalg.solve(place, sight.target.place)
    if np.allclose(matrix / matrix[2, 2], np.eye(3), atol=1e-9):
        return numbers[sight.box]
    there = matrix @ np.array([[1, 0, sight.box[1].start], [0, 1, sight.box[0].start], [0, 0, 1.0]])
    how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(numbers, there, sight.hole.shape[::-1], flags=how))


def _said(used: set[str]) -> str:
    return "both" if len(used) == 2 else next(iter(used), "")


def _parted(left: Array) -> Array:
    """Return the number of the hole of each pixel `[h, w]`, from 1 on, 0 beside holes; the largest first."""
    side = 2 * JOINED + 1
    near = cv2.dilate(left.astype(np.uint8), np.ones((side, side), np.uint8))
    count, labels, _, centres = cv2.connectedComponentsWithStats(near, connectivity=8)
    sizes = np.bincount(labels[left], minlength=count)
    order = 1 + np.argsort(-sizes[1:], kind="stable")
    numbers = np.zeros(count, np.uint8)
    seeds = order[:MOST_HOLES]
    numbers[seeds] = 1 + np.arange(len(seeds))
    for label in order[MOST_HOLES:]:
        numbers[label] = 1 + np.linalg.norm(centres[seeds] - centres[label], axis=1).argmin()
    return np.where(left, numbers[labels], 0)


def _tried(picture: Array, hole: Array, unknown: Array) -> Array | None:
    """Return the squared error of patches and of smooth colours beside a hole, where it is known what is there.

    None where there is no room. `unknown`, bool `[h, w]`, is all that is not known, the hole and others.
    """
    trial = _trial(picture, hole, unknown)
    found = exemplar(picture, trial, unknown) if trial.any() else None
    if found is None:
        return None
    made, left = found
    made = smooth(made, left, unknown)
    plain = smooth(picture, trial, unknown)
    truth = weighed(picture)[trial]
    return np.array([np.square(weighed(held)[trial] - truth).mean() for held in (made, plain)])


def _trial(picture: Array, hole: Array, unknown: Array) -> Array:
    """Return discs around a hole, far enough from all that is unknown and from each other to be surrounded by what
    is known."""
    deep = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3).max(initial=0)
    radius = int(np.clip(deep, LEAST_TRIAL, MOST_TRIAL))
    free = np.pad(unknown, 1, constant_values=True)
    away = cv2.distanceTransform((~free).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    from_hole = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    at = np.argwhere((away > 2 * radius) & (from_hole < 4 * radius))
    trial = np.zeros(hole.shape, np.uint8)
    if not len(at):
        return trial > 0
    apart = np.full(len(at), np.inf)
    # The first where most is to be seen near by: a lone edge that runs into the hole is told there, and nowhere else.
    contrast = _contrast(picture, radius)[tuple(at.T)]
    contrast[from_hole[tuple(at.T)] > NEAR * radius] = 0
    chosen = int(contrast.argmax())
    for _ in range(TRIALS):
        y, x = at[chosen]
        cv2.circle(trial, (int(x), int(y)), radius, 1, -1)
        apart = np.minimum(apart, np.hypot(*(at - at[chosen]).T))
        chosen = int(apart.argmax())
        if apart[chosen] < 3 * radius:
            break
    return trial > 0


def _contrast(picture: Array, radius: int) -> Array:
    """Return how much brightness varies around each pixel, `[h, w]`."""
    grey, size = weighed(picture).mean(axis=2), (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.blur(grey * grey, size) - cv2.blur(grey, size) ** 2)


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
