"""Masks that reach further than they were made."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask.streams import mapped
from kinetoscope_spec import Mask, Quadmask

__all__ = ["grown"]

M = TypeVar("M", bound=Mask)


def grown(mask: M, by: int) -> M:
    """Return a mask that covers all that is up to `by` pixels away from what it covers, too.

    Of a quadmask the object grows: what is kept around it is removed, and what is affected is both.
    """
    if by == 0:
        return mask
    change = partial(_object if isinstance(mask, Quadmask) else _picture, by)
    return attrs.evolve(mask, source=mapped(mask, Mask, change).source)


def _picture(by: int, _index: int, frame: Array) -> Array:
    return _dilated(frame, by)


def _object(by: int, _index: int, frame: Array) -> Array:
    wider = _dilated(values.removed(frame), by)
    made = np.where(wider & (frame == values.KEEP), values.REMOVE, frame)
    return np.where(wider & (frame == values.AFFECTED), values.OVERLAP, made).astype(np.uint8)


def _dilated(frame: Array, by: int) -> Array:
    """Return the largest value within a disc of radius `by` around each pixel, of `[H, W]`.

    A disc is columns side by side, the higher the nearer to its middle: what is largest in a column of one
    height is had from the next lower one's, so that it takes `by` steps and not as many as there are pixels.
    """
    made, column, high = frame.copy(), frame.copy(), 0
    for across in range(by, -1, -1):
        while (high + 1) ** 2 <= by * by - across * across:
            high += 1
            np.maximum(column[high:], frame[:-high], out=column[high:])
            np.maximum(column[:-high], frame[high:], out=column[:-high])
        if across == 0:
            np.maximum(made, column, out=made)
        else:
            np.maximum(made[:, across:], column[:, :-across], out=made[:, across:])
            np.maximum(made[:, :-across], column[:, across:], out=made[:, :-across])
    return made
