"""Packing meshes: triangles in an order that shades fewer corners twice, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_deferred.meshes import pack
from kinetoscope_spec import Mesh


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of a square as modellers write it: one half of all its squares, then the other."""
    points = np.stack([*np.meshgrid(np.arange(side), np.arange(side)), np.zeros((side, side))], -1)
    a = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = [np.stack([a, a + 1, a + side], 1), np.stack([a + 1, a + side + 1, a + side], 1)]
    return points.reshape(-1, 3).astype(float), np.concatenate(faces)


def shaded(triangles: np.ndarray, at_once: int) -> int:
    """Count corners that are shaded, each once in so many triangles."""
    return sum(len(np.unique(triangles[i : i + at_once])) for i in range(0, len(triangles), at_once))


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(4, 30))
def test_each_triangle_stays_with_its_material(seed, materials, side):
    rng = np.random.default_rng(seed)
    points, faces = grid(side)
    faces = faces[rng.permutation(len(faces))]
    owner = rng.integers(0, materials, len(faces))
    packed = pack(Mesh.from_triangles("m", points, faces, face_material=owner))
    triangles = packed.indices.reshape(-1, 3)
    assert sum(count for _, _, count in packed.ranges) == 3 * len(faces)
    for material, first, count in packed.ranges:
        held = triangles[first // 3 : (first + count) // 3]
        given = faces[owner == material]
        np.testing.assert_array_equal(np.unique(held, axis=0), np.unique(given, axis=0))
        assert len(held) == len(given)


@pytest.mark.parametrize("at_once", [100, 341, 1000])
def test_a_grid_in_two_halves_is_shaded_about_once(at_once):
    points, faces = grid(97)
    packed = pack(Mesh.from_triangles("m", points, faces))
    assert shaded(faces, at_once) > 2 * len(points)
    assert shaded(packed.indices.reshape(-1, 3), at_once) < 0.75 * shaded(faces, at_once)


def test_a_good_order_stays():
    """Numbered at random and written strip by strip: by the corners' numbers it would be worse."""
    points, faces = grid(60)
    order = np.argsort(faces.min(axis=1), kind="stable")
    number = np.random.default_rng(3).permutation(len(points))
    there = np.empty_like(points)
    there[number] = points
    packed = pack(Mesh.from_triangles("m", there, number[faces[order]]))
    np.testing.assert_array_equal(packed.indices.reshape(-1, 3), number[faces[order]])
