"""Masks of many frames in little memory: each frame compressed, in any order of writing."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from kinetoscope_quadmask._grid import Array
from kinetoscope_spec import Mask, ValidationError

__all__ = ["MaskStore"]


class MaskStore:
    """Frames of a mask, `uint8 [H, W]`, kept compressed; a frame that was never set is 0 everywhere.

    A segmenter that goes forward and backward fills it as it goes: a mask at 1080p takes a few
    kilobytes a frame. What was set first stays unless `over` replaces it.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._frames: dict[int, bytes] = {}

    def __contains__(self, index: int) -> bool:
        return index in self._frames

    def __len__(self) -> int:
        return max(self._frames, default=-1) + 1

    def set(self, index: int, frame: Array, *, over: bool = True) -> None:
        """Keep `frame`, bool or `uint8 [H, W]`; bool True is 255.

        Raises:
            ValidationError: it is of another size or type, or `index` is below 0.
        """
        if index < 0:
            raise ValidationError(f"frame {index} can't be kept, expected 0 or more")
        if frame.dtype == bool:
            frame = np.where(frame, np.uint8(255), np.uint8(0))
        if frame.dtype != np.uint8 or frame.shape != (self.height, self.width):
            raise ValidationError(
                f"frame {index} is {frame.dtype} {list(frame.shape)}, expected uint8 [{self.height}, {self.width}]"
            )
        if over or index not in self._frames:
            self._frames[index] = zlib.compress(np.ascontiguousarray(frame).tobytes(), 1)

    def adopt(self, frames: Iterable[bytes]) -> None:
        """Keep frames that are compressed already, from 0 on."""
        self._frames = dict(enumerate(frames))

    def get(self, index: int) -> Array:
        """Return frame `index`, `uint8 [H, W]`."""
        held = self._frames.get(index)
        if held is None:
            return np.zeros((self.height, self.width), np.uint8)
        return np.frombuffer(bytearray(zlib.decompress(held)), np.uint8).reshape(self.height, self.width)

    def mask(self, rate: Fraction | float | str, count: int) -> Mask:
        """Return the first `count` frames as a mask."""
        held = {index: frame for index, frame in self._frames.items() if index < count}
        return Mask(
            self.width, self.height, Fraction(rate), _Stored(self.width, self.height, held, count), count
        )


class _Stored:
    """The spec's FrameSource over what a store held when it was asked."""

    def __init__(self, width: int, height: int, frames: dict[int, bytes], count: int) -> None:
        self._held = MaskStore(width, height)
        self._held._frames = frames
        self._count = count

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        for index in range(*slice(start, stop).indices(self._count)):
            yield self._held.get(index)
