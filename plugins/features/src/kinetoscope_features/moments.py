"""Mean, deviation and range of columns, of rows that come in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import attrs
import numpy as np

from kinetoscope_features import fused
from kinetoscope_features.body import Array

__all__ = ["Moments"]


@attrs.frozen(eq=False)
class Moments:
    """What is known of S columns at K offsets.

    Merging is exact but for rounding (Chan, Golub and LeVeque 1983, "Algorithms for Computing the Sample
    Variance", equation 2.1), and stable however far the columns lie from 0.

    Attributes:
        count: rows.
        mean: `[K, S]`.
        squares: `[K, S]`, the sum of squared distances from the mean.
        low, high: `[S]`, over all offsets.
    """

    count: int
    mean: Array
    squares: Array
    low: Array
    high: Array

    @classmethod
    def empty(cls, offsets: int, columns: int) -> Moments:
        """Return what is known of no rows."""
        none = np.zeros((offsets, columns))
        return cls(0, none, none, np.full(columns, np.inf), np.full(columns, -np.inf))

    @classmethod
    def of(
        cls, rows: Array, first: int, last: int, offsets: Sequence[int], *, compiled: bool | None = None
    ) -> Moments:
        """Measure `rows [T, S]` at frames `first` to `last` (not with it) plus each of the offsets.

        Offsets see nearly the same rows: these are summed once, and what an offset does not see is
        taken off, all relative to the mean of the whole so that nothing is lost by it.

        Args:
            rows: float32 or float64; sums are float64.
            first, last, offsets: as above.
            compiled: whether by compiled code, which sums in another order; None is where Numba is
                installed and rows are float32.
        """
        if compiled is None:
            compiled = rows.dtype == np.float32 and fused.available()
        if compiled:
            sizes = (len(offsets), rows.shape[1])
            mean, squares, low, high = (np.empty(size) for size in (sizes, sizes, sizes[1], sizes[1]))
            stored = np.ascontiguousarray(rows, np.float32)
            _compiled()(stored, first, last, np.asarray(offsets, np.int64), mean, squares, low, high)
            return cls(last - first, mean, squares, low, high)
        rows = np.asarray(rows, np.float64)
        centre = rows.mean(axis=0)
        off = rows - centre
        total, square = off.sum(axis=0), (off * off).sum(axis=0)
        count = last - first
        mean, squares = (np.empty((len(offsets), rows.shape[1])) for _ in range(2))
        for k, offset in enumerate(offsets):
            out = np.concatenate([off[: first + offset], off[last + offset :]])
            part = total - out.sum(axis=0)
            mean[k] = centre + part / count
            squares[k] = np.maximum(square - (out * out).sum(axis=0) - part * part / count, 0.0)
        seen = rows[first + min(offsets) : last + max(offsets)]
        return cls(count, mean, squares, seen.min(axis=0), seen.max(axis=0))

    def merged(self, other: Moments) -> Moments:
        """Return what is known of the rows of both."""
        count = self.count + other.count
        if not other.count or not self.count:
            return other if other.count else self
        shift = other.mean - self.mean
        return Moments(
            count,
            self.mean + shift * (other.count / count),
            self.squares + other.squares + shift * shift * (self.count * other.count / count),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    def viewed(self, columns: Array, signs: Array) -> Moments:
        """Return what is known of rows whose column j is `signs[j]` times column `columns[j]` of these."""
        ends = np.stack([self.low[columns] * signs, self.high[columns] * signs])
        return Moments(
            self.count,
            self.mean[:, columns] * signs,
            self.squares[:, columns],
            ends.min(axis=0),
            ends.max(axis=0),
        )


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., None]:
    """Return `_measure` compiled by Numba."""
    import numba
    from numba import types

    sums = types.Array(types.float64, 2, "C")
    ends = types.Array(types.float64, 1, "C")
    signature = types.void(
        types.Array(types.float32, 2, "C", readonly=True),
        types.int64,
        types.int64,
        types.Array(types.int64, 1, "C", readonly=True),
        sums,
        sums,
        ends,
        ends,
    )
    made: Callable[..., None] = numba.njit(signature, cache=True, nogil=True)(_measure)
    return made


def _measure(  # noqa: PLR0912 - one function for the compiler
    rows: Any, first: int, last: int, offsets: Any, mean: Any, squares: Any, low: Any, high: Any
) -> None:
    """What `Moments.of` says, row after row: each is read twice and nothing is kept of it."""
    frames, size = rows.shape
    centre, total, square = np.zeros(size), np.zeros(size), np.zeros(size)
    for t in range(frames):
        for c in range(size):
            centre[c] += rows[t, c]
    for c in range(size):
        centre[c] /= frames
    for t in range(frames):
        for c in range(size):
            off = rows[t, c] - centre[c]
            total[c] += off
            square[c] += off * off
    begin, end = first + offsets.min(), last + offsets.max()
    for c in range(size):
        low[c] = high[c] = rows[begin, c]
    for t in range(begin, end):
        for c in range(size):
            low[c] = min(low[c], rows[t, c])
            high[c] = max(high[c], rows[t, c])
    count = last - first
    out, outs = np.empty(size), np.empty(size)
    for k in range(len(offsets)):
        out[:] = 0.0
        outs[:] = 0.0
        for t in range(frames):
            if first + offsets[k] <= t < last + offsets[k]:
                continue
            for c in range(size):
                off = rows[t, c] - centre[c]
                out[c] += off
                outs[c] += off * off
        for c in range(size):
            part = total[c] - out[c]
            mean[k, c] = centre[c] + part / count
            squares[k, c] = max(square[c] - outs[c] - part * part / count, 0.0)
