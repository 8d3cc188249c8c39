"""Mean, deviation and range of columns, of rows that come in pieces."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

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
    def of(cls, rows: Array, first: int, last: int, offsets: Sequence[int]) -> Moments:
        """Measure `rows [T, S]` at frames `first` to `last` (not with it) plus each of the offsets.

        Offsets see nearly the same rows: these are summed once, and what an offset does not see is
        taken off, all relative to the mean of the whole so that nothing is lost by it.
        """
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
