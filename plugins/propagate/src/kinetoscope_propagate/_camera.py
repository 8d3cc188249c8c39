"""How the picture of the background moves from one frame to the next: homographies from corners."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._flow import corners, followed

__all__ = ["LOOKED_AT", "Camera", "small_grey"]

Array = NDArray[Any]

LOOKED_AT = 640
"""Pixels along the longer side of the pictures in which corners are followed."""

CORNERS = 500
TILES = 4
"""Along a side of the picture: each part has corners of its own, and four parts that are asked what they see."""
NEAR_PX = 1.0
FAIR_SHARE = 0.25
"""Of the parts of a picture in which there are corners: so many must go with a motion that is kept."""
STILL_PX = 0.1
"""Corners of a locked-off camera move by less than this on the whole."""
STILL_SHARE = 1.25
"""A motion that brings corners no closer than to this share of how far they are off without it is noise."""


def small_grey(frame: Array) -> Array:
    """Return a frame in grey, no larger than what corners are followed in."""
    grey = cv2.cvtColor(np.ascontiguousarray(frame[..., :3]), cv2.COLOR_RGB2GRAY)
    scale = LOOKED_AT / max(grey.shape)
    if scale >= 1:
        return np.asarray(grey)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


class Camera:
    """Follows the background through a film: where other things move too, what it followed before.

    A textured thing that comes near may have more corners than all that is behind it. Motions are therefore
    weighed by how much of the picture they explain, and the one of the frame before, then standing still, is
    kept as long as it explains a fair part.
    """

    def __init__(self) -> None:
        self.place: Array = np.eye(3)
        """From pixels of the last frame to those of the first."""
        self._before: Array | None = None
        self._last: Array = np.eye(3)

    def follow(self, now: Array, hidden: Array, shape: tuple[int, int]) -> Array:
        """Return the homography `[3, 3]` from pixels of the next frame to those of the first.

        Args:
            now: the frame, by `small_grey`.
            hidden: bool `[h, w]`, of the size of `now`: where corners are not looked for.
            shape: rows and columns of the frame itself.

        Where too few corners agree, the background is taken to stand still.
        """
        if self._before is not None:
            self._last = _step(self._before, now, hidden, self._last)
            # From pixels of the small pictures to those of the frames; pixel centres lie at whole numbers.
            fx, fy = shape[1] / now.shape[1], shape[0] / now.shape[0]
            grow = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
            place = self.place @ grow @ self._last @ np.linalg.inv(grow)
            self.place = place / place[2, 2]
        self._before = now
        return self.place


def _step(before: Array, now: Array, hidden: Array, last: Array) -> Array:
    """Return the homography from a small picture to the one before; `last` is what the one before it had."""
    clear = np.where(hidden, 0, 255).astype(np.uint8)
    free = cv2.erode(clear, np.ones((11, 11), np.uint8))
    here, there = followed(now, before, _spread(now, free), window=21, levels=3)
    if len(here) < 8:
        return np.eye(3)
    cells = _cells(here, now.shape)
    found = _fitted(here, there)
    best, most = found, _explained(found, here, there, cells)
    for guess in (np.eye(3), last):
        kept = _grown(guess, here, there)
        explained = _explained(kept, here, there, cells)
        if explained >= max(FAIR_SHARE * len(np.unique(cells)), 0.5 * most):
            best = kept
    if best is None or not _sane(best, now.shape):
        return np.eye(3)
    moved = _off(best, here, there)
    agreed = moved < NEAR_PX
    stood = np.median(_off(np.eye(3), here, there)[agreed])
    return np.eye(3) if stood < max(STILL_PX, STILL_SHARE * np.median(moved[agreed])) else best


def _spread(picture: Array, free: Array) -> Array:
    """Return corners `[N, 2]`, in each part of the picture its own: one thing's texture outshines no other's."""
    rows, columns = (np.linspace(0, size, TILES + 1).astype(int) for size in picture.shape)
    found = []
    for y, below in pairwise(rows):
        for x, beyond in pairwise(columns):
            part = slice(y, below), slice(x, beyond)
            found.append(corners(picture[part], free[part], CORNERS // TILES**2) + np.float32([x, y]))
    return np.concatenate(found)


def _cells(places: Array, shape: tuple[int, ...]) -> Array:
    """Return the number `[N]` of the part of the picture in which each place is."""
    across = np.clip(places / np.array(shape[1::-1]) * 2 * TILES, 0, 2 * TILES - 1).astype(int)
    return np.asarray(across[:, 1] * 2 * TILES + across[:, 0])


def _fitted(here: Array, there: Array) -> Array | None:
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.findHomography(here, there, cv2.RANSAC, NEAR_PX)
    return None if matrix is None or int(inliers.sum()) < 8 else np.asarray(matrix)


def _grown(guess: Array, here: Array, there: Array) -> Array | None:
    """Return the homography of the corners that go with a guess, and of those that go with that one."""
    found: Array | None = guess
    for _ in range(3):
        agreed = _off(found, here, there) < 1.5 * NEAR_PX
        if found is None or agreed.sum() < 8:
            return None
        found = _fitted(here[agreed], there[agreed])
    return found


def _off(matrix: Array | None, here: Array, there: Array) -> Array:
    """Return by how many pixels `[N]` corners are off where a homography takes them."""
    if matrix is None:
        return np.full(len(here), np.inf)
    moved = cv2.perspectiveTransform(here[:, None].astype(np.float64), matrix)[:, 0]
    return np.asarray(np.linalg.norm(moved - there, axis=1))


def _explained(matrix: Array | None, here: Array, there: Array, cells: Array) -> int:
    """Return in how many parts of the picture at least half of the corners go with a homography."""
    agreed = _off(matrix, here, there) < NEAR_PX
    votes = np.bincount(cells, np.where(agreed, 1.0, -1.0))
    return int((votes[np.unique(cells)] >= 0).sum())


def _sane(matrix: Array, shape: tuple[int, ...]) -> bool:
    """Whether a homography leaves a picture in one piece and near its size, as a camera does from frame to frame."""
    height, width = shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    moved = cv2.perspectiveTransform(corners, matrix)[0]
    area = cv2.contourArea(moved.astype(np.float32)) / (width * height)
    return bool(np.isfinite(moved).all() and 0.5 < area < 2 and cv2.isContourConvex(moved.astype(np.float32)))
