"""What the two passes make of a quadmask: three levels, then two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AFFECTED", "binary", "three_levels"]

AFFECTED = np.float32(127 / 255)
"""The level of what is affected, in the first pass."""


def three_levels(quad: NDArray[Any]) -> NDArray[np.float32]:
    """Return 1 to remove, 127/255 where affected, 0 to keep, of the values 0, 63, 127 and 255.

    The overlap, 63, is removed: the model was trained so.
    """
    unlike = (255 - quad.astype(np.float32)) / 255
    return np.select([unlike > 0.75, unlike < 0.25], [1, 0], AFFECTED).astype(np.float32)


def binary(quad: NDArray[Any]) -> NDArray[np.float32]:
    """Return 1 for all that is not kept: the second pass knows no more."""
    return ((255 - quad.astype(np.float32)) / 255 > 0.5).astype(np.float32)
