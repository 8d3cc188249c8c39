"""Masks that reach further than they were made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Mask, Quadmask

__all__ = ["grown"]

Array = NDArray[Any]
M = TypeVar("M", bound=Mask)

REMOVE, OVERLAP, AFFECTED, KEEP = 0, 63, 127, 255


def grown(mask: M, by: int) -> M:
    """Return a mask that covers all that is up to `by` pixels away from what it covers, too.

    Of a quadmask the object grows: what is kept around it is removed, and what is affected is both.
    """
    if by == 0:
        return mask
    v, u = np.mgrid[-by : by + 1, -by : by + 1]
    disc = (u * u + v * v <= by * by).astype(np.uint8)
    quad = isinstance(mask, Quadmask)

    def source(start: int, stop: int | None) -> Iterator[Array]:
        for frame in mask.frames(start, stop):
            yield _quad(frame, disc) if quad else np.asarray(cv2.dilate(frame, disc))

    return attrs.evolve(mask, source=source)


def _quad(frame: Array, disc: Array) -> Array:
    removed = np.isin(frame, (REMOVE, OVERLAP))
    wider = cv2.dilate(removed.astype(np.uint8), disc) > 0
    made = np.where(wider & (frame == KEEP), REMOVE, frame)
    return np.where(wider & (frame == AFFECTED), OVERLAP, made).astype(np.uint8)
