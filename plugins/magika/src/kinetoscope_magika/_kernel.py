"""The loops of the restructured network, compiled. Imports Numba: only `_loops` imports this, when asked.

Products and sums are neither fused nor reordered, so that the results are those of plain NumPy to the
last bit.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["Compiled"]

_RING = 8
"""Positions whose sums are held: the next power of two after the convolution's five taps."""


class Compiled:
    """Both loops, as `_loops.Loops` describes them."""

    def moments(self, table: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out = np.zeros((2, codes.shape[1], table.shape[1]), np.float32)
        _moments(table, codes, out)
        return out[0], out[1]

    def extremes(
        self, parts: np.ndarray, slots: np.ndarray, scale: np.ndarray, shift: np.ndarray, out: np.ndarray
    ) -> None:
        _extremes(parts, slots, scale, shift, out)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _moments(table: np.ndarray, codes: np.ndarray, out: np.ndarray) -> None:
    positions, places = codes.shape
    width = table.shape[1]
    for p in range(positions):
        for place in range(places):
            row, mean, square = table[codes[p, place]], out[0, place], out[1, place]
            for i in range(width):
                mean[i] += row[i]
            for i in range(width):
                square[i] += row[i] * row[i]
    out /= np.float32(positions)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _extremes(
    parts: np.ndarray, slots: np.ndarray, scale: np.ndarray, shift: np.ndarray, out: np.ndarray
) -> None:
    channels, width = shift.shape[1], parts.shape[1]
    # All taps of a position lie side by side, so its four rows are added once; what they give to the
    # outputs before it waits in a ring.
    ring = np.empty((_RING, width), np.float32)
    total = np.empty(channels, np.float32)
    high, low = np.full(channels, -np.inf, np.float32), np.full(channels, np.inf, np.float32)
    for q in range(len(slots)):
        a, b, c, d = parts[slots[q, 0]], parts[slots[q, 1]], parts[slots[q, 2]], parts[slots[q, 3]]
        held, factor = ring[q % _RING], scale[q]
        for i in range(width):
            held[i] = factor * ((a[i] + b[i]) + (c[i] + d[i]))
        p = q - 4
        if p < 0:
            continue
        base, t0 = shift[p], ring[p % _RING]
        t1, t2 = ring[(p + 1) % _RING, channels:], ring[(p + 2) % _RING, 2 * channels :]
        t3, t4 = ring[(p + 3) % _RING, 3 * channels :], ring[q % _RING, 4 * channels :]
        for i in range(channels):
            total[i] = ((((base[i] + t0[i]) + t1[i]) + t2[i]) + t3[i]) + t4[i]
        for i in range(channels):
            high[i] = max(high[i], total[i])
        for i in range(channels):
            low[i] = min(low[i], total[i])
    out[0], out[1] = high, low
