"""Smooth curves: noise by seed, easing, Hermite pieces, filters."""

from __future__ import annotations

import numpy as np

__all__ = ["Noise", "hermite", "knots", "quintic", "smooth", "smoothstep", "widened"]

Array = np.ndarray


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
    return s * s * (3 - 2 * s)


def hermite(s: Array, p0: float, v0: float, p1: float, v1: float) -> Array:
    """Return the cubic with values `p` and slopes `v` (in units of `s`) at s = 0 and 1."""
    return (
        p0 * (1 + 2 * s) * (1 - s) ** 2
        + v0 * s * (1 - s) ** 2
        + p1 * s * s * (3 - 2 * s)
        + v1 * s * s * (s - 1)
    )


def quintic(s: Array, p0: Array, v0: Array, p1: Array, v1: Array) -> Array:
    """Return the quintic with values `p`, slopes `v` and no curvature at s = 0 and 1.

    `s [N]` against `p, v [D]` gives `[N, D]`.
    """
    s = np.asarray(s)[:, None]
    ease = s**3 * (10 - 15 * s + 6 * s * s)
    start = s - 6 * s**3 + 8 * s**4 - 3 * s**5
    end = -4 * s**3 + 7 * s**4 - 3 * s**5
    return p0 + (p1 - p0) * ease + v0 * start + v1 * end


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
