"""Moving pictures and masks over them, as streams: a film need not fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol, Self

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, shaped
from kinetoscope_spec._value import Value
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.voice import Audio

__all__ = ["FrameSource", "Mask", "Quadmask", "Video"]


class FrameSource(Protocol):
    """Where frames come from. Confined to one thread; every call starts afresh."""

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        """Yield frames `start` to `stop` (not included; None for all that are left)."""
        ...


@attrs.frozen(eq=False)
class _ArrayFrames:
    """Frames that are in memory, `[T, H, W, ...]`."""

    frames: Array

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        yield from self.frames[start:stop]


@attrs.frozen(eq=False, repr=False)
class _Stream(Value):
    """What videos and masks share: a size, a rate and frames one can go through again."""

    width: int
    height: int
    rate: Fraction = attrs.field(converter=Fraction)
    source: FrameSource = attrs.field(repr=False)
    frame_count: int | None = None
    timestamps: Array | None = None

    def __attrs_post_init__(self) -> None:
        owner = type(self).__name__
        if self.width < 1 or self.height < 1:
            raise ValidationError(f"{owner} is {self.width} x {self.height} pixels, expected at least 1 x 1")
        if self.rate <= 0:
            raise ValidationError(f"{owner}.rate is {self.rate}, expected frames per second above 0")
        if self.timestamps is not None:
            stamps = shaped(owner, "timestamps", self.timestamps, ["T"], np.float64)
            if (np.diff(stamps) <= 0).any():
                raise ValidationError(f"{owner}.timestamps do not increase")
            object.__setattr__(self, "timestamps", stamps)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Array]:
        """Yield the frames from `start` to `stop` (not included), each checked for size and dtype.

        Raises:
            ValidationError: a frame is not what it should be.
        """
        for i, frame in enumerate(self.source(start, stop), start):
            self._check(i, frame)
            yield frame

    def _check(self, index: int, frame: Array) -> None:
        raise NotImplementedError  # pragma: no cover - every stream type has its own


@attrs.frozen(eq=False, repr=False)
class Video(_Stream):
    """Moving pictures.

    Attributes:
        width, height: pixels.
        rate: nominal frames per second.
        source: called with (start, stop), yields `uint8 [H, W, 3|4]` sRGB, top row first.
        frame_count: T, or None where only reading to the end would tell.
        timestamps: `[T]` s of each frame, increasing, or None at a constant rate.
        audio: its sound, or None.
    """

    audio: Audio | None = None

    def _check(self, index: int, frame: Array) -> None:
        if frame.dtype != np.uint8 or frame.shape not in (
            (self.height, self.width, 3),
            (self.height, self.width, 4),
        ):
            raise ValidationError(
                f"frame {index} is {frame.dtype} {list(frame.shape)}, expected uint8 "
                f"[{self.height}, {self.width}, 3|4]"
            )

    @classmethod
    def from_frames(
        cls, frames: Any, rate: Fraction | int | float | str, audio: Audio | None = None
    ) -> Video:
        """Build a video of frames in memory, `uint8 [T, H, W, 3|4]`."""
        frames = shaped("Video", "frames", frames, ["T", "H", "W", "C"], np.uint8)
        _, height, width, _ = frames.shape
        return cls(width, height, Fraction(rate), _ArrayFrames(frames), len(frames), None, audio)


@attrs.frozen(eq=False, repr=False)
class Mask(_Stream):
    """Which pixels: frames are `uint8 [H, W]`, 0 outside and 255 inside, soft edges between."""

    def _check(self, index: int, frame: Array) -> None:
        if frame.dtype != np.uint8 or frame.shape != (self.height, self.width):
            raise ValidationError(
                f"frame {index} is {frame.dtype} {list(frame.shape)}, expected uint8 [{self.height}, {self.width}]"
            )

    @classmethod
    def from_frames(cls, frames: Any, rate: Fraction | int | float | str) -> Self:
        """Build a mask of frames in memory, `uint8 [T, H, W]`."""
        frames = shaped(cls.__name__, "frames", frames, ["T", "H", "W"], np.uint8)
        _, height, width = frames.shape
        return cls(width, height, Fraction(rate), _ArrayFrames(frames), len(frames))


@attrs.frozen(eq=False, repr=False)
class Quadmask(Mask):
    """What is to happen to each pixel: 0 remove, 63 overlap, 127 affected, 255 keep.

    `overlap` is removed and affected at once (VOID's values).
    """

    def _check(self, index: int, frame: Array) -> None:
        super()._check(index, frame)
        present = np.flatnonzero(np.bincount(frame.ravel(), minlength=256))
        strange = np.setdiff1d(present, QUADMASK_VALUES)
        if len(strange):
            raise ValidationError(
                f"frame {index} holds {int(strange[0])}, expected only {', '.join(map(str, QUADMASK_VALUES))}"
            )


QUADMASK_VALUES = (0, 63, 127, 255)
"""Remove, overlap, affected, keep."""
