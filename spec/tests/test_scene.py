"""What a scene and what looks at it refuse, and what they keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import Actor, Camera, Character, Scene, Skeleton, ValidationError

WORDS = st.one_of(st.none(), st.text(max_size=3), st.floats(), st.lists(st.floats(), max_size=4))


@pytest.mark.parametrize(
    ("fog", "said"),
    [
        (0.1, "Scene.fog is 0.1, expected a colour and a density"),
        (("grey", "thick"), "Scene.fog is"),
        (((0.5, 0.5, 0.5), -1.0), "a density of -1.0 1/m"),
        (((0.5, 0.5, 0.5), np.inf), "a density of inf 1/m"),
        (((0.5, 0.5), 0.1), r"Scene.fog\[0\]"),
        (((0.5, -0.5, 0.5), 0.1), r"Scene.fog\[0\]\[1\] is -0.5"),
        (((0.5, np.nan, 0.5), 0.1), r"Scene.fog\[0\]"),
    ],
)
def test_fog_that_is_none_is_said(fog, said):
    with pytest.raises(ValidationError, match=said):
        Scene(fog=fog)


@given(WORDS, WORDS)
def test_whatever_is_given_as_fog_is_taken_whole_or_refused(color, density):
    try:
        held = Scene(fog=(color, density)).fog
    except ValidationError:
        return
    assert held[0].shape == (3,)
    assert (held[0] >= 0).all()
    assert np.isfinite(held[0]).all()
    assert 0 <= held[1] < np.inf
    assert np.array_equal(held[0], np.asarray(color, float))
    assert held[1] == float(density)


@pytest.mark.parametrize("exposure", [-1.0, np.nan, np.inf])
def test_an_exposure_that_is_none_is_said(exposure):
    with pytest.raises(ValidationError, match=r"Scene\.exposure"):
        Scene(exposure=exposure)


def test_two_actors_of_one_id_are_said():
    character = Character("one", Skeleton(("node",), [-1], [(0, 0, 0)]), ())
    actors = [Actor(character, np.eye(4)[None], id=3)] * 2
    with pytest.raises(ValidationError, match=r"ids \[3, 3\], expected each id once"):
        Scene(actors=actors)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"field_of_view": np.pi}, "field_of_view"),
        ({"near": 2.0, "far": 1.0}, "0 < near < far"),
        ({"target": (0.0, 5.0, 0.0), "position": (0.0, 0.0, 0.0)}, "straight along up"),
        ({"position": (0.0, np.nan, 0.0)}, "position"),
    ],
)
def test_a_camera_that_sees_nothing_is_said(wrong, said):
    with pytest.raises(ValidationError, match=said):
        Camera(**({"position": (0.0, 1.0, 3.0), "target": (0.0, 0.0, 0.0)} | wrong))
