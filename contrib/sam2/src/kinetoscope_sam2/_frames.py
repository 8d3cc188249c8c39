"""Frames of a video as the network takes them, made when it asks for them, few kept at once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import ValidationError, Video

__all__ = ["Frames"]

Array = NDArray[Any]

MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)
"""Of ImageNet, by which SAM 2's pictures are normalised."""

CHUNK: Final = 12
"""Frames that are decoded together: going backward, a decoder starts at a key frame each time."""
CHUNKS: Final = 3
"""As many are kept: 110 MB at 1024 px."""


class Frames:
    """A sequence of `float32 [3, size, size]` tensors over a video that is read in chunks.

    Confined to one thread, as the video is.
    """

    def __init__(self, video: Video, count: int, size: int) -> None:
        self._video, self._count, self._size = video, count, size
        self._chunks: OrderedDict[int, list[Array]] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        import torch

        # Divided in float64 and rounded once, as the package does: its masks are met bit for bit.
        picture = torch.from_numpy(self._picture(index) / 255.0).permute(2, 0, 1).float()
        mean, deviation = (torch.tensor(held)[:, None, None] for held in (MEAN, DEVIATION))
        return (picture - mean) / deviation

    def _picture(self, index: int) -> Array:
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} is not there, expected 0 to {self._count - 1}")
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
        from PIL import Image

        image = Image.fromarray(np.ascontiguousarray(frame[..., :3]))
        return np.array(image.resize((self._size, self._size), Image.Resampling.BICUBIC))
