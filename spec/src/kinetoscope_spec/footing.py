"""When feet stand, as runs of frames, and how what is done to them there fades out in between."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from kinetoscope_spec._arrays import Array

__all__ = ["bridged", "runs", "tidied"]


def runs(contact: Array) -> list[tuple[int, int]]:
    """Return the first frame and the one after the last of each run of True in `contact [T]`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], contact, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def tidied(contacts: Array, gap: int, blip: int) -> Array:
    """Close gaps of up to `gap` frames in `contacts [T, K]`, then drop contacts of up to `blip` frames.

    What touches the clip's ends is left: nobody knows how long it lasts.
    """
    tidy = np.array(contacts)
    for foot in range(tidy.shape[1]):
        row = tidy[:, foot]
        for start, stop in runs(~row):
            if start > 0 and stop < len(row) and stop - start <= gap:
                row[start:stop] = True
        for start, stop in runs(row):
            if start > 0 and stop < len(row) and stop - start <= blip:
                row[start:stop] = False
    return tidy


def bridged(offsets: Array, contact: Array, blend: int) -> Array:
    """Return offsets `[T, 3]` that are as given in contact and fade in between.

    Away from a contact the offset goes on as it changed at the contact's edge and comes to rest at
    zero after `blend` frames, or at the next contact if that is nearer: a cubic Hermite curve, so
    the velocity of what is moved by it has no step.

    Args:
        offsets: `[T, 3]` m; only those in contact count.
        contact: bool `[T]`.
        blend: frames, 1 or more.
    """
    result = np.where(contact[:, None], offsets, 0.0)
    edges = [(-1, 0), *runs(contact), (len(contact), len(contact) + 1)]
    for (_, stop), (start, _) in pairwise(edges):
        first = (stop - 1, _edge(offsets, contact, stop - 1, -1)) if stop > 0 else None
        last = (start, _edge(offsets, contact, start, 1)) if start < len(contact) else None
        gap = np.arange(stop, start)
        if not len(gap) or (first is None and last is None):
            continue
        if first and last and start - stop < 2 * blend:
            t = (gap - first[0]) / (start - first[0])
            result[gap] = _curve(t, start - first[0], first[1], last[1])
            continue
        still = (np.zeros(3), np.zeros(3))
        if first:
            result[gap] += _curve(np.minimum((gap - first[0]) / blend, 1.0), blend, first[1], still)
        if last:
            result[gap] += _curve(np.maximum(1 - (start - gap) / blend, 0.0), blend, still, last[1])
    return result


def _edge(offsets: Array, contact: Array, frame: int, inwards: int) -> tuple[Array, Array]:
    """Return the offset at a contact's edge and its change a frame, forwards in time."""
    inner = frame + inwards
    if not (0 <= inner < len(contact) and contact[inner]):
        return offsets[frame], np.zeros(3)
    return offsets[frame], (offsets[inner] - offsets[frame]) * inwards


def _curve(t: Array, frames: int, start: tuple[Array, Array], end: tuple[Array, Array]) -> Array:
    """Return the cubic Hermite curve over `frames` at `t [N]`, 0 to 1, from and to (offset, change a frame)."""
    t = t[:, None]
    (p0, v0), (p1, v1) = start, end
    ease = t * t * (3 - 2 * t)
    curve: Array = (
        p0 * (1 - ease) + p1 * ease + v0 * frames * (t * (1 - t) ** 2) + v1 * frames * (t * t * (t - 1))
    )
    return curve
