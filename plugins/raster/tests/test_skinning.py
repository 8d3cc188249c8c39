"""Skinning against the weighed mean of matrices in float64."""

import numpy as np
import pytest

from kinetoscope_raster._geometry import skin
from kinetoscope_spec import rotation


@pytest.mark.parametrize("influences", [1, 4, 8])
def test_skinning_equals_float64(influences):
    rng = np.random.default_rng(influences)
    bones = np.tile(np.eye(4), (40, 1, 1))
    bones[:, :3, :3] = rotation.to_matrix(rotation.normalize(rng.normal(size=(40, 4)))) * rng.uniform(0.5, 2)
    bones[:, :3, 3] = rng.uniform(-3, 3, (40, 3))
    points, normals = rng.uniform(-1, 1, (2, 500, 3))
    joints = rng.integers(0, 40, (500, influences))
    weights = rng.dirichlet(np.ones(influences), 500)
    found, turned = np.zeros((2, 510, 3))
    skin(points, normals, joints, weights, np.ascontiguousarray(bones[:, :3]), 7, found, turned)
    matrices = np.einsum("vk,vkij->vij", weights, bones[joints])
    expected = np.einsum("vij,vj->vi", matrices, np.concatenate([points, np.ones((500, 1))], axis=1))[:, :3]
    assert np.abs(found[7:507] - expected).max() < 1e-5  # a hundredth of a millimetre
    inverse = np.linalg.inv(matrices[:, :3, :3]).transpose(0, 2, 1)
    upright = np.einsum("vij,vj->vi", inverse, normals)
    upright /= np.linalg.norm(upright, axis=1, keepdims=True)
    assert np.abs(turned[7:507] - upright).max() < 1e-6
    assert not found[:7].any()
    assert not found[507:].any()
