"""Masks made of masks, frame by frame as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any, TypeVar

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._grid import Array, Grid
from kinetoscope_spec import Mask, Quadmask, ValidationError, Video

__all__ = [
    "affected_mask",
    "as_quadmask",
    "blank",
    "check_fit",
    "count_frames",
    "mapped",
    "on_grid",
    "removed_mask",
    "with_first_frame",
]

M = TypeVar("M", bound=Mask)


@attrs.frozen(eq=False)
class _Mapped:
    """The frames of `source`, each as `change(index, frame)` makes it."""

    source: Callable[[int, int | None], Iterator[Array]]
    change: Callable[[int, Array], Array]

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        for index, frame in enumerate(self.source(start, stop), start):
            yield self.change(index, frame)


def mapped(
    stream: Mask | Video,
    kind: type[M],
    change: Callable[[int, Array], Array],
    *,
    size: tuple[int, int] | None = None,
) -> M:
    """Return a mask whose frames are `change(index, frame)` of those of `stream`; `size` is (width, height)."""
    width, height = size or (stream.width, stream.height)
    return kind(
        width, height, stream.rate, _Mapped(stream.frames, change), stream.frame_count, stream.timestamps
    )


def as_quadmask(mask: Mask) -> Quadmask:
    """Return a mask as a quadmask: what it covers at all (above 0) is to be removed."""
    if isinstance(mask, Quadmask):
        return mask
    return mapped(mask, Quadmask, _covered)


def removed_mask(quadmask: Quadmask) -> Mask:
    """Return where the object is, 255 inside."""
    return mapped(quadmask, Mask, partial(_layer, values.removed))


def affected_mask(quadmask: Quadmask) -> Mask:
    """Return where the scene changes, 255 inside."""
    return mapped(quadmask, Mask, partial(_layer, values.affected))


def on_grid(quadmask: Quadmask, grid: Grid | None = None) -> Quadmask:
    """Return a quadmask whose affected regions fill the cells of `grid`, or of the usual one."""
    return mapped(quadmask, Quadmask, partial(_gridded, grid or Grid.over(quadmask.width, quadmask.height)))


def with_first_frame(quadmask: Quadmask) -> Quadmask:
    """Return a quadmask whose first frame names the object alone (`values.first_frame`)."""
    return mapped(quadmask, Quadmask, _ruled)


def count_frames(stream: Mask | Video) -> int:
    """Return how many frames there are, reading all where the stream does not know."""
    if stream.frame_count is not None:
        return stream.frame_count
    return sum(1 for _ in stream.frames())


def blank(video: Video) -> Quadmask:
    """Return a quadmask of a video's size and length that keeps everything."""
    count = count_frames(video)
    source = _Blank(video.height, video.width, count)
    return Quadmask(video.width, video.height, video.rate, source, count, video.timestamps)


@attrs.frozen(eq=False)
class _Blank:
    """Frames that keep everything."""

    height: int
    width: int
    count: int

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        for _ in range(*slice(start, stop).indices(self.count)):
            yield np.full((self.height, self.width), values.KEEP, np.uint8)


def check_fit(mask: Mask, video: Video, what: str = "mask") -> None:
    """Raise unless a mask has the size and, where both are known, the length of a video.

    Raises:
        ValidationError: it has another; names both.
    """
    if (mask.width, mask.height) != (video.width, video.height):
        raise ValidationError(
            f"the {what} is {mask.width} x {mask.height} pixels, the video {video.width} x {video.height}"
        )
    if None not in (mask.frame_count, video.frame_count) and mask.frame_count != video.frame_count:
        raise ValidationError(f"the {what} has {mask.frame_count} frames, the video {video.frame_count}")


def _covered(_index: int, frame: Array) -> Array:
    return np.where(frame > 0, np.uint8(values.REMOVE), np.uint8(values.KEEP))


def _layer(layer: Callable[[Array], Array], _index: int, frame: Array) -> Array:
    return np.where(layer(frame), np.uint8(255), np.uint8(0))


def _gridded(grid: Grid, _index: int, frame: Array) -> Array:
    return values.gridded(frame, grid)


def _ruled(index: int, frame: Array) -> Array:
    return values.first_frame(frame) if index == 0 else frame


def decoded_stream(
    pictures: Video, kind: values.Kind, size: tuple[int, int], rate: Fraction, crop: tuple[int, int] | None
) -> Quadmask:
    """Return decoded pictures as a quadmask of `size`; `crop` (width, height) is what of them counts."""
    made = mapped(pictures, Quadmask, partial(_decoded, kind, size, crop), size=size)
    return attrs.evolve(made, rate=rate)


def _decoded(
    kind: values.Kind, size: tuple[int, int], crop: tuple[int, int] | None, _index: int, frame: Array
) -> Array:
    seen: Any = frame if crop is None else frame[: crop[1], : crop[0]]
    return values.decoded(seen, *size, kind)
