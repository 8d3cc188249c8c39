"""Debug drawing: where its triangles lie, by projecting what it stands for."""

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import Scene, ValidationError
from kinetoscope_spec._lettering import lettering
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


TURN = np.array([[0.0, 0.0, 3.0, 1.0], [2.0, 0.0, 0.0, 2.0], [0.0, 0.5, 0.0, 3.0], [0.0, 0.0, 0.0, 1.0]])
"""x goes along y, y along z and z along x, of three lengths, at (1, 2, 3)."""


def test_axes_go_where_the_columns_of_their_frame_point_all_of_one_length():
    eye = np.array([7.0, 8.0, 9.5])
    scene = Scene(annotations={"axes": {"matrices": TURN[None], "length": 0.3, "width": 0.02}})
    found = list(ribbons(scene, eye, PIXEL))
    brightest = [int(np.argmax(ribbon.color)) for ribbon in found]
    assert brightest == [0, 1, 2]
    for ribbon, along in zip(found, (1, 2, 0), strict=True):
        ends = ribbon.triangles.reshape(-1, 3) + eye - TURN[:3, 3]
        far = ends[np.argsort(ends[:, along])[-2:]]  # a band's two far corners, around the axis' end
        np.testing.assert_allclose(far.mean(axis=0), 0.3 * np.eye(3)[along], atol=1e-9)
    flat = TURN.copy()
    flat[:3, 1] = 0
    assert len(list(ribbons(Scene(annotations={"axes": [flat[None]]}), eye, PIXEL))) == 2


@given(PLACES, EYES)
def test_letters_face_the_camera_upright_and_as_high_as_asked(place, eye):
    found = written(eye, strings=["I"], points=[place], size=0.6)
    towards = (eye - place) / np.linalg.norm(eye - place)
    assert np.abs((found - place) @ towards).max() < 1e-9  # all in one plane across the line of sight
    up = np.array([0.0, 1.0, 0.0]) - towards[1] * towards
    up /= np.linalg.norm(up)
    heights, sides = (found - place) @ up, (found - place) @ np.cross(up, towards)
    assert (heights.min(), heights.max()) == pytest.approx((-0.03, 0.63))  # half a stroke more on both sides
    assert sides.max() == pytest.approx(-sides.min())


def written(eye, **options):
    found = [ribbon.triangles + eye for ribbon in ribbons(Scene(annotations={"text": options}), eye, PIXEL)]
    return np.concatenate(found)


def test_letters_of_pixels_are_as_high_at_any_distance():
    for far in (2.0, 50.0):
        found = written(np.array([0.0, 0.0, far]), strings=["I"], points=[[0, 0, 0]], pixels=20)
        assert np.ptp(found[..., 1]) == pytest.approx(22 * PIXEL * far)


def test_text_reads_from_left_to_right_and_down():
    found = lettering("L\n-")
    upper = found[found[..., 1].min(axis=1) > 5]
    assert (
        upper[:, :, 0].min() == upper[np.ptp(upper[..., 1], axis=1) == 6][0, 0, 0]
    )  # its stem is on the left
    assert len(found) == len(lettering("L")) + len(lettering("-"))


def test_every_letter_of_ascii_is_drawn_and_looks_like_no_other():
    shapes = {chr(code): lettering(chr(code)) for code in range(33, 127)}
    assert len({shape.tobytes() for shape in shapes.values()}) == len(shapes)
    assert not len(lettering(" "))
    assert min(len(shape) for shape in shapes.values()) == 1
    assert not any(np.array_equal(shape, lettering("漢")) for shape in shapes.values())
    np.testing.assert_array_equal(lettering("漢"), lettering("字"))
    np.testing.assert_array_equal(lettering("Gänge"), lettering("Gange"))


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [
        ("axes", np.eye(4), r"finite matrices \[K, 4, 4\]"),
        ("axes", {"matrices": np.full((1, 4, 4), np.nan)}, r"finite matrices"),
        ("axes", {"matrices": np.eye(4)[None], "length": -1}, "length -1, expected a number above 0"),
        ("axes", {"points": [[0, 0, 0]]}, "'points', expected matrices, length, width"),
        ("text", ["hip"], "mappings with strings, points"),
        ("text", {"strings": "hip", "points": [[0, 0, 0]]}, "list of strings"),
        ("text", {"strings": ["hip"], "points": [[0, 0, 0]] * 2}, "1 strings for 2 points"),
        ("text", {"strings": ["hip"]}, r"finite points \[K, 3\]"),
        ("text", {"strings": ["a"], "points": [[0, 0, 0]], "size": 1, "pixels": 9}, "size and pixels"),
        ("text", {"strings": ["a"], "points": [[0, 0, 0]], "pixels": "9"}, "pixels '9'"),
        ("text", {"strings": ["a"], "points": [[0, 0, 0]], "font": "mono"}, "'font', expected strings"),
        ("bones", {"points": [[[0, 0, 0]] * 2], "color": "red"}, r"finite color \[3\]"),
        ("bones", {"points": [[[0, 0, 0]] * 2], "colour": (1, 0, 0)}, "'colour', expected points"),
    ],
)
def test_what_can_not_be_drawn_is_said(kind, wrong, said):
    with pytest.raises(ValidationError, match=rf"annotations\['{kind}'\] .*{said}"):
        list(ribbons(Scene(annotations={kind: wrong}), np.ones(3), PIXEL))
