"""What changes with a thing is known here, since the scenes are drawn: its shadow, and what it pushes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import kinetoscope
from kinetoscope_propagate.reasoner import MotionReasoner, NoneReasoner
from kinetoscope_quadmask.hooks import Grid
from kinetoscope_spec import Mask, ValidationError, Video

SEEDS = (701, 702)
"""Nothing was tuned on these."""

SIZE, FRAMES = (160, 96), 24
GRID = Grid(12, 20)


def drawn(seed, *, pan=0.0, shadow=True, pushed=False, way=3.75, scale=1):
    """Return frames of a disc that goes to the right, where it is, its shadow, and the ball it meets halfway.

    Pixels are as at the scale of 1.
    """
    rng = np.random.default_rng((55, seed))
    width, height = (scale * side for side in SIZE)
    noise = rng.normal(size=(height, 2 * width, 3)).astype(np.float32)
    wall = 150 + 18 * sum(cv2.GaussianBlur(noise, (0, 0), scale * s) * s for s in (1.0, 2.0, 5.0))
    colour, other = rng.uniform(20, 90, (2, 3)) * ((1, 0.4, 2), (0.3, 2, 1))
    grounds, rows = height * 0.45, []
    pictures, masks = [], []
    for t in range(FRAMES):
        x = scale * (20 + way * t)
        picture = wall[:, round(pan * t) :][:, :width].copy()
        layers = [np.zeros((height, width), np.uint8) for _ in range(3)]
        if shadow:
            cv2.ellipse(
                layers[1], (round(x), round(grounds + 12 * scale)), (12 * scale, 6 * scale), 0, 0, 360, 1, -1
            )
        ball = max(80.0, x + 17) if pushed else 0.0
        if pushed:
            cv2.circle(layers[2], (round(ball - pan * t), round(grounds)), 7, 1, -1)
        cv2.circle(layers[0], (round(x), round(grounds)), 10 * scale, 1, -1)
        inside, shade, apart = (layer > 0 for layer in layers)
        picture[shade] *= 0.6
        picture[apart], picture[inside] = other, colour
        picture += rng.normal(scale=1.5, size=picture.shape)
        pictures.append(picture.round().clip(0, 255).astype(np.uint8))
        masks.append(np.where(inside, 255, 0).astype(np.uint8))
        rows.append((shade & ~inside & ~apart, apart & ~inside))
    shades, balls = (np.stack(held) for held in zip(*rows, strict=True))
    return Video.from_frames(np.stack(pictures), 12), Mask.from_frames(np.stack(masks), 12), shades, balls


def cells_of(affected, count):
    """Return the cells of each frame, bool `[T, rows, cols]`: they hold until the next are told."""
    held = np.zeros((count, GRID.rows, GRID.cols), bool)
    for told in affected.cells:
        held[told.frame :] = False
        for row, col in told.cells:
            held[told.frame :, row, col] = True
    return held


def covering(cells, truth):
    """Return the share of `truth` in the cells, and the share of the cells that hold or touch any of it."""
    rows, columns = GRID.edges(truth.shape[2], truth.shape[1])
    whole = np.repeat(np.repeat(cells, np.diff(rows), axis=1), np.diff(columns), axis=2)
    near = np.stack([cv2.dilate(held.astype(np.uint8), np.ones((9, 9), np.uint8)) for held in truth]) > 0
    touched = [
        near[t, rows[r] : rows[r + 1], columns[c] : columns[c + 1]].any() for t, r, c in np.argwhere(cells)
    ]
    return float(whole[truth].mean()), float(np.mean(touched))


@pytest.mark.parametrize("pan", [0.0, 1.5])
def test_a_shadow_is_found_where_it_is(pan) -> None:
    for seed in SEEDS:
        video, mask, shades, _ = drawn(seed, pan=pan)
        made = MotionReasoner().reason(video, mask, grid=GRID)
        (shadow,) = [held for held in made.affected if held.category == "visual_artifact"]
        found, right = covering(cells_of(shadow, FRAMES), shades)
        assert found > 0.85, (seed, found)
        assert right > 0.85, (seed, right)


def test_the_shadow_of_a_thing_that_stands_is_told_from_one_picture() -> None:
    for seed in SEEDS:
        video, mask, shades, _ = drawn(seed, way=0, scale=2)
        (shadow,) = MotionReasoner().reason(video, mask, grid=GRID).affected
        found, right = covering(cells_of(shadow, FRAMES), shades)
        assert found > 0.8, (seed, found)
        assert right > 0.8, (seed, right)


def test_nothing_is_said_of_a_thing_without_shadow_that_touches_nothing() -> None:
    for seed in SEEDS:
        video, mask, *_ = drawn(seed, shadow=False)
        assert MotionReasoner().reason(video, mask, grid=GRID).affected == ()


def test_what_is_pushed_is_followed_from_the_first_touch_on() -> None:
    for seed in SEEDS:
        video, mask, _, balls = drawn(seed, shadow=False, pushed=True)
        made = MotionReasoner().reason(video, mask, grid=GRID)
        (ball,) = [held for held in made.affected if held.category == "physical"]
        assert ball.moving
        touch = round((80 - 17 - 20) / 3.75)
        assert touch <= ball.first_frame <= touch + 6, (seed, ball.first_frame)
        cells = cells_of(ball, FRAMES)
        # Where it would have stayed changes, too.
        gone = balls[0] & np.stack([frame == 0 for frame in mask.frames()])
        found, right = covering(cells[ball.first_frame :], (balls | gone)[ball.first_frame :])
        assert found > 0.7, (seed, found)
        assert right > 0.8, (seed, right)


def test_none_says_nothing_and_refuses_what_does_not_fit() -> None:
    video, mask, *_ = drawn(SEEDS[0])
    assert NoneReasoner().reason(video, mask, instruction="out with it").affected == ()
    with pytest.raises(ValidationError, match="24"):
        NoneReasoner().reason(video, Mask.from_frames(np.stack(list(mask.frames()))[:5], 12))


def test_a_host_without_a_network_asks_motion_first() -> None:
    with kinetoscope.Host(block=["kinetoscope-gemini"]) as host:
        assert host.explain("reasoner").chosen == "motion"
        assert isinstance(host.provider("reasoner", "none"), NoneReasoner)
