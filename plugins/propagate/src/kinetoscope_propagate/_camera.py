"""How the picture of the background moves from one frame to the next: homographies from corners."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._flow import corners, followed

__all__ = ["LOOKED_AT", "small_grey", "step"]

Array = NDArray[Any]

LOOKED_AT = 640
"""Pixels along the longer side of the pictures in which corners are followed."""

CORNERS = 500
STILL_PX = 0.1
"""Corners of a locked-off camera move by less than this on the whole."""


def small_grey(frame: Array) -> Array:
    """Return a frame in grey, no larger than what corners are followed in."""
    grey = cv2.cvtColor(np.ascontiguousarray(frame[..., :3]), cv2.COLOR_RGB2GRAY)
    scale = LOOKED_AT / max(grey.shape)
    if scale >= 1:
        return np.asarray(grey)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def step(before: Array, now: Array, hidden: Array, shape: tuple[int, int]) -> Array:
    """Return the homography `[3, 3]` from pixels of the frame `now` to those of the frame before.

    Args:
        before, now: both frames, by `small_grey`.
        hidden: bool `[h, w]`, of the size of `now`: where corners are not looked for.
        shape: rows and columns of the frames themselves.

    Where too few corners agree, the background is taken to stand still.
    """
    clear = np.where(hidden, 0, 255).astype(np.uint8)
    free = cv2.erode(clear, np.ones((11, 11), np.uint8))
    a, b = followed(now, before, corners(now, free, CORNERS), window=21, levels=3)
    if len(a) < 8:
        return np.eye(3)
    if np.median(np.linalg.norm(b - a, axis=1)) < STILL_PX:
        return np.eye(3)
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.findHomography(a, b, cv2.RANSAC, 1.0)
    if matrix is None or int(inliers.sum()) < 8 or not _sane(matrix, now.shape):
        return np.eye(3)
    # From pixels of the small pictures to those of the frames; pixel centres lie at whole numbers.
    fx, fy = shape[1] / now.shape[1], shape[0] / now.shape[0]
    grow = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
    return np.asarray(grow @ matrix @ np.linalg.inv(grow))


def _sane(matrix: Array, shape: tuple[int, ...]) -> bool:
    """Whether a homography leaves a picture in one piece and near its size, as a camera does from frame to frame."""
    height, width = shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    moved = cv2.perspectiveTransform(corners, matrix)[0]
    area = cv2.contourArea(moved.astype(np.float32)) / (width * height)
    return bool(np.isfinite(moved).all() and 0.5 < area < 2 and cv2.isContourConvex(moved.astype(np.float32)))
