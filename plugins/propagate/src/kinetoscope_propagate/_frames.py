"""Frames of a video at the size that is worked in, in either direction, few kept at once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import ValidationError, Video

__all__ = ["Frames"]

Array = NDArray[Any]

CHUNK, CHUNKS = 16, 3
"""Frames that are decoded together, since going backward a decoder starts at a key frame each time; and as many are kept."""


class Frames:
    """Pictures `uint8 [h, w, 3]` of a video, no larger than `longest` px along the longer side."""

    def __init__(self, video: Video, count: int, longest: int) -> None:
        scale = min(1.0, longest / max(video.width, video.height))
        self.width, self.height = max(1, round(video.width * scale)), max(1, round(video.height * scale))
        self._video, self._count = video, count
        self._chunks: OrderedDict[int, list[Array]] = OrderedDict()

    def __getitem__(self, index: int) -> Array:
        number, place = divmod(index, CHUNK)
        chunk = self._chunks.get(number)
        if chunk is None:
            first = number * CHUNK
            frames = self._video.frames(first, min(first + CHUNK, self._count))
            chunk = self._chunks[number] = [self._resized(frame) for frame in frames]
            while len(self._chunks) > CHUNKS:
                self._chunks.popitem(last=False)
        self._chunks.move_to_end(number)
        if place >= len(chunk):
            raise ValidationError(f"the video gives no frame {index}, expected {self._count} frames")
        return chunk[place]

    def _resized(self, frame: Array) -> Array:
        colours = np.array(frame[..., :3], order="C")
        if colours.shape[:2] == (self.height, self.width):
            return colours
        return np.asarray(cv2.resize(colours, (self.width, self.height), interpolation=cv2.INTER_AREA))
