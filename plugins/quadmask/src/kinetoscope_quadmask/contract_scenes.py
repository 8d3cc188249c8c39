"""Scenes whose every mask is known: discs that go over a plain background, for the contracts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask.prompts import Box, Hint, Point, Prompts
from kinetoscope_spec import Mask, Video

__all__ = ["DiscScene", "Writable", "disc_scenes", "read_frames"]

COLOURS = ((220, 40, 30), (30, 60, 220), (240, 220, 40))
GROUND = (60, 130, 70)


@attrs.frozen(eq=False)
class DiscScene:
    """A video of discs, and where each is: `truth` is bool `[O, T, H, W]`, `centres` `[O, T, 2]` (x, y) px."""

    video: Video
    truth: Array
    centres: Array
    radius: float

    @property
    def count(self) -> int:
        """Number of frames."""
        return int(self.truth.shape[1])

    def prompts(self, index: int, frame: int, takes: frozenset[str]) -> Prompts:
        """Return all prompts of the disc `index` on `frame` that a segmenter can use."""
        x, y = map(float, self.centres[index, frame])
        reach = self.radius + 1
        points: list[Point] = []
        if "points" in takes:
            points = [
                Point(x, y, frame),
                *(Point(*outside, frame, False) for outside in self._outside(index, frame)),
            ]
        boxes = [Box(x - reach, y - reach, x + reach, y + reach, frame)] if "boxes" in takes else []
        masks = [Hint(self.truth[index, frame], frame)] if "masks" in takes and not (points or boxes) else []
        return Prompts(points, boxes, masks)

    def _outside(self, index: int, frame: int) -> list[tuple[float, float]]:
        x, y = self.centres[index, frame]
        far = self.radius + 4
        around = [(x - far, y), (x + far, y), (x, y - far), (x, y + far)]
        return [
            (float(a), float(b))
            for a, b in around
            if 0 <= a < self.video.width and 0 <= b < self.video.height
        ][:2]

    def mask(self) -> Mask:
        """Return all discs as one mask."""
        covered = np.where(self.truth.any(axis=0), np.uint8(255), np.uint8(0))
        return Mask.from_frames(covered, self.video.rate)


@st.composite
def disc_scenes(draw: st.DrawFn, *, objects: int = 1, frames: tuple[int, ...] = (1, 3, 6)) -> DiscScene:
    """Draw scenes of discs that go across and never meet; `frames` is how many there may be."""
    count = draw(st.sampled_from(frames))
    width, height = draw(st.sampled_from(((64, 48), (48, 64), (81, 55))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    radius = 7.0
    lane = height / objects
    centres = np.empty((objects, count, 2))
    for index in range(objects):
        begin = rng.uniform(radius + 2, width - radius - 3)
        step = rng.uniform(-3, 3)
        centres[index, :, 0] = np.clip(begin + step * np.arange(count), radius + 1, width - radius - 2)
        centres[index, :, 1] = lane * (index + 0.5)
    down, across = np.mgrid[:height, :width]
    far = np.hypot(across - centres[..., 0, None, None], down - centres[..., 1, None, None])
    truth = far <= radius
    shade = rng.integers(-4, 5, (height, width, 1))
    pictures = np.repeat((np.array(GROUND) + shade)[None], count, axis=0)
    for index in range(objects):
        pictures[truth[index]] = COLOURS[index]
    rate = draw(st.sampled_from((Fraction(12), Fraction(30000, 1001))))
    return DiscScene(Video.from_frames(pictures.astype(np.uint8), rate), truth, centres, radius)


@attrs.frozen(eq=False)
class Writable:
    """A source whose frames can be written to, as those of a decoder may: `[T, H, W, ...]`."""

    held: Array

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        """Yield the very frames, not copies."""
        yield from self.held[start:stop]


def read_frames(stream: Any) -> Array:
    """Return all frames of a video or a mask, stacked."""
    return np.stack([frame.copy() for frame in stream.frames()])
