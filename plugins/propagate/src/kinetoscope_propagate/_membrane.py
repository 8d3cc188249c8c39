"""Values spread smoothly from where they are known: a membrane, by pushing down and pulling up a pyramid.

Gortler et al. 1996, "The lumigraph", section 3.4; a fast stand-in for solving Laplace's equation.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["spread"]

Array = NDArray[Any]


def spread(values: Array, known: Array) -> Array:
    """Return `values [H, W, C]` where `known [H, W]` says so, and smooth in between; 0 where nothing is known."""
    shape = values.shape[:2]
    weight = known.astype(np.float32)
    filled = _pulled(values.astype(np.float32) * weight[..., None], weight)
    return np.where(known[..., None], values, filled[: shape[0], : shape[1]]).astype(np.float32)


def _pulled(summed: Array, weight: Array) -> Array:
    """Return the weighted means of a level, gaps filled from the coarser one."""
    mean = summed / np.maximum(weight, 1e-6)[..., None]
    if min(weight.shape) <= 1 or weight.min() >= 1:
        return mean
    size = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
    even = cv2.copyMakeBorder(
        np.dstack([summed, weight]),
        0,
        2 * size[1] - weight.shape[0],
        0,
        2 * size[0] - weight.shape[1],
        cv2.BORDER_CONSTANT,
    )
    half = even[0::2] + even[1::2]
    half = half[:, 0::2] + half[:, 1::2]
    full = np.maximum(half[..., -1], 1e-6)
    capped = np.minimum(half[..., -1], 1.0)
    coarse = _pulled(half[..., :-1] / full[..., None] * capped[..., None], capped)
    up = cv2.resize(coarse, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)
    up = up.reshape(2 * size[1], 2 * size[0], -1)[: weight.shape[0], : weight.shape[1]]
    share = np.minimum(weight, 1.0)[..., None]
    return np.asarray(mean * share + up * (1 - share))
