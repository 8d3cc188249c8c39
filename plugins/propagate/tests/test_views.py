"""What is drawn of other frames, and what is voted on it, are what the plain way says: whole pictures, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_propagate import _views, _vote
from kinetoscope_propagate._light import SAME
from kinetoscope_propagate._views import Held, Sight, box_of, seen_from

WHOLE = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
seeds = st.integers(0, 2**32 - 1)


def blobs(random: np.random.Generator, shape: tuple[int, int], share: float) -> np.ndarray:
    rough = cv2.GaussianBlur(random.normal(size=shape), (0, 0), 6)
    return np.asarray(rough > np.quantile(rough, 1 - share))


@given(seeds)
def test_what_is_drawn_in_parts_is_what_whole_pictures_show(seed: int) -> None:
    """By bits but for the rounding of coordinates, which may move a pixel by a 32nd here and there."""
    random = np.random.default_rng(seed)
    frame = cv2.GaussianBlur(random.integers(0, 256, (90, 120, 3), np.uint8), (0, 0), 1.5)
    shape = (70, 100)
    ways = []
    for _ in range(2):
        way = np.eye(3) + random.normal(scale=0.02, size=(3, 3))
        way[:2, 2] = random.uniform(-5, 25, 2)
        way[2] = *random.normal(scale=1e-4, size=2), 1
        ways.append(way)
    first = blobs(random, shape, 0.3)
    where = [first, blobs(random, shape, 0.2) & ~first]
    made = _views._drawn(frame, ways, where)
    for way, held in zip(ways, where, strict=True):
        whole = cv2.warpPerspective(frame, way, shape[::-1], flags=WHOLE)
        off = cv2.absdiff(made, whole)[held]
        assert np.mean(off > 0) < 0.005
        assert off.max(initial=0) < 16
    assert not made[~(where[0] | where[1])].any()


@pytest.mark.parametrize("kind", ["hand", "parallax"])
def test_what_is_wanted_of_a_view_is_what_all_of_it_shows(scenes, kind: str) -> None:
    """Before a camera that travels in front of near and far, too, where a view is made of several."""
    scene = scenes.scene(kind, 3, size=(192, 120), frames=12)
    shift = 0.45 * 192 / 11 if kind == "parallax" else 0.0
    held = []
    for number, (frame, hole) in enumerate(zip(scene.film, scene.covered, strict=True)):
        place = np.array([[1, 0, number * shift], [0, 1, 0.01 * number], [0, 0, 1.0]])
        held.append(Held(number, frame, hole, place, SAME, np.nan))
    sight, all_of_it = (Sight(held[6], box_of(held[6].hole)) for _ in range(2))
    all_of_it.wanted = np.ones_like(sight.hole)
    made_of = 0
    for other in (*held[:6], *held[7:]):
        one, whole = seen_from(sight, other), seen_from(all_of_it, other)
        assert (one is None) == (whole is None)
        if one is None or whole is None:
            continue
        assert one[1].dtype == bool
        np.testing.assert_array_equal(one[1], whole[1])
        off = cv2.absdiff(one[0], whole[0])[sight.hole]
        assert np.mean(off > 0) < 0.005
        assert whole[0][~sight.hole].any()
        made_of += one[0][sight.hole].any()
    assert made_of >= 6


@st.composite
def votes(draw):
    """Colours `[V, C, N]` and which of them are seen, `[V, N]`: now and then none."""
    random = np.random.default_rng(draw(seeds))
    views, channels, pixels = (draw(st.integers(1, most)) for most in (13, 4, 20))
    colours = random.integers(0, 256, (views, channels, pixels)).astype(np.float32)
    if draw(st.booleans()):  # views that are much alike
        colours = colours[:1] + random.normal(scale=2, size=colours.shape).astype(np.float32)
    return colours, random.random((views, pixels)) < draw(st.sampled_from([0.1, 0.5, 0.9, 1.0]))


@given(votes(), st.integers(1, 7))
def test_the_nearest_are_the_median_of_the_first_views(vote, count: int) -> None:
    colours, valid = vote
    made = _vote.nearest(colours, valid, count)
    for pixel, answer in enumerate(made):
        held = colours[valid[:, pixel], :, pixel][:count]
        wanted = np.median(held, axis=0) if len(held) else np.full(colours.shape[1], np.nan)
        np.testing.assert_allclose(answer, wanted, rtol=1e-6)


def test_two_things_that_are_seen_as_often_are_no_guess() -> None:
    """What is in the middle of them is neither; the nearest view is taken."""
    colours = np.array([20, 200, 20, 200], np.float32).reshape(4, 1, 1)
    made = _vote.steady(colours, np.ones((4, 1), bool), np.array([-1, -2, -3, -4]), 1.0)
    assert made.item() == 20


def biweight(held: np.ndarray, most: float = np.inf) -> np.ndarray:
    """Return the mean of views `[V, C]` by Tukey's weights, in double precision; the first where all are far off."""
    off = np.abs(held - np.median(held, axis=0)).max(axis=1)
    reach = 4 * min(1.4826 * np.median(off), most) + _vote.FAR
    weight = np.clip(1 - (off / reach) ** 2, 0, None) ** 2
    return np.asarray(weight @ held / weight.sum()) if weight.any() else held[0]


@given(votes())
def test_what_views_agree_on_is_their_mean_by_how_far_off_they_are(vote) -> None:
    colours, valid = vote
    made = _vote.agreed(colours, valid)
    for pixel, answer in enumerate(made):
        held = colours[valid[:, pixel], :, pixel].astype(np.float64)
        wanted = biweight(held) if len(held) else np.full(colours.shape[1], np.nan)
        np.testing.assert_allclose(answer, wanted, rtol=1e-4, atol=1e-3)


@given(votes(), st.floats(0.1, 5))
def test_before_a_still_camera_views_of_one_side_say_what_all_agree_on(vote, noise: float) -> None:
    """What is on one side only has passed by: it is never taken alone."""
    colours, valid = vote
    made = _vote.steady(colours, valid, -1 - np.arange(len(valid)), noise)
    for pixel, answer in enumerate(made):
        held = colours[valid[:, pixel], :, pixel].astype(np.float64)
        wanted = biweight(held, 2 * noise) if len(held) else np.full(colours.shape[1], np.nan)
        np.testing.assert_allclose(answer, wanted, rtol=1e-4, atol=1e-3)
