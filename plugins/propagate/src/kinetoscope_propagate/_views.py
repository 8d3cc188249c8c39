"""Other frames, as one frame's camera would have seen them around a hole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._flow import corners, followed
from kinetoscope_propagate._membrane import spread

__all__ = ["EDGE", "Box", "Held", "Sight", "box_of", "seen_from"]

Array = NDArray[Any]
Box = tuple[slice, slice]

MARGIN = 48
"""Pixels around a hole that are looked at, to align views there."""

EDGE = 3
"""Pixels beside what a mask covers in which something of it may still show."""

FEWEST, AGREEING = 8, 0.4
"""Corners by which a view is aligned: how many, and what share of them must agree."""

WINDOW = 11
"""Pixels along the square by which a corner is known again."""

ALONE = 0.85
"""Share of the corners that say the same where there is but one surface."""

SURFACES, CORNERS = 3, 200
"""Ways of moving that are told apart around a hole, and corners by which."""

COARSE = 6
"""Pixels of a block in which it is decided which of them to go by."""

BETTER = 0.9
"""What another way of moving has to leave less than of the difference."""

THIN = 2
"""Every so manieth pixel and row is asked for that; a block has as many in the mean."""


@attrs.define(eq=False)
class Held:
    """A frame that is in memory.

    Attributes:
        number: its place in the film.
        frame: `uint8 [H, W, C]`.
        hole: bool `[H, W]`.
        shows: `uint8 [H, W]`, 255 where it shows the background for sure.
        place: `[3, 3]`, from its pixels to those of the first frame.
        light: `[2, 3]`, from its colours to those of the first frame; see `_light.Light`.
        noise: deviation of its colours, levels; NaN where that can't be told.
    """

    number: int
    frame: Array
    hole: Array
    place: Array
    light: Array
    noise: float
    shows: Array = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        free = np.where(self.hole, 0, 255).astype(np.uint8)
        self.shows = (
            cv2.erode(free, np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)) if self.hole.any() else free
        )

    @cached_property
    def grey(self) -> Array:
        return _grey(self.frame)

    @property
    def nbytes(self) -> int:
        """Of what is kept of each pixel: its colours, whether it is hidden, whether it is background, its grey."""
        return self.frame.nbytes + self.hole.nbytes + 2 * self.shows.nbytes


def box_of(hole: Array, margin: int = MARGIN) -> Box:
    """Return the rows and columns around a hole."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )


@attrs.define(eq=False)
class Sight:
    """What is looked at: a frame around its hole.

    Attributes:
        target: the frame.
        box: rows and columns of it.
        picture: `uint8 [h, w, C]`, what is in the box.
        hole: bool `[h, w]`.
        wanted: bool `[h, w]`, what is asked for: the hole, unless more is.
        grey: `uint8 [h, w]`.
        corners: `float32 [N, 2]`, of what is not covered.
    """

    target: Held
    box: Box
    picture: Array = attrs.field(init=False)
    hole: Array = attrs.field(init=False)
    wanted: Array = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.picture, self.hole = self.target.frame[self.box], self.target.hole[self.box]
        self.wanted = self.hole

    @cached_property
    def grey(self) -> Array:
        return _grey(self.picture)

    @cached_property
    def corners(self) -> Array:
        return corners(self.grey, _inner(~self.hole), CORNERS)


def seen_from(sight: Sight, other: Held, *, whole: bool = False) -> tuple[Array, Array] | None:
    """Return the other frame `uint8 [h, w, C]` as it is seen there, and where it shows the background.

    It is told of what is wanted, and may be 0 elsewhere. None where it shows nothing of the hole.
    `whole`: it is told of all that is looked at, and all of the other frame is taken to be background.
    """
    target, box = sight.target, sight.box
    matrix = np.linalg.solve(other.place, target.place)
    matrix /= matrix[2, 2]
    shape = sight.hole.shape
    source = np.full_like(other.shows, 255) if whole else other.shows
    if np.allclose(matrix, np.eye(3), atol=1e-9):
        shown = source[box] == 255
        return (other.frame[box], shown) if (shown & sight.hole).any() else None
    there = _from_part(matrix, box)
    shown = _warped(source, there, shape, cv2.INTER_NEAREST) == 255
    if not (shown & sight.hole).any():
        return None
    grey = _warped(other.grey, there, shape, cv2.INTER_LINEAR)
    surfaces = _surfaces(sight, grey, shown)
    ways = [there if surface is None else there @ surface for surface in surfaces]
    shows = [
        shown if surface is None else _warped(source, way, shape, cv2.INTER_NEAREST) == 255
        for surface, way in zip(surfaces, ways, strict=True)
    ]
    wanted = np.ones(shape, bool) if whole else sight.wanted
    if len(ways) == 1:
        return _drawn(other.frame, ways, [wanted]), shows[0]
    thin = slice(None, None, THIN)
    size = sight.hole[thin, thin].shape
    pictures = [_warped(other.frame, way @ np.diag([THIN, THIN, 1.0]), size, cv2.INTER_CUBIC) for way in ways]
    known = [shown[thin, thin] & ~sight.hole[thin, thin] for shown in shows]
    best = _nearest_to(sight.picture[thin, thin], pictures, known, shape)
    chosen = [best == i for i in range(len(ways))]
    picture = _drawn(other.frame, ways, [wanted & held for held in chosen])
    return picture, np.select(chosen, shows, default=False)


def _from_part(matrix: Array, part: Box) -> Array:
    """Return the homography that takes pixels of a part of a picture, counted from its corner, where `matrix` does."""
    shift = np.array([[1, 0, part[1].start], [0, 1, part[0].start], [0, 0, 1.0]])
    return np.asarray(matrix @ shift)


def _drawn(frame: Array, ways: Sequence[Array], where: Sequence[Array]) -> Array:
    """Return a frame `uint8 [h, w, C]` through homographies, each in a place bool `[h, w]` of its own; 0 elsewhere.

    No more is drawn than the boxes around these places: sharp views are what takes longest.
    """
    picture = np.zeros((*where[0].shape, frame.shape[2]), np.uint8)
    for way, wanted in zip(ways, where, strict=True):
        if wanted.any():
            part = box_of(wanted, 0)
            held = wanted[part]
            made = _warped(frame, _from_part(way, part), held.shape, cv2.INTER_CUBIC)
            cv2.copyTo(made, held.view(np.uint8), picture[part])
    return picture


def _grey(picture: Array) -> Array:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY))


def _inner(held: Array) -> Array:
    return np.asarray(cv2.erode(held.astype(np.uint8), np.ones((7, 7), np.uint8)))


def _nearest_to(
    target: Array, pictures: Sequence[Array], known: Sequence[Array], shape: tuple[int, int]
) -> Array:
    """Return which picture fits the target best around each pixel, `uint8` of a shape, told from where they are known."""
    size = (max(1, shape[1] // COARSE), max(1, shape[0] // COARSE))
    off = []
    for picture, told in zip(pictures, known, strict=True):
        weight = told.astype(np.float32)
        wrong = cv2.transform(cv2.absdiff(target, picture)[..., :3], np.full((1, 3), 1 / 3))
        both = cv2.resize(cv2.merge([wrong * weight, weight]), size, interpolation=cv2.INTER_AREA)
        wrong, weight = cv2.split(cv2.blur(both, (3, 3)))
        off.append(spread((wrong / np.maximum(weight, 1e-6))[..., None], weight > 0.2)[..., 0])
    off[0] = off[0] * BETTER  # where it makes no difference, the whole frame's way is taken
    best = np.argmin(off, axis=0).astype(np.uint8)
    return np.asarray(cv2.resize(best, shape[::-1], interpolation=cv2.INTER_NEAREST))


def _warped(picture: Array, matrix: Array, shape: tuple[int, int], how: int) -> Array:
    # Beyond the border there is 0, which says of `shows` that nothing is shown.
    return cv2.warpPerspective(picture, matrix, shape[::-1], flags=how | cv2.WARP_INVERSE_MAP)


def _surfaces(sight: Sight, grey: Array, shown: Array) -> list[Array | None]:
    """Return the affine maps `[3, 3]` within the box by which parts of the picture come to where the target has them.

    None is the whole frame's way. Near and far things move against each other before a camera that travels,
    and small errors have added up on the way from frame to frame. The first map is what most corners say, the
    next what most of the others do; where nearly all say the same, there is but that one.
    """
    places = sight.corners
    free = _inner(shown)
    columns, rows = places.astype(int).T
    a, b = followed(sight.grey, grey, places[free[rows, columns] > 0], window=WINDOW, levels=2)
    every = len(a)
    maps: list[Array | None] = [None]
    for number in range(SURFACES):
        if len(a) < FEWEST:
            break
        cv2.setRNGSeed(0)
        matrix, inliers = cv2.estimateAffine2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=0.8)
        if matrix is None or int(inliers.sum()) < max(FEWEST, AGREEING * len(a)):
            break
        agree = inliers.ravel() == 1
        moves = np.median(np.linalg.norm(b - a, axis=1)[agree]) > 0.05
        alone = number == 0 and agree.sum() > ALONE * every
        if (
            moves and np.abs(matrix[:, :2] - np.eye(2)).max() < 0.2
        ):  # no camera does more between frames so near
            found = np.vstack([matrix, [0, 0, 1]])
            maps = [found] if alone else [*maps, found]
        if alone:
            break
        a, b = a[~agree], b[~agree]
    return maps
