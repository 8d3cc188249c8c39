"""Animation curves: keys, the ways between them, and how they go on before the first and after the last."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import KTIME
from kinetoscope_fbx._tangents import CONSTANT_NEXT, CUBIC, LINEAR, THIRD, Rows

__all__ = ["NO_CURVES", "Curves", "End"]

Array = NDArray[Any]
End = tuple[str, int]

_STEPS: Final = 64
"""More than halving alone takes to the last digit; ten do as a rule."""
_AT_ONCE: Final = 1 << 15
"""Curves times frames that are worked out at once; each takes up to 200 bytes meanwhile."""


@attrs.frozen(eq=False, slots=False)
class Curves:
    """Numbers over time: C curves, whose keys stand one after another, K in all.

    Attributes:
        rows: which keys are whose; each curve has one at least.
        times: `[K]` s, ascending within a curve.
        values: `[K]`.
        kinds: `[K]`, of the segment that begins at each key.
        slopes: `[K, 2]` per second, of the tangents that arrive at and leave each key.
        weights: `[K, 2]`, which part of its segment each tangent spans.
        ends: of each curve what comes before and after: the letter of the extrapolation (`C` constant, `R`
            repetition, `M` mirror, `K` keep slope, `A` repetition that starts where the last one ended),
            and how often (-1: for ever).
    """

    rows: Rows
    times: Array
    values: Array
    kinds: Array
    slopes: Array
    weights: Array
    ends: list[tuple[End, End]]

    @cached_property
    def is_still(self) -> Array:
        """Whether a curve has one value at all times, `[C]`: keys are equal, and no tangent leaves them."""
        counts, starts = self.rows.counts, self.rows.starts
        moves = (self.values != np.repeat(self.values[starts], counts)) | self.slopes.any(axis=1)
        still: Array = (counts < 2) | ~np.logical_or.reduceat(moves, starts)
        return still

    def at(self, chosen: Array, times: Array) -> Array:
        """Return the values of some curves at `times [F]` s, ascending: `[len(chosen), F]`."""
        found = np.repeat(self.values[self.rows.starts[chosen]][:, None], len(times), axis=1)
        moved = np.flatnonzero(~self.is_still[chosen])
        step = max(_AT_ONCE // max(len(times), 1), 1)
        for start in range(0, len(moved), step):
            part = moved[start : start + step]
            found[part] = self._moved(chosen[part], times)
        return found

    def _moved(self, chosen: Array, times: Array) -> Array:
        starts = self.rows.starts[chosen]
        lasts = starts + self.rows.counts[chosen] - 1
        folded = np.broadcast_to(times, (len(chosen), len(times)))
        folds = np.flatnonzero(self._ending("RMA")[chosen])
        added = np.zeros((len(folds), len(times)))
        if len(folds):
            folded = folded.copy()
            for i, row in enumerate(folds):
                folded[row], added[i] = self._folded(int(chosen[row]), times)
        folded = np.clip(folded, self.times[starts][:, None], self.times[lasts][:, None])
        found = self._between(self._segments(starts, lasts, folded, times, plain=not len(folds)), folded)
        found[folds] += added
        for row in np.flatnonzero(self._ending("K")[chosen]):
            self._keep_slope(int(chosen[row]), times, found[row])
        return found

    def _ending(self, letters: str) -> Array:
        """Tell of each curve whether it goes on in one of these ways, `[C]`."""
        return np.array([before[0] in letters or after[0] in letters for before, after in self.ends])

    def _keep_slope(self, curve: int, times: Array, found: Array) -> None:
        """Write the values `[F]` beyond the ends of a curve that goes on straight there."""
        before, after = self.ends[curve]
        start = self.rows.starts[curve]
        end = start + self.rows.counts[curve] - 1
        for letter, key, side in ((before[0], start, 1), (after[0], end, 0)):
            if letter == "K":
                outside = times < self.times[key] if side else times > self.times[key]
                found[outside] = (
                    self.values[key] + (times[outside] - self.times[key]) * self.slopes[key, side]
                )

    def _segments(self, starts: Array, lasts: Array, folded: Array, times: Array, *, plain: bool) -> Array:
        """Return the key at which the segment begins in which each of `folded [C, F]` lies."""
        counts = lasts - starts + 1
        if plain and counts.sum() <= 4 * folded.size:
            # How many keys lie at or before a frame: all are counted where they come up, and summed.
            width = len(times) + 1
            owner = np.repeat(np.arange(len(starts)), counts)
            keys = np.arange(len(owner)) + np.repeat(starts - (counts.cumsum() - counts), counts)
            first = np.searchsorted(times, self.times[keys], side="left")
            counted = np.bincount(owner * width + first, minlength=len(starts) * width)
            found = counted.reshape(-1, width)[:, :-1].cumsum(axis=1)
        else:
            found = np.array(
                [
                    np.searchsorted(self.times[a : b + 1], row, side="right")
                    for a, b, row in zip(starts, lasts, folded, strict=True)
                ]
            )
        segments: Array = starts[:, None] + np.clip(found - 1, 0, (lasts - starts - 1)[:, None])
        return segments

    def _folded(self, curve: int, times: Array) -> tuple[Array, Array]:
        """Return `times` brought between the first and last key, and what is added to their values."""
        start = self.rows.starts[curve]
        end = start + self.rows.counts[curve] - 1
        first, last = self.times[start], self.times[end]
        span, rise = last - first, self.values[end] - self.values[start]
        folded, added = times.copy(), np.zeros(len(times))
        before, after = self.ends[curve]
        for (letter, most), outside in ((before, times < first), (after, times > last)):
            if letter not in "RMA" or span <= 0 or not outside.any():
                continue
            # In ticks: seconds would fall to either side of a seam.
            past, whole_span = np.rint((times[outside] - first) * KTIME), np.rint(span * KTIME)
            whole = past / max(whole_span, 1.0)
            whole = np.where(whole < 0, np.ceil(whole) - 1, np.floor(whole))
            rounds = np.abs(whole)
            local = first + (past - whole * whole_span) / KTIME
            if letter == "M":
                local = np.where(whole % 2 == 1, first + last - local, local)
            if letter == "A":
                added[outside] = whole * rise
            if most >= 0:  # after so many repetitions the curve holds what it has then
                over = rounds > most
                far = np.where(whole < 0, first, last)
                if letter == "M" and most % 2 == 1:
                    far = first + last - far
                local = np.where(over, far, local)
                if letter == "A":
                    added[outside] = np.where(over, np.where(whole < 0, -most, most) * rise, added[outside])
            folded[outside] = local
        return folded, added

    def _between(self, keys: Array, times: Array) -> Array:
        """Return the values at `times [C, F]`, each in the segment that begins at one of `keys [C, F]`."""
        keys, times, shape = keys.ravel(), times.ravel(), times.shape
        start, a, b = self.times[keys], self.values[keys], self.values[keys + 1]
        kinds = self.kinds[keys]
        span = np.maximum(self.times[keys + 1] - start, 1e-300)
        u = (times - start) / span
        found = np.where(kinds == LINEAR, a + (b - a) * u, np.where(kinds == CONSTANT_NEXT, b, a))
        found = np.where(u >= 1, b, np.where(u <= 0, a, found))
        cubic = np.flatnonzero((kinds == CUBIC) & (u > 0) & (u < 1))
        if len(cubic):
            k = keys[cubic]
            found[cubic] = _bezier(
                u[cubic], a[cubic], b[cubic], span[cubic],
                self.slopes[k, 1], self.slopes[k + 1, 0], self.weights[k, 1], self.weights[k + 1, 0],
            )  # fmt: skip
        return found.reshape(shape)


_NOTHING: Final = np.zeros(0)
NO_CURVES: Final = Curves(
    Rows.of(np.zeros(0, np.int64)), _NOTHING, _NOTHING, _NOTHING, np.zeros((0, 2)), np.zeros((0, 2)), []
)


def _bezier(
    u: Array, a: Array, b: Array, span: Array, leave: Array, arrive: Array, out: Array, into: Array
) -> Array:
    """Return where Bézier segments stand at the parts `u` of their time."""
    s = u
    weighted = np.flatnonzero((np.abs(out - THIRD) > 1e-6) | (np.abs(into - THIRD) > 1e-6))
    if len(weighted):
        s = u.copy()
        s[weighted] = _parameter(u[weighted], out[weighted], into[weighted])
    r = 1 - s
    c1, c2 = a + leave * out * span, b - arrive * into * span
    value: Array = r * r * r * a + 3 * r * r * s * c1 + 3 * r * s * s * c2 + s * s * s * b
    return value


def _parameter(u: Array, out: Array, into: Array) -> Array:
    """Solve `3 s (1-s)² out + 3 s² (1-s) (1-into) + s³ = u`, which rises from 0 to 1.

    By Newton's steps; where one would leave the interval known to hold the solution that is halved instead.
    """
    low, high = np.zeros_like(u), np.ones_like(u)
    c1, c2 = 3 * out, 3 * (1 - into)
    s = u
    for _ in range(_STEPS):
        r = 1 - s
        over = s * r * r * c1 + s * s * r * c2 + s * s * s - u
        low, high = np.where(over < 0, s, low), np.where(over < 0, high, s)
        slope = r * (r - 2 * s) * c1 + s * (2 * r - s) * c2 + 3 * s * s
        step = s - over / np.where(np.abs(slope) > 1e-12, slope, 1e-12)
        step = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
        if (np.abs(step - s) <= 1e-15).all():
            break
        s = step
    return s
