"""How sure a mask that was carried is, told without the truth; and where to ask for more clicks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._carry import Carried
from kinetoscope_propagate._cut import CLEAR, contrast
from kinetoscope_quadmask.hooks import Doubt, Prompts

__all__ = [
    "GONE",
    "LOST",
    "SURE",
    "at_border",
    "doubts",
    "joined",
    "known",
    "look",
    "of_anchor",
    "of_both",
    "of_step",
]

Array = NDArray[Any]

SURE, LOST, GONE = 0.5, 0.2, 0.6
"""Below the first it is a doubt, below the second it is not followed; the third is for what has left the picture."""

BINS = (8, 8, 8)
RARE = 0.002
"""Share of an object's pixels below which a colour is not one of its own."""

STRANGE = 40.0
"""Levels by which what was carried may differ from what it was, in the median, before nothing is sure of it."""


def look(picture: Array, mask: Array) -> Array:
    """Return the colours of what a mask covers, as shares of `BINS`: `float32 [8, 8, 8]`."""
    if not mask.any():
        return np.zeros(BINS, np.float32)
    counts = cv2.calcHist(
        [np.ascontiguousarray(picture)],
        [0, 1, 2],
        mask.astype(np.uint8),
        list(BINS),
        [0, 256] * 3,
    )
    # Light that changes a little moves colours to the next bin.
    for axis in range(3):
        counts = counts + 0.5 * (_moved(counts, axis, 1) + _moved(counts, axis, -1))
    return np.asarray(counts / counts.sum(), np.float32)


def known(picture: Array, looks: Sequence[Array]) -> Array:
    """Return bool `[H, W]`: which pixels have a colour that the object has somewhere."""
    rare = np.max(looks, axis=0) > RARE
    places = [np.asarray(picture[..., i] // (256 // bins), np.intp) for i, bins in enumerate(BINS)]
    return np.asarray(rare[tuple(places)])


def _moved(counts: Array, axis: int, by: int) -> Array:
    made = np.roll(counts, by, axis)
    edge: list[Any] = [slice(None)] * 3
    edge[axis] = 0 if by > 0 else -1
    made[tuple(edge)] = 0
    return made


def of_anchor(picture: Array, mask: Array, prompts: Prompts) -> float:
    """Return how sure a mask is that prompts led to: all of one that was given, else as far as its outline is clear."""
    if prompts.masks:
        return 1.0
    return 0.4 + 0.6 * contrast(picture, mask) / CLEAR if mask.any() else 0.0


def of_step(picture: Array, mask: Array, there: Carried, start: Array, looks: Sequence[Array]) -> float:
    """Return how sure a mask is, 0 to 1.

    Args:
        picture: the frame.
        mask: what was found in it.
        there: what was carried there.
        start: the anchor that it comes from.
        looks: of all anchors (`look`).
    """
    if not mask.any():
        return 0.0
    here = look(picture, mask)
    alike = max((float(np.minimum(here, held).sum()) for held in looks), default=0.0)
    size = mask.sum() / max(1, start.sum())
    kept = min(1.0, 4 * min(size, 1 / size))  # a fourth or four times of it is another thing
    if at_border(mask):
        kept = 1.0  # but not where it comes in or goes out
    steady = (mask & there.mask).sum() / max(1, (mask | there.mask).sum())
    clear = contrast(picture, mask) / CLEAR
    sure = 1.2 * alike * kept * min(1, 1.2 * steady) * (0.4 + 0.6 * clear) * (1 - there.off / STRANGE)
    return float(np.clip(sure, 0, 1))


def at_border(mask: Array) -> bool:
    """Return whether a mask goes up to the border of the picture."""
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def of_both(forth: Array, back: Array, one: float, other: float) -> float:
    """Return how sure what comes from two anchors is: as far as they agree."""
    either = (forth | back).sum()
    agree = (forth & back).sum() / either if either else 1.0
    return float(np.clip(max(one, other) * (0.3 + 0.7 * agree), 0, 1))


def joined(forth: Array, back: Array, share: float) -> Array:
    """Return the mask between two: outlines a `share` of the way from one to the other."""
    if not forth.any() or not back.any():
        return back if share >= 0.5 else forth
    one, other = (_depth(held) for held in (forth, back))
    return np.asarray((1 - share) * one + share * other > 0)


def _depth(mask: Array) -> Array:
    """Return how deep inside each pixel is, below 0 outside, px."""
    held = mask.astype(np.uint8)
    inner = cv2.distanceTransform(held, cv2.DIST_L2, 5) if held.any() else 0
    outer = cv2.distanceTransform(1 - held, cv2.DIST_L2, 5) if not held.all() else 0
    return np.asarray(inner - outer)


def doubts(confidence: Array) -> list[Doubt]:
    """Return the least sure frame of each stretch in which an object is likely lost, the worst first.

    `confidence` is `[O, T]`.
    """
    found: list[tuple[float, Doubt]] = []
    for index, sure in enumerate(confidence):
        low = np.flatnonzero(np.diff(np.concatenate([[False], sure < SURE, [False]]).astype(int)))
        for start, stop in low.reshape(-1, 2):
            frame = int(start + np.argmin(sure[start:stop]))
            reason = f"the object may be hidden or lost in frames {start} to {stop - 1}: click on it here"
            found.append((float(sure[frame]), Doubt(index, frame, reason)))
    return [doubt for _, doubt in sorted(found, key=lambda held: held[0])]
