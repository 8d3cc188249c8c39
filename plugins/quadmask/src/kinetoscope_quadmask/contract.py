"""The laws of the hook `segmenter`, to be run on any provider of it.

    class TestMine(SegmenterContract):
        provider = MySegmenter()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_quadmask.contract_scenes import DiscScene, Writable, disc_scenes, read_frames
from kinetoscope_quadmask.prompts import Box, Hint, Point, Prompts, Segmentation
from kinetoscope_spec import Cancelled, ContractError, ValidationError, Video
from kinetoscope_spec.contracts import Contract, law, require

__all__ = ["SegmenterContract"]


class SegmenterContract(Contract):
    """What callers of a segmenter rely on; subclass it and set `provider`.

    Attributes:
        least_iou: intersection over union with the truth, in every frame, of a disc of one colour on plain
            ground.
        segment_options: what is passed to `segment`.
    """

    hook: ClassVar[str] = "segmenter"
    mutants: ClassVar[str | None] = "kinetoscope_quadmask.contract_mutants:SEGMENTERS"
    least_iou: float = 0.6
    segment_options: Mapping[str, Any] = {}

    @law(disc_scenes(objects=2), cost=4)
    def test_masks_fit_the_video(self, scene: DiscScene) -> None:
        """There is one mask for each object, of the video's size, rate and length, and a confidence a frame."""
        made = self._segment(scene, [0, 0])
        require(len(made.masks) == 2, f"{len(made.masks)} masks came of 2 objects")
        for mask in made.masks:
            for name in ("width", "height", "rate"):
                there, here = getattr(scene.video, name), getattr(mask, name)
                require(here == there, f"a mask's {name} is {here}, expected the video's {there}")
            found = len(read_frames(mask))
            require(found == scene.count, f"a mask has {found} frames, expected {scene.count}")
            require(
                mask.frame_count in (None, scene.count),
                f"frame_count says {mask.frame_count}, expected {scene.count}",
            )
        require(
            made.confidence.shape == (2, scene.count),
            f"confidence is {list(made.confidence.shape)}, expected [2, {scene.count}]",
        )
        wrong = [d for d in made.doubts if not (0 <= d.index < 2 and 0 <= d.frame < scene.count)]
        require(
            not wrong, f"a doubt is of object {wrong and wrong[0].index}, frame {wrong and wrong[0].frame}"
        )

    @law(disc_scenes(frames=(6, 9)), st.floats(0, 1), cost=4)
    def test_the_object_is_followed_both_ways(self, scene: DiscScene, place: float) -> None:
        """A disc of one colour, prompted on any frame, is found in all frames before and after."""
        frame = round(place * (scene.count - 1))
        found = read_frames(self._segment(scene, [frame]).masks[0]) >= 128
        for i, (mask, truth) in enumerate(zip(found, scene.truth[0], strict=True)):
            iou = (mask & truth).sum() / max(1, (mask | truth).sum())
            require(
                iou >= self.least_iou,
                f"prompted on frame {frame}, the disc of frame {i} is met with an IoU of {iou:.2f}, expected "
                f"{self.least_iou:g}",
            )

    @law(disc_scenes(frames=(3,)), cost=4)
    def test_points_are_kept(self, scene: DiscScene) -> None:
        """Points that belong to the object lie in its mask, and those that do not lie outside."""
        prompts = scene.prompts(0, 1, self._takes())
        mask = read_frames(self._made(scene.video, [prompts]).masks[0])[1] >= 128
        for point in prompts.points:
            inside = bool(mask[int(point.y), int(point.x)])
            where = "inside" if inside else "outside"
            require(
                inside == point.positive,
                f"the {'positive' if point.positive else 'negative'} point ({point.x:.0f}, {point.y:.0f}) "
                f"lies {where} the mask",
            )

    @law(disc_scenes(objects=2, frames=(3,)), cost=8)
    def test_objects_do_not_disturb_each_other(self, scene: DiscScene) -> None:
        """Objects that are asked for together get the masks that each gets alone."""
        both = self._segment(scene, [0, 2]).masks
        for index, frame in enumerate((0, 2)):
            alone = self._made(scene.video, [scene.prompts(index, frame, self._takes())]).masks[0]
            one, other = read_frames(both[index]) >= 128, read_frames(alone) >= 128
            iou = (one & other).sum() / (one | other).sum() if (one | other).any() else 1.0
            require(iou >= 0.9, f"object {index}: together and alone overlap by {iou:.2f}, expected 0.9")

    @law(disc_scenes(frames=(3,)), cost=8)
    def test_the_same_prompts_give_the_same_masks(self, scene: DiscScene) -> None:
        """Asked twice, the masks are the same, bit for bit."""
        first, second = (read_frames(self._segment(scene, [1]).masks[0]) for _ in range(2))
        require(
            np.array_equal(first, second), f"{int((first != second).sum())} pixels differ when asked again"
        )

    @law(disc_scenes(frames=(6,)), st.integers(0, 7), st.integers(0, 7), cost=8)
    def test_masks_can_be_read_again(self, scene: DiscScene, start: int, length: int) -> None:
        """The frames of a mask can be read as often as one likes, and from any frame to any other."""
        mask = self._segment(scene, [2]).masks[0]
        whole, again = read_frames(mask), read_frames(mask)
        require(np.array_equal(whole, again), "a second reading gives other frames")
        part = [frame.copy() for frame in mask.frames(start, start + length)]
        wanted = whole[start : start + length]
        require(
            len(part) == len(wanted) and all(map(np.array_equal, part, wanted)),
            f"frames({start}, {start + length}) gives others than the whole has there",
        )

    @law(disc_scenes(frames=(3,)), cost=8)
    def test_the_video_is_left_alone(self, scene: DiscScene) -> None:
        """The frames of the video are read, not written to."""
        held = read_frames(scene.video)
        before = held.copy()
        self._made(attrs.evolve(scene.video, source=Writable(held)), [scene.prompts(0, 1, self._takes())])
        changed = int((held != before).sum())
        require(changed == 0, f"{changed} numbers of the video that was passed in were overwritten")

    @law(disc_scenes(frames=(3,)))
    def test_what_cannot_be_used_is_refused(self, scene: DiscScene) -> None:
        """No object, no prompt, one off the picture or past the end, or only negative points: `ValidationError`."""
        video, takes = scene.video, self._takes()
        wrong: dict[str, list[Prompts]] = {"no object": [], "no prompt": [Prompts()]}
        if "points" in takes:
            wrong["a point off the picture"] = [Prompts([Point(video.width, 1)])]
            wrong["a point past the end"] = [Prompts([Point(1, 1, 3)])]
            wrong["only a negative point"] = [Prompts([Point(1, 1, 0, False)])]
        if "boxes" in takes:
            wrong["a box off the picture"] = [Prompts(boxes=[Box(-9, -9, -1, -1)])]
        if "masks" in takes:
            wrong["a mask of another size"] = [Prompts(masks=[Hint(np.ones((3, 3), bool))])]
        for what, objects in wrong.items():
            try:
                self._made(video, objects)
            except ValidationError:
                continue
            raise ContractError(f"{what} was taken, expected a ValidationError")

    @law(disc_scenes(frames=(3,)), cost=8)
    def test_progress_is_told_and_can_stop_the_work(self, scene: DiscScene) -> None:
        """`progress(done, total, message)` is called as frames are done; False ends it with `Cancelled`."""
        told: list[tuple[int, int]] = []

        def listen(done: int, total: int, _message: str) -> None:
            told.append((done, total))

        prompts = [scene.prompts(0, 1, self._takes())]
        self._made(scene.video, prompts, progress=listen)
        require(told, "progress was never called")
        wrong = [(done, total) for done, total in told if not 0 <= done <= total]
        require(not wrong, f"progress was told {wrong[:1]}, expected (done, total) with 0 <= done <= total")
        order = [done for done, _ in told]
        require(order == sorted(order), f"progress went back: {order}")
        try:
            self._made(scene.video, prompts, progress=lambda *_: False)
        except Cancelled:
            return
        raise ContractError("progress returned False, and the masks were made all the same")

    # -- how they call

    def _takes(self) -> frozenset[str]:
        takes: frozenset[str] = self.subject.takes
        return takes

    def _segment(self, scene: DiscScene, frames: Sequence[int]) -> Segmentation:
        """Prompt disc i on frames[i]."""
        takes = self._takes()
        return self._made(scene.video, [scene.prompts(i, frame, takes) for i, frame in enumerate(frames)])

    def _made(self, video: Video, objects: Sequence[Prompts], **options: Any) -> Segmentation:
        made = self.subject.segment(video, objects, **{**self.segment_options, **options})
        require(
            isinstance(made, Segmentation), f"segment returned {type(made).__name__}, expected a Segmentation"
        )
        found: Segmentation = made
        return found
