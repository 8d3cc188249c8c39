"""Inpainters with one thing wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.video import FrameSource, Mask, Quadmask, Video

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []

Change = Callable[[Array, Array], Array]
"""From a frame that was made and where its mask covers, to another frame."""


def _covers(mask: Mask) -> Iterator[Array]:
    for frame in mask.frames():
        yield frame != 255 if isinstance(mask, Quadmask) else frame > 0


@attrs.frozen(eq=False)
class _Changed:
    """The frames of a video, each changed."""

    video: Video
    mask: Mask
    change: Change

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        covers = itertools.islice(_covers(self.mask), start, stop)
        for frame, covered in zip(self.video.frames(start, stop), covers, strict=False):
            yield self.change(frame, covered)


class _Inpaints(Wrapper):
    """An inpainter whose frames are changed after they are made."""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        return attrs.evolve(made, source=_Changed(made, mask, self.changed))

    def changed(self, frame: Array, covered: Array) -> Array:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "size_rate_and_frame_count_are_kept")
class Mute(Wrapper):
    """loses the sound"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        return attrs.evolve(made, audio=None)


@mutant(MUTANTS, "size_rate_and_frame_count_are_kept")
class Rounds(Wrapper):
    """rounds the rate to whole frames per second"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        return attrs.evolve(made, rate=max(1, round(made.rate)))


@attrs.frozen(eq=False)
class _Short:
    """The frames of a video but the last."""

    video: Video

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        last = int(self.video.frame_count or 1) - 1
        return self.video.frames(start, last if stop is None else min(stop, last))


@mutant(MUTANTS, "size_rate_and_frame_count_are_kept")
class Forgets(Wrapper):
    """leaves out the last frame"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        return made if video.frame_count == 1 else attrs.evolve(made, source=_Short(made))


@mutant(MUTANTS, "what_is_outside_the_mask_is_untouched")
class Spills(_Inpaints):
    """changes the pixels beside the mask, as a blurred seam does"""

    def changed(self, frame: Array, covered: Array) -> Array:
        beside = covered.copy()
        beside[:, 1:] |= covered[:, :-1]
        beside[:, :-1] |= covered[:, 1:]
        spilt = frame.copy()
        spilt[beside & ~covered] ^= 1
        return spilt


@mutant(MUTANTS, "an_empty_mask_changes_nothing")
class Recodes(Wrapper):
    """sends a video through its codec even when there is nothing to take out"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        if any(covered.any() for covered in _covers(mask)):
            return made
        return attrs.evolve(made, source=_Changed(made, mask, lambda frame, _: frame & 0xFC | 1))


@mutant(MUTANTS, "a_background_seen_in_other_frames_is_recovered")
class Paints(_Inpaints):
    """fills what is covered with the mean colour of the frame, whatever other frames show"""

    def changed(self, frame: Array, covered: Array) -> Array:
        painted = frame.copy()
        painted[covered] = frame.mean(axis=(0, 1)).astype(np.uint8)
        return painted


@mutant(MUTANTS, "the_same_seed_gives_the_same_video")
class Dithers(Wrapper):
    """takes new noise at every call, whatever the seed"""

    numbers = itertools.count()

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        level = next(self.numbers) % 2

        def noisy(frame: Array, covered: Array) -> Array:
            changed = frame.copy()
            changed[covered] = frame[covered] & 0xFE | level
            return changed

        return attrs.evolve(made, source=_Changed(made, mask, noisy))


@attrs.frozen(eq=False)
class _Cropped:
    """The frames of a mask, cut or repeated to a size and a number."""

    mask: Mask
    size: tuple[int, int]
    count: int

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        width, height = self.size
        frames = itertools.cycle(list(self.mask.frames()))
        for frame in itertools.islice(itertools.islice(frames, self.count), start, stop):
            yield frame[np.arange(height) % frame.shape[0]][:, np.arange(width) % frame.shape[1]]


@mutant(MUTANTS, "a_mask_of_another_size_is_an_error")
class Crops(Wrapper):
    """cuts or repeats a mask of another size until it fits"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        size = (video.width, video.height)
        fitted = attrs.evolve(
            mask, width=size[0], height=size[1], source=_Cropped(mask, size, int(mask.frame_count or 0))
        )
        made: Video = self.real.inpaint(video, fitted, **options)
        return made


@mutant(MUTANTS, "a_mask_of_another_length_is_an_error")
class Repeats(Wrapper):
    """begins a mask again where it is shorter than the video, and leaves the rest of a longer one"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        count = int(video.frame_count or 0)
        source: FrameSource = _Cropped(mask, (mask.width, mask.height), count)
        made: Video = self.real.inpaint(
            video, attrs.evolve(mask, source=source, frame_count=count, timestamps=None), **options
        )
        return made


@mutant(MUTANTS, "progress_is_told_and_can_stop_the_work")
class Deaf(Wrapper):
    """tells progress and does not hear the answer"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        progress = options.pop("progress", None)

        def told(done: int, total: int, message: str) -> None:
            progress(done, total, message)

        made: Video = self.real.inpaint(video, mask, progress=told if progress else None, **options)
        return made


@attrs.define(eq=False)
class _Once:
    """Frames that come out of a generator, and are gone when they have been read."""

    frames: Iterator[Array]

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        yield from itertools.islice(self.frames, start, stop)


@mutant(MUTANTS, "the_result_can_be_read_again")
class Streams(Wrapper):
    """hands over a generator, which can be read once"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        return attrs.evolve(made, source=_Once(made.frames()))


@mutant(MUTANTS, "the_input_is_left_alone")
class Scribbles(Wrapper):
    """fills the covered pixels of the video that it was given, where it may write to them"""

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)
        for frame, covered in zip(video.frames(), _covers(mask), strict=False):
            if frame.flags.writeable:
                frame[covered] ^= 255
        return made
