"""Grades that keep how light a colour is and nothing else of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Noir", "Sepia"]

LUMA = (0.2126, 0.7152, 0.0722)
"""How much red, green and blue give to lightness (ITU-R BT.709)."""


class Noir:
    """Black and white; dark becomes darker, light lighter."""

    def grade(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return `picture` as film noir has it."""
        light = picture @ np.array(LUMA) / 255
        hard = light * light * (3 - 2 * light)
        return np.repeat(np.rint(255 * hard).astype(np.uint8)[..., None], 3, axis=-1)


class Sepia:
    """A print that has been in the sun for years."""

    def grade(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return `picture` in brown."""
        brown = (picture @ np.array(LUMA))[..., None] * (1.05, 0.89, 0.68)
        graded: NDArray[np.uint8] = np.rint(np.clip(brown, 0, 255)).astype(np.uint8)
        return graded
