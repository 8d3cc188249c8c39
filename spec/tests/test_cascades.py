"""Squares of a sun's shadow map: that they hold what casts, lie still on the world, and are no more than needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import Camera
from kinetoscope_spec.cascades import SEAM, sun_axes, sun_map

SIZE = (640, 360)
SUN = np.array([-0.4, -1.0, -0.35])
BOX = np.array([[x, y, z] for x in (-0.4, 0.4) for y in (0.0, 1.8) for z in (-0.3, 0.3)])


def boxes(camera, *places):
    return [BOX + place - camera.position for place in places]


def fitted(camera, casters, *, most=4, resolution=1024):
    return sun_map(SUN, casters, camera, SIZE, resolution=resolution, most=most, floor=0.0)


def test_axes_are_those_of_the_sun():
    for direction in np.random.default_rng(1).normal(size=(20, 3)):
        axes = sun_axes(direction)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(axes[2], direction / np.linalg.norm(direction))


def test_one_figure_nearby_needs_one_square():
    camera = Camera((1.2, 1.6, 3.4), (0, 0.9, 0))
    found = fitted(camera, boxes(camera, (0, 0, 0)))
    assert len(found.cascades) == 1
    assert found.cascades[0].width < 4


def test_a_crowd_into_the_distance_takes_several_whose_texels_are_as_fine_as_pixels():
    camera = Camera((0, 1.7, 5), (0, 1.0, -10))
    places = [(x, 0, -z) for z in (0, 4, 10, 20, 35) for x in (-2 - 0.2 * z, 2 + 0.2 * z)]
    found = fitted(camera, boxes(camera, *places))
    ends = [c.end for c in found.cascades]
    assert 2 <= len(ends) <= 4
    assert ends == sorted(ends)
    one = fitted(camera, boxes(camera, *places), most=1)
    assert found.cascades[0].width < 0.5 * one.cascades[0].width
    pixel = 2 * np.tan(camera.field_of_view / 2) / SIZE[1]
    last = found.cascades[-1]
    assert last.width / 1024 < pixel * last.end


def test_squares_hold_every_point_between_sun_and_view():
    """Points of the casters whose shadows fall on what is seen, by projecting them, lie within their square."""
    rng = np.random.default_rng(4)
    camera = Camera((0, 2.5, 6), (0, 0.5, -6))
    places = rng.uniform((-8, 0, -30), (8, 0, 2), (12, 3))
    found = fitted(camera, boxes(camera, *places))
    points = np.concatenate([place + rng.uniform(BOX.min(0), BOX.max(0), (300, 3)) for place in places])
    owner = np.repeat(np.arange(12), 300)
    landed = points + SUN * (points[:, 1:2] / -SUN[1])
    x, y, away = np.moveaxis(camera.project(landed, SIZE), -1, 0)
    seen = (away > camera.near) & (away < found.cascades[-1].end) & (x > 0) & (x < 640) & (y > 0) & (y < 360)
    start, judged = 0.0, 0
    for cascade in found.cascades:
        here = seen & (away >= (1 - SEAM) * start) & (away <= cascade.end)
        along = (points - camera.position) @ found.axes.T
        assert (np.abs(along[here, :2] - cascade.middle) <= cascade.width / 2).all()
        assert ((along[here, 2] > cascade.low) & (along[here, 2] < cascade.high)).all()
        assert cascade.casts[owner[here]].all()
        start, judged = cascade.end, judged + here.sum()
    assert judged > 500


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1), st.floats(0.01, 1), st.booleans())
def test_what_is_left_out_shadows_nothing_that_is_seen(seed, east, south, west):
    """No way from a place in a part of the view towards the sun meets a box that does not cast into that part."""
    rng = np.random.default_rng(seed)
    camera = Camera(rng.uniform((-3, 1, 2), (3, 5, 8)), rng.uniform((-2, 0, -8), (2, 1, -4)))
    sun = np.array([-east if west else east, -0.6, -south])
    casters = boxes(camera, *rng.uniform((-9, 0, -25), (9, 0, 5), (30, 3)))
    found = sun_map(sun, casters, camera, SIZE, resolution=512, most=3, floor=0.0)
    up = np.tan(camera.field_of_view / 2)
    start = 0.0
    for cascade in () if found is None else found.cascades:
        away = rng.uniform(max((1 - SEAM) * start, camera.near), cascade.end, (400, 1))
        flat = rng.uniform(-1, 1, (400, 2)) * (up * SIZE[0] / SIZE[1], up)
        places = np.hstack([flat, -np.ones((400, 1))]) * away @ camera.view_matrix()[:3, :3]
        for box in (box for box, casts in zip(casters, cascade.casts, strict=True) if not casts):
            ends = np.stack([(box.min(0) - places) / -sun, (box.max(0) - places) / -sun])
            enters, leaves = ends.min(axis=0).max(axis=1), ends.max(axis=0).min(axis=1)
            assert not ((enters < leaves) & (leaves > 0)).any()
        start = cascade.end


def test_what_stands_aside_of_a_slanting_view_does_not_cast():
    """The sun from above sees a view across the world's axes: corners of the box around it hold nothing of it."""
    camera = Camera((0, 1.7, 0), (10, 1.7, -10))
    aside, within = (12, 0, 0), (6, 0, -6)
    found = sun_map(
        np.array([0.0, -1.0, 0.0]), boxes(camera, aside, within), camera, SIZE, resolution=512, most=1
    )
    np.testing.assert_array_equal(found.cascades[0].casts, [False, True])


def test_texels_stand_still_on_the_world_when_the_camera_moves():
    places = [(0, 0, 0), (1.5, 0, -9), (-3, 0, -20)]
    grids = []
    for step in (0.0, 0.013, 0.4):
        camera = Camera((step, 1.7, 5), (step, 1.0, -10))
        found = fitted(camera, boxes(camera, *places))
        for cascade in found.cascades:
            texel = cascade.width / 1024
            corner = (cascade.middle + found.axes[:2] @ camera.position) / texel
            grids.append(np.abs(corner - np.round(corner)).max())
            eighths = 8 * np.log2(cascade.width)
            assert eighths == pytest.approx(round(eighths))
    assert max(grids) < 1e-6


def test_nothing_casts_where_nothing_is_or_all_is_out_of_sight():
    camera = Camera((0, 1.7, 5), (0, 1.0, -10))
    assert fitted(camera, []) is None
    assert fitted(camera, boxes(camera, (0, 0, 60))) is None
    assert fitted(camera, boxes(camera, (0, 0, -300))) is None
