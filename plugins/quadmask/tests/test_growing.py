"""Masks that reach further: by distance, and with a quadmask's four values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kinetoscope_quadmask.hooks import grown
from kinetoscope_spec import Mask, Quadmask

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12))


def away(covered):
    """Return how far each pixel is from the nearest that is covered, by looking at all."""
    places = np.argwhere(covered)
    every = np.argwhere(np.ones_like(covered))
    if not len(places):
        return np.full(covered.shape, np.inf)
    return np.sqrt(np.square(every[:, None] - places).sum(axis=-1).min(axis=1)).reshape(covered.shape)


@given(arrays(bool, SHAPES), st.integers(0, 6))
def test_all_that_is_no_farther_away_is_covered(covered, by) -> None:
    mask = Mask.from_frames(covered * np.uint8(255), 25)
    for made, frame in zip(grown(mask, by).frames(), covered, strict=True):
        np.testing.assert_array_equal(made, np.where(away(frame) <= by, 255, 0))


@given(arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 63, 127, 255])), st.integers(0, 6))
def test_of_a_quadmask_the_object_grows(values, by) -> None:
    made = grown(Quadmask.from_frames(values, 25), by)
    assert isinstance(made, Quadmask)
    for found, frame in zip(made.frames(), values, strict=True):
        near = away(frame <= 63) <= by
        np.testing.assert_array_equal(found[~near], frame[~near])
        np.testing.assert_array_equal(found[near], np.where(np.isin(frame[near], (63, 127)), 63, 0))


def test_what_soft_edges_cover_stays_soft() -> None:
    frame = np.zeros((1, 9, 9), np.uint8)
    frame[0, 4, 4] = 100
    (made,) = grown(Mask.from_frames(frame, 25), 2).frames()
    assert set(np.unique(made)) == {0, 100}
    assert (made > 0).sum() == 13  # pixels of a disc of radius 2
