"""How much lighter or darker the whole picture is than it was: exposure that drifts, told by what does not move."""

from __future__ import annotations

from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SAME", "Light", "Noise", "relit"]

Array = NDArray[Any]

SMALL = 84
"""Pixels along the longer side of the pictures in which light is looked for."""

BLUR = 1.0
"""Pixels of them over which they are smoothed."""

FAINT = 0.2
"""Levels of a change that is none; one of twice as much is taken whole. So little is still told from noise, of which
thousands of smoothed pixels leave a hundredth of it; where the change is but noise, `LOCAL` says so."""

LOCAL = 0.3, 0.6
"""Shares of what has changed: a light that leaves no more than the first is taken whole, one that leaves the second not."""

FEWEST = 64
"""Pixels that have to be seen in both frames."""

FIT = 0.6
"""Share of them that is enough: with less, light is told by a frame that is nearer."""

THIN, CALM = 4, 1.5
"""Every so manieth pixel and row is asked for noise; deviation of a view, told by the median of how far views lie from
their median, of the mean of the lesser half of differences of two (by trial on normal noise)."""

SAME = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], np.float32)
"""Light that is as it was: the gain of each channel, and what is added."""


@attrs.define(eq=False)
class _Look:
    """A frame in small: `float32 [h, w, 3]`, bool `[h, w]`, its place (of small pixels) and its light."""

    picture: Array
    free: Array
    place: Array
    light: Array


class Light:
    """Follows the light of a film: gains and offsets by which colours become those of the first frame.

    What moves, a shadow that passes or somebody who comes in, is no light: most of what both frames show has
    to say the same.
    """

    def __init__(self) -> None:
        self._known: _Look | None = None

    def follow(self, frame: Array, hole: Array, place: Array) -> Array:
        """Return the light `float32 [2, 3]` (gains, offsets) of the next frame.

        Args:
            frame: `uint8 [H, W, C]`, of which the first three channels count.
            hole: bool `[H, W]`, what is not looked at.
            place: `[3, 3]`, from its pixels to those of the first frame.
        """
        now = _small(frame, hole, place)
        if self._known is None:
            self._known = now
            return SAME
        here, there = _both(now, self._known)
        if len(here) >= FEWEST:
            now.light = _chained(self._known.light, _fitted(there, here))
        else:
            now.light = self._known.light
        if (
            len(here) < FIT * now.free.size
        ):  # the camera has moved on: from here on this frame is what is known
            self._known = now
        return now.light


class Noise:
    """Follows the noise of a film before a camera that stands still."""

    def __init__(self) -> None:
        self._before: tuple[Array, Array] | None = None
        self._place: Array = np.eye(3)

    def follow(self, frame: Array, hole: Array, place: Array) -> float:
        """Return the deviation of colours by noise, levels, NaN where it can't be told; see `Light.follow`.

        It is told by how much a frame differs from the one before where they are calm. No median: colours are
        whole numbers.
        """
        now, free = frame[::THIN, ::THIN, :3].astype(np.int16), ~hole[::THIN, ::THIN]
        before, self._before = self._before, (now, free)
        still = np.allclose(place, self._place, atol=1e-9)
        self._place = place
        if before is None or not still:
            return np.nan
        both = free & before[1]
        off = np.sort(np.abs(now - before[0]).max(axis=2)[both])
        return float(CALM * off[: len(off) // 2 + 1].mean()) if len(off) else np.nan


def relit(colours: Array, light: Array, other: Array) -> Array:
    """Return colours `[..., C]` of a frame of one light as they are in the `other`, `float32` unless both are alike."""
    if np.array_equal(light, other):
        return colours
    channels = colours.shape[-1]
    gain, offset = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    gain[:3] = light[0] / other[0]
    offset[:3] = (light[1] - other[1]) / other[0]
    return np.asarray(colours * gain + offset)


def _small(frame: Array, hole: Array, place: Array) -> _Look:
    scale = min(1.0, SMALL / max(hole.shape))
    size = max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale))
    colours = np.ascontiguousarray(frame[..., :3])
    picture = cv2.resize(colours, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    picture = cv2.GaussianBlur(
        picture, (0, 0), BLUR
    )  # so that moving it by parts of a pixel takes nothing away
    covered = cv2.resize(hole.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    # What is burnt out or black says nothing of light.
    free = (covered == 0) & (picture > 2).all(axis=2) & (picture < 253).all(axis=2)
    fx, fy = hole.shape[1] / size[0], hole.shape[0] / size[1]
    grow = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
    return _Look(picture, free, np.linalg.inv(grow) @ place @ grow, SAME)


def _both(now: _Look, known: _Look) -> tuple[Array, Array]:
    """Return the colours `[N, 3]` of what both frames show, in one and in the other."""
    matrix = np.linalg.solve(known.place, now.place)
    if np.allclose(matrix / matrix[2, 2], np.eye(3), atol=1e-9):
        both = now.free & known.free
        return now.picture[both], known.picture[both]
    size = now.free.shape[::-1]
    flags = cv2.WARP_INVERSE_MAP
    there = cv2.warpPerspective(known.picture, matrix, size, flags=flags | cv2.INTER_LINEAR)
    free = cv2.warpPerspective(
        known.free.astype(np.uint8) * 255, matrix, size, flags=flags | cv2.INTER_LINEAR
    )
    both = now.free & (free == 255)
    return now.picture[both], there[both]


def _fitted(wanted: Array, given: Array) -> Array:
    """Return the light `[2, 3]` that brings colours `[N, 3]` to those wanted, as most of them say.

    Either a gain or an offset, whichever leaves less. Both are medians: they stand what moves, and, unlike a
    line of least squares, are not drawn to a gain below 1 by noise. Where most of what has changed is left, it
    is not the light of all: a shadow that falls on a part, say.
    """
    gain = np.median(wanted / given, axis=0).clip(0.5, 2)
    offset = np.median(wanted - given, axis=0)
    left = [np.abs(wanted - held).mean(axis=1) for held in (given * gain, given + offset)]
    rest = [float(np.median(held)) for held in left]
    by_gain = rest[0] <= rest[1]
    change = float(np.median(np.abs(wanted - given).mean(axis=1)))
    share = float(np.clip((change - FAINT) / FAINT, 0, 1))
    share *= float(np.clip((LOCAL[1] - min(rest) / max(change, 1e-6)) / (LOCAL[1] - LOCAL[0]), 0, 1))
    none = np.zeros(3)
    made = [1 + (gain - 1) * share, none] if by_gain else [none + 1, offset * share]
    return np.stack(made).astype(np.float32)


def _chained(first: Array, then: Array) -> Array:
    """Return the light by which colours go through `then`, and through `first` after it."""
    return np.stack([first[0] * then[0], first[0] * then[1] + first[1]]).astype(np.float32)
