"""A segmenter and a reasoner small enough to be looked through, for the contracts, the pipeline, the page.

`Flood` grows from what is prompted over pixels of its colour, and starts in the next frame from those of
its mask that still have it: enough for things of one colour. `Beneath` says that a shadow lies in the
cells below the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from scipy.ndimage import label

from kinetoscope_av.provider import AvMedia
from kinetoscope_quadmask.contract_scenes import COLOURS, GROUND
from kinetoscope_quadmask.hooks import Affected, Cells, Grid, MaskStore, Prompts, Reasoning, Segmentation
from kinetoscope_spec import Cancelled, Mask, Progress, ProviderNotFound, ValidationError, Video

LEVELS = 30
WIDE, HIGH, COUNT = 128, 72, 8


class Flood:
    takes = frozenset({"points", "boxes", "masks"})

    def segment(
        self, video: Video, objects: Sequence[Prompts], *, progress: Progress | None = None
    ) -> Segmentation:
        if not objects:
            raise ValidationError("there is no object to segment")
        for prompts in objects:
            prompts.check(video, self.takes)
        frames = [frame[..., :3].astype(int) for frame in video.frames()]
        masks = []
        for index, prompts in enumerate(objects):
            if progress and progress(index, len(objects), "flooding") is False:
                raise Cancelled("stopped")
            masks.append(self._follow(video, frames, prompts))
        if progress:
            progress(len(objects), len(objects), "flooding")
        return Segmentation(masks, np.ones((len(objects), len(frames))))

    def _follow(self, video: Video, frames: list[np.ndarray], prompts: Prompts) -> Mask:
        store = MaskStore(video.width, video.height)
        for start in prompts.prompted_frames():
            seeds = self._seeds(video, prompts.on(start))
            colour = np.median(frames[start][seeds], axis=0)
            first = self._grown(frames[start], seeds, colour)
            store.set(start, first)
            for way in (range(start + 1, len(frames)), range(start - 1, -1, -1)):
                mask = first
                for i in way:
                    mask = self._grown(frames[i], mask, colour)
                    store.set(i, mask, over=False)
        return store.mask(video.rate, len(frames))

    def _seeds(self, video: Video, prompts: Prompts) -> np.ndarray:
        seeds = np.zeros((video.height, video.width), bool)
        for point in prompts.points:
            if point.positive:
                seeds[int(point.y), int(point.x)] = True
        for hint in prompts.masks:
            seeds |= hint.mask > 0
        for box in prompts.boxes:
            seeds[int((box.top + box.bottom) / 2), int((box.left + box.right) / 2)] = True
        return seeds

    def _grown(self, frame: np.ndarray, seeds: np.ndarray, colour: np.ndarray) -> np.ndarray:
        alike = np.abs(frame - colour).max(axis=-1) < LEVELS
        patches, _ = label(alike)
        kept = np.unique(patches[seeds & alike])
        return np.isin(patches, kept[kept > 0])


class Beneath:
    def reason(
        self,
        video: Video,
        mask: Mask,
        *,
        instruction: str = "",
        grid: Grid | None = None,
        progress: Progress | None = None,
        **_: Any,
    ) -> Reasoning:
        if (video.width, video.height) != (mask.width, mask.height):
            raise ValidationError(
                f"the mask is {mask.width} x {mask.height}, the video {video.width} x {video.height}"
            )
        held = np.stack(list(mask.frames()))
        if len(held) != video.frame_count:
            raise ValidationError(f"the mask has {len(held)} frames, the video {video.frame_count}")
        if progress and progress(0, 1, "looking") is False:
            raise Cancelled("stopped")
        grid = grid or Grid.over(video.width, video.height)
        seen = []
        for i, frame in enumerate(held):
            rows, cols = np.nonzero(grid.touched(frame > 0))
            below = {(min(row + 1, grid.rows - 1), col) for row, col in zip(rows, cols, strict=True)}
            seen.append(Cells(i, sorted((int(r), int(c)) for r, c in below)))
        shadow = [Affected("shadow", "visual_artifact", cells=seen)] if held.any() else []
        return Reasoning(grid, "An empty floor.", affected=shadow, instruction=instruction)


def stacked(stream: Mask) -> np.ndarray:
    return np.stack([frame.copy() for frame in stream.frames()])


def scene() -> tuple[Video, np.ndarray]:
    """Three discs in their lanes; bool `[3, T, H, W]` says where each is."""
    down, across = np.mgrid[:HIGH, :WIDE]
    frames = np.empty((COUNT, HIGH, WIDE, 3), np.uint8)
    frames[:] = GROUND
    inside = np.zeros((3, COUNT, HIGH, WIDE), bool)
    for i in range(COUNT):
        for index, (x, y) in enumerate(((20 + 4 * i, 15), (100 - 3 * i, 38), (30 + 2 * i, 60))):
            inside[index, i] = np.hypot(across - x, down - y) <= 7
            frames[i, inside[index, i]] = COLOURS[index]
    return Video.from_frames(frames, 12), inside


VIDEO, INSIDE = scene()


@attrs.define
class FakeHost:
    held: dict[str, Any] = attrs.field(
        factory=lambda: {"media": AvMedia(), "segmenter": Flood(), "reasoner": Beneath()}
    )

    def provider(self, hook: str, name: str | None = None) -> Any:
        if hook not in self.held:
            raise ProviderNotFound(f"there is no {hook}")
        return self.held[hook]

    def explain(self, hook: str) -> Any:
        self.provider(hook)
        return attrs.make_class("Explanation", ["chosen"])(f"a-{hook}")
