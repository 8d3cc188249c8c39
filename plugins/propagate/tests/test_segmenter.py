"""What is clicked on is found in every frame, and what is lost is said to be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest

from kinetoscope_av.provider import AvMedia
from kinetoscope_propagate.segmenter import GrabcutSegmenter
from kinetoscope_quadmask.hooks import Box, Hint, Point, Prompts, read_prompts
from kinetoscope_spec import Video

SEEDS = (301, 302, 303)
"""Nothing was tuned on these."""


def segmented(frames, prompts):
    made = GrabcutSegmenter().segment(Video.from_frames(frames, 12), [prompts])
    return np.stack([frame > 0 for frame in made.masks[0].frames()]), made


@pytest.mark.parametrize("pan", [False, True])
def test_what_a_mask_or_a_box_holds_is_followed(things, pan) -> None:
    found = {"mask": [], "box": [], "held": []}
    for seed in SEEDS:
        film = things.thing(seed, pan=pan)
        by_mask, _ = segmented(film.frames, Prompts(masks=[Hint(film.inside[6], 6)]))
        by_box, _ = segmented(film.frames, Prompts(boxes=[Box(*film.bounds(6), 6)]))
        np.testing.assert_array_equal(by_mask[6], film.inside[6])
        found["mask"].append(things.iou(by_mask, film).mean())
        found["box"].append(things.iou(by_box, film).mean())
        found["held"].append(things.iou(np.broadcast_to(film.inside[6], film.inside.shape), film).mean())
    assert np.mean(found["mask"]) > 0.9, found
    assert np.mean(found["box"]) > 0.85, found
    assert np.mean(found["held"]) < 0.5, "a mask that stays where it is would have done"


def test_one_click_finds_most_of_a_thing(things) -> None:
    ious = []
    for seed in SEEDS:
        film = things.thing(seed)
        made, _ = segmented(film.frames, Prompts([Point(*film.middle(0), 0)]))
        ious.append(things.iou(made, film).mean())
    assert np.median(ious) > 0.8, ious


@pytest.mark.parametrize("colour", [(200, 40, 30), (60, 90, 200), (220, 210, 60)])
def test_one_click_leaves_the_shadow(colour) -> None:
    """A disc and its shadow on a grey wall; one whose own colour is the shadow's keeps all that is found."""
    rng = np.random.default_rng(821)
    noise = rng.normal(size=(96, 160, 3)).astype(np.float32)
    wall = 150 + 18 * sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (1.5, 4.0))
    shade, disc = np.zeros((2, 96, 160), np.uint8)
    cv2.ellipse(shade, (75, 58), (18, 9), 0, 0, 360, 1, -1)
    cv2.circle(disc, (75, 42), 15, 1, -1)
    ground = np.where(shade[..., None] > 0, 0.6 * wall, wall)
    found = []
    for inside in (colour, (90, 90, 90)):
        shot = np.where(disc[..., None] > 0, inside, ground).round().clip(0, 255).astype(np.uint8)
        made, _ = segmented(shot[None], Prompts([Point(75, 42, 0)]))
        found.append(made[0])
    assert (found[0] & (disc > 0)).sum() > 0.9 * (found[0] | (disc > 0)).sum()
    assert (found[1] & (disc > 0)).sum() > 0.9 * disc.sum()


def test_a_thing_may_come_in_and_leave(things) -> None:
    film = things.thing(311, pan=False, way=1.3)
    gone = ~film.inside.any(axis=(1, 2))
    assert 2 <= gone.sum() <= 6
    made, told = segmented(film.frames, Prompts(boxes=[Box(*film.bounds(4), 4)]))
    last = int(np.flatnonzero(~gone)[-1])
    assert things.iou(made, film)[: last - 1].min() > 0.6
    assert made[gone].mean() < 0.002
    backward, _ = segmented(film.frames[::-1], Prompts(boxes=[Box(*film.bounds(4), len(gone) - 5)]))
    assert backward[::-1][gone].mean() < 0.002
    assert not [doubt for doubt in told.doubts if doubt.frame > last], "that it has left is no doubt"


def hidden(film, first, last):
    """The film with a board before the thing in some frames."""
    frames, inside = film.frames.copy(), film.inside.copy()
    frames[first : last + 1] = np.random.default_rng(1).integers(90, 110, frames[0].shape)
    inside[first : last + 1] = False
    return attrs.evolve(film, frames=frames, inside=inside)


def test_a_thing_that_is_lost_is_a_doubt_and_a_click_brings_it_back(things) -> None:
    film = hidden(things.thing(321, size=(320, 180)), 6, 8)
    box = Box(*film.bounds(2), 2)
    made, told = segmented(film.frames, Prompts(boxes=[box]))
    assert [doubt.index for doubt in told.doubts] == [0]
    assert told.doubts[0].frame >= 6
    assert "click" in told.doubts[0].reason
    assert (told.confidence[0, :6] > 0.5).all()
    assert (told.confidence[0, 6:9] < 0.5).all()
    assert not made[6:9].any()
    again, told = segmented(film.frames, Prompts([Point(*film.middle(12), 12)], [box]))
    assert things.iou(again, film)[9:].mean() > 0.8
    assert told.confidence[0, 12] > 0.5


def test_confidence_says_which_masks_are_good(things) -> None:
    """Over many films, masks that are sure are better than those that are not."""
    sure, good = [], []
    for seed in SEEDS:
        film = hidden(things.thing(seed), 8, 9)
        made, told = segmented(film.frames, Prompts(boxes=[Box(*film.bounds(3), 3)]))
        kept = film.inside.any(axis=(1, 2))
        sure.append(told.confidence[0][kept])
        good.append(things.iou(made, film)[kept])
    sure, good = np.concatenate(sure), np.concatenate(good)
    assert good[sure > 0.5].mean() > 0.85
    assert good[sure <= 0.5].mean() < 0.5


def test_a_click_that_is_not_on_it_cuts_what_is_there_away(things) -> None:
    """Two things in one mask; a negative click on a later frame leaves one."""
    one, other = things.thing(331, pan=False, way=0.3), things.thing(332, pan=False, way=0.3)
    half = one.frames.shape[1]
    frames = np.concatenate([one.frames, other.frames], axis=1)
    both = np.concatenate([one.inside, other.inside], axis=1)
    x, y = other.middle(5)
    hint = Hint(both[0], 0)
    with_both, _ = segmented(frames, Prompts(masks=[hint]))
    assert with_both[5, half:].sum() > 0.7 * other.inside[5].sum()
    left, _ = segmented(frames, Prompts([Point(x, y + half, 5, False)], masks=[hint]))
    assert left[5, half:].sum() < 0.3 * other.inside[5].sum()
    assert left[5, :half].sum() > 0.7 * one.inside[5].sum()


@pytest.mark.parametrize("channels", [3, 4])
def test_large_films_get_masks_of_their_size(things, channels) -> None:
    film = things.thing(341, size=(320, 180), frames=4, way=0.15)
    large = np.repeat(np.repeat(film.frames, 3, axis=1), 3, axis=2)[:, :-1, :-1]
    if channels == 4:
        large = np.concatenate([large, np.full((*large.shape[:3], 1), 255, np.uint8)], axis=3)
    left, top, right, bottom = film.bounds(0)
    made, _ = segmented(large, Prompts(boxes=[Box(3 * left, 3 * top, 3 * right, 3 * bottom)]))
    assert made.shape == large.shape[:3]
    small = np.stack([cv2.resize(held.astype(np.uint8), (320, 180)) > 0 for held in made])
    assert things.iou(small, film).min() > 0.85


# -- real films


def real(name, mask, count=None):
    folder = Path(os.environ.get("KINETOSCOPE_DATA", "")) / "video" / name
    if not os.environ.get("KINETOSCOPE_DATA") or not folder.is_dir():
        pytest.skip(f"KINETOSCOPE_DATA has no video/{name}")
    media = AvMedia()
    film = media.open(folder / "input_video.mp4", audio=False)
    size = 320, round(320 * film.height / film.width)
    frames = np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in film.frames(0, count)])
    # Of a quadmask's four values 0 and 63 are the object.
    kept = (np.uint8(255) * (f[..., 0] > 95) for f in media.open(folder / mask, audio=False).frames(0, count))
    inside = np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) < 128 for f in kept])
    return folder, frames, inside


@pytest.mark.slow
def test_a_duck_by_one_click(things) -> None:
    _, frames, inside = real("moving_ball", "quadmask_0.mp4", 24)
    film = things.Film(frames, inside)
    made, _ = segmented(frames, Prompts([Point(*film.middle(0), 0)]))
    assert things.iou(made, film).mean() > 0.9


@pytest.mark.slow
def test_a_press_by_the_clicks_that_were_recorded(things) -> None:
    folder, frames, inside = real("ducky-float", "trimask_quadmask.mp4")
    film = things.Film(frames, inside)
    video = Video.from_frames(frames, 12)
    prompts = read_prompts(folder / "segmentation_info.json", video)
    assert json.loads((folder / "segmentation_info.json").read_text())["num_points"] == len(prompts[0].points)
    made, _ = segmented(frames, prompts[0])
    seen = inside.any(axis=(1, 2)) | made.any(axis=(1, 2))
    assert things.iou(made, film)[seen].mean() > 0.8
