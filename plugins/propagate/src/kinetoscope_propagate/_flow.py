"""Corners of one picture, found again in another (Shi and Tomasi 1994; Lucas and Kanade 1981)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["followed"]

Array = NDArray[Any]

THERE_AND_BACK = 0.5
"""Pixels by which a corner may miss its place when it is followed forwards and back."""


def followed(
    here: Array, there: Array, free: Array, most: int, *, window: int, levels: int
) -> tuple[Array, Array]:
    """Return places `[N, 2]` of corners in a grey picture, and where they are in another, of those found for sure.

    Args:
        here, there: `uint8 [H, W]`.
        free: `uint8 [H, W]`, above 0 where corners may be.
        most: corners.
        window: pixels along the square by which a corner is known again.
        levels: of the pyramid: how far it may have gone.
    """
    corners: Any = cv2.goodFeaturesToTrack(here, most, 0.005, 5, mask=free, blockSize=5)
    if corners is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    settled = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01)
    options: dict[str, Any] = {"winSize": (window, window), "maxLevel": levels, "criteria": settled}
    flow: Any = cv2.calcOpticalFlowPyrLK
    moved, found, _ = flow(here, there, corners, None, **options)
    back, again, _ = flow(there, here, moved, None, **options)
    off = np.linalg.norm((back - corners).reshape(-1, 2), axis=1)
    kept = (found.ravel() == 1) & (again.ravel() == 1) & (off < THERE_AND_BACK)
    return corners.reshape(-1, 2)[kept], moved.reshape(-1, 2)[kept]
