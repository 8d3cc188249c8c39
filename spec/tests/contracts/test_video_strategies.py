"""Videos and masks that are drawn fit each other, reach the awkward, and shrink to the simple."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from kinetoscope_spec import Mask, Quadmask, Video
from kinetoscope_spec.contracts import strategies

FINDING = settings(
    max_examples=1000, database=None, derandomize=True, suppress_health_check=list(HealthCheck), deadline=None
)


REACHING = settings(FINDING, phases=(Phase.generate,))
"""Shrinking takes long, and whether a thing is reached does not depend on it."""


def finds(
    strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool], settings: settings = REACHING
) -> Any:
    return find(strategy, condition, settings=settings)


def pictures(stream: Video | Mask) -> np.ndarray:
    return np.stack(list(stream.frames()))


AWKWARD_VIDEOS: dict[str, Callable[[Video], bool]] = {
    "one pixel": lambda v: (v.width, v.height) == (1, 1),
    "one frame": lambda v: v.frame_count == 1,
    "odd sizes": lambda v: v.width % 2 == 1 and v.height % 2 == 1 and v.width > 1,
    "a column": lambda v: v.width == 1 and v.height > 1,
    "alpha": lambda v: pictures(v).shape[-1] == 4,
    "sound": lambda v: v.audio is not None and bool(v.audio.samples.any()),
    "silence": lambda v: v.audio is not None and not v.audio.samples.any(),
    "a variable rate": lambda v: v.timestamps is not None and len(set(np.diff(v.timestamps).round(6))) > 1,
    "drop frames": lambda v: v.rate.denominator == 1001,
    "frames that differ": lambda v: len({frame.tobytes() for frame in v.frames()}) > 1,
}
AWKWARD_MASKS: dict[str, Callable[[Mask], bool]] = {
    "nothing": lambda m: not pictures(m).any(),
    "everything": lambda m: bool((pictures(m) == 255).all()),
    "soft edges": lambda m: bool(((pictures(m) > 0) & (pictures(m) < 255)).any()),
    "something that moves": lambda m: len({frame.tobytes() for frame in m.frames()}) > 1,
}


@given(strategies.masked_videos())
@settings(max_examples=100, deadline=None)
def test_a_mask_fits_its_video(pair: tuple[Video, Mask]) -> None:
    video, mask = pair
    assert pictures(mask).shape == pictures(video).shape[:3]
    assert mask.rate == video.rate
    assert video.timestamps is None or len(video.timestamps) == video.frame_count


@pytest.mark.parametrize("what", AWKWARD_VIDEOS)
def test_videos_reach(what: str) -> None:
    assert AWKWARD_VIDEOS[what](finds(strategies.videos(), AWKWARD_VIDEOS[what]))


@pytest.mark.parametrize("what", AWKWARD_MASKS)
def test_masks_reach(what: str) -> None:
    assert AWKWARD_MASKS[what](finds(strategies.masks(), AWKWARD_MASKS[what]))


def test_quadmasks_hold_all_four_values() -> None:
    found = finds(strategies.quadmasks(), lambda mask: len(np.unique(pictures(mask))) == 4)
    assert set(np.unique(pictures(found))) == {0, 63, 127, 255}


@pytest.mark.parametrize("kind", ["box", "full", "scattered", "soft"])
def test_every_kind_but_the_empty_covers_something_in_every_frame(kind: str) -> None:
    @given(strategies.masks(kinds=(kind,)), strategies.quadmasks(kinds=(kind,)))
    @settings(max_examples=50, deadline=None)
    def check(mask: Mask, quad: Quadmask) -> None:
        assert (pictures(mask) > 0).any(axis=(1, 2)).all()
        assert (pictures(quad) < 255).any(axis=(1, 2)).all()

    check()


def test_videos_shrink_to_one_still_frame() -> None:
    video = finds(strategies.videos(), lambda video: True, FINDING)
    assert video.frame_count == 1
    assert video.audio is None
    assert len(np.unique(pictures(video))) == 1
