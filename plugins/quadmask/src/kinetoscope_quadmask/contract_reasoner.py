"""The laws of the hook `reasoner`, to be run on any provider of it.

    class TestMine(ReasonerContract):
        provider = MyReasoner()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_quadmask._grid import Grid
from kinetoscope_quadmask.contract_scenes import DiscScene, Writable, disc_scenes, read_frames
from kinetoscope_quadmask.reasoning import Reasoning
from kinetoscope_spec import Cancelled, ContractError, Mask, ValidationError, Video
from kinetoscope_spec.contracts import Contract, law, require

__all__ = ["ReasonerContract"]

_GRIDS = st.sampled_from((None, Grid(8, 14), Grid(5, 5), Grid(20, 11)))


class ReasonerContract(Contract):
    """What callers of a reasoner rely on; subclass it and set `provider`.

    Attributes:
        reason_options: what is passed to `reason`.
    """

    hook: ClassVar[str] = "reasoner"
    mutants: ClassVar[str | None] = "kinetoscope_quadmask.contract_mutants:REASONERS"
    reason_options: Mapping[str, Any] = {}

    @law(disc_scenes(objects=2), _GRIDS, cost=4)
    def test_the_answer_fits_the_video(self, scene: DiscScene, grid: Grid | None) -> None:
        """Cells lie in the grid that was asked for, frames in the video, and masks have its size and length."""
        made = self._made(scene.video, scene.mask(), grid=grid)
        wanted = grid or Grid.over(scene.video.width, scene.video.height)
        require(made.grid == wanted, f"the grid is {made.grid}, expected {wanted}")
        try:
            made.check(scene.video)
        except ValidationError as error:
            raise ContractError(str(error)) from error
        for mask in (made.regions, *(held.mask for held in made.affected)):
            if mask is not None:
                found = len(read_frames(mask))
                require(found == scene.count, f"a mask has {found} frames, expected {scene.count}")

    @law(disc_scenes(), cost=4)
    def test_nothing_taken_out_changes_nothing(self, scene: DiscScene) -> None:
        """Where the mask covers nothing in any frame, nothing is affected."""
        empty = Mask.from_frames(np.zeros((scene.count, *scene.truth.shape[2:]), np.uint8), scene.video.rate)
        made = self._made(scene.video, empty)
        require(not made.affected, f"{[held.noun for held in made.affected]} would be affected by nothing")
        if made.regions is not None:
            covered = int((read_frames(made.regions) > 0).sum())
            require(covered == 0, f"{covered} pixels would be affected by nothing")

    @law(disc_scenes(frames=(3,)), cost=4)
    def test_the_same_video_gives_the_same_answer(self, scene: DiscScene) -> None:
        """Asked twice, the answer is the same, its masks bit for bit."""
        first, second = (self._made(scene.video, scene.mask()) for _ in range(2))
        require(_without_masks(first) == _without_masks(second), "asked again, it answers something else")
        pairs = zip(_masks(first), _masks(second), strict=True)
        require(
            all(np.array_equal(read_frames(one), read_frames(other)) for one, other in pairs),
            "asked again, its masks are others",
        )

    @law(disc_scenes(frames=(3,)), st.sampled_from(((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, -1))))
    def test_a_mask_of_another_size_or_length_is_refused(
        self, scene: DiscScene, more: tuple[int, int, int]
    ) -> None:
        """A mask of another size or length than the video is a `ValidationError` that names both."""
        video = scene.video
        wide, high, count = video.width + more[0], video.height + more[1], scene.count + more[2]
        other = Mask.from_frames(np.full((count, high, wide), 255, np.uint8), video.rate)
        try:
            self._made(video, other)
        except ValidationError as error:
            pairs = ((video.width, wide), (video.height, high), (scene.count, count))
            numbers = {str(n) for pair in pairs if pair[0] != pair[1] for n in pair}
            missing = sorted(number for number in numbers if number not in str(error))
            require(not missing, f"the error does not name {', '.join(missing)}: {error}")
            return
        raise ContractError(
            f"a mask of {count} frames of {wide} x {high} was taken for a video of {scene.count} frames of "
            f"{video.width} x {video.height}"
        )

    @law(disc_scenes(frames=(3,)), cost=4)
    def test_video_and_mask_are_left_alone(self, scene: DiscScene) -> None:
        """The frames of the video and of the mask are read, not written to."""
        pictures, covered = read_frames(scene.video), read_frames(scene.mask())
        before = pictures.copy(), covered.copy()
        self._made(
            attrs.evolve(scene.video, source=Writable(pictures)),
            attrs.evolve(scene.mask(), source=Writable(covered)),
        )
        for name, was, now in zip(("video", "mask"), before, (pictures, covered), strict=True):
            changed = int((now != was).sum())
            require(changed == 0, f"{changed} numbers of the {name} that was passed in were overwritten")

    @law(disc_scenes(frames=(3,)), cost=4)
    def test_progress_can_stop_the_work(self, scene: DiscScene) -> None:
        """`progress`, where it is called at all, goes up to its total; False ends it with `Cancelled`."""
        told: list[tuple[int, int]] = []

        def listen(done: int, total: int, _message: str) -> bool:
            told.append((done, total))
            return False

        def watch(done: int, total: int, _message: str) -> None:
            told.append((done, total))

        self._made(scene.video, scene.mask(), progress=watch)
        wrong = [(done, total) for done, total in told if not 0 <= done <= total]
        require(not wrong, f"progress was told {wrong[:1]}, expected (done, total) with 0 <= done <= total")
        called = bool(told)
        try:
            self._made(scene.video, scene.mask(), progress=listen)
        except Cancelled:
            return
        require(not called, "progress returned False, and the answer came all the same")

    def _made(self, video: Video, mask: Mask, **options: Any) -> Reasoning:
        made = self.subject.reason(video, mask, **{**self.reason_options, **options})
        require(isinstance(made, Reasoning), f"reason returned {type(made).__name__}, expected a Reasoning")
        found: Reasoning = made
        return found


def _masks(made: Reasoning) -> list[Mask]:
    held = [made.regions, *(affected.mask for affected in made.affected)]
    return [mask for mask in held if mask is not None]


def _without_masks(made: Reasoning) -> Reasoning:
    affected = [attrs.evolve(held, mask=None) for held in made.affected]
    return attrs.evolve(made, affected=affected, regions=None)
