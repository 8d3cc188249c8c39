"""`_cases.close` on any array library: chains bent evenly until they reach as far as their targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from kinetoscope_fabrik._arrays_start import longest_of
from kinetoscope_fabrik._arrays_vectors import Vectors
from kinetoscope_fabrik._constants import EXACT, FOLDS, SECANTS

_STEP = 1e-6
"""Of the bend, which is a share: over it the slope is taken that its gradient needs."""


def close(v: Vectors, joints: Sequence[Any], lengths: list[Any], goal: Any) -> tuple[Any, ...]:
    """Return the joints bent to their targets; chains for which no bend is found stay as they are."""
    distance, u = v.size(goal), v.unit(goal)
    if len(lengths) == 2:
        return _two(v, joints, lengths, distance, u)
    way = [v.unit(b - a, u) for a, b in pairwise(joints)]
    total = sum(lengths)
    constant = v.library.constant
    held = [constant(w) for w in way], [constant(one) for one in lengths], constant(u)
    bend, signs = _search(v, *held, constant(distance), constant(total))

    def over(parts: tuple[Any, Any, Any], at: Any, far: Any) -> Any:
        return v.size(_bent(v, *parts, at, signs)[-1]) - far

    slope = (over(held, bend + _STEP, 0.0) - over(held, bend - _STEP, 0.0)) / (2 * _STEP)
    slope = v.xp.where(v.xp.abs(slope) < EXACT * constant(total), v.xp.ones_like(slope), slope)
    # The search has no gradient; the implicit function theorem gives the bend's.
    off = over((way, lengths, u), bend, distance)
    bend = bend - (off - constant(off)) / slope
    bent = _bent(v, way, lengths, u, bend, signs)
    fits = v.xp.abs(v.size(bent[-1]) - distance) < 1e-9 * total
    return tuple(v.where(fits, q, p) for p, q in zip(joints, _turned(v, bent, u), strict=True))


def _two(v: Vectors, joints: Sequence[Any], lengths: list[Any], distance: Any, u: Any) -> tuple[Any, ...]:
    xp, (a, b) = v.xp, lengths
    safe = xp.where(distance < 1e-150, xp.ones_like(distance), distance)
    along = (a * a - b * b + distance * distance) / (2 * safe)
    along = xp.minimum(xp.maximum(along, -a), a)
    bow = v.root(xp.maximum(a * a - along * along, xp.zeros_like(a)))
    aside = v.unit(joints[1] - v.dot(joints[1], u)[:, None] * u, v.unit(v.across(u)))
    return xp.zeros_like(u), along[:, None] * u + bow[:, None] * aside, distance[:, None] * u


def _bent(v: Vectors, way: list[Any], lengths: list[Any], u: Any, bend: Any, signs: list[Any]) -> list[Any]:
    place = [v.xp.zeros_like(u)]
    for d, length, sign in zip(way, lengths, signs, strict=True):
        to = (1.0 - v.xp.abs(bend))[:, None] * d + (bend * sign)[:, None] * u
        squared = v.dot(to, to)
        lost = squared < 1e-200
        ratio = length / v.xp.sqrt(v.xp.where(lost, v.xp.ones_like(squared), squared))
        place.append(place[-1] + v.where(lost, v.along_x(length), to * ratio[:, None]))
    return place


def _search(
    v: Vectors, way: list[Any], lengths: list[Any], u: Any, distance: Any, total: Any
) -> tuple[Any, list[Any]]:
    xp = v.xp
    one, zero = xp.ones_like(total), xp.zeros_like(total)

    def over(bend: Any, signs: list[Any]) -> Any:
        return v.size(_bent(v, way, lengths, u, bend, signs)[-1]) - distance

    same = [one] * len(lengths)
    first = over(zero, same)
    a, b, fa, fb = zero, one, first, total - distance
    seeking = first > 0
    for step in range(1, FOLDS + 1):
        b = xp.where(seeking, -0.125 * step * one, b)
        fb = xp.where(seeking, over(b, same), fb)
        seeking = seeking & (fb >= 0)
        a, fa = xp.where(seeking, b, a), xp.where(seeking, fb, fa)
    longest, place = longest_of(v, lengths)
    signs = [xp.where(seeking & (place != i), -one, one) for i in range(len(lengths))]
    a, b = xp.where(seeking, zero, a), xp.where(seeking, one, b)
    fa = xp.where(seeking, first, fa)
    fb = xp.where(seeking, xp.abs(2 * longest - total) - distance, fb)
    lost = seeking & (fb >= 0)
    signs = [xp.where(lost, one, sign) for sign in signs]
    b = _root(v, lambda at: over(at, signs), (a, xp.where(lost, zero, b), fa, fb, ~lost), EXACT * total)
    # Where there is no bracket (rows that are not wanted), what the search left would spoil gradients.
    return xp.where(xp.abs(b) <= 1, b, zero), signs


def _root(v: Vectors, over: Callable[[Any], Any], start: tuple[Any, ...], exact: Any) -> Any:
    """Return where `over` is nought, by Illinois' variant of regula falsi, in the rows that go on."""
    xp = v.xp

    def step(_: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        a, b, fa, fb, going = state
        apart = xp.where(going, fb - fa, xp.ones_like(fa))
        c = xp.where(going, (a * fb - b * fa) / apart, b)
        fc = xp.where(going, over(c), fb)
        crossed = (fc < 0) != (fb < 0)
        after = xp.where(crossed, b, a), xp.where(crossed, fb, fa * 0.5)
        a, fa = (xp.where(going, new, old) for new, old in zip(after, (a, fa), strict=True))
        return a, c, fa, fc, going & (xp.abs(fc) > exact)

    return v.library.iterate(SECANTS, lambda state: xp.any(state[4]), step, start)[1]


def _turned(v: Vectors, joints: list[Any], u: Any) -> list[Any]:
    a = v.unit(joints[-1])
    half = v.unit(a + u, a)
    turned = []
    for p in joints:
        first = p - (2 * v.dot(p, a))[:, None] * a
        turned.append(first - (2 * v.dot(first, half))[:, None] * half)
    return turned
