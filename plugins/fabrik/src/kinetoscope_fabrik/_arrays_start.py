"""`_cases.prepare` on any array library: where the passes start from, and which chains need none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kinetoscope_fabrik._arrays_vectors import Vectors
from kinetoscope_fabrik._constants import BOW, FLAT


def prepare(v: Vectors, joints: Sequence[Any], lengths: list[Any], goal: Any) -> tuple[list[Any], Any]:
    """Return the joints to start from, and which chains are closed `[B]`: see `_cases.prepare`."""
    xp = v.xp
    total, distance = sum(lengths), v.size(goal)
    axis = v.unit(v.where(distance > 1e-9 * total, goal, _widest(v, joints)))
    longest, place = longest_of(v, lengths)
    far, near = distance >= total, distance <= 2 * longest - total
    along, line = xp.zeros_like(total), [xp.zeros_like(goal)]
    for i, length in enumerate(lengths):
        along = along + xp.where(far | (place == i), length, -length)
        line.append(along[:, None] * axis)
    closed = far | near
    start = _unlocked(v, joints, lengths, axis)
    return [v.where(closed, p, q) for p, q in zip(line, start, strict=True)], closed


def longest_of(v: Vectors, lengths: list[Any]) -> tuple[Any, Any]:
    """Return the greatest length `[B]` and which it is, the first of equals."""
    longest, place = lengths[0], v.xp.zeros_like(lengths[0], dtype=v.xp.int64)
    for i, length in enumerate(lengths[1:], start=1):
        greater = length > longest
        longest = v.xp.where(greater, length, longest)
        place = v.xp.where(greater, v.xp.full_like(place, i), place)
    return longest, place


def _widest(v: Vectors, vectors: Sequence[Any]) -> Any:
    widest, most = vectors[0], v.dot(vectors[0], vectors[0])
    for one in vectors[1:]:
        squared = v.dot(one, one)
        greater = squared > most
        widest, most = v.where(greater, one, widest), v.xp.where(greater, squared, most)
    return widest


def _unlocked(v: Vectors, joints: Sequence[Any], lengths: list[Any], axis: Any) -> list[Any]:
    xp, total = v.xp, sum(lengths)
    widest = _widest(v, [p - v.dot(p, axis)[:, None] * axis for p in joints])
    most = v.size(widest)
    locked = most < FLAT * total
    way = v.unit(v.where(most > 1e-9 * total, widest, v.across(axis)))
    done, bowed = xp.zeros_like(total), []
    for i, p in enumerate(joints):
        share = done / xp.where(total > 0, total, xp.ones_like(total))
        bow = (4 * BOW) * share * (1 - share) * total
        bowed.append(v.where(locked, p + bow[:, None] * way, p))
        done = done + lengths[i] if i < len(lengths) else done
    return bowed
