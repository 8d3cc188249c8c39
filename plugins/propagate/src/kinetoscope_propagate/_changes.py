"""Pixels that change with an object: what differs from the background beside it, and what it has touched."""

from __future__ import annotations

from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Changes", "beside"]

Array = NDArray[Any]
Known = tuple[Array, Array]
"""A background, `float32 [h, w, 3]` levels, and where it is known, bool `[h, w]`."""

LEAST, SIGMAS = 7.0, 5.0
"""What differs from the background by as many levels, and as many deviations of all that does, has changed."""

AREA = 4e-4
"""Of the picture: smaller patches are noise."""

REACH = 0.02
"""Of the longer side of the picture: so near a thing touches the object."""

DARKEST, PALEST, COLOUR = 0.25, 0.97, 12.0
"""A shadow leaves so much of the light at least, at most, and its hue, up to so many levels of a* and b*."""


@attrs.define(eq=False)
class Changes:
    """Follows from frame to frame what an object has to do with.

    Attributes:
        shape: rows and columns of the pictures.
        touched: bool `[h, w]`, what it had to do with in the frame before, a little wider.
    """

    shape: tuple[int, int]
    touched: Array = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.touched = np.zeros(self.shape, bool)

    def of(self, picture: Array, hidden: Array, behind: Known, before: Known) -> tuple[Array, Array]:
        """Return where a shadow or a reflection is in the next frame, and where another thing; bool `[h, w]` each.

        Args:
            picture: `uint8 [h, w, 3]`.
            hidden: the object.
            behind: the background.
            before: the same as it was early in the film: a thing that came to rest is no background.
        """
        reach = max(2, round(REACH * max(self.shape)))
        near = _wider(hidden, reach)
        beyond = ~_wider(hidden, 2)
        shade, other = np.zeros(self.shape, bool), np.zeros(self.shape, bool)
        for told, is_shade, start in ((behind, True, near), (before, False, near | self.touched)):
            changed = _changed(picture, told[0], told[1] & beyond)
            _, labels, stats, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
            dark = _darker(picture, told[0])
            for label in np.unique(labels[changed & start]):
                if stats[label, cv2.CC_STAT_AREA] < AREA * changed.size:
                    continue
                patch = labels == label
                if (dark[patch].mean() > 0.6) == is_shade:
                    (shade if is_shade else other)[patch] = True
        # A shadow goes where the object goes; a thing that was touched goes on by itself.
        self.touched = _wider(other, reach)
        return shade, other


def _changed(picture: Array, behind: Array, free: Array) -> Array:
    off = np.abs(cv2.GaussianBlur(picture.astype(np.float32) - behind, (0, 0), 1.0)).max(axis=2)
    if not free.any():
        return np.zeros(free.shape, bool)
    least = max(LEAST, SIGMAS * 1.4826 * float(np.median(off[free])))
    changed = ((off > least) & free).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _darker(picture: Array, behind: Array) -> Array:
    """Return where a picture is what is behind with less light."""
    here, there = (
        cv2.cvtColor(held.clip(0, 255).astype(np.uint8), cv2.COLOR_RGB2LAB).astype(np.float32)
        for held in (picture, behind)
    )
    share = here[..., 0] / np.maximum(there[..., 0], 1)
    hue = np.abs(here[..., 1:] - there[..., 1:]).max(axis=2)
    return np.asarray((share > DARKEST) & (share < PALEST) & (hue < COLOUR))


def beside(picture: Array, hidden: Array) -> Array:
    """Return what seems to be the shadow of an object that stands still, bool `[h, w]`: told from one picture.

    On ground of one colour around it, what is darker and goes up to it. Nothing where the ground is of
    many colours.
    """
    none = np.zeros(hidden.shape, bool)
    if not hidden.any() or hidden.all():
        return none
    size = float(np.sqrt(hidden.sum()))
    ring = _wider(hidden, max(6, int(0.6 * size))) & ~_wider(hidden, 2)
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    ground = np.median(lab[ring], axis=0) if ring.any() else np.zeros(3, np.float32)
    plain = np.abs(lab - ground).max(axis=2) < 0.06 * 255
    if not ring.any() or plain[ring].mean() < 0.6:
        return none
    share, hue = lab[..., 0] / max(ground[0], 1.0), np.abs(lab[..., 1:] - ground[1:]).max(axis=2)
    dark = ring & (share > DARKEST) & (share < 0.9) & (hue < COLOUR)
    dark = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=8)
    made = none
    for label in np.unique(labels[dark & _wider(hidden, 4)]):
        if stats[label, cv2.CC_STAT_AREA] >= max(AREA * dark.size, 0.03 * hidden.sum()):
            made |= labels == label
    return made


def _wider(held: Array, by: int) -> Array:
    return np.asarray(cv2.dilate(held.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)) > 0)
