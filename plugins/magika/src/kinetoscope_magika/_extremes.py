"""The largest and smallest value of each channel of the convolution: plain, or compiled with Numba."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import numpy as np

__all__ = ["available", "compiled", "plain"]


def plain(
    parts: np.ndarray, slots: np.ndarray, scale: np.ndarray, shift: np.ndarray, out: np.ndarray
) -> None:
    """Write both `[2, 512]` to `out`.

    Args:
        parts: `[D, 5 * 512]`, what each byte at each place gives to each tap and channel.
        slots: `[512, 4]`, which row of `parts` stands at each position and place.
        scale: `[512]`, by which the position's rows are multiplied.
        shift: `[508, 512]`, what is there whatever the bytes are.
    """
    positions, channels = shift.shape
    total, one, two = shift.copy(), np.empty_like(shift), np.empty_like(shift)
    for k in range(parts.shape[1] // channels):
        tap = parts[:, k * channels : (k + 1) * channels]
        rows = slots[k : k + positions]
        np.add(tap[rows[:, 0]], tap[rows[:, 1]], out=one)
        np.add(tap[rows[:, 2]], tap[rows[:, 3]], out=two)
        np.add(one, two, out=one)
        np.multiply(one, scale[k : k + positions, None], out=one)
        np.add(total, one, out=total)
    total.max(axis=0, out=out[0])
    total.min(axis=0, out=out[1])


@cache
def available() -> bool:
    """Tell whether Numba can be imported, without importing it."""
    return find_spec("numba") is not None


def compiled(
    parts: np.ndarray, slots: np.ndarray, scale: np.ndarray, shift: np.ndarray, out: np.ndarray
) -> None:
    """Do the same in compiled code, five times as fast, without the interpreter's lock."""
    from kinetoscope_magika._kernel import extremes

    extremes(parts, slots, scale, shift, out)
