"""The noise of a plate: how strong, how coarse, how alike in the colours; measured, and made again.

Measured where a picture is flattest, by a mask that straight edges and even slopes leave no trace of
(Immerkaer 1996, "Fast noise variance estimation"), at several scales: coarse grain shows more of itself at
wide ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Grain", "measured"]

Array = NDArray[Any]

_MASK = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
_ROUNDING = float((_MASK**2).sum()) / 12
"""The variance that rounding to whole levels leaves in what the mask finds, at any scale."""

SCALES = (1, 2, 4)
"""Pixels between the numbers of the mask."""

BLOCK = 16
"""Pixels along a block in which noise is measured."""

FLAT = 0.1
"""The share of blocks, those that change least, that are taken for flat."""

COARSEST_PX = 2.0


@attrs.frozen(eq=False)
class Grain:
    """Noise that is added to sRGB levels.

    Attributes:
        covariance: `[3, 3]`, of the three colours, levels (of 255) squared.
        size_px: standard deviation of the Gaussian that makes white noise as coarse.
    """

    covariance: Array
    size_px: float

    def noise(self, size: tuple[int, int], seed: int, frame: int) -> Array:
        """Return `[H, W, 3]` levels for a picture of `size` (width, height): the same for a seed and frame."""
        random = np.random.default_rng((seed, frame))
        edge = int(np.ceil(4 * self.size_px))  # the blur must not see an end
        white: Array = random.standard_normal((size[1] + 2 * edge, size[0] + 2 * edge, 3), dtype=np.float32)
        if edge:
            white = cv2.sepFilter2D(white, -1, *2 * (_blur(self.size_px),))[edge:-edge, edge:-edge]
            white = white / np.float32(np.sqrt(_power(self.size_px, None)))
        values, vectors = np.linalg.eigh(self.covariance)
        mix = vectors * np.sqrt(values.clip(0.0))
        return np.asarray(white @ mix.T.astype(np.float32))


def measured(frames: Sequence[Array]) -> Grain:
    """Return the noise of some `frames` of a plate, `uint8 [H, W, 3]`; none where they are too small."""
    rows = [_flattest(np.asarray(frame, np.float32)) for frame in frames]
    rows = [held for held in rows if len(held)]
    if not rows:
        return Grain(np.zeros((3, 3)), 0.0)
    blocks = np.concatenate(rows)
    # The median of blocks, as some hold more than noise.
    power = np.median(np.mean(blocks**2, axis=1), axis=0) - _ROUNDING
    told = [i for i, held in enumerate(power.mean(axis=1)) if held > 0.2 * _ROUNDING]
    if len(told) < 2:  # it drowns in what rounding to whole levels makes by itself
        return Grain(np.zeros((3, 3)), 0.0)
    size = _size_of(power.mean(axis=1), told)
    finest = told[0]
    seen = blocks[..., finest, :].reshape(-1, 3)
    deviation = np.sqrt(power[finest].clip(0.0))
    loud = np.sqrt((power[finest] + _ROUNDING).clip(1e-9))
    correlation = np.corrcoef(seen.T) * np.outer(loud, loud)
    mixed = np.where(np.eye(3, dtype=bool), np.outer(deviation, deviation), correlation)
    return Grain(mixed * (_power(size, None) / _power(size, SCALES[finest])), size)


def _flattest(frame: Array) -> Array:
    """Return `[K, P, S, 3]`: what the mask finds at each scale in the P pixels of the K flattest blocks."""
    height, width = frame.shape[0] // BLOCK * BLOCK, frame.shape[1] // BLOCK * BLOCK
    if not height or not width:
        return np.zeros((0, BLOCK * BLOCK, len(SCALES), 3), np.float32)
    found = []
    for scale in SCALES:
        mask = np.zeros((2 * scale + 1, 2 * scale + 1))
        mask[::scale, ::scale] = _MASK
        found.append(cv2.filter2D(frame, -1, mask, borderType=cv2.BORDER_REFLECT))

    def cut(picture: Array) -> Array:
        whole = picture[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
        return whole.transpose(0, 2, 1, 3, 4).reshape(-1, BLOCK * BLOCK, 3)

    levels, both = cut(frame), np.stack([cut(held) for held in found], axis=2)
    # Where levels end, noise is cut off with them.
    inside = (levels.min(axis=(1, 2)) > 2) & (levels.max(axis=(1, 2)) < 253)
    levels, both = levels[inside], both[inside]
    order = np.argsort(levels.std(axis=1).mean(axis=1))
    return np.asarray(both[order[: max(1, round(FLAT * len(order)))]]) if len(order) else both


def _blur(size: float) -> Array:
    """Return the kernel of a Gaussian of `size` px; a single 1 for none."""
    at = np.arange(-int(np.ceil(4 * size)), int(np.ceil(4 * size)) + 1)
    values = np.exp(-0.5 * (at / size) ** 2) if size else np.ones(1)
    return np.asarray(values / values.sum())


@lru_cache(maxsize=512)
def _power(size: float, scale: int | None) -> float:
    """Return the variance of white noise blurred by `size` px, seen through the mask at a scale (None: plainly)."""
    w = np.fft.fftfreq(128) * 2 * np.pi
    kernel = np.zeros(128)
    kernel[: 2 * int(np.ceil(4 * size)) + 1] = _blur(size)
    blurred = np.abs(np.fft.fft(kernel)) ** 2
    power = blurred[:, None] * blurred[None]
    if scale is not None:
        line = (2 - 2 * np.cos(scale * w)) ** 2
        power = power * line[:, None] * line[None]
    return float(power.mean())


def _size_of(power: Array, told: Sequence[int]) -> float:
    """Return how coarse grain is of which the masks find `power` at the scales that are `told`."""
    sizes = np.linspace(0.0, COARSEST_PX, 81)
    seen = np.log([power[i] for i in told])
    off = []
    for size in sizes:
        gap = seen - np.log([_power(float(size), SCALES[i]) for i in told])
        off.append(float(np.var(gap)))
    return float(sizes[int(np.argmin(off))])
