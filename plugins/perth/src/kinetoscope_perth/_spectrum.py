"""Sound to the network's spectra and back, at any sample rate and without resampling.

The network was trained on frames of 64 ms every 10 ms at 32 kHz and looks at 0 to 2 kHz only. A
Fourier sum over these 128 frequencies can be taken at whatever rate the sound has: no resampler
comes between the mark and the sound, and a sound that was played at another speed is one of another
rate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import attrs
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from kinetoscope_perth._weights import BINS

__all__ = ["FLOOR_DB", "FRAMES_PER_S", "QUIET", "SPAN_DB", "STEP_HZ", "Grid", "amplified", "levels"]

Array = NDArray[Any]

FRAMES_PER_S: Final = 100
WINDOW_S: Final = 0.064
STEP_HZ: Final = 1 / WINDOW_S
TRAINED_HZ: Final = 32_000
"""Sample rate of the training: amplitudes are sums over that many samples a second."""

FLOOR: Final = 1e-9
FLOOR_DB: Final = -180.0
SPAN_DB: Final = 195.0
"""The network's unit: 0 at the floor, 1 at 15 dB."""

QUIET: Final = 0.05
"""Mean level, in that unit, below which a frame is digital silence: no mark is put there or looked for."""

OVERLAP: Final = 0.375 * WINDOW_S * FRAMES_PER_S
"""What squared Hann windows of all frames add up to."""


@attrs.frozen(eq=False)
class Grid:
    """Where the frames of a sound lie, and the Fourier sums over one.

    Attributes:
        rate: samples per second, of any size; not whole where another speed is assumed.
        size: samples of a frame.
        forward: float32 `[size, 2 * BINS]`, windowed cosines, then negative sines.
        backward: float32 `[2 * BINS, size]`, its inverse, windowed for overlap and add.
    """

    rate: float
    size: int
    forward: Array
    backward: Array

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, rate: float) -> Grid:
        """Return the grid of a sample rate."""
        size = round(WINDOW_S * rate)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
        turns = np.arange(size)[:, None] * (STEP_HZ / rate) * np.arange(BINS)
        waves = np.concatenate([np.cos(2 * np.pi * turns), -np.sin(2 * np.pi * turns)], axis=1)
        waves *= window[:, None]
        once = np.where(np.arange(2 * BINS) % BINS == 0, 0.5, 1.0)  # 0 Hz has no mirror image
        back = waves.T * (once * 2 / (WINDOW_S * TRAINED_HZ) / OVERLAP)[:, None]
        forward = waves * (TRAINED_HZ / rate)
        return cls(rate, size, forward.astype(np.float32), back.astype(np.float32))

    def start(self, frame: int) -> int:
        """Return the first sample of a frame, which is before the sound's own for the first few."""
        return round(frame * self.rate / FRAMES_PER_S) - self.size // 2

    def count(self, samples: int) -> int:
        """Return how many frames have their middle within so many samples, or at their end."""
        frames = int(samples * FRAMES_PER_S / self.rate) + 2
        while self.start(frames - 1) + self.size // 2 > samples:
            frames -= 1
        return frames

    def spectra(self, samples: Array, base: int, frames: range) -> Array:
        """Return `[T, 2 * BINS]`, real parts then imaginary ones.

        `samples` `[N]` hold all that the frames cover; the first of them is the sound's `base`-th.
        """
        if not frames:
            return np.zeros((0, 2 * BINS), np.float32)
        starts = np.array([self.start(frame) - base for frame in frames])
        pieces = sliding_window_view(samples, self.size)[starts]
        spectra: Array = pieces @ self.forward
        return spectra


def levels(spectra: Array) -> Array:
    """Return magnitudes `[T, BINS]` in the network's unit."""
    power = spectra[:, :BINS] ** 2 + spectra[:, BINS:] ** 2
    decibels = 10 * np.log10(np.maximum(power, np.float32(FLOOR**2)))
    scaled: Array = (decibels - np.float32(FLOOR_DB)) / np.float32(SPAN_DB)
    return scaled


def amplified(spectra: Array, change: Array) -> Array:
    """Return by what spectra change when their levels do by `change` `[T, BINS]`."""
    gains = np.expm1(np.float32(np.log(10) * SPAN_DB / 20) * change)
    moved: Array = spectra * np.concatenate([gains, gains], axis=1)
    return moved
