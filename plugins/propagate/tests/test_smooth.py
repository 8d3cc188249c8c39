"""Colours that go over into each other: held to what Laplace's equation says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kinetoscope_propagate._smooth import smooth

SIZE = (90, 120)
V, U = np.mgrid[: SIZE[0], : SIZE[1]] - np.array([45.0, 60.0])[:, None, None]


def hole_of(size, at=(60, 45)):
    hole = np.zeros(SIZE, np.uint8)
    cv2.ellipse(hole, at, size, 30, 0, 360, 1, -1)
    return hole > 0


@pytest.mark.parametrize("size", [(2, 2), (12, 7), (40, 25)])
@pytest.mark.parametrize(
    "field",
    [127 + 0 * U, 127 + U - 0.7 * V, 127 + (U**2 - V**2) / 40, 127 + U * V / 30],
    ids=["plain", "slope", "saddle", "turned saddle"],
)
def test_harmonic_fields_come_back(field, size) -> None:
    """They solve Laplace's equation, and are told by their rims alone."""
    truth = np.repeat(np.rint(field)[..., None], 4, axis=2).clip(0, 255).astype(np.uint8)
    hole = hole_of(size)
    made = smooth(np.where(hole[..., None], np.uint8(3), truth), hole)
    np.testing.assert_array_equal(made[~hole], truth[~hole])
    off = np.abs(made[hole].astype(int) - truth[hole])
    assert off.max() <= 2
    assert off.mean() < 0.8


def test_a_border_of_the_picture_is_no_rim() -> None:
    """Half of a hole lies outside: what is told by one side goes on."""
    picture = np.full((*SIZE, 3), 90, np.uint8)
    hole = hole_of((30, 20), (118, 45))
    assert (smooth(np.where(hole[..., None], np.uint8(200), picture), hole) == 90).all()


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14), st.sampled_from([3, 4]))), st.data()
)
def test_what_is_made_lies_between_what_is_known(picture, data) -> None:
    """And nothing else changes, and what is hidden is not looked at, nor what is beside it."""
    hole, beside = (data.draw(arrays(bool, picture.shape[:2])) for _ in range(2))
    beside &= ~hole
    made = smooth(picture, hole, beside)
    np.testing.assert_array_equal(made[~hole], picture[~hole])
    known = picture[~hole & ~beside]
    if len(known):
        assert (made[hole] >= known.min(axis=0)).all()
        assert (made[hole] <= known.max(axis=0)).all()
    else:
        assert (made[hole] == 128).all()
    other = np.where((hole | beside)[..., None], 255 - picture, picture)
    np.testing.assert_array_equal(smooth(other, hole, beside)[hole], made[hole])


def test_it_is_nearer_to_a_scene_than_telea(scenes) -> None:
    """Blotches of several sizes and a few edges: what a photograph has, more or less."""
    off = {"telea": 0.0, "smooth": 0.0}
    for seed in range(4):
        picture = scenes.wall(np.random.default_rng(seed), SIZE).clip(0, 255).astype(np.uint8)
        hole = hole_of((28, 18))
        made = {
            "telea": cv2.inpaint(picture, hole.astype(np.uint8), 5, cv2.INPAINT_TELEA),
            "smooth": smooth(picture, hole),
        }
        for way, held in made.items():
            off[way] += np.square(held.astype(float) - picture)[hole].mean()
    assert off["smooth"] < 0.9 * off["telea"], off
