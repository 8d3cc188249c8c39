"""Frames of a video as the network takes them, made when it asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_quadmask.hooks import ChunkedFrames
from kinetoscope_spec import Video

__all__ = ["Frames"]

Array = NDArray[Any]

MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)
"""Of ImageNet, by which SAM 2's pictures are normalised."""

HALF: Final = (0.5, 0.5, 0.5)
"""SAM 3's mean and deviation: its pictures go from -1 to 1."""


class Frames:
    """A sequence of `float32 [3, size, size]` tensors over a video that is read in chunks.

    Args:
        normal: mean and deviation of the channels, from 0 to 1.
        smooth: scale by cubics, as SAM 2's package does, or linearly, as SAM 3's processor does.
    """

    def __init__(
        self,
        video: Video,
        count: int,
        size: int,
        *,
        normal: tuple[Sequence[float], Sequence[float]] = (MEAN, DEVIATION),
        smooth: bool = True,
    ) -> None:
        self._size, self._normal, self._smooth = size, normal, smooth
        self._pictures = ChunkedFrames(video, count, self._resized)

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Any:
        import torch

        # Divided in float64 and rounded once, as the package does: its masks are met bit for bit.
        picture = torch.from_numpy(self._pictures[index] / 255.0).permute(2, 0, 1).float()
        mean, deviation = (torch.tensor(held)[:, None, None] for held in self._normal)
        return (picture - mean) / deviation

    def _resized(self, frame: Array) -> Array:
        from PIL import Image

        image = Image.fromarray(np.ascontiguousarray(frame[..., :3]))
        way = Image.Resampling.BICUBIC if self._smooth else Image.Resampling.BILINEAR
        return np.array(image.resize((self._size, self._size), way))
