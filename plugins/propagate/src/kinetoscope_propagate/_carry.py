"""A mask carried from one picture to the next: by the shift of the whole, and by dense flow after that."""

from __future__ import annotations

from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._views import box_of

__all__ = ["Carried", "carried", "shift"]

Array = NDArray[Any]

REACH = 0.12
"""How far an object may go from one frame to the next, of the longer side of the picture."""

PATCH = 48
"""Pixels along the longer side of an object in the pictures in which its shift is looked for."""

LEFT = 0.1
"""Of an object that has to be inside the picture to be looked for."""

UNEXPECTED, OUTSIDE = 40.0, 60.0
"""Squared levels: what it costs to be found `REACH` away from where it is expected, and all outside the picture."""

MARGIN = 24


@attrs.frozen(eq=False)
class Carried:
    """Where an object is in the next picture.

    Attributes:
        mask: bool `[H, W]`.
        shift: pixels (x, y) by which the whole has moved.
        off: median difference inside, levels, between what is there and what was there.
    """

    mask: Array
    shift: tuple[float, float]
    off: float


def carried(before: Array, now: Array, mask: Array, expected: tuple[float, float] = (0, 0)) -> Carried:
    """Carry a mask bool `[H, W]` of the picture `before` to `now`, both `uint8 [H, W, 3]`.

    The object is looked for as a whole first, about where it is `expected` to have moved, since flow alone
    (DIS; Kroeger et al. 2016) loses what moves by more than its own size. It may leave the picture.
    """
    if not mask.any():
        return Carried(mask, (0, 0), 255.0)
    x, y = shift(before, now, mask, expected)
    height, width = mask.shape
    moved = np.array([[1, 0, -x], [0, 1, -y]], np.float64)
    options: Any = {"flags": cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, "borderMode": cv2.BORDER_REPLICATE}
    old = cv2.warpAffine(before, moved, (width, height), **options)
    there = cv2.warpAffine(mask.astype(np.uint8), moved, (width, height), **options)
    if not there.any():
        return Carried(np.zeros_like(mask), (x, y), 255.0)
    box = box_of(there > 0, MARGIN)
    new, was, soft = now[box], old[box], there[box].astype(np.float32)
    if min(new.shape[:2]) >= 16:  # smaller ones DIS does not take
        v, u = np.mgrid[: new.shape[0], : new.shape[1]].astype(np.float32)
        flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        grey = (cv2.cvtColor(np.ascontiguousarray(held), cv2.COLOR_RGB2GRAY) for held in (new, was))
        field = flow.calc(*grey, None)
        at = u + field[..., 0], v + field[..., 1]
        soft = cv2.remap(soft, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        was = cv2.remap(was, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = soft >= 0.5
    off = np.median(cv2.absdiff(new, was)[inside].max(axis=1)) if inside.any() else 255.0
    whole = np.zeros_like(mask)
    whole[box] = inside
    return Carried(whole, (x, y), float(off))


def shift(before: Array, now: Array, mask: Array, expected: tuple[float, float] = (0, 0)) -> tuple[int, int]:
    """Return by how many pixels the whole of an object has moved (x, y): where what is left of it is met best."""
    height, width = mask.shape
    box = box_of(mask, 0)
    reach = int(REACH * max(height, width)) + 1
    scale = min(1.0, PATCH / max(box[0].stop - box[0].start, box[1].stop - box[1].start))
    wide = [(reach, reach), (reach, reach)]
    rows, columns = (slice(held.start, held.stop + 2 * reach) for held in box)
    field = np.pad(now, [*wide, (0, 0)], mode="edge")[rows, columns]
    shown = np.pad(np.ones((height, width), np.float32), wide)[rows, columns]

    def small(held: Array, size: tuple[int, int]) -> Array:
        return np.asarray(cv2.resize(held, size, interpolation=cv2.INTER_AREA), np.float32)

    size = tuple(max(2, round(held * scale)) for held in mask[box].shape[::-1])
    larger = tuple(
        max(there + 2, round(held * scale)) for there, held in zip(size, shown.shape[::-1], strict=True)
    )
    patch, weight = small(before[box], size), small(mask[box].astype(np.float32), size)
    field, shown = small(field, larger), small(shown, larger)
    weight, shown = (weight > 0.5).astype(np.float32), (shown > 0.5).astype(np.float32)
    if not weight.any():
        return 0, 0
    overlap = _met(shown, weight)
    off = _met(shown, weight * np.square(patch).sum(axis=2)) + _met(
        shown * np.square(field).sum(axis=2), weight
    )
    for channel in range(3):
        off = off - 2 * _met(shown * field[..., channel], weight * patch[..., channel])
    left = overlap / weight.sum()
    steps = [(larger[i] - size[i]) / (2 * reach) for i in (0, 1)]
    v, u = np.mgrid[: off.shape[0], : off.shape[1]]
    away = np.hypot(u / steps[0] - reach - expected[0], v / steps[1] - reach - expected[1]) / reach
    # Of places that are met about as well, the one that is expected is likelier, and one inside the picture.
    cost = off.clip(0) / np.maximum(3 * overlap, 1) + UNEXPECTED * away**2 + OUTSIDE * (1 - left)
    cost[left < LEFT] = np.inf
    if not np.isfinite(cost).any():
        return 0, 0
    row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
    return round(column / steps[0] - reach), round(row / steps[1] - reach)


def _met(field: Array, patch: Array) -> Array:
    return np.asarray(cv2.matchTemplate(field.astype(np.float32), patch.astype(np.float32), cv2.TM_CCORR))
