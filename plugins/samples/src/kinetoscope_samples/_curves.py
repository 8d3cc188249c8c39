"""Smooth curves: noise by seed, easing, Hermite pieces, filters."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Noise", "hermite", "knots", "smooth", "smoothstep", "widened"]

Array = np.ndarray[Any, np.dtype[Any]]


class Noise:
    """A smooth random curve of time: a few slow waves with seeded phases, about -1 to 1."""

    def __init__(
        self, random: np.random.Generator, slowest: float = 0.04, quickest: float = 0.22, waves: int = 5
    ):
        self._frequency = random.uniform(slowest, quickest, waves)
        self._phase = random.uniform(0, 2 * np.pi, waves)
        weight = 1 / np.sqrt(self._frequency)
        self._weight = weight / np.sqrt((weight**2).sum() / 2) / 1.6

    def __call__(self, t: Array) -> Array:
        angle = 2 * np.pi * self._frequency * np.asarray(t)[..., None] + self._phase
        return np.asarray((np.sin(angle) * self._weight).sum(axis=-1))


def smoothstep(x: Array, low: float = 0.0, high: float = 1.0) -> Array:
    """Return 0 below `low`, 1 above `high`, a cubic with level ends between."""
    s = np.clip((np.asarray(x, dtype=float) - low) / (high - low), 0, 1)
    return np.asarray(s * s * (3 - 2 * s))


def hermite(s: Array, p0: Any, v0: Any, p1: Any, v1: Any) -> Array:
    """Return the cubic with values `p` and slopes `v` (in units of `s`) at s = 0 and 1."""
    ease = s * s * (3 - 2 * s)
    return np.asarray(p0 * (1 - ease) + v0 * s * (1 - s) ** 2 + p1 * ease + v1 * s * s * (s - 1))


def knots(s: Array, places: list[float], values: list[float], first: float, last: float) -> Array:
    """Return a curve through `values` at `places` with the slopes `first` and `last` at its ends."""
    x, y = np.array(places), np.array(values)
    slope = np.empty(len(x))
    slope[1:-1] = (y[2:] - y[:-2]) / (x[2:] - x[:-2])
    slope[0], slope[-1] = first, last
    i = np.clip(np.searchsorted(x, s, side="right") - 1, 0, len(x) - 2)
    width = x[i + 1] - x[i]
    return hermite((s - x[i]) / width, y[i], slope[i] * width, y[i + 1], slope[i + 1] * width)


def smooth(values: Array, deviation: float) -> Array:
    """Return `values [N, ...]` after a Gaussian filter of `deviation` samples; ends are held."""
    if deviation <= 0:
        return values
    reach = int(np.ceil(3 * deviation))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([np.repeat(values[:1], reach, 0), values, np.repeat(values[-1:], reach, 0)])
    flat = padded.reshape(len(padded), -1)
    columns = [np.convolve(column, kernel, mode="valid") for column in flat.T]
    return np.stack(columns, 1).reshape(values.shape)


def widened(values: Array, reach: int) -> Array:
    """Return the largest of `values [N]` within `reach` samples on either side."""
    padded = np.pad(values, reach, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1))
