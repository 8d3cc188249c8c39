"""Corners followed through a film: which stands where in which frame."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Cancelled, Mask, Progress, ValidationError, Video

__all__ = ["Seen", "follow", "looked_at_size"]

Array = NDArray[Any]

LONG_SIDE = 960
"""Pixels: larger plates are looked at smaller, which costs nothing in angle."""

CORNERS, FEWEST = 400, 250
"""Corners that are followed at most, and below how many new ones are looked for."""

APART = 8.0
"""Pixels between corners."""

THERE_AND_BACK = 0.5
"""Pixels by which a corner may miss its place when it is followed forwards and back."""

_LK: dict[str, Any] = {
    "winSize": (21, 21),
    "maxLevel": 3,
    "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01),
}


@attrs.frozen(eq=False)
class Seen:
    """The corners of one frame.

    Attributes:
        ids: `[N]`, increasing.
        points: `[N, 2]`, pixels of the picture that is looked at, the centre of the top left one at (0.5, 0.5).
    """

    ids: Array
    points: Array


def looked_at_size(plate: Video) -> tuple[int, int]:
    """Return width and height of the pictures in which corners are followed."""
    scale = min(1.0, LONG_SIDE / max(plate.width, plate.height))
    return max(1, round(plate.width * scale)), max(1, round(plate.height * scale))


def follow(plate: Video, mask: Mask | None, progress: Progress | None) -> list[Seen]:
    """Return the corners of each frame. Two frames are in memory, and every corner's places.

    Raises:
        ValidationError: the mask has another size or length.
        Cancelled: `progress` returned False.
    """
    if mask is not None and (mask.width, mask.height) != (plate.width, plate.height):
        raise ValidationError(
            f"the mask is {mask.width} x {mask.height} pixels, the plate {plate.width} x {plate.height}"
        )
    seen: list[Seen] = []
    before: Array | None = None
    ids, points = np.zeros(0, np.int64), np.zeros((0, 2), np.float32)
    next_id = 0
    for number, (grey, free) in enumerate(_looked_at(plate, mask)):
        if before is not None and len(points):
            points, kept = _moved(before, grey, points)
            inside = kept & _allowed(points, free)
            ids, points = ids[inside], points[inside]
        if len(points) < FEWEST:
            found = _corners(grey, free, points, CORNERS - len(points))
            ids = np.concatenate([ids, np.arange(next_id, next_id + len(found))])
            points = np.concatenate([points, found])
            next_id += len(found)
        seen.append(Seen(ids, points.astype(np.float64) + 0.5))
        before = grey
        if progress is not None and progress(number + 1, plate.frame_count or 0, "corners") is False:
            raise Cancelled(f"cancelled after {number + 1} frames")
    return seen


def _looked_at(plate: Video, mask: Mask | None) -> Iterator[tuple[Array, Array | None]]:
    """Yield each frame in grey, and where corners may be (255) or None for everywhere."""
    size = looked_at_size(plate)
    masks = iter(()) if mask is None else mask.frames()
    for number, (frame, covered) in enumerate(zip_longest(plate.frames(), masks)):
        if mask is not None and (frame is None or covered is None):
            longer = "mask" if frame is None else "plate"
            raise ValidationError(f"the {longer} goes on after {number} frames, where the other ends")
        grey = cv2.cvtColor(np.ascontiguousarray(frame[..., :3]), cv2.COLOR_RGB2GRAY)
        small = grey if grey.shape == size[::-1] else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        if covered is None:
            yield small, None
            continue
        # Windows of corners must not reach into what moves by itself.
        hidden = cv2.resize(
            np.where(covered > 0, 255, 0).astype(np.uint8), size, interpolation=cv2.INTER_AREA
        )
        wide = cv2.dilate(np.where(hidden > 0, 255, 0).astype(np.uint8), np.ones((21, 21), np.uint8))
        yield small, 255 - wide


def _corners(grey: Array, free: Array | None, held: Array, count: int) -> Array:
    where = np.full(grey.shape, 255, np.uint8) if free is None else free.copy()
    for x, y in held:
        cv2.circle(where, (round(float(x)), round(float(y))), round(APART), 0, -1)
    found: Any = cv2.goodFeaturesToTrack(grey, count, 0.01, APART, mask=where, blockSize=5)
    if found is None:
        return np.zeros((0, 2), np.float32)
    window = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
    return cv2.cornerSubPix(grey, np.ascontiguousarray(found), (3, 3), (-1, -1), window).reshape(-1, 2)


def _moved(before: Array, now: Array, points: Array) -> tuple[Array, Array]:
    """Return where points are now, and which were followed for sure: back again they are where they were."""
    start = points.reshape(-1, 1, 2)
    flow: Any = cv2.calcOpticalFlowPyrLK
    there, found, _ = flow(before, now, start, None, **_LK)
    back, again, _ = flow(now, before, there, None, **_LK)
    off = np.linalg.norm((back - start).reshape(-1, 2), axis=1)
    kept = (found.ravel() == 1) & (again.ravel() == 1) & (off < THERE_AND_BACK)
    return there.reshape(-1, 2), kept


def _allowed(points: Array, free: Array | None) -> Array:
    if free is None:
        return np.ones(len(points), bool)
    height, width = free.shape
    x, y = np.rint(points).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.asarray(inside & (free[y.clip(0, height - 1), x.clip(0, width - 1)] > 0))
