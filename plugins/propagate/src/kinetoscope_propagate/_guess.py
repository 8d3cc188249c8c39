"""What no frame shows, made up."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["guess", "trusted"]

Array = NDArray[Any]

RADIUS = 5

BAND = 3
"""Pixels of a band beside a hole."""

JUMP, NOISE = 1.5, 2.0
"""How much more the band beside a hole may be off than the next one, and levels that are nothing."""


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
