"""What no frame shows, made up."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["guess"]

Array = NDArray[Any]

RADIUS = 5


def guess(picture: Array, hole: Array) -> Array:
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
