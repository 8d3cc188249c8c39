"""Frames of a video in any order, few kept at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from kinetoscope_quadmask._grid import Array
from kinetoscope_spec import ValidationError, Video

__all__ = ["ChunkedFrames"]

CHUNK: Final = 12
"""Frames that are decoded together: going backward, a decoder starts at a key frame each time."""
CHUNKS: Final = 3
"""As many are kept: 110 MB of pictures of 1024 x 1024."""


class ChunkedFrames:
    """Pictures made of a video's frames, by number; those read last are kept as they were made.

    Confined to one thread, as the video is.

    Args:
        video: what is read.
        count: how many frames it has.
        make: what is kept of a frame `uint8 [H, W, C]`.
    """

    def __init__(self, video: Video, count: int, make: Callable[[Array], Array]) -> None:
        self._video, self._count, self._make = video, count, make
        self._chunks: OrderedDict[int, list[Array]] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Array:
        """Return one picture.

        Raises:
            IndexError: there is none of this number.
            ValidationError: the video ends before it.
        """
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} is not there, expected 0 to {self._count - 1}")
        number, place = divmod(index, CHUNK)
        chunk = self._chunks.get(number)
        if chunk is None:
            first = number * CHUNK
            frames = self._video.frames(first, min(first + CHUNK, self._count))
            chunk = self._chunks[number] = [self._make(frame) for frame in frames]
            while len(self._chunks) > CHUNKS:
                self._chunks.popitem(last=False)
        self._chunks.move_to_end(number)
        if place >= len(chunk):
            raise ValidationError(f"the video gives no frame {index}, expected {self._count} frames")
        return chunk[place]
