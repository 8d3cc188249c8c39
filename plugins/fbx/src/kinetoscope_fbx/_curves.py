"""Animation curves: keys, the ways between them, and how they go on before the first and after the last."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import KTIME

__all__ = [
    "CLAMP_PROGRESSIVE",
    "CONSTANT",
    "CONSTANT_NEXT",
    "CUBIC",
    "LINEAR",
    "THIRD",
    "TIME_INDEPENDENT",
    "Curve",
    "auto_slopes",
    "tcb_slopes",
]

Array = NDArray[Any]

CONSTANT, CONSTANT_NEXT, LINEAR, CUBIC = range(4)
"""How a key goes on to the next: its own value, the next one's, a straight line, a Bézier segment."""

THIRD: Final = 1 / 3
"""The weight of a tangent that has none of its own."""

TIME_INDEPENDENT, CLAMP, CLAMP_PROGRESSIVE = 0x2000, 0x1000, 0x4000
"""Flags of keys with automatic tangents (FbxAnimCurveDef of the FBX SDK)."""

_BISECTIONS = 48


@attrs.frozen(eq=False, slots=False)
class Curve:
    """One number over time.

    Attributes:
        times: `[K]` s, ascending.
        values: `[K]`.
        kinds: `[K]`, of the segment that begins at each key.
        slopes: `[K, 2]` per second, of the tangents that arrive at and leave each key.
        weights: `[K, 2]`, which part of its segment each tangent spans.
        before, after: letter of the extrapolation (`C` constant, `R` repetition, `M` mirror, `K` keep
            slope, `A` repetition that starts where the last one ended), and how often (-1: for ever).
    """

    times: Array
    values: Array
    kinds: Array
    slopes: Array
    weights: Array
    before: tuple[str, int] = ("C", -1)
    after: tuple[str, int] = ("C", -1)

    def at(self, times: Array) -> Array:
        """Return the values at `times [F]` s, `[F]`."""
        if len(self.times) == 0:
            return np.zeros(len(times))
        if self.is_still:
            return np.full(len(times), self.values[0])
        first, last = self.times[0], self.times[-1]
        folded, added = self._folded(times)
        found = self._between(np.clip(folded, first, last)) + added
        for (letter, _), outside, end, slope in (
            (self.before, times < first, 0, self.slopes[0, 1]),
            (self.after, times > last, -1, self.slopes[-1, 0]),
        ):
            if letter == "K" and outside.any():
                found[outside] = self.values[end] + (times[outside] - self.times[end]) * slope
        return found

    @cached_property
    def is_still(self) -> bool:
        """Whether it has one value at all times: keys are equal, and no tangent leaves them."""
        if len(self.times) < 2:
            return True
        return bool((self.values == self.values[0]).all()) and not self.slopes.any()

    def _folded(self, times: Array) -> tuple[Array, Array | float]:
        """Return `times` brought between the first and last key, and what is added to their values."""
        first, last = self.times[0], self.times[-1]
        span = last - first
        folded, added = times, np.zeros(len(times))
        for (letter, most), outside in ((self.before, times < first), (self.after, times > last)):
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
                added[outside] = whole * (self.values[-1] - self.values[0])
            if most >= 0:  # after so many repetitions the curve holds what it has then
                over = rounds > most
                far = np.where(whole < 0, first, last)
                if letter == "M" and most % 2 == 1:
                    far = first + last - far
                local = np.where(over, far, local)
                if letter == "A":
                    kept = np.where(whole < 0, -most, most) * (self.values[-1] - self.values[0])
                    added[outside] = np.where(over, kept, added[outside])
            folded = folded.copy() if folded is times else folded
            folded[outside] = local
        return folded, added

    def _between(self, times: Array) -> Array:
        keys = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 2)
        start, end = self.times[keys], self.times[keys + 1]
        a, b = self.values[keys], self.values[keys + 1]
        kinds = self.kinds[keys]
        span = np.maximum(end - start, 1e-300)
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
        return found


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
    """Solve `3 s (1-s)² out + 3 s² (1-s) (1-into) + s³ = u`, which rises from 0 to 1, by bisection."""
    low, high = np.zeros_like(u), np.ones_like(u)
    for _ in range(_BISECTIONS):
        s = 0.5 * (low + high)
        r = 1 - s
        less = 3 * s * r * r * out + 3 * s * s * r * (1 - into) + s * s * s < u
        low, high = np.where(less, s, low), np.where(less, high, s)
    return 0.5 * (low + high)


def auto_slopes(times: Array, values: Array, weights: Array, flags: Array, hints: Array) -> Array:
    """Return the slopes `[K, 2]` per second at which automatic tangents arrive and leave.

    The secant through both neighbours; unless a key is `TIME_INDEPENDENT` half of it gives way to the
    secants on either side, the nearer one weighing more, and a bias draws it towards one of them. `CLAMP`
    makes keys as high as a neighbour flat, `CLAMP_PROGRESSIVE` holds tangents back so that none ends beyond
    a neighbour's value. (FbxAnimCurveDef of the FBX SDK names these; how they are worked out is not
    documented: this is what ufbx, `ufbxi_solve_auto_tangent`, found out from exporters.)

    Args:
        times: `[K]` s.
        values: `[K]`.
        weights: `[K, 2]`, which part of its segment each tangent spans.
        flags: `[K]`, of each key.
        hints: `[K, 2]`, the numbers stored in place of slopes: biases in percent.
    """
    slopes = np.zeros((len(times), 2))
    if len(times) < 2:
        return slopes
    spans = np.maximum(np.diff(times), 1e-300)
    secants = np.diff(values) / spans
    free = flags & TIME_INDEPENDENT == 0
    unlike = np.abs(hints.sum(axis=1)) > 1e-4
    for side, bias in ((0, np.where(unlike, -hints[:, 0], hints[:, 1])), (1, hints[:, 1])):
        ends = np.array([secants[0], secants[-1]])
        ends += np.where(free[[0, -1]], _beyond(bias[[0, -1]]), 0.0)
        slopes[[0, -1], side] = np.where(flags[[0, -1]] & CLAMP_PROGRESSIVE, 0.0, ends)
        slopes[1:-1, side] = _inner(secants, spans, weights[1:-1], flags[1:-1], bias[1:-1])
    flat = np.concatenate([values[1:] == values[:-1], [False]])
    flat[1:] |= flat[:-1].copy()
    slopes[flat & (flags & CLAMP != 0)] = 0.0
    return slopes


def _inner(secants: Array, spans: Array, weights: Array, flags: Array, bias: Array) -> Array:
    """Return the slopes of keys that have two neighbours, `[K - 2]`."""
    before, after, left, right = spans[:-1], spans[1:], secants[:-1], secants[1:]
    total = before + after
    slope = (left * before + right * after) / total
    part = before / total
    drawn = 0.5 * slope + 0.5 * (left * (1 - part) + right * part)
    target = np.where(bias > 0, right, left)
    pull = np.abs(bias) / 100.0
    sign = np.where(np.abs(target - drawn) > 1e-5, target - drawn, bias)
    drawn = np.where(pull > 1e-4, drawn * (1 - pull) + target * pull, drawn)
    drawn = drawn + np.where(sign > 0, 1.0, -1.0) * np.abs(_beyond(bias))
    slope = np.where(flags & TIME_INDEPENDENT, slope, drawn)
    sign = np.where(slope < 0, -1.0, 1.0)
    most = np.minimum(
        sign * left / np.maximum(weights[:, 0], 1e-300), sign * right / np.maximum(weights[:, 1], 1e-300)
    )
    held = sign * np.minimum(np.abs(slope), np.maximum(most, 0.0))
    found: Array = np.where(flags & CLAMP_PROGRESSIVE, held, slope)
    return found


def _beyond(bias: Array) -> Array:
    """Return what a bias beyond 500 percent adds of its own to a slope."""
    over: Array = 40.0 * np.maximum(np.abs(bias) / 100.0 - 5.0, 0.0) ** 2 * np.where(bias > 0, 1.0, -1.0)
    return over


def tcb_slopes(times: Array, values: Array, tension: Array, continuity: Array, bias: Array) -> Array:
    """Return the arriving and leaving slopes `[K, 2]` of Kochanek and Bartels (SIGGRAPH 1984).

    Their tangents are per segment; at keys unevenly spaced both are put on one clock. At the ends the one
    neighbour counts in full.
    """
    rate = np.diff(values) / np.maximum(np.diff(times), 1e-300)
    before, after = np.concatenate([[0.0], rate]), np.concatenate([rate, [0.0]])
    t, c, b = 1 - tension, continuity, bias
    part = np.full(len(times), 0.5)
    part[[0, -1]] = 1.0
    arrive = part * t * ((1 + b) * (1 - c) * before + (1 - b) * (1 + c) * after)
    leave = part * t * ((1 + b) * (1 + c) * before + (1 - b) * (1 - c) * after)
    return np.stack([arrive, leave], axis=1)
