"""The sun in a picture of the surroundings: where it stands, what it gives, and that no light is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_spec.daylight import sun_apart
from kinetoscope_spec.environment import Environment, directions


def solid_angles(height):
    edges = np.cos(np.arange(height + 1) * np.pi / height)
    return ((edges[:-1] - edges[1:]) * np.pi / height)[:, None]


def sky(way, radius_deg, radiance, height=128, glow=0.5):
    """Return a sky that is brighter above and towards the sun, with the sun's disc in it."""
    ways = directions(height, 2 * height)
    near = ways @ way
    image = 0.2 + 0.3 * np.maximum(ways[..., 1], 0) + glow * np.exp(8 * (near - 1))
    image = image[..., None] * [0.6, 0.8, 1.0]
    disc = near > np.cos(np.radians(radius_deg))
    return image + disc[..., None] * np.asarray(radiance), ways


def fallen(image, ways, normals):
    """Return the irradiance of surfaces, summed over the picture's pixels."""
    solid = solid_angles(len(image))
    return np.array([np.einsum("hw,hwc->c", np.maximum(ways @ n, 0) * solid, image) for n in normals])


@given(st.floats(-np.pi, np.pi), st.floats(-1.4, 1.4), st.floats(1.0, 3.0), st.floats(300, 20000))
@settings(max_examples=6, deadline=None)
def test_no_light_is_lost_and_it_comes_from_where_it_was(azimuth, elevation, radius, power):
    level = np.cos(elevation)
    way = np.array([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level])
    image, ways = sky(way, radius, power * np.array([1.0, 0.8, 0.5]))
    rest, sun = sun_apart(Environment(image, seen=True))
    assert sun is not None
    assert np.degrees(np.arccos(min(sun.way @ way, 1.0))) < 0.5
    normals = directions(5, 8).reshape(-1, 3)
    whole = fallen(image, ways, normals)
    parts = fallen(rest.lighting, ways, normals) + np.maximum(normals @ sun.way, 0)[:, None] * sun.irradiance
    np.testing.assert_allclose(parts, whole, rtol=0.01, atol=0.015 * sun.irradiance.max())
    assert rest.lighting.max() < 3
    assert rest.seen
    np.testing.assert_array_equal(rest.image, image)
    # What renderers light by is that of the picture without its sun; what they show has it.
    np.testing.assert_array_equal(rest.irradiance, Environment(rest.lighting).irradiance)
    assert rest.backdrop(0.01).max() > 100


def test_a_large_picture_keeps_what_its_sun_gives():
    way = np.array([0.6, 0.48, -0.64])
    image, ways = sky(way, 0.5, np.full(3, 40000.0), height=1024, glow=0.0)
    rest, sun = sun_apart(Environment(image.astype(np.float32)))
    assert rest.lighting.shape[1] == 1024
    assert rest.mirrored.max() < 2
    disc = (ways @ way) > np.cos(np.radians(0.5))
    np.testing.assert_allclose(sun.irradiance, 40000 * (disc * solid_angles(1024)).sum(), rtol=0.01)


@pytest.mark.parametrize("radius", [12.0, 40.0])
def test_a_lamp_as_large_as_a_window_is_no_sun(radius):
    environment = Environment(sky(np.array([0.0, 0.6, 0.8]), radius, np.full(3, 200.0))[0])
    rest, sun = sun_apart(environment)
    assert sun is None
    assert rest is environment


def test_an_even_or_a_faint_sky_has_no_sun():
    for image in (np.full((64, 128, 3), 3.0), np.zeros((8, 16, 3)), np.ones((1, 1, 3))):
        assert sun_apart(Environment(image))[1] is None
    faint, _ = sky(np.array([0.0, 0.6, 0.8]), 2.0, np.full(3, 3.0))
    assert sun_apart(Environment(faint))[1] is None


def test_the_sun_turns_with_its_surroundings():
    image, _ = sky(np.array([0.0, 0.6, 0.8]), 2.0, np.full(3, 3000.0))
    rest, before = sun_apart(Environment(image))
    again, after = sun_apart(Environment(image).turned(np.pi / 2))
    np.testing.assert_allclose(before.way, [0, 0.6, 0.8], atol=0.005)
    np.testing.assert_allclose(after.way, [0.8, 0.6, 0], atol=0.005)
    np.testing.assert_allclose(rest.turned(np.pi / 2).lighting, again.lighting, atol=1e-9)
