"""The loop of the fused convolution, compiled. Imports Numba: only `_extremes` imports this, when asked.

Products and sums are neither fused nor reordered, so that the results are those of plain NumPy to the
last bit.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["extremes"]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def extremes(
    parts: np.ndarray, slots: np.ndarray, scale: np.ndarray, shift: np.ndarray, out: np.ndarray
) -> None:
    """Write the largest and smallest value of each channel over all positions, as `_extremes.plain` does."""
    positions, channels = shift.shape
    taps = parts.shape[1] // channels
    total = np.empty(channels, np.float32)
    high, low = np.full(channels, -np.inf, np.float32), np.full(channels, np.inf, np.float32)
    for p in range(positions):
        total[:] = shift[p]
        for k in range(taps):
            begin, end = k * channels, (k + 1) * channels
            a, b = parts[slots[p + k, 0], begin:end], parts[slots[p + k, 1], begin:end]
            c, d = parts[slots[p + k, 2], begin:end], parts[slots[p + k, 3], begin:end]
            factor = scale[p + k]
            for i in range(channels):
                total[i] += factor * ((a[i] + b[i]) + (c[i] + d[i]))
        for i in range(channels):
            high[i] = max(high[i], total[i])
            low[i] = min(low[i], total[i])
    out[0], out[1] = high, low
