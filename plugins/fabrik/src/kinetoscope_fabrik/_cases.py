"""What FABRIK's passes leave open: targets out of reach, dead locks, slow ends.

All arrays are float64 and relative to each chain's root: `p [B, N, 3]`, `lengths [B, N-1]`,
`target [B, 3]`. Sums run in order (cumsum), so that `_kernel` can repeat them exactly.
"""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik._constants import BOW, EXACT, FLAT, FOLDS, SECANTS
from kinetoscope_fabrik.protocol import Array


def dot(a: Array, b: Array) -> Array:
    """Return the scalar products of `[..., 3]`."""
    product: Array = a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]
    return product


def size(v: Array) -> Array:
    """Return the lengths of vectors `[..., 3]`."""
    length: Array = np.sqrt(dot(v, v))
    return length


def unit(v: Array, otherwise: Array | None = None) -> Array:
    """Return `v [..., 3]` at length 1; a zero vector becomes `otherwise`, or +X."""
    largest = np.abs(v).max(axis=-1, keepdims=True)
    lost = largest < 1e-150
    v = v / np.where(lost, 1.0, largest)  # so that squares neither vanish nor overflow
    v = np.where(lost, np.array([1.0, 0.0, 0.0]) if otherwise is None else otherwise, v)
    return v / size(v)[..., None]


def lengths_of(p: Array) -> Array:
    """Return the segment lengths `[B, N-1]`."""
    return size(np.diff(p, axis=1))


def _total(lengths: Array) -> Array:
    total: Array = np.cumsum(lengths, axis=1)[:, -1]
    return total


def prepare(p: Array, lengths: Array, target: Array) -> tuple[Array, Array]:
    """Return where the passes are to start from, and which chains need none (`closed [B]`).

    A target beyond the chain's length leaves it straight towards the target. Nearer than the longest
    segment sticks out of all others folded back, the nearest pose is on the line to the target, too.
    """
    if p.shape[1] == 1:
        return p, np.ones(len(p), bool)
    total, distance = _total(lengths), size(target)
    farthest = np.take_along_axis(p, dot(p, p).argmax(axis=1)[:, None, None], axis=1)[:, 0]
    axis = unit(np.where((distance > 1e-9 * total)[:, None], target, farthest))
    longest = np.arange(lengths.shape[1]) == lengths.argmax(axis=1)[:, None]
    far, near = distance >= total, distance <= 2 * lengths.max(axis=1) - total
    line = _line(axis, np.where(far[:, None] | longest, lengths, -lengths))
    closed = far | near
    return np.where(closed[:, None, None], line, _unlocked(p, axis, lengths, total)), closed


def _line(axis: Array, steps: Array) -> Array:
    along = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    line: Array = along[..., None] * axis[:, None]
    return line


def _unlocked(p: Array, axis: Array, lengths: Array, total: Array) -> Array:
    """Bow the chains that lie on the line to their target; leave the others.

    What little bend there is says which way to go; without any, the world's axes have to.
    """
    aside = p - dot(p, axis[:, None])[..., None] * axis[:, None]
    off = dot(aside, aside)
    widest = np.take_along_axis(aside, off.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    most = np.sqrt(off.max(axis=1))
    locked = most < FLAT * total
    if not locked.any():
        return p
    way = unit(np.where((most > 1e-9 * total)[:, None], widest, _across(axis)))
    done = np.concatenate([np.zeros((len(p), 1)), np.cumsum(lengths, axis=1)], axis=1)
    share = done / np.where(total > 0, total, 1.0)[:, None]
    bow = (4 * BOW) * share * (1 - share) * total[:, None]
    return np.where(locked[:, None, None], p + bow[..., None] * way[:, None], p)


def _across(u: Array) -> Array:
    """Return `u [B, 3]` cross the axis of the world that is least along it."""
    return np.cross(u, np.eye(3)[np.abs(u).argmin(axis=1)])


def close(p: Array, lengths: Array, target: Array) -> Array:
    """Stretch or fold chains evenly until their ends are as far as the target, then turn them to it.

    FABRIK's passes converge slowly where a chain is to be nearly straight. Each segment's direction
    d is bent towards the direction u to the target, `(1 - |m|) d + m u` at length 1, with the one m
    that gives the wanted reach; m < 0 folds. A chain that this does not fold far enough is folded
    about its longest segment: all others are bent the other way. Where no m is found, the chain stays
    as it is. Two segments have but one bend: the law of cosines gives it.
    """
    distance, u = size(target), unit(target)
    way = unit(np.diff(p, axis=1), u[:, None])
    if lengths.shape[1] == 2:
        return _two(p, lengths, distance, u)
    total = _total(lengths)
    bend, signs = _search(way, lengths, u, distance, total)
    bent = _bent(way, lengths, u, bend, signs)
    fits = np.abs(size(bent[:, -1]) - distance) < 1e-9 * total
    return np.where(fits[:, None, None], _turned(bent, u), p)


def _two(p: Array, lengths: Array, distance: Array, u: Array) -> Array:
    a, b = lengths[:, 0], lengths[:, 1]
    with np.errstate(over="ignore"):  # where the target is at the root, any way along will do
        along = (a * a - b * b + distance * distance) / (2 * np.maximum(distance, 1e-300))
    along = np.clip(along, -a, a)
    bow = np.sqrt(np.maximum(a * a - along * along, 0.0))
    aside = unit(p[:, 1] - dot(p[:, 1], u)[:, None] * u, unit(_across(u)))
    middle = along[:, None] * u + bow[:, None] * aside
    return np.stack([np.zeros_like(u), middle, distance[:, None] * u], axis=1)


def _bent(way: Array, lengths: Array, u: Array, bend: Array, signs: Array) -> Array:
    """Return chains `[B, N, 3]` whose directions `way [B, N-1, 3]` are bent towards `signs` times `u`."""
    bend = bend[:, None]
    d = (1.0 - np.abs(bend))[..., None] * way + (bend * signs)[..., None] * u[:, None]
    squared = dot(d, d)
    lost = squared < 1e-200
    ratio = lengths / np.sqrt(np.where(lost, 1.0, squared))
    steps = d * ratio[..., None]
    steps[..., 0] = np.where(lost, lengths, steps[..., 0])
    return np.concatenate([np.zeros_like(u)[:, None], np.cumsum(steps, axis=1)], axis=1)


def _search(way: Array, lengths: Array, u: Array, distance: Array, total: Array) -> tuple[Array, Array]:
    """Return the bends `[B]` that reach as far as `distance`, 0 where none is found, and their signs.

    Illinois' variant of regula falsi (Dowell and Jarratt 1971), from a bracket found in FOLDS steps.
    """
    signs = np.ones_like(lengths)

    def over(bend: Array, rows: Array) -> Array:
        return size(_bent(way[rows], lengths[rows], u[rows], bend, signs[rows])[:, -1]) - distance[rows]

    everyone = np.arange(len(way))
    a, b = np.zeros(len(way)), np.ones(len(way))
    first = over(a, everyone)
    fa, fb = first.copy(), total - distance
    seeking = np.flatnonzero(first > 0)
    for step in range(1, FOLDS + 1):
        b[seeking] = -0.125 * step
        fb[seeking] = over(b[seeking], seeking)
        seeking = seeking[fb[seeking] >= 0]
        if not len(seeking):
            break
        a[seeking], fa[seeking] = b[seeking], fb[seeking]
    if len(seeking):
        longest = lengths[seeking].argmax(axis=1)
        signs[seeking] = np.where(np.arange(lengths.shape[1]) == longest[:, None], 1.0, -1.0)
        a[seeking], fa[seeking], b[seeking] = 0.0, first[seeking], 1.0
        fb[seeking] = np.abs(2 * lengths[seeking].max(axis=1) - total[seeking]) - distance[seeking]
    lost = seeking[fb[seeking] >= 0]
    b[lost], signs[lost] = 0.0, 1.0
    rows = np.setdiff1d(everyone, lost)
    for _ in range(SECANTS):
        if not len(rows):
            break
        c = (a[rows] * fb[rows] - b[rows] * fa[rows]) / (fb[rows] - fa[rows])
        fc = over(c, rows)
        crossed = (fc < 0) != (fb[rows] < 0)
        a[rows] = np.where(crossed, b[rows], a[rows])
        fa[rows] = np.where(crossed, fb[rows], fa[rows] * 0.5)
        b[rows], fb[rows] = c, fc
        rows = rows[np.abs(fc) > EXACT * total[rows]]
    return b, signs


def _turned(p: Array, u: Array) -> Array:
    """Turn chains about their roots by the shortest way that brings their ends onto the lines `u`.

    Two reflections are a rotation: across the planes normal to the end's direction and to the
    direction half-way to `u`.
    """
    a = unit(p[:, -1])
    half = unit(a + u, a)
    first = p - (2 * dot(p, a[:, None]))[..., None] * a[:, None]
    turned: Array = first - (2 * dot(first, half[:, None]))[..., None] * half[:, None]
    return turned
