"""What segmenters share: frames in any order, and prompts that fit their video."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kinetoscope_quadmask._chunks import CHUNK, CHUNKS
from kinetoscope_quadmask.hooks import ChunkedFrames, Point, Prompts, check_objects
from kinetoscope_spec import ValidationError, Video

COUNT = CHUNK * (CHUNKS + 2) - 5


def test_frames_come_in_any_order_and_few_are_kept() -> None:
    held = np.random.default_rng(2).integers(0, 128, (COUNT, 3, 4, 3), np.uint8)
    asked: list[tuple[int, int | None]] = []

    def source(start: int, stop: int | None) -> Iterator[np.ndarray]:
        asked.append((start, stop))
        yield from held[start:stop]

    frames = ChunkedFrames(Video(4, 3, 12, source, COUNT), COUNT, lambda frame: frame * 2)
    assert len(frames) == COUNT
    for index in [*range(COUNT), *range(COUNT - 1, -1, -1)]:
        np.testing.assert_array_equal(frames[index], held[index] * 2)
        assert len(frames._chunks) <= CHUNKS
    # A chunk is read once on the way there and once back, but for those that were kept at the turn.
    assert len(asked) == 2 * (CHUNKS + 2) - CHUNKS
    for index in (-1, COUNT):
        with pytest.raises(IndexError, match=f"frame {index} is not there"):
            frames[index]


def test_a_video_that_ends_early_is_said() -> None:
    video = Video.from_frames(np.zeros((CHUNK + 2, 3, 4, 3), np.uint8), 12)
    frames = ChunkedFrames(video, CHUNK + 5, np.copy)
    frames[CHUNK + 1]
    with pytest.raises(ValidationError, match=f"gives no frame {CHUNK + 2}, expected {CHUNK + 5}"):
        frames[CHUNK + 2]


@pytest.mark.parametrize("told", [True, False], ids=["counted", "to be read"])
def test_objects_that_fit_give_the_number_of_frames(told: bool) -> None:
    held = np.zeros((5, 3, 4, 3), np.uint8)
    video = Video(4, 3, 12, lambda start, stop: iter(held[start:stop]), 5 if told else None)
    takes = {"points"}
    assert check_objects(video, [Prompts([Point(1, 1, 4)])], takes) == 5
    for objects, says in (
        ([], "no object"),
        ([Prompts([Point(1, 1)]), Prompts([Point(1, 1, 5)])], "on frame 5, but the video has 5 frames"),
        ([Prompts([Point(4, 1)])], "outside"),
        ([Prompts(noun="duck")], "expected one of points"),
    ):
        with pytest.raises(ValidationError, match=says):
            check_objects(video, objects, takes)
