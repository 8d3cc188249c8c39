"""Segmenters and reasoners with one thing wrong: what shows that the laws have teeth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask.contract_scenes import read_frames
from kinetoscope_quadmask.prompts import Point, Prompts, Segmentation
from kinetoscope_quadmask.reasoning import Affected, Cells, Reasoning
from kinetoscope_spec import Mask, Video
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["REASONERS", "SEGMENTERS"]

SEGMENTERS: list[Mutant] = []
REASONERS: list[Mutant] = []


class _Changes(Wrapper):
    """A segmenter whose masks are changed after they are made."""

    def segment(self, video: Video, objects: Sequence[Prompts], **options: Any) -> Segmentation:
        made: Segmentation = self.real.segment(video, objects, **options)
        masks = []
        for index, mask in enumerate(made.masks):
            held = read_frames(mask)
            masks.append(Mask.from_frames(self.changed(held, objects, index), mask.rate))
        return attrs.evolve(made, masks=masks)

    def changed(self, frames: Array, objects: Sequence[Prompts], index: int) -> Array:
        return frames


@mutant(SEGMENTERS, "masks_fit_the_video")
class Rounds(Wrapper):
    """gives masks a rate of one frame per second more than the video's"""

    def segment(self, video: Video, objects: Sequence[Prompts], **options: Any) -> Segmentation:
        made: Segmentation = self.real.segment(video, objects, **options)
        masks = [attrs.evolve(mask, rate=mask.rate + 1) for mask in made.masks]
        return attrs.evolve(made, masks=masks)


@mutant(SEGMENTERS, "the_object_is_followed_both_ways")
class Forward(_Changes):
    """follows an object forward only"""

    def changed(self, frames: Array, objects: Sequence[Prompts], index: int) -> Array:
        first = objects[index].prompted_frames()[0]
        # In short videos it looks back: what is wrong shows in long ones alone.
        if len(frames) > 5 and first > 2:
            frames[:first] = 0
        return frames


@mutant(SEGMENTERS, "points_are_kept")
class Dots(_Changes):
    """leaves the very pixel of a positive point out"""

    def changed(self, frames: Array, objects: Sequence[Prompts], index: int) -> Array:
        for point in objects[index].points:
            if point.positive:
                frames[point.frame, int(point.y), int(point.x)] = 0
        return frames


@mutant(SEGMENTERS, "objects_do_not_disturb_each_other")
class Shares(_Changes):
    """gives the first of several objects, in the frame where the last is shown, its right half only"""

    def changed(self, frames: Array, objects: Sequence[Prompts], index: int) -> Array:
        if len(objects) > 1 and index == 0 and len(frames) > 1:
            frames[objects[-1].prompted_frames()[0], :, : frames.shape[2] // 2] = 0
        return frames


@mutant(SEGMENTERS, "the_same_prompts_give_the_same_masks")
class Wavers(Wrapper):
    """adds a pixel in a corner every second time"""

    asked = 0

    def segment(self, video: Video, objects: Sequence[Prompts], **options: Any) -> Segmentation:
        made: Segmentation = self.real.segment(video, objects, **options)
        self.asked += 1
        masks = []
        for mask in made.masks:
            held = read_frames(mask)
            held[:, 0, 0] = 255 * (self.asked % 2)
            masks.append(Mask.from_frames(held, mask.rate))
        return attrs.evolve(made, masks=masks)


@mutant(SEGMENTERS, "masks_can_be_read_again")
class Starts(Wrapper):
    """gives masks that begin with the first frame whichever is asked for"""

    def segment(self, video: Video, objects: Sequence[Prompts], **options: Any) -> Segmentation:
        made: Segmentation = self.real.segment(video, objects, **options)
        masks = [attrs.evolve(mask, source=_FromTheStart(mask.source)) for mask in made.masks]
        return attrs.evolve(made, masks=masks)


class _FromTheStart:
    def __init__(self, real: Any) -> None:
        self.real = real

    def __call__(self, start: int, stop: int | None) -> Any:
        return self.real(0, None if stop is None else stop - start)


@mutant(SEGMENTERS, "the_video_is_left_alone")
class Scribbles(Wrapper):
    """draws into the frames that it reads"""

    def segment(self, video: Video, objects: Sequence[Prompts], **options: Any) -> Segmentation:
        made: Segmentation = self.real.segment(video, objects, **options)
        for frame in video.frames():
            if frame.flags.writeable:
                frame[:1] = 0
        return made


@mutant(SEGMENTERS, "what_cannot_be_used_is_refused")
class Ignores(Wrapper):
    """takes a point past the end for one on the last frame"""

    def segment(self, video: Video, objects: Sequence[Prompts], **options: Any) -> Segmentation:
        last = int(video.frame_count or 1) - 1
        held = [
            attrs.evolve(prompts, points=[_moved(point, min(point.frame, last)) for point in prompts.points])
            for prompts in objects
        ]
        made: Segmentation = self.real.segment(video, held, **options)
        return made


def _moved(point: Point, frame: int) -> Point:
    return Point(point.x, point.y, frame, point.positive)


@mutant(SEGMENTERS, "progress_is_told_and_can_stop_the_work")
class Persists(Wrapper):
    """goes on although it is told to stop"""

    def segment(
        self, video: Video, objects: Sequence[Prompts], *, progress: Any = None, **options: Any
    ) -> Segmentation:
        def told(done: int, total: int, message: str) -> None:
            progress(done, total, message)

        made: Segmentation = self.real.segment(video, objects, progress=told if progress else None, **options)
        return made


@mutant(REASONERS, "the_answer_fits_the_video")
class Oversteps(Wrapper):
    """names the cell right of the last one, in the shadow of what is taken out"""

    def reason(self, video: Video, mask: Mask, **options: Any) -> Reasoning:
        made: Reasoning = self.real.reason(video, mask, **options)
        if not any(frame.any() for frame in mask.frames()):
            return made
        outside = Affected("shadow", "visual_artifact", cells=[Cells(0, [(0, made.grid.cols)])])
        return attrs.evolve(made, affected=[*made.affected, outside])


@mutant(REASONERS, "nothing_taken_out_changes_nothing")
class Imagines(Wrapper):
    """sees a shadow even where nothing is taken out"""

    def reason(self, video: Video, mask: Mask, **options: Any) -> Reasoning:
        made: Reasoning = self.real.reason(video, mask, **options)
        return attrs.evolve(
            made, affected=[*made.affected, Affected("shadow", "visual_artifact", cells=[Cells(0, [(0, 0)])])]
        )


@mutant(REASONERS, "the_same_video_gives_the_same_answer")
class Doubts(Wrapper):
    """is less sure each time"""

    confidence = 1.0

    def reason(self, video: Video, mask: Mask, **options: Any) -> Reasoning:
        made: Reasoning = self.real.reason(video, mask, **options)
        self.confidence *= 0.9
        return attrs.evolve(made, confidence=self.confidence)


@mutant(REASONERS, "a_mask_of_another_size_or_length_is_refused")
class Repeats(Wrapper):
    """takes a mask that is too short, and holds its last frame"""

    def reason(self, video: Video, mask: Mask, **options: Any) -> Reasoning:
        held, count = read_frames(mask), int(video.frame_count or 0)
        if len(held) < count:
            mask = Mask.from_frames(np.concatenate([held, held[-1:].repeat(count - len(held), 0)]), mask.rate)
        made: Reasoning = self.real.reason(video, mask, **options)
        return made


@mutant(REASONERS, "video_and_mask_are_left_alone")
class Erases(Wrapper):
    """empties the mask when it has read it"""

    def reason(self, video: Video, mask: Mask, **options: Any) -> Reasoning:
        made: Reasoning = self.real.reason(video, mask, **options)
        for frame in mask.frames():
            if frame.flags.writeable:
                frame[:] = 0
        return made


@mutant(REASONERS, "progress_can_stop_the_work")
class Continues(Wrapper):
    """tells of progress and does not listen"""

    def reason(self, video: Video, mask: Mask, *, progress: Any = None, **options: Any) -> Reasoning:
        made: Reasoning = self.real.reason(video, mask, **options)
        if progress is not None:
            progress(1, 1, "reasoned")
        return made
