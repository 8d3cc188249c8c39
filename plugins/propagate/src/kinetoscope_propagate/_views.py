"""Other frames, as one frame's camera would have seen them around a hole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._flow import followed
from kinetoscope_propagate._membrane import spread

__all__ = ["EDGE", "Box", "Held", "box_of", "seen_from"]

Array = NDArray[Any]
Box = tuple[slice, slice]

MARGIN = 48
"""Pixels around a hole that are looked at, to align views there."""

EDGE = 3
"""Pixels beside what a mask covers in which something of it may still show."""

FEWEST, AGREEING = 8, 0.4
"""Corners by which a view is aligned: how many, and what share of them must agree."""

SURFACES, CORNERS = 3, 200
"""Ways of moving that are told apart around a hole, and corners by which."""

COARSE = 6
"""Pixels of a block in which it is decided which of them to go by."""

BETTER = 0.9
"""What another way of moving has to leave less than of the difference."""


@attrs.define(eq=False)
class Held:
    """A frame that is in memory.

    Attributes:
        number: its place in the film.
        frame: `uint8 [H, W, C]`.
        hole: bool `[H, W]`.
        shows: `uint8 [H, W]`, 255 where it shows the background for sure.
        place: `[3, 3]`, from its pixels to those of the first frame.
    """

    number: int
    frame: Array
    hole: Array
    place: Array
    shows: Array = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        free = np.where(self.hole, 0, 255).astype(np.uint8)
        self.shows = (
            cv2.erode(free, np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)) if self.hole.any() else free
        )


def box_of(hole: Array, margin: int = MARGIN) -> Box:
    """Return the rows and columns around a hole."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )


def seen_from(
    target: Held, other: Held, box: Box, wanted: Array, *, whole: bool = False
) -> tuple[Array, Array] | None:
    """Return the other frame `float32 [h, w, C]` within the box of `target`, and where it shows the background.

    Args:
        target: whose camera it is seen with.
        other: what is seen.
        box: of `target`.
        wanted: bool `[h, w]` in the box; None is returned where none of it is shown.
        whole: all of the other frame is taken to be background.
    """
    matrix = np.linalg.solve(other.place, target.place)
    matrix /= matrix[2, 2]
    shape = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    shape = (
        min(shape[0], target.hole.shape[0] - box[0].start),
        min(shape[1], target.hole.shape[1] - box[1].start),
    )
    source = np.full_like(other.shows, 255) if whole else other.shows
    if np.allclose(matrix, np.eye(3), atol=1e-9):
        shown = source[box] == 255
        return (other.frame[box].astype(np.float32), shown) if (shown & wanted).any() else None
    shift = np.array([[1, 0, box[1].start], [0, 1, box[0].start], [0, 0, 1.0]])
    shown = _warped(source, matrix @ shift, shape, cv2.INTER_NEAREST) == 255
    if not (shown & wanted).any():
        return None
    picture = _warped(other.frame, matrix @ shift, shape, cv2.INTER_CUBIC)
    known = shown & ~target.hole[box]
    surfaces = _surfaces(target.frame[box], picture, known)
    if surfaces:
        pictures, shows = [picture], [shown]
        for surface in surfaces:
            shows.append(_warped(source, matrix @ shift @ surface, shape, cv2.INTER_NEAREST) == 255)
            pictures.append(_warped(other.frame, matrix @ shift @ surface, shape, cv2.INTER_CUBIC))
        picture, shown = _nearest_to(target.frame[box], target.hole[box], pictures, shows)
    return picture.astype(np.float32), shown


def _nearest_to(
    target: Array, hole: Array, pictures: Sequence[Array], shows: Sequence[Array]
) -> tuple[Array, Array]:
    """Return of each pixel the picture that fits the target best around there, told from outside the hole."""
    height, width = hole.shape
    size = (max(1, width // COARSE), max(1, height // COARSE))
    off = []
    for picture, shown in zip(pictures, shows, strict=True):
        known = (shown & ~hole).astype(np.float32)
        wrong = cv2.absdiff(target, picture)[..., :3].mean(axis=2) * known
        wrong, weight = (
            cv2.blur(cv2.resize(held, size, interpolation=cv2.INTER_AREA), (3, 3)) for held in (wrong, known)
        )
        told = weight > 0.2
        off.append(spread((wrong / np.maximum(weight, 1e-6))[..., None], told)[..., 0])
    off[0] = off[0] * BETTER  # where it makes no difference, the whole frame's way is taken
    best = cv2.resize(
        np.argmin(off, axis=0).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
    )
    picture, shown = pictures[0].copy(), shows[0].copy()
    for i in range(1, len(pictures)):
        chosen = best == i
        picture[chosen], shown[chosen] = pictures[i][chosen], shows[i][chosen]
    return picture, shown


def _warped(picture: Array, matrix: Array, shape: tuple[int, int], how: int) -> Array:
    # Beyond the border there is 0, which says of `shows` that nothing is shown.
    return cv2.warpPerspective(picture, matrix, shape[::-1], flags=how | cv2.WARP_INVERSE_MAP)


def _surfaces(target: Array, picture: Array, known: Array) -> list[Array]:
    """Return the affine maps `[3, 3]` within the box by which parts of the picture come to where the target has them.

    Near and far things move against each other before a camera that travels, and small errors have added up
    on the way from frame to frame. The first map is what most corners say, the next what most of the others do.
    """
    here, there = (
        cv2.cvtColor(np.ascontiguousarray(held[..., :3]), cv2.COLOR_RGB2GRAY) for held in (target, picture)
    )
    free = cv2.erode(np.where(known, 255, 0).astype(np.uint8), np.ones((7, 7), np.uint8))
    a, b = followed(here, there, free, CORNERS, window=15, levels=2)
    maps: list[Array] = []
    for _ in range(SURFACES):
        if len(a) < FEWEST:
            break
        cv2.setRNGSeed(0)
        matrix, inliers = cv2.estimateAffine2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=0.8)
        if matrix is None or int(inliers.sum()) < max(FEWEST, AGREEING * len(a)):
            break
        agree = inliers.ravel() == 1
        moves = np.median(np.linalg.norm(b - a, axis=1)[agree]) > 0.05
        if (
            moves and np.abs(matrix[:, :2] - np.eye(2)).max() < 0.2
        ):  # no camera does more between frames so near
            maps.append(np.vstack([matrix, [0, 0, 1]]))
        a, b = a[~agree], b[~agree]
    return maps
