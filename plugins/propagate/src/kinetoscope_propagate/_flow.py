"""Corners of one picture, found again in another (Shi and Tomasi 1994; Lucas and Kanade 1981)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["corners", "followed"]

Array = NDArray[Any]

THERE_AND_BACK = 0.5
"""Pixels by which a corner may miss its place when it is followed forwards and back."""


def corners(picture: Array, free: Array, most: int) -> Array:
    """Return places `float32 [N, 2]` of corners in a grey picture `uint8 [H, W]`.

    `free` is `uint8 [H, W]`, above 0 where corners may be; of them the clearest are returned, `most` at most.
    """
    found: Any = cv2.goodFeaturesToTrack(picture, most, 0.005, 5, mask=free, blockSize=5)
    return np.zeros((0, 2), np.float32) if found is None else np.asarray(found.reshape(-1, 2))


def followed(here: Array, there: Array, places: Array, *, window: int, levels: int) -> tuple[Array, Array]:
    """Return places `[N, 2]` in a grey picture, and where they are in another, of those found for sure.

    Args:
        here, there: `uint8 [H, W]`.
        places: of corners in the first, `float32 [N, 2]`.
        window: pixels along the square by which a corner is known again.
        levels: of the pyramid: how far it may have gone.
    """
    if not len(places):
        return places, places
    settled = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.02)
    options: dict[str, Any] = {"winSize": (window, window), "maxLevel": levels, "criteria": settled}
    flow: Any = cv2.calcOpticalFlowPyrLK
    moved, found, _ = flow(here, there, places, None, **options)
    back, again, _ = flow(there, here, moved, None, **options)
    off = np.linalg.norm(back - places, axis=1)
    kept = (found.ravel() == 1) & (again.ravel() == 1) & (off < THERE_AND_BACK)
    return places[kept], moved[kept]
