"""From a video and clicks to a quadmask on disk, again after an interruption, and after edits by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from quadmask_discs import COUNT, HIGH, INSIDE, VIDEO, WIDE, Beneath, Flood, stacked

from kinetoscope_av.provider import AvMedia
from kinetoscope_quadmask.hooks import (
    Affected,
    Belonging,
    Box,
    Cells,
    Grid,
    Point,
    Prompts,
    Reasoning,
    Step,
    read_quadmask,
    write_quadmask,
)
from kinetoscope_quadmask.pipeline import Masked, MaskPipeline
from kinetoscope_quadmask.prompting import prompts_json, read_prompts
from kinetoscope_spec import Cancelled, FormatError, Mask, Quadmask, ValidationError, Video

MEDIA = AvMedia()
DATA = os.environ.get("KINETOSCOPE_DATA")
CLICK = [Prompts([Point(32, 15, 3), Point(60, 60, 3, positive=False)])]


@attrs.define
class Told:
    """A reasoner that answers what it was given, and counts."""

    answer: Reasoning
    asked: int = 0

    def reason(self, video: Video, mask: Mask, **_: Any) -> Reasoning:
        self.asked += 1
        return self.answer


@attrs.define
class Counting(Flood):
    """A segmenter that counts."""

    asked: int = 0

    def segment(self, *given: Any, **options: Any) -> Any:
        self.asked += 1
        return Flood.segment(self, *given, **options)


def made(folder: Path, reasoner: Any = None, segmenter: Any = None, **options: Any) -> Masked:
    pipeline = MaskPipeline(MEDIA, segmenter or Flood(), reasoner)
    return pipeline.run(VIDEO, options.pop("objects", CLICK), folder=folder, **options)


def test_clicks_become_a_quadmask(tmp_path: Path) -> None:
    """The object to the pixel, a shadow in whole cells below it, and none of that in frame 0."""
    found = stacked(made(tmp_path, Beneath(), instruction="take the red disc out").quadmask)
    np.testing.assert_array_equal(found <= 63, INSIDE[0])
    grid = Grid.over(WIDE, HIGH)
    for i, frame in enumerate(found):
        touched = grid.touched(INSIDE[0, i])
        below = np.zeros_like(touched)
        below[1:] = touched[:-1]
        wanted = grid.filled(below, WIDE, HIGH) if i else np.zeros((HIGH, WIDE), bool)
        np.testing.assert_array_equal(np.isin(frame, (63, 127)), wanted)
    assert json.loads((tmp_path / "prompt.json").read_text()) == {"bg": "An empty floor."}
    info = json.loads((tmp_path / "segmentation_info.json").read_text())
    assert info["primary_points_by_frame"] == {"3": [[32.0, 15.0]]}
    assert (info["total_frames"], info["fps"], info["first_appears_frame"]) == (COUNT, 12.0, 3)
    assert len(info["confidence"][0]) == COUNT
    grey = stacked(read_quadmask(MEDIA, tmp_path / "grey_mask.mp4"))
    assert set(np.unique(grey)) == {127, 255}


def test_the_first_frame_is_left_to_who_asks_for_it(tmp_path: Path) -> None:
    found = stacked(made(tmp_path, Beneath(), first_frame=False).quadmask)
    assert (found[0] == 127).any()


def test_all_that_is_told_is_used(tmp_path: Path) -> None:
    """The blue disc belongs to it and goes with it; the yellow one will move; a shadow and a cup by cells."""
    grid = Grid.over(WIDE, HIGH)
    answer = Reasoning(
        grid,
        belongings=[Belonging("hat", box=Box(92, 30, 108, 46, 0))],
        affected=[
            Affected("ball", will_move=True, box=Box(28, 52, 44, 68, 2), size=(1, 1), path=[Step(0, 6, 3)]),
            Affected("shadow", "visual_artifact", cells=[Cells(1, [(0, 0)])]),
            Affected("cup", should_have_stayed=True, moving=True, original_cell=(7, 13), size=(1, 1)),
            Affected("pillow"),
        ],
    )
    result = made(tmp_path, Told(answer))
    found = stacked(result.quadmask)
    np.testing.assert_array_equal(found <= 63, INSIDE[0] | INSIDE[1])
    for i in range(1, COUNT):
        cells = grid.touched(INSIDE[2, i]) | grid.of([(0, 0), (7, 13), (6, 3)])
        np.testing.assert_array_equal(np.isin(found[i], (63, 127)), grid.filled(cells, WIDE, HIGH))
    assert result.warnings == ("pillow: not located, there is no box to start from",)
    assert {path.name for path in tmp_path.glob("*.mp4")} >= {"belongings.mp4", "located_0.mp4"}


def test_regions_and_masks_of_the_reasoner_are_used(tmp_path: Path) -> None:
    grid = Grid.over(WIDE, HIGH)
    spot = np.zeros((COUNT, HIGH, WIDE), np.uint8)
    spot[:, 0, 0] = 1  # even a faint one
    own = Mask.from_frames(np.where(INSIDE[2], 255, 0).astype(np.uint8), 12)
    answer = Reasoning(
        grid, affected=[Affected("ball", "visual_artifact", mask=own)], regions=Mask.from_frames(spot, 12)
    )
    found = stacked(made(tmp_path, Told(answer)).quadmask)
    cells = grid.touched(INSIDE[2, 4]) | grid.of([(0, 0)])
    np.testing.assert_array_equal(np.isin(found[4], (63, 127)), grid.filled(cells, WIDE, HIGH))


def test_a_mask_takes_the_place_of_clicks(tmp_path: Path) -> None:
    mask = Mask.from_frames(INSIDE[1].astype(np.uint8), 12)  # above 0 is covered
    result = MaskPipeline(MEDIA, None, Beneath()).run(VIDEO, folder=tmp_path, mask=mask)
    np.testing.assert_array_equal(stacked(result.quadmask) <= 63, INSIDE[1])


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    segmenter, reasoner = Counting(), Told(Reasoning(Grid.over(WIDE, HIGH)))
    first = made(tmp_path, reasoner, segmenter)
    again = made(tmp_path, reasoner, segmenter)
    assert (segmenter.asked, reasoner.asked) == (1, 1)
    assert [stage.cached for stage in first.stages] == [False] * 4
    assert [stage.cached for stage in again.stages] == [True] * 4
    np.testing.assert_array_equal(stacked(first.quadmask), stacked(again.quadmask))
    made(tmp_path, reasoner, segmenter, instruction="another")
    assert (segmenter.asked, reasoner.asked) == (1, 2)
    made(tmp_path, reasoner, segmenter, objects=[Prompts([Point(32, 16, 3)])])
    assert segmenter.asked == 2
    made(tmp_path, reasoner, segmenter, fresh=True)
    assert segmenter.asked == 3


@pytest.mark.parametrize("lost", ["grey_mask.mp4", "quadmask_0.mp4"])
def test_what_was_lost_is_made_again(tmp_path: Path, lost: str) -> None:
    first = stacked(made(tmp_path, Beneath()).quadmask)
    (tmp_path / lost).unlink()
    again = made(tmp_path, Beneath())
    assert [stage.cached for stage in again.stages] == [True, True, True, False]
    assert (tmp_path / lost).is_file()
    np.testing.assert_array_equal(stacked(again.quadmask), first)


def test_a_reasoner_may_say_more_than_a_language_model(tmp_path: Path) -> None:
    """Nine shadows, none of which is cut when the stage is read from disk."""
    grid = Grid.over(WIDE, HIGH)
    shadows = [Affected(f"s{i}", "visual_artifact", cells=[Cells(0, [(0, i)])]) for i in range(9)]
    result = made(tmp_path, Told(Reasoning(grid, affected=shadows)))
    assert len(result.reasoning.affected) == 9
    assert grid.touched(stacked(result.quadmask)[1] == 127).sum() == 9


class Small(Flood):
    """A segmenter that gives masks of half the size."""

    def segment(self, *given: Any, **options: Any) -> Any:
        found = super().segment(*given, **options)
        half = [Mask.from_frames(stacked(mask)[:, ::2, ::2], mask.rate) for mask in found.masks]
        return attrs.evolve(found, masks=half)


def test_masks_of_another_size_are_not_stretched(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="the segmenter's mask is 64 x 36 pixels, the video 128 x 72"):
        made(tmp_path, None, Small())


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    segmenter = Counting()
    told: list[int] = []

    def stop(done: int, total: int, message: str) -> bool:
        told.append(done)
        return "reason" not in message

    with pytest.raises(Cancelled):
        made(tmp_path, Beneath(), segmenter, progress=stop)
    assert told == sorted(told)
    assert not (tmp_path / "quadmask_0.mp4").exists()
    again = made(tmp_path, Beneath(), segmenter)
    assert segmenter.asked == 1
    assert [stage.cached for stage in again.stages] == [True, False, False, False]


def test_what_somebody_edited_stays_and_is_used(tmp_path: Path) -> None:
    """A mask and an analysis that were changed by hand are what comes next is made of."""
    segmenter = Counting()
    made(tmp_path, Beneath(), segmenter)
    other = np.where(INSIDE[2], 0, 255).astype(np.uint8)
    write_quadmask(MEDIA, tmp_path / "black_mask.mp4", Quadmask.from_frames(other, 12))
    found = stacked(made(tmp_path, Beneath(), segmenter).quadmask)
    np.testing.assert_array_equal(found <= 63, INSIDE[2])
    analysis = json.loads((tmp_path / "vlm_analysis.json").read_text())
    (tmp_path / "vlm_analysis.json").write_text(json.dumps({**analysis, "affected_objects": []}))
    result = made(tmp_path, Beneath(), segmenter)
    assert [stage.cached for stage in result.stages] == [True, True, False, False]
    assert set(np.unique(stacked(result.quadmask))) == {0, 255}
    assert segmenter.asked == 1


def test_outputs_that_an_earlier_answer_left_are_gone(tmp_path: Path) -> None:
    grid = Grid.over(WIDE, HIGH)
    spot = Mask.from_frames(np.full((COUNT, HIGH, WIDE), 255, np.uint8), 12)
    made(tmp_path, Told(Reasoning(grid, "Everything.", regions=spot)))
    found = stacked(made(tmp_path, Told(Reasoning(grid)), instruction="again").quadmask)
    assert set(np.unique(found)) == {0, 255}
    assert not (tmp_path / "prompt.json").exists()


@pytest.mark.parametrize("wrong", ["{", "[]", '{"doubts": [1]}'])
def test_files_that_were_damaged_are_named(tmp_path: Path, wrong: str) -> None:
    made(tmp_path)
    (tmp_path / "segmentation_info.json").write_text(wrong)
    with pytest.raises(FormatError, match=r"segmentation_info\.json"):
        made(tmp_path)


def test_a_record_that_was_damaged_means_all_again(tmp_path: Path) -> None:
    made(tmp_path)
    for wrong in ("{", "[]", '{"segment": 3, "reason": {"key": 1, "files": ["../x"]}}', "[" * 50_000):
        (tmp_path / "stages.json").write_text(wrong)
        assert [stage.cached for stage in made(tmp_path).stages] == [False] * 4


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="either prompts of objects or a mask"):
        MaskPipeline(MEDIA).run(VIDEO, folder=tmp_path)
    with pytest.raises(ValidationError, match="no segmenter"):
        MaskPipeline(MEDIA).run(VIDEO, CLICK, folder=tmp_path)
    with pytest.raises(ValidationError, match="the mask is 3 x 3 pixels, the video 128 x 72"):
        MaskPipeline(MEDIA).run(VIDEO, folder=tmp_path, mask=Mask.from_frames(np.zeros((8, 3, 3)), 12))
    with pytest.raises(ValidationError, match="the mask is empty in all 8 frames"):
        MaskPipeline(MEDIA).run(VIDEO, folder=tmp_path, mask=Mask.from_frames(np.zeros((8, 72, 128)), 12))
    wrong = Reasoning(Grid.over(WIDE, HIGH), affected=[Affected("x", cells=[Cells(0, [(0, 99)])])])
    with pytest.raises(ValidationError, match=r"cell \(0, 99\) lies outside"):
        made(tmp_path, Told(wrong))


def test_prompts_are_read_as_they_were_written(tmp_path: Path) -> None:
    held = [*CLICK, Prompts(boxes=[Box(1, 2, 3, 4, 5)], noun="ball")]
    (tmp_path / "prompts.json").write_text(json.dumps(prompts_json(held)))
    assert read_prompts(tmp_path / "prompts.json", VIDEO) == held


def test_points_of_voids_tool_are_brought_to_the_size(tmp_path: Path) -> None:
    record = {
        "frame_width": 256,
        "frame_height": 144,
        "primary_points_by_frame": {"3": [[64, 30]], "0": [[2, 4]]},
    }
    for text in (record, [record], {"videos": [record]}):
        (tmp_path / "points.json").write_text(json.dumps(text))
        assert read_prompts(tmp_path / "points.json", VIDEO) == [Prompts([Point(32, 15, 3), Point(1, 2, 0)])]
    (tmp_path / "points.json").write_text(json.dumps({"primary_points": [[5, 6]], "first_appears_frame": 2}))
    assert read_prompts(tmp_path / "points.json", VIDEO) == [Prompts([Point(5, 6, 2)])]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"objects": [1]}', '{"objects": [{"points": [{"x": 1}]}]}', '{"points_by_frame": {"a": [[1, 2]]}}',
     '{"objects": [{"points": [{"x": NaN, "y": 1}]}]}', '{"objects": [{"points": [{"x": Infinity, "y": 1}]}]}',
     '{"objects": [{"boxes": [{"left": 3, "top": 0, "right": 1, "bottom": 1}]}]}', '{"primary_points": 3}',
     '{"primary_points": [[1, 2]], "first_appears_frame": 1e999}', "[" * 99_999],
)  # fmt: skip
def test_prompts_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "points.json").write_text(text)
    with pytest.raises(FormatError, match=r"points\.json"):
        read_prompts(tmp_path / "points.json", VIDEO)


@pytest.mark.realdata
@pytest.mark.skipif(not DATA, reason="KINETOSCOPE_DATA is not set")
def test_the_record_of_a_real_sample() -> None:
    """23 clicks on three frames, inside what the sample's mask removes, nearly all."""
    folder = Path(str(DATA)) / "video" / "ducky-float"
    video = MEDIA.open(folder / "input_video.mp4")
    (prompts,) = read_prompts(folder / "segmentation_info.json", video)
    assert prompts.prompted_frames() == (7, 18, 36)
    assert len(prompts.points) == 23
    prompts.check(video)
    mask = read_quadmask(MEDIA, folder / "trimask_quadmask.mp4", like=video)
    hit = [next(mask.frames(p.frame, p.frame + 1))[int(p.y), int(p.x)] <= 63 for p in prompts.points]
    assert sum(hit) >= 20
