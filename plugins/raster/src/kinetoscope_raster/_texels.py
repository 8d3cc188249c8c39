"""Images as one array of texels with the smaller ones that they shrink to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EVEN", "LINEAR", "Images"]


def _linear() -> NDArray[np.float64]:
    value = np.arange(256) / 255.0
    light: NDArray[np.float64] = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light


LINEAR = _linear()
"""What each of the 256 levels of sRGB is in linear light."""


EVEN = np.arange(256) / 255.0
"""What each level is in images of numbers, not colours."""


class Images:
    """Gathers images; each object once."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, bool], tuple[int, int]] = {}
        self._levels: list[tuple[int, int, int]] = []
        self._texels: list[NDArray[np.uint8]] = []
        self._count = 0

    def add(self, image: Any, *, srgb: bool = True) -> tuple[int, int]:
        """Return the first mip level of `image` (uint8 `[H, W, 3|4]`) and their count; -1 for None.

        Smaller levels are means of light, or of the numbers themselves where they are not `srgb`.
        """
        if image is None:
            return -1, 0
        key = id(image), srgb
        if key not in self._held:
            first = len(self._levels)
            rgba = np.full((*image.shape[:2], 4), 255, np.uint8)
            rgba[..., : image.shape[2]] = image
            while True:
                self._levels.append((self._count, rgba.shape[1], rgba.shape[0]))
                self._texels.append(rgba.reshape(-1, 4))
                self._count += rgba.shape[0] * rgba.shape[1]
                if max(rgba.shape[:2]) == 1:
                    break
                rgba = _half(rgba, srgb=srgb)
            self._held[key] = first, len(self._levels) - first
        return self._held[key]

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return levels `[L, 3]` (offset, width, height) and texels `[N, 4]`."""
        if not self._levels:
            return np.zeros((0, 3), np.int64), np.zeros((0, 4), np.uint8)
        return np.array(self._levels, np.int64), np.concatenate(self._texels)


def _half(rgba: NDArray[np.uint8], *, srgb: bool) -> NDArray[np.uint8]:
    """Average pairs either way, in linear light if they are `srgb`; the last of an odd number is left out."""
    high, wide = (max(n // 2, 1) for n in rgba.shape[:2])
    down, across = min(rgba.shape[0], 2), min(rgba.shape[1], 2)
    cut = rgba[: high * down, : wide * across].reshape(high, down, wide, across, 4)
    light = (LINEAR if srgb else EVEN)[cut[..., :3]].mean(axis=(1, 3))
    small = np.empty((high, wide, 4), np.uint8)
    encoded = (
        light if not srgb else np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    )
    small[..., :3] = np.round(255 * encoded)
    small[..., 3] = np.round(cut[..., 3].mean(axis=(1, 3)))
    return small
