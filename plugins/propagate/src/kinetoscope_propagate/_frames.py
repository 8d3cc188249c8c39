"""Frames of a video at the size that is worked in."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_quadmask.hooks import ChunkedFrames
from kinetoscope_spec import Video

__all__ = ["Frames"]

Array = NDArray[Any]


class Frames(ChunkedFrames):
    """Pictures `uint8 [h, w, 3]` of a video, no larger than `longest` px along the longer side."""

    def __init__(self, video: Video, count: int, longest: int) -> None:
        scale = min(1.0, longest / max(video.width, video.height))
        self.width, self.height = max(1, round(video.width * scale)), max(1, round(video.height * scale))
        super().__init__(video, count, self._resized)

    def _resized(self, frame: Array) -> Array:
        colours = np.array(frame[..., :3], order="C")
        if colours.shape[:2] == (self.height, self.width):
            return colours
        return np.asarray(cv2.resize(colours, (self.width, self.height), interpolation=cv2.INTER_AREA))
