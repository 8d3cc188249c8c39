"""Light from all around against sums over its pixels, which know neither harmonics nor lobes' samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_spec import ValidationError
from kinetoscope_spec.environment import BRIGHTEST, Environment, directions, harmonics, split_sum


def blobs(seed, count=4, height=32):
    """Return a picture of soft lights, and the directions and solid angles of its pixels."""
    rng = np.random.default_rng(seed)
    ways = directions(height, 2 * height)
    middles = rng.normal(size=(count, 3))
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    image = 0.05 + sum(rng.random(3) * 2 * np.exp(4 * (ways @ middle - 1))[..., None] for middle in middles)
    solid = np.sin((np.arange(height) + 0.5) * np.pi / height) * (np.pi / height) ** 2
    return image, ways, np.broadcast_to(solid[:, None], ways.shape[:2])


def test_pixels_look_where_they_say():
    ways = directions(64, 128)
    np.testing.assert_allclose(np.linalg.norm(ways, axis=-1), 1)
    np.testing.assert_allclose(ways[0].mean(axis=0), [0, 1, 0], atol=0.03)
    np.testing.assert_allclose(ways[31:33, 63:65].mean(axis=(0, 1)), [0, 0, -1], atol=0.001)
    np.testing.assert_allclose(ways[31:33, 95:97].mean(axis=(0, 1)), [1, 0, 0], atol=0.001)


def test_harmonics_are_orthonormal():
    ways = directions(256, 512)
    solid = np.sin((np.arange(256) + 0.5) * np.pi / 256) * (np.pi / 256) ** 2
    basis = harmonics(ways)
    product = np.einsum("hwi,hwj,h->ij", basis, basis, solid)
    np.testing.assert_allclose(product, np.eye(9), atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_irradiance_is_the_sum_of_what_faces_a_surface(seed):
    image, ways, solid = blobs(seed)
    found = Environment(image).irradiance
    normals = directions(6, 12).reshape(-1, 3)
    expected = np.array(
        [np.einsum("hw,hw,hwc->c", np.maximum(ways @ n, 0), solid, image) / np.pi for n in normals]
    )
    np.testing.assert_allclose(harmonics(normals) @ found, expected, atol=0.04 * expected.max())


@pytest.mark.parametrize("roughness", [0.4, 0.6, 1.0])
def test_what_is_mirrored_is_the_mean_under_ggx(roughness):
    """Normal, view and mirrored direction are one: each pixel weighs by GGX of its half vector and its cosine."""
    image, ways, solid = blobs(5, height=64)
    level = Environment(image).mirrored[round(5 * roughness)]
    a2 = roughness**4
    for n in directions(4, 8).reshape(-1, 3):
        cosine = ways @ n
        half = np.sqrt(np.clip((1 + cosine) / 2, 0, 1))
        spread = a2 / (half**2 * (a2 - 1) + 1) ** 2
        weight = np.where(cosine > 0, cosine * spread * solid, 0)
        expected = np.einsum("hw,hwc->c", weight, image) / weight.sum()
        row, column = np.unravel_index((directions(64, 128) @ n).argmax(), (64, 128))
        np.testing.assert_allclose(level[row, column], expected, rtol=0.1)


@pytest.mark.parametrize(("row", "column"), [(9, 31), (19, 31), (19, 12), (31, 20)])
def test_what_surfaces_mirror_of_even_light_is_ggx_summed_over_all_directions(row, column):
    roughness, nv = row / 31, column / 31
    ways = directions(400, 800)
    solid = np.sin((np.arange(400) + 0.5) * np.pi / 400) * (np.pi / 400) ** 2
    view = np.array([np.sqrt(1 - nv**2), nv, 0.0])
    nl = ways[..., 1]
    half = ways + view
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    a2 = roughness**4
    spread = a2 / (np.pi * (half[..., 1] ** 2 * (a2 - 1) + 1) ** 2)
    smith = nl * np.sqrt(nv**2 * (1 - a2) + a2) + nv * np.sqrt(nl**2 * (1 - a2) + a2)
    shine = np.where(nl > 0, spread * 0.5 / np.maximum(smith, 1e-9) * nl, 0)
    fresnel = np.clip(1 - half @ view, 0, 1) ** 5
    expected = [np.einsum("hw,h->", shine * part, solid) for part in (1 - fresnel, fresnel)]
    np.testing.assert_allclose(split_sum()[row, column], expected, rtol=0.03, atol=0.004)


def test_even_light_is_even_however_it_is_met():
    light = Environment(np.full((8, 16, 3), 0.5))
    np.testing.assert_allclose(harmonics(directions(4, 8)) @ light.irradiance, 0.5, rtol=1e-3)
    np.testing.assert_allclose(light.mirrored, 0.5, rtol=1e-4)
    assert light.mirrored is light.mirrored


@given(st.integers(1, 40), st.integers(0, 80), st.floats(-7, 7), st.booleans())
@settings(max_examples=30, deadline=None)
def test_surroundings_turn_from_z_towards_x(height, column, angle, whole):
    """One bright column goes where its direction goes, shared by the two that it comes to lie between."""
    width = 2 * height
    if whole:
        angle = round(angle / (2 * np.pi) * width) / width * 2 * np.pi
    image = np.zeros((height, width, 3), np.float32)
    image[:, column % width] = 1 + np.arange(height)[:, None]
    turned = Environment(image, seen=True).turned(angle)
    assert turned.seen
    assert turned.image.dtype == np.float32
    np.testing.assert_allclose(turned.image.sum(axis=1), image.sum(axis=1), rtol=1e-5)
    # The azimuth from +Z towards +X of a column's middle.
    azimuth = np.pi - ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    away = np.angle(np.exp(1j * (azimuth - azimuth[column % width] - angle)))
    mean = (turned.image[0, :, 0] * away).sum()
    assert abs(np.angle(np.exp(1j * mean))) < 1e-4 if height > 1 else True
    far = np.abs(away) > 2 * np.pi / width + 1e-6
    assert not turned.image[:, far].any()


def test_whole_turns_change_nothing():
    image, _, _ = blobs(2)
    np.testing.assert_array_equal(Environment(image).turned(2 * np.pi).image, image)


@pytest.mark.parametrize(("width", "pixel_deg", "expected"), [
    (64, 90.0, 4), (64, 5.7, 64), (64, 11.24, 64), (64, 11.26, 32), (50, 20.0, 25), (100, 15.0, 25), (64, 380.0, 1),
])  # fmt: skip
def test_a_backdrop_is_as_fine_as_pixels_show(width, pixel_deg, expected):
    rng = np.random.default_rng(width)
    image = rng.random((width // 2, width, 3))
    light = Environment(image)
    found = light.backdrop(np.radians(pixel_deg))
    assert found.shape[1] == expected
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=(0, 1)), image.mean(axis=(0, 1)), rtol=1e-5)
    assert light.backdrop(np.radians(pixel_deg)) is found
    if expected == width:
        np.testing.assert_allclose(found, image, rtol=1e-6)
    elif width % expected == 0 and (width // 2) % (width // expected) == 0:
        step = width // expected
        areas = image.reshape(width // 2 // step, step, expected, step, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(found, areas, rtol=1e-5)


def test_a_backdrop_is_no_brighter_than_renderers_draw():
    assert Environment(np.full((2, 4, 3), 1e9)).backdrop(0.01).max() == BRIGHTEST


def test_light_of_a_large_picture_is_that_of_a_small_one():
    image, _, _ = blobs(4, height=256)
    small, _, _ = blobs(4, height=64)
    one, other = Environment(image), Environment(small)
    np.testing.assert_allclose(one.irradiance, other.irradiance, atol=2e-3 * np.abs(one.irradiance).max())
    np.testing.assert_allclose(one.mirrored, other.mirrored, rtol=0.02, atol=0.01)


@pytest.mark.parametrize("image", [np.zeros((4, 8)), np.full((4, 8, 3), -1.0), np.zeros((0, 8, 3))])
def test_what_is_no_environment_is_said(image):
    with pytest.raises(ValidationError, match=r"Environment\.image"):
        Environment(image)
