"""What FABRIK's passes leave open: targets out of reach, dead locks, slow ends, pole targets.

All arrays are float64 and relative to each chain's root: `p [B, N, 3]`, `lengths [B, N-1]`,
`target [B, 3]`.
"""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik.protocol import Array

_FLAT = 1e-3
"""A chain whose joints all lie nearer than this share of its length to the line to its target is
taken as locked on it: the passes would move it along that line only, or take many to leave it."""

_BOW = 0.25
"""How far, as a share of its length, the middle of a locked chain is pushed aside."""


def _dot(a: Array, b: Array) -> Array:
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def _unit(v: Array, otherwise: Array | None = None) -> Array:
    """Return `v [..., 3]` at length 1; a zero vector becomes `otherwise`, or +X."""
    largest = np.abs(v).max(axis=-1, keepdims=True)
    lost = largest < 1e-150
    v = v / np.where(lost, 1.0, largest)  # so that squares neither vanish nor overflow
    v = np.where(lost, np.array([1.0, 0.0, 0.0]) if otherwise is None else otherwise, v)
    return v / np.sqrt(_dot(v, v))[..., None]


def prepare(p: Array, lengths: Array, target: Array) -> tuple[Array, Array]:
    """Return where the passes are to start from, and which chains need none (`closed [B]`)."""
    total = lengths.sum(axis=1)
    distance = np.sqrt(_dot(target, target))
    if p.shape[1] == 1:
        return p, np.ones(len(p), bool)
    farthest = np.take_along_axis(p, _dot(p, p).argmax(axis=1)[:, None, None], axis=1)[:, 0]
    axis = _unit(np.where((distance > 1e-9 * total)[:, None], target, 0.0), _unit(farthest))
    longest = np.arange(lengths.shape[1]) == lengths.argmax(axis=1)[:, None]
    shortest_reach = 2 * lengths.max(axis=1) - total
    far, near = distance >= total, distance <= shortest_reach
    signs = np.where(far[:, None] | longest, 1.0, -1.0)
    line = _line(axis, signs * lengths)
    closed = far | near
    return np.where(closed[:, None, None], line, _unlocked(p, axis, lengths, total)), closed


def _line(axis: Array, steps: Array) -> Array:
    along = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    return along[..., None] * axis[:, None]


def _unlocked(p: Array, axis: Array, lengths: Array, total: Array) -> Array:
    """Bow the chains that lie on the line to their target; leave the others."""
    aside = p - _dot(p, axis[:, None])[..., None] * axis[:, None]
    off = _dot(aside, aside)
    widest = np.take_along_axis(aside, off.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    most = np.sqrt(off.max(axis=1))
    locked = most < _FLAT * total
    if not locked.any():
        return p
    # What little bend there is says which way to go; without any, the world's axes have to.
    least = np.abs(axis).argmin(axis=1)
    across = np.cross(axis, np.eye(3)[least])
    way = _unit(np.where((most > 1e-9 * total)[:, None], widest, across))
    done = np.concatenate([np.zeros((len(p), 1)), np.cumsum(lengths, axis=1)], axis=1)
    share = done / np.where(total > 0, total, 1.0)[:, None]
    bow = (4 * _BOW) * share * (1 - share) * total[:, None]
    return np.where(locked[:, None, None], p + bow[..., None] * way[:, None], p)


def close(p: Array, lengths: Array, target: Array) -> Array:
    """Stretch or fold chains evenly until their ends are as far as the target, then turn them to it.

    FABRIK's passes converge slowly where a chain is to be nearly straight. Each segment's direction
    d is bent towards the direction u to the target, `(1 - s) d + s u` at length 1, with the one s
    that gives the wanted reach; s < 0 folds. Where no s does, the chain stays as it is.
    """
    distance = np.sqrt(_dot(target, target))
    u = _unit(target)[:, None]
    d = np.diff(p, axis=1)
    d = _unit(d, u)
    low, high = np.zeros(len(p)), np.zeros(len(p))
    short = _reach(_bent(d, u, low), lengths) < distance
    high[short] = 1.0
    for power in range(6):
        too_far = ~short & (_reach(_bent(d, u, low), lengths) > distance)
        low[too_far] = -(4.0 ** (power - 3))
    for _ in range(50):
        middle = 0.5 * (low + high)
        below = _reach(_bent(d, u, middle), lengths) < distance
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    steps = _bent(d, u, 0.5 * (low + high)) * lengths[..., None]
    bent = np.concatenate([np.zeros((len(p), 1, 3)), np.cumsum(steps, axis=1)], axis=1)
    fits = np.abs(np.sqrt(_dot(bent[:, -1], bent[:, -1])) - distance) < 1e-9 * lengths.sum(axis=1)
    return np.where(fits[:, None, None], _turn(bent, bent[:, -1], target), p)


def _bent(d: Array, u: Array, s: Array) -> Array:
    s = s[:, None, None]
    return _unit((1 - s) * d + s * u, u)


def _reach(d: Array, lengths: Array) -> Array:
    end = (d * lengths[..., None]).sum(axis=1)
    return np.sqrt(_dot(end, end))


def _turn(p: Array, start: Array, goal: Array) -> Array:
    """Turn chains about their roots by the shortest way that takes the direction `start` to `goal`."""
    a, b = _unit(start), _unit(goal)
    half = _unit(a + b, a)
    # Two reflections, across the planes normal to `a` and to the half-way direction, are a rotation.
    first = p - 2 * _dot(p, a[:, None])[..., None] * a[:, None]
    turned: Array = first - 2 * _dot(first, half[:, None])[..., None] * half[:, None]
    return turned


def towards_pole(p: Array, pole: Array) -> Array:
    """Turn whole chains about the line from root to end so that they bend towards `pole [B, 3]`.

    A rotation keeps every length and the end. A chain bends to where the sum of its joints' offsets
    from the line points (its widest joint, where that sum vanishes). Straight chains, poles on the
    line and ends at the root leave nothing to turn.
    """
    size = np.sqrt(_dot(p, p)).max(axis=1)
    axis = _unit(p[:, -1])
    aside = p - _dot(p, axis[:, None])[..., None] * axis[:, None]
    widest = np.take_along_axis(aside, _dot(aside, aside).argmax(axis=1)[:, None, None], axis=1)[:, 0]
    bend = aside.sum(axis=1)
    bend = np.where((_dot(bend, bend) > 1e-12 * _dot(widest, widest))[:, None], bend, widest)
    wanted = pole - _dot(pole, axis)[:, None] * axis
    tiny = 1e-9 * size
    turns = np.ones(len(p), bool)
    for v in (p[:, -1], widest, wanted):
        turns &= np.sqrt(_dot(v, v)) > tiny
    cosine = _dot(_unit(bend), _unit(wanted))[:, None, None]
    sine = _dot(np.cross(_unit(bend), _unit(wanted)), axis)[:, None, None]
    # Rodrigues' formula; the part along the axis stays.
    turned = p - aside + cosine * aside + sine * np.cross(axis[:, None], aside)
    return np.where(turns[:, None, None], turned, p)
