"""Noise that moves as a film does, and is white all the same: where the second pass begins.

After "Go-with-the-Flow" (Burgert et al. 2025): a fine field of noise is carried along the optical flow.
Where the picture shrinks, pixels that fall together are added and brought back to variance 1; where it
grows, a pixel that is asked for several times is split into as many that are independent of each other
and have its value as their scaled sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Field", "degraded", "optical_flow", "pooled", "sampled_frames", "warped_noise"]

Array = NDArray[Any]

_LEAST_SIDE = 16
"""Pixels that a picture needs on each side before motion can be seen in it."""


def sampled_frames(frames: int, latents: int) -> Array:
    """Return `[latents]` which frame's noise each latent gets, from the first to the last."""
    return np.linspace(0, frames - 1, latents).astype(int)


def degraded(noise: Array, share: float, rng: np.random.Generator) -> Array:
    """Mix a `share` of fresh noise in; the variance stays 1."""
    if share == 0:
        return noise
    fresh = rng.standard_normal(noise.shape, dtype=np.float32)
    mixed = ((1 - share) * noise + share * fresh) / np.float32(np.hypot(1 - share, share))
    return np.asarray(mixed, dtype=np.float32)


def optical_flow(before: Array, after: Array) -> Array:
    """Return `[h, w, 2]` float32 by how many pixels (x, y) each of `before` moves.

    Both are `uint8 [h, w, 3]`. Dense inverse search (Kroeger et al. 2016), which needs no weights.
    """
    import cv2

    opencv: Any = cv2  # its stubs know half of it
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (before, after)]
    if min(grey[0].shape) < _LEAST_SIDE:
        return np.zeros((*grey[0].shape, 2), np.float32)
    search = opencv.DISOpticalFlow_create(opencv.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(search.calc(*grey, None), dtype=np.float32)


def warped_noise(
    pictures: Iterable[Array], *, channels: int, shape: tuple[int, int], detail: int, seed: int
) -> Iterator[Array]:
    """Yield noise `[channels, *shape]` float32 for each of the pictures `uint8 [H, W, 3]`.

    The flow is that of the pictures at half their size, and the noise `detail` times as fine; each value is
    the sum of a block of it, over its side.
    """
    import cv2

    rng = np.random.default_rng([seed, 2])
    before: Array | None = None
    field: Field | None = None
    for picture in pictures:
        height, width = picture.shape[:2]
        half = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        fine = (half.shape[0] * detail, half.shape[1] * detail)
        if field is None or before is None:
            field = Field(channels, fine, rng)
        else:
            flow = cv2.resize(optical_flow(before, half), fine[::-1], interpolation=cv2.INTER_LINEAR)
            field.move(np.asarray(flow, dtype=np.float32) * detail)
        before = half
        yield pooled(field.noise, shape)


def pooled(noise: Array, shape: tuple[int, int]) -> Array:
    """Return `[C, *shape]`: sums of the blocks of `noise [C, H, W]`, over the root of their pixels' number."""
    channels, height, width = noise.shape
    rows, columns = height // shape[0], width // shape[1]
    blocks = noise.reshape(channels, shape[0], rows, shape[1], columns)
    return np.asarray(blocks.sum(axis=(2, 4)) / np.float32(np.sqrt(rows * columns)), dtype=np.float32)


class Field:
    """White noise `[C, H, W]` and, for each pixel, how much of the picture it stands for."""

    def __init__(self, channels: int, shape: tuple[int, int], rng: np.random.Generator) -> None:
        """Draw the first noise."""
        self.rng = rng
        self.noise: Array = rng.standard_normal((channels, *shape), dtype=np.float32)
        self.weight: Array = np.ones(shape, np.float32)

    def move(self, flow: Array) -> None:
        """Carry the noise along `flow [H, W, 2]`, pixels (x, y)."""
        shape = self.weight.shape
        count = self.weight.size
        everywhere = np.arange(count)
        # Forwards: each pixel to where it goes. Backwards: each pixel that none came to asks where from.
        target = _shifted(flow, shape, 1)
        leaving = everywhere[target >= 0]
        target = target[leaving]
        reached = np.zeros(count, bool)
        reached[target] = True
        asking = everywhere[~reached]
        origin = _shifted(flow, shape, -1)[asking]
        new = asking[origin < 0]
        asking, origin = asking[origin >= 0], origin[origin >= 0]

        source = np.concatenate([leaving, origin])
        copies = np.bincount(source, minlength=count)
        weight = self.weight.ravel()[source] / copies[source]
        gathered = _Gathering(target, weight[: len(leaving)], count)
        moved_weight = np.ones(count, np.float32)
        moved_weight[reached] = gathered.weight[reached]
        moved_weight[asking] = weight[len(leaving) :]
        for channel in self.noise:  # one after the other: a field is large
            split = _split(channel.ravel(), source, copies, self.rng)
            moved = np.empty(count, np.float32)
            moved[reached] = gathered(split[: len(leaving)])[reached]
            moved[asking] = split[len(leaving) :]
            moved[new] = self.rng.standard_normal(len(new), dtype=np.float32)
            channel[...] = moved.reshape(shape)
        # Toward one and its like: no weight runs away over hundreds of frames.
        self.weight = ((moved_weight / moved_weight.mean() + 1e-5) ** 0.9999).reshape(shape)


class _Gathering:
    """Adds up what falls on the same pixel, and brings the sum back to variance 1."""

    def __init__(self, target: Array, weight: Array, count: int) -> None:
        self.target, self.share, self.count = target, weight, count
        self.weight: Array = np.bincount(target, weight, count).astype(np.float32)
        squares = np.bincount(target, weight.astype(np.float64) ** 2, count)
        self.norm: Array = np.sqrt(np.where(squares > 0, squares, 1))

    def __call__(self, noise: Array) -> Array:
        total = np.bincount(self.target, self.share * noise, self.count)
        return np.asarray(total / self.norm, dtype=np.float32)


def _split(noise: Array, source: Array, copies: Array, rng: np.random.Generator) -> Array:
    """Return `[n]` the noise of each copy: n copies of one value are independent, of variance 1.

    A copy is the value over the root of n and what is left of fresh noise without its mean.
    """
    several = np.flatnonzero(copies[source] > 1)
    where = source[several]
    fresh = rng.standard_normal(len(several), dtype=np.float32)
    mean = np.bincount(where, fresh, len(copies)) / np.maximum(copies, 1)
    split = noise[source]
    split[several] = noise[where] / np.sqrt(copies[where]) + fresh - mean[where]
    return split


def _shifted(flow: Array, shape: tuple[int, ...], sign: int) -> Array:
    """Return `[H * W]` the number of the pixel that is `sign` times the flow away, or -1 outside."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    x = columns + np.rint(sign * flow[..., 0]).astype(np.int64)
    y = rows + np.rint(sign * flow[..., 1]).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside, y * width + x, -1).ravel()
