"""The slopes of keys that have none of their own, for many curves at once."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CLAMP_PROGRESSIVE",
    "CONSTANT",
    "CONSTANT_NEXT",
    "CUBIC",
    "LINEAR",
    "THIRD",
    "TIME_INDEPENDENT",
    "Rows",
    "auto_slopes",
    "straighten",
    "tcb_slopes",
]

Array = NDArray[Any]

CONSTANT, CONSTANT_NEXT, LINEAR, CUBIC = range(4)
"""How a key goes on to the next: its own value, the next one's, a straight line, a Bézier segment."""

THIRD: Final = 1 / 3
"""The weight of a tangent that has none of its own."""

TIME_INDEPENDENT, CLAMP, CLAMP_PROGRESSIVE = 0x2000, 0x1000, 0x4000
"""Flags of keys with automatic tangents (FbxAnimCurveDef of the FBX SDK)."""


@attrs.frozen(eq=False)
class Rows:
    """Many curves whose keys stand one after another, K in all.

    Attributes:
        counts: `[C]`, keys of each curve, one at least.
        starts: `[C]`, where each curve begins.
        head, tail: `[K]`, whether a key is the first or the last of its curve.
    """

    counts: Array
    starts: Array
    head: Array
    tail: Array

    @classmethod
    def of(cls, counts: Array) -> Rows:
        """Return where curves of so many keys lie."""
        ends = np.cumsum(counts)
        starts = ends - counts
        head, tail = np.zeros((2, int(counts.sum())), bool)
        head[starts], tail[ends - 1] = True, True
        return cls(counts, starts, head, tail)

    def before(self, column: Array, first: Any) -> Array:
        """Return what `column [K]` holds of the key before each; `first` where there is none."""
        found = np.empty_like(column)
        found[1:] = column[:-1]
        found[self.head] = first
        return found

    def rates(self, times: Array, values: Array) -> tuple[Array, Array]:
        """Return of the segment that begins at each key its seconds and its slope `[K]`; 1 and 0 at the last."""
        spans, rates = np.ones(len(times)), np.zeros(len(times))
        spans[:-1] = np.maximum(np.diff(times), 1e-300)
        rates[:-1] = np.diff(values)
        spans[self.tail], rates[self.tail] = 1.0, 0.0
        return spans, rates / spans


def straighten(rows: Rows, times: Array, values: Array, kinds: Array, slopes: Array) -> None:
    """Give segments that are no curves the slopes they have, for what goes on with them beyond the ends."""
    step = (kinds == CONSTANT) | (kinds == CONSTANT_NEXT)
    slopes[step, 1] = 0.0
    slopes[np.flatnonzero(step & ~rows.tail) + 1, 0] = 0.0
    line = np.flatnonzero((kinds == LINEAR) & ~rows.tail)
    if len(line):
        rate = rows.rates(times, values)[1][line]
        slopes[line, 1] = rate
        slopes[line + 1, 0] = rate


def auto_slopes(rows: Rows, times: Array, values: Array, weights: Array, flags: Array, hints: Array) -> Array:
    """Return the slopes `[K, 2]` per second at which automatic tangents arrive and leave.

    The secant through both neighbours; unless a key is `TIME_INDEPENDENT` half of it gives way to the
    secants on either side, the nearer one weighing more, and a bias draws it towards one of them. `CLAMP`
    makes keys as high as a neighbour flat, `CLAMP_PROGRESSIVE` holds tangents back so that none ends beyond
    a neighbour's value. (FbxAnimCurveDef of the FBX SDK names these; how they are worked out is not
    documented: this is what ufbx, `ufbxi_solve_auto_tangent`, found out from exporters.)

    Args:
        rows: which keys are whose.
        times: `[K]` s.
        values: `[K]`.
        weights: `[K, 2]`, which part of its segment each tangent spans.
        flags: `[K]`, of each key.
        hints: `[K, 2]`, the numbers stored in place of slopes: biases in percent.
    """
    spans, rates = rows.rates(times, values)
    before = rows.before(spans, 1.0), rows.before(rates, 0.0)
    slopes = np.zeros((len(times), 2))
    end = rows.head | rows.tail
    only = np.where(rows.head, rates, before[1])  # the one secant that a key at an end has
    free = flags & TIME_INDEPENDENT == 0
    held = flags & CLAMP_PROGRESSIVE != 0
    unlike = np.abs(hints.sum(axis=1)) > 1e-4
    for side, bias in ((0, np.where(unlike, -hints[:, 0], hints[:, 1])), (1, hints[:, 1])):
        ends = np.where(held, 0.0, only + np.where(free, _beyond(bias), 0.0))
        slopes[:, side] = np.where(end, ends, _inner(before, (spans, rates), weights, free, held, bias))
    flat = np.zeros(len(times), bool)
    flat[:-1] = values[1:] == values[:-1]
    flat &= ~rows.tail
    flat |= rows.before(flat, False)
    slopes[(flat & (flags & CLAMP != 0)) | (rows.head & rows.tail)] = 0.0
    return slopes


def _inner(
    before: tuple[Array, Array],
    after: tuple[Array, Array],
    weights: Array,
    free: Array,
    held: Array,
    bias: Array,
) -> Array:
    """Return the slopes `[K]` of keys that have two neighbours: spans and secants `before` and `after`."""
    left, right = before[1], after[1]
    total = before[0] + after[0]
    slope = (left * before[0] + right * after[0]) / total
    part = before[0] / total
    drawn = 0.5 * slope + 0.5 * (left * (1 - part) + right * part)
    target = np.where(bias > 0, right, left)
    pull = np.abs(bias) / 100.0
    sign = np.where(np.abs(target - drawn) > 1e-5, target - drawn, bias)
    drawn = np.where(pull > 1e-4, drawn * (1 - pull) + target * pull, drawn)
    drawn = drawn + np.where(sign > 0, 1.0, -1.0) * np.abs(_beyond(bias))
    slope = np.where(free, drawn, slope)
    sign = np.where(slope < 0, -1.0, 1.0)
    most = np.minimum(
        sign * left / np.maximum(weights[:, 0], 1e-300), sign * right / np.maximum(weights[:, 1], 1e-300)
    )
    most = sign * np.minimum(np.abs(slope), np.maximum(most, 0.0))
    found: Array = np.where(held, most, slope)
    return found


def _beyond(bias: Array) -> Array:
    """Return what a bias beyond 500 percent adds of its own to a slope."""
    over: Array = 40.0 * np.maximum(np.abs(bias) / 100.0 - 5.0, 0.0) ** 2 * np.where(bias > 0, 1.0, -1.0)
    return over


def tcb_slopes(
    rows: Rows, times: Array, values: Array, tension: Array, continuity: Array, bias: Array
) -> Array:
    """Return the arriving and leaving slopes `[K, 2]` of Kochanek and Bartels (SIGGRAPH 1984).

    Their tangents are per segment; at keys unevenly spaced both are put on one clock. At the ends the one
    neighbour counts in full.
    """
    after = rows.rates(times, values)[1]
    before = rows.before(after, 0.0)
    t, c, b = 1 - tension, continuity, bias
    part = np.where(rows.head | rows.tail, 1.0, 0.5)
    arrive = part * t * ((1 + b) * (1 - c) * before + (1 - b) * (1 + c) * after)
    leave = part * t * ((1 + b) * (1 + c) * before + (1 - b) * (1 - c) * after)
    return np.stack([arrive, leave], axis=1)
