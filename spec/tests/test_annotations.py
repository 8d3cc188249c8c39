"""Debug drawing: where its triangles lie, by projecting what it stands for."""

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import Scene, ValidationError
from kinetoscope_spec.annotations import ribbons

PIXEL = 1e-3
PLACES = st.tuples(*[st.floats(-5, 5)] * 3).map(np.array)
EYES = st.tuples(*[st.floats(6, 20)] * 3).map(np.array)


def triangles(kind, points, eye, **options):
    scene = Scene(annotations={kind: {"points": points, **options}})
    found = [ribbon.triangles + eye for ribbon in ribbons(scene, eye, PIXEL)]
    return np.concatenate(found) if found else np.zeros((0, 3, 3))


@given(PLACES, EYES, st.floats(0.05, 1.0))
def test_a_contact_is_a_level_disc_of_its_width(place, eye, width):
    found = triangles("contacts", place[None], eye, width=width)
    area = np.linalg.norm(np.cross(found[:, 1] - found[:, 0], found[:, 2] - found[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(np.pi * width**2 / 4, rel=0.03)  # of sixteen corners
    assert np.ptp(found[..., 1]) < 1e-9
    np.testing.assert_allclose(
        (found.max(axis=(0, 1)) + found.min(axis=(0, 1)))[[0, 2]] / 2, place[[0, 2]], atol=1e-9
    )


@given(PLACES, PLACES, EYES)
def test_a_bone_is_a_band_that_faces_the_camera(start, end, eye):
    length = np.linalg.norm(end - start)
    middle = 0.5 * (start + end) - eye
    steep = np.linalg.norm(np.cross(end - start, middle)) / np.linalg.norm(middle)
    if steep < 0.1:
        return
    found = triangles("bones", np.stack([start, end])[None], eye, width=0.1)
    area = np.linalg.norm(np.cross(found[:, 1] - found[:, 0], found[:, 2] - found[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(0.1 * length, rel=1e-6)
    normal = np.cross(found[0, 1] - found[0, 0], found[0, 2] - found[0, 0])
    across = np.cross(end - start, middle)
    assert abs(normal @ across) < 1e-6 * np.linalg.norm(normal) * np.linalg.norm(across)


@given(PLACES, PLACES, EYES)
def test_an_arrow_ends_where_the_point_is_after_a_fifth_of_a_second(place, velocity, eye):
    found = triangles("velocities", np.stack([place, velocity])[None], eye)
    if np.linalg.norm(velocity) < 1e-3:
        return
    tip = np.linalg.norm(found.reshape(-1, 3) - (place + 0.2 * velocity), axis=1).min()
    assert tip < 1e-9
    assert not len(triangles("velocities", np.stack([place, 0 * velocity])[None], eye))


@pytest.mark.parametrize("kind", ["trajectory", "bones", "contacts", "velocities"])
def test_nothing_is_thinner_than_pixels_show(kind):
    points = {"trajectory": [[0, 0, 0], [1, 0, 0]], "contacts": [[0, 0, 0]]}.get(
        kind, [[[0, 0, 0], [1, 0, 0]]]
    )
    eye = np.array([0.0, 300.0, 0.0])
    found = triangles(kind, points, eye, width=0.001)
    assert np.ptp(found[..., 2]) > PIXEL * 300


@pytest.mark.parametrize("kind", ["trajectory", "bones", "contacts", "velocities"])
@pytest.mark.parametrize(
    "wrong", ["abc", [[1, 2, 3, 4]], [[[[0.0]]]], [[float("nan")] * 3], {"points": None}]
)
def test_what_is_no_points_is_said(kind, wrong):
    with pytest.raises(ValidationError, match=kind):
        list(ribbons(Scene(annotations={kind: wrong}), np.zeros(3), PIXEL))


def test_several_have_colours_of_their_own_and_unknown_kinds_are_left_out():
    lines = [np.array([[0.0, 0.0], [1.0, 0.0]])] * 2
    scene = Scene(annotations={"trajectory": lines, "labels": ["hip"]})
    first, second = ribbons(scene, np.ones(3), PIXEL)
    assert first.color != second.color
    assert not list(ribbons(attrs.evolve(scene, annotations={"trajectory": []}), np.ones(3), PIXEL))
