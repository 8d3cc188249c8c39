"""Noise that is left in a plate is taken out; what is more than noise stays, and nothing depends on the box."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_propagate import _shrink
from kinetoscope_propagate._shrink import BLOCK, doubt, shrunk

seeds = st.integers(0, 2**32 - 1)
noises = st.floats(0.05, 2.0)
SHAPE = (40, 48, 3)
EVERYWHERE = np.ones(SHAPE[:2], bool)


def rms(held: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(held))))


@given(seeds, noises)
def test_noise_about_a_constant_is_taken_out(seed: int, noise: float) -> None:
    """Of each block little more than its mean is left, an eighth of the noise; all of it is noise."""
    random = np.random.default_rng(seed)
    off = random.normal(scale=noise, size=SHAPE).astype(np.float32)
    made = shrunk(120 + off, np.full(SHAPE, noise, np.float32), EVERYWHERE)
    assert rms(made - 120) < 0.35 * rms(off)


@given(seeds, st.floats(0.05, 0.3), st.floats(12, 200))
def test_an_edge_stays(seed: int, noise: float, height: float) -> None:
    """Within a level, wherever it lies, of noise as 25 views of 1.5 levels leave it."""
    random = np.random.default_rng(seed)
    picture = np.full(SHAPE, 30, np.float32)
    picture[:, random.integers(4, 30) :] += np.float32(height)
    made = shrunk(picture, np.full(SHAPE, noise, np.float32), EVERYWHERE)
    assert np.abs(made - picture).max() < 1


@given(seeds, noises)
def test_no_block_loses_more_than_noise(seed: int, noise: float) -> None:
    """Whatever is there: no coefficient of more than three deviations goes, so that what goes is bounded by all."""
    random = np.random.default_rng(seed)
    picture = random.uniform(0, 255, (BLOCK, BLOCK, 1)).astype(np.float32)
    picture += random.normal(scale=noise, size=picture.shape).astype(np.float32)
    taken = picture - shrunk(picture, np.full_like(picture, noise), np.ones((BLOCK, BLOCK), bool))
    line = np.arange(BLOCK)
    wave = np.cos(np.pi * (line[:, None] + 0.5) * line / BLOCK)
    wave /= np.linalg.norm(wave, axis=0)
    gone = np.abs(wave.T @ taken[..., 0] @ wave)
    assert gone.max() < 3 * noise + 1e-2
    assert abs(float(taken.mean())) < 1e-3


@given(seeds)
def test_without_noise_nothing_changes(seed: int) -> None:
    picture = np.random.default_rng(seed).uniform(0, 255, SHAPE).astype(np.float32)
    np.testing.assert_allclose(shrunk(picture, np.zeros_like(picture), EVERYWHERE), picture, atol=1e-2)


@given(seeds, noises)
def test_what_is_not_known_and_not_wanted_is_left_alone(seed: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    picture = (90 + random.normal(scale=noise, size=SHAPE)).astype(np.float32)
    error = np.full_like(picture, noise)
    error[:, 20:28] = np.nan  # no block fits beside the middle of it without touching it
    picture[:, 20:28] = np.nan
    where = random.random(SHAPE[:2]) < 0.5
    made = shrunk(picture, error, where)
    np.testing.assert_array_equal(made[~where], picture[~where])
    np.testing.assert_array_equal(np.isnan(made), np.isnan(picture))
    assert (made != picture)[where & ~np.isnan(picture[..., 0])].any()


@given(seeds, noises, st.integers(0, 9), st.integers(0, 9))
def test_a_part_of_a_picture_is_what_all_of_it_is(seed: int, noise: float, row: int, column: int) -> None:
    """So that a hole that moves, and its box with it, makes nothing flicker that stays."""
    random = np.random.default_rng(seed)
    picture = (90 + 40 * random.random(SHAPE) + random.normal(scale=noise, size=SHAPE)).astype(np.float32)
    error = np.full_like(picture, noise)
    where = np.zeros(SHAPE[:2], bool)
    where[18:30, 20:38] = True
    part = slice(row, None), slice(column, None)
    whole = shrunk(picture, error, where)[part]
    np.testing.assert_allclose(
        shrunk(picture[part], error[part], where[part], (row, column)), whole, atol=2e-3
    )


@given(seeds, st.integers(1, 30), st.floats(0.2, 3))
def test_doubt_is_that_of_the_mean_of_views_that_agree(seed: int, views: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    pixels = 12
    colours = random.normal(100, noise, (views, 3, pixels)).astype(np.float32)
    colours += np.where(random.random((views, 1, pixels)) < 0.2, np.float32(30), 0)  # somebody passes by
    valid = random.random((views, pixels)) < 0.8
    answer = np.full((pixels, 3), 100, np.float32)
    made = doubt(colours, valid, answer, noise)
    for pixel, error in enumerate(made):
        held = colours[valid[:, pixel], :, pixel].astype(np.float64) - 100
        held = held[np.abs(held).max(axis=1) < _shrink.AGREE * noise]
        if len(held) < _shrink.MANY:
            assert np.isnan(error).all()
        else:
            spread = np.minimum(np.square(held).mean(axis=0), noise**2)
            np.testing.assert_allclose(error, np.sqrt(spread / len(held)), rtol=1e-3)
