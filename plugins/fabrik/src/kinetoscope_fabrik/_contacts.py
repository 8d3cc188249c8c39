"""When feet are on the ground, and where they are to be held and moved."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from kinetoscope_fabrik.protocol import Array

_FLOOR_M = 0.004
"""A foot in the air may sink this far below the ground, never deeper: pushing it up evenly leaves
no kink in its path."""


def runs(contact: Array) -> list[tuple[int, int]]:
    """Return the first and last frame of each run of True in `contact [T]`."""
    padded = np.concatenate([[False], contact, [False]]).astype(np.int8)
    steps = np.diff(padded)
    return list(
        zip(np.flatnonzero(steps == 1).tolist(), (np.flatnonzero(steps == -1) - 1).tolist(), strict=True)
    )


def tidy(contacts: Array, close_frames: int, drop_frames: int) -> Array:
    """Close gaps of up to `close_frames` between contacts, then drop contacts of up to `drop_frames`.

    What touches the clip's ends is left: nobody knows how long it lasts.
    """
    contacts = contacts.copy()
    for foot in range(contacts.shape[1]):
        row = contacts[:, foot]
        for first, last in runs(~row):
            if first > 0 and last < len(row) - 1 and last - first + 1 <= close_frames:
                row[first : last + 1] = True
        for first, last in runs(row):
            if first > 0 and last < len(row) - 1 and last - first + 1 <= drop_frames:
                row[first : last + 1] = False
    return contacts


def targets(toes: Array, contact: Array, blend: int, ground: float) -> Array:
    """Return where one foot's toes `[T, 3]` are to go.

    In each run of contact they rest on one point, the mean of where they were, not below the
    ground. Outside, they take what remains of the offset to that point along, falling to nothing
    (or to the next point's) over `blend` frames: a cubic Hermite curve that goes on from the contact
    as the offset changed in it and ends level, so the toes' velocity has no step that it had not.
    """
    offset = np.zeros_like(toes)
    found = runs(contact)
    for first, last in found:
        point = toes[first : last + 1].mean(axis=0)
        point[1] = max(point[1], ground)
        offset[first : last + 1] = point - toes[first : last + 1]
    ends = [(-1, -1), *found, (len(toes), len(toes))]
    for (_, last), (first, _) in pairwise(ends):
        _bridge(offset, contact, last, first, blend)
    return _above(toes + offset, contact, ground)


def _bridge(offset: Array, held: Array, last: int, first: int, blend: int) -> None:
    """Fill the offsets between the contact that ends at `last` and the one that begins at `first`."""
    after, before = last >= 0, first < len(offset)
    frames = np.arange(last + 1, first)
    if not len(frames) or not (after or before):
        return
    start = (offset[last], _slope(offset, last, last - 1, held)) if after else None
    end = (offset[first], -_slope(offset, first, first + 1, held)) if before else None
    if start and end and first - last < 2 * blend:
        offset[frames] = _hermite((frames - last) / (first - last), first - last, *start, *end)
        return
    still = np.zeros(3), np.zeros(3)
    if start:
        offset[frames] += _hermite(np.minimum((frames - last) / blend, 1), blend, *start, *still)
    if end:
        offset[frames] += _hermite(np.maximum(1 - (first - frames) / blend, 0), blend, *still, *end)


def _slope(offset: Array, edge: int, inner: int, held: Array) -> Array:
    """Return the offset's change a frame at the edge of a contact, from the frame inside it."""
    inside = 0 <= inner < len(held) and held[inner]
    slope: Array = offset[edge] - offset[inner] if inside else np.zeros(3)
    return slope


def _hermite(t: Array, frames: int, p0: Array, m0: Array, p1: Array, m1: Array) -> Array:
    t = t[:, None]
    t2, t3 = t * t, t * t * t
    m0, m1 = m0 * frames, m1 * frames
    curve: Array = (
        (2 * t3 - 3 * t2 + 1) * p0 + (t3 - 2 * t2 + t) * m0 + (3 * t2 - 2 * t3) * p1 + (t3 - t2) * m1
    )
    return curve


def _above(points: Array, contact: Array, ground: float) -> Array:
    depth = np.maximum(ground - points[:, 1], 0.0)
    raised = ground - depth / (1 + depth / _FLOOR_M)
    points[:, 1] = np.where(contact | (depth == 0), points[:, 1], raised)
    return points
