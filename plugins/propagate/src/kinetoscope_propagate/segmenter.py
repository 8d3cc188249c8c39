"""The provider `grabcut` of the hook `segmenter`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate import _sure
from kinetoscope_propagate._carry import carried, shift
from kinetoscope_propagate._cut import first_mask, refined, without
from kinetoscope_propagate._frames import Frames
from kinetoscope_quadmask.hooks import Box, Hint, MaskStore, Point, Prompts, Segmentation, check_objects
from kinetoscope_spec import Cancelled, Progress, Video

__all__ = ["GrabcutSegmenter"]

Array = NDArray[Any]

LONGEST = 640
"""Pixels along the longer side of the pictures in which objects are followed."""

TAKES = frozenset({"points", "boxes", "masks"})


class GrabcutSegmenter:
    """Follows objects by colour and flow; needs no weights.

    On each prompted frame GrabCut finds the object (an anchor). From there the mask goes both ways from
    frame to frame: the whole is shifted to where its picture is met best, dense flow bends it, GrabCut
    brings its outline to the edges again. Between two anchors, what comes from either side is joined, the
    nearer one counting for more; a click on a frame that the object was lost in brings it back.

    Frames are decoded in chunks and masks kept compressed: memory is bounded by three chunks of 12 frames.
    """

    takes: ClassVar[frozenset[str]] = TAKES

    def segment(
        self, video: Video, objects: Sequence[Prompts], *, progress: Progress | None = None
    ) -> Segmentation:
        """Return a mask for each object; see `kinetoscope_quadmask.hooks.Segmenter`."""
        count = check_objects(video, objects, TAKES)
        frames = Frames(video, count, LONGEST)
        total = len(objects) * count
        stores, sureness = [], []
        for index, prompts in enumerate(objects):

            def tell(done: int, before: int = index * count) -> None:
                if progress is not None and progress(before + done, total, "segmenting") is False:
                    raise Cancelled(f"cancelled after {before + done} of {total} frames")

            store, sure = _Following(frames, count, _scaled(prompts, video, frames), tell).follow()
            stores.append(_enlarged(store, video, count, prompts))
            sureness.append(sure)
        confidence = np.stack(sureness)
        masks = [store.mask(video.rate, count) for store in stores]
        masks = [attrs.evolve(mask, timestamps=video.timestamps) for mask in masks]
        return Segmentation(masks, confidence, _sure.doubts(confidence))


@attrs.define(eq=False)
class _Following:
    """One object in one video, at the size that is worked in."""

    frames: Frames
    count: int
    prompts: Prompts
    tell: Callable[[int], None]
    looks: list[Array] = attrs.field(factory=list, init=False)
    done: int = attrs.field(default=0, init=False)

    def follow(self) -> tuple[MaskStore, Array]:
        """Return the masks, and how sure each is, `float32 [T]`."""
        store = MaskStore(self.frames.width, self.frames.height)
        sure = np.zeros(self.count, np.float32)
        anchors = self._anchors()
        for frame, mask in anchors:
            store.set(frame, mask)
            sure[frame] = _sure.of_anchor(self.frames[frame], mask, self.prompts.on(frame))
            self._tell()
        first, last = anchors[0], anchors[-1]
        for anchor, way in ((last, range(last[0] + 1, self.count)), (first, range(first[0] - 1, -1, -1))):
            for frame, mask, how in self._way(anchor, way):
                store.set(frame, mask)
                sure[frame] = how
                self._tell()
        for one, other in pairwise(anchors):
            self._between(one, other, store, sure)
        return store, sure

    def _anchors(self) -> list[tuple[int, Array]]:
        """Return the masks of the prompted frames, of which one at least says where the object is."""
        anchors: list[tuple[int, Array]] = []
        unsure: list[int] = []
        for frame in self.prompts.prompted_frames():
            here = self.prompts.on(frame)
            if here.boxes or here.masks or any(point.positive for point in here.points):
                mask = first_mask(self.frames[frame], here)
                self.looks.append(_sure.look(self.frames[frame], mask))
                anchors.append((frame, mask))
            else:
                unsure.append(frame)
        # Where there are negative clicks alone, they cut what is carried there from the nearest anchor.
        sure = list(anchors)
        for frame in unsure:
            start = min(sure, key=lambda held: abs(held[0] - frame))
            step = 1 if frame > start[0] else -1
            *_, (_, mask, _) = self._way(start, range(start[0] + step, frame + step, step))
            anchors.append((frame, without(self.frames[frame], mask, self.prompts.on(frame))))
        return sorted(anchors, key=lambda held: held[0])

    def _way(self, anchor: tuple[int, Array], way: range) -> Iterator[tuple[int, Array, float]]:
        """Yield frame, mask and how sure it is, going from an anchor."""
        before, mask = anchor
        start = mask
        expected = self._speed(anchor, way.step)
        gone = False
        for frame in way:
            picture = self.frames[frame]
            there = carried(self.frames[before], picture, mask, expected)
            expected = there.shift
            edge, was = _sure.at_border(mask), mask.any()
            mask = refined(picture, there.mask, known=_sure.known(picture, self.looks))
            sure = _sure.of_step(picture, mask, there, start, self.looks)
            if sure < _sure.LOST:
                mask = np.zeros_like(mask)
                gone = gone or (edge and bool(was))
            yield frame, mask, _sure.GONE if gone else sure
            before = frame

    def _speed(self, anchor: tuple[int, Array], step: int) -> tuple[float, float]:
        """Return how the object is about to move from an anchor: as it does on its other side."""
        frame, mask = anchor
        if not mask.any() or not 0 <= frame - step < self.count:
            return 0, 0
        x, y = shift(self.frames[frame], self.frames[frame - step], mask)
        return -x, -y

    def _between(
        self, one: tuple[int, Array], other: tuple[int, Array], store: MaskStore, sure: Array
    ) -> None:
        """Join what comes from two anchors."""
        ahead = MaskStore(self.frames.width, self.frames.height)
        sureness = {}
        for frame, mask, how in self._way(one, range(one[0] + 1, other[0])):
            ahead.set(frame, mask)
            sureness[frame] = how
        for frame, back, how in self._way(other, range(other[0] - 1, one[0], -1)):
            forth = ahead.get(frame) > 0
            nearness = (frame - one[0]) / (other[0] - one[0])
            weight = (1 - nearness) * (sureness[frame] + 0.1), nearness * (how + 0.1)
            mask = _sure.joined(forth, back, weight[1] / (weight[0] + weight[1]))
            store.set(frame, refined(self.frames[frame], mask))
            sure[frame] = _sure.of_both(forth, back, sureness[frame], how)
            self._tell()

    def _tell(self) -> None:
        self.done += 1
        self.tell(min(self.done, self.count))


def _scaled(prompts: Prompts, video: Video, frames: Frames) -> Prompts:
    """Return prompts in pixels of the pictures that are worked in."""
    across, down = frames.width / video.width, frames.height / video.height
    if (across, down) == (1, 1):
        return prompts
    return Prompts(
        [Point(p.x * across, p.y * down, p.frame, p.positive) for p in prompts.points],
        [
            Box(b.left * across, b.top * down, b.right * across, b.bottom * down, b.frame)
            for b in prompts.boxes
        ],
        [
            Hint(
                cv2.resize(held.mask, (frames.width, frames.height), interpolation=cv2.INTER_AREA), held.frame
            )
            for held in prompts.masks
        ],
    )


def _enlarged(store: MaskStore, video: Video, count: int, prompts: Prompts) -> MaskStore:
    """Return masks of the video's own size; those that were given are kept as they were."""
    if (store.width, store.height) == (video.width, video.height):
        return store
    made = MaskStore(video.width, video.height)
    for frame in range(count):
        soft = cv2.resize(store.get(frame), (video.width, video.height), interpolation=cv2.INTER_LINEAR)
        made.set(frame, soft >= 128)
    for hint in prompts.masks:
        if not prompts.on(hint.frame).points:
            made.set(hint.frame, np.any([held.mask > 0 for held in prompts.on(hint.frame).masks], axis=0))
    return made
