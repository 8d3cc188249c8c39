"""The two loops over a file's positions: in plain NumPy, or compiled with Numba, with the same bits."""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from typing import Protocol

import numpy as np

__all__ = ["PLAIN", "Loops", "available", "compiled"]

_LOG = logging.getLogger("kinetoscope.magika")


class Loops(Protocol):
    """Both loops."""

    def moments(self, table: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and mean square `[4, 64]` over the positions, by place and channel.

        Args:
            table: `[4 * 257, 64]`, the activations of every byte at every place.
            codes: `[512, 4]`, which row of `table` stands at each position and place.
        """
        ...

    def extremes(
        self, parts: np.ndarray, slots: np.ndarray, scale: np.ndarray, shift: np.ndarray, out: np.ndarray
    ) -> None:
        """Write the largest and smallest value of each channel of the convolution to `out` `[2, C]`.

        Args:
            parts: `[D, 5 * C]`, what each byte at each place gives to each tap and channel.
            slots: `[512, 4]`, which row of `parts` stands at each position and place.
            scale: `[512]`, by which the position's rows are multiplied.
            shift: `[508, C]`, what is there whatever the bytes are.
        """
        ...


class _Plain:
    def moments(self, table: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = table[codes]
        mean = x.mean(axis=0)
        return mean, np.multiply(x, x, out=x).mean(axis=0)

    def extremes(
        self, parts: np.ndarray, slots: np.ndarray, scale: np.ndarray, shift: np.ndarray, out: np.ndarray
    ) -> None:
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


PLAIN: Loops = _Plain()


@cache
def available() -> bool:
    """Tell whether Numba can be imported, without importing it."""
    return find_spec("numba") is not None


@cache
def compiled() -> Loops:
    """Return the loops in compiled code: ten times as fast, and without the interpreter's lock.

    A Numba that is there and does not work (it is made for another NumPy, it finds no folder for its
    cache) gives the plain loops, which have the same answers.
    """
    try:
        from kinetoscope_magika._kernel import Compiled
    except Exception as error:  # noqa: BLE001 - Numba raises ImportError, RuntimeError and its own
        _LOG.warning("Numba can't be used, detection of many files is slower: %r", error)
        return PLAIN
    return Compiled()
