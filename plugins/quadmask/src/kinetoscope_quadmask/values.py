"""The four values of a quadmask: how they are made of masks, read from lossy pictures, and put on a grid.

Source: VOID (arXiv 2604.02296), whose masks say for each pixel whether the object is there and whether
the scene changes there.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from kinetoscope_quadmask._area import area_resized
from kinetoscope_quadmask._grid import Array, Grid
from kinetoscope_spec import ValidationError

__all__ = [
    "AFFECTED",
    "KEEP",
    "OVERLAP",
    "REMOVE",
    "Kind",
    "affected",
    "combined",
    "decoded",
    "first_frame",
    "gridded",
    "quantised",
    "removed",
]

REMOVE: Final = 0
OVERLAP: Final = 63
AFFECTED: Final = 127
KEEP: Final = 255

Kind = Literal["quadmask", "trimask", "dark", "bright"]
"""What a picture of a mask means: four values; three (remove, affected, keep); two, in which what is to be
removed is dark, as in VOID's black masks, or bright, as in most other programs' mattes."""

_VALUES = np.array([REMOVE, OVERLAP, AFFECTED, KEEP], np.uint8)
_QUAD_EDGES = (31.0, 95.0, 191.0)
"""Up to these (included) a value is remove, overlap, affected; above the last it is keep."""
_DARK, _BRIGHT = 64.0, 192.0
"""Of trimasks: below the first is remove, above the second keep."""
_HALF = 127.5


def combined(remove: Array, affects: Array) -> Array:
    """Return a quadmask frame `uint8 [H, W]` of two bool `[H, W]`: the object, and what changes."""
    layers = np.where(affects, np.uint8(AFFECTED), np.uint8(KEEP))
    return np.where(remove, np.where(affects, np.uint8(OVERLAP), np.uint8(REMOVE)), layers)


def removed(frame: Array) -> Array:
    """Return where the object is: remove or overlap, bool `[H, W]`."""
    inside: Array = frame <= OVERLAP
    return inside


def affected(frame: Array) -> Array:
    """Return where the scene changes: affected or overlap, bool `[H, W]`."""
    inside: Array = (frame == AFFECTED) | (frame == OVERLAP)
    return inside


def quantised(picture: Array, kind: Kind = "quadmask") -> Array:
    """Return a quadmask frame of grey levels 0 to 255 `[H, W]` that a codec or a resize has changed.

    Quadmasks are cut at 31, 95 and 191 (included below), trimasks at 64 and 192 (included between them),
    masks of two values in the middle.

    Raises:
        ValidationError: there is no such kind.
    """
    if picture.dtype == np.uint8 and picture.size > 256:
        looked_up: Array = quantised(np.arange(256.0), kind)[picture]
        return looked_up
    if kind == "quadmask":
        told: Array = _VALUES[np.searchsorted(_QUAD_EDGES, picture, side="left")]
        return told
    if kind == "trimask":
        middle = np.where(picture > _BRIGHT, np.uint8(KEEP), np.uint8(AFFECTED))
        return np.where(picture < _DARK, np.uint8(REMOVE), middle)
    if kind not in ("dark", "bright"):
        raise ValidationError(f"kind is {kind!r}, expected quadmask, trimask, dark or bright")
    inside = picture < _HALF if kind == "dark" else picture > _HALF
    return np.where(inside, np.uint8(REMOVE), np.uint8(KEEP))


def decoded(picture: Array, width: int, height: int, kind: Kind = "quadmask") -> Array:
    """Return a quadmask frame of `width` x `height` of a decoded picture, `uint8 [H, W]` or `[H, W, 3|4]`.

    Values are told apart after the resize, as in VOID: pixels at an edge take the value that their mean is
    nearest to.
    """
    return quantised(area_resized(_grey(picture), width, height), kind)


def _grey(picture: Array) -> Array:
    if picture.ndim == 2:
        return picture
    first: Array = picture[..., 0]
    if np.array_equal(first, picture[..., 1]) and np.array_equal(first, picture[..., 2]):
        return first  # what grey films are decoded to
    mean: Array = picture[..., :3].mean(axis=-1)
    return mean


def first_frame(frame: Array) -> Array:
    """Return what is left of a frame that is a quadmask's first: nothing is affected there.

    VOID was trained on masks whose first frame names the object alone: affected becomes keep, and overlap
    remove.
    """
    return combined(removed(frame), np.zeros(frame.shape, bool))


def gridded(frame: Array, grid: Grid) -> Array:
    """Return a frame in which each cell of `grid` that is affected at one pixel is affected at all.

    What is removed stays accurate to the pixel; overlap is where the two meet.
    """
    return combined(removed(frame), grid.snapped(affected(frame)))
