"""Light from all around against sums over its pixels, which know neither harmonics nor lobes' samples."""

from __future__ import annotations

import numpy as np
import pytest

from kinetoscope_spec import ValidationError
from kinetoscope_spec.environment import Environment, directions, harmonics, split_sum


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


@pytest.mark.parametrize("image", [np.zeros((4, 8)), np.full((4, 8, 3), -1.0), np.zeros((0, 8, 3))])
def test_what_is_no_environment_is_said(image):
    with pytest.raises(ValidationError, match=r"Environment\.image"):
        Environment(image)
