"""A warm grade: more red, less blue, as light is in the late afternoon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Warm"]

GAINS = (1.12, 1.0, 0.78)
"""By what red, green and blue light are multiplied."""


class Warm:
    """Multiplies light, not code values: sRGB is decoded, scaled and encoded again, by a table."""

    def __init__(self) -> None:
        code = np.arange(256) / 255
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
        graded = np.clip(light[:, None] * GAINS, 0, 1)
        encoded = np.where(graded <= 0.0031308, graded * 12.92, 1.055 * graded ** (1 / 2.4) - 0.055)
        self._table = np.rint(encoded * 255).astype(np.uint8)

    def grade(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return `picture` in warm light."""
        graded: NDArray[np.uint8] = self._table[picture, np.arange(3)]
        return graded
