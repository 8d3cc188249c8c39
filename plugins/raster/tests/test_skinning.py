"""Skinning against the weighed mean of matrices in float64."""

import numpy as np
import pytest

from kinetoscope_raster._geometry import blend_duals, skin
from kinetoscope_spec import kinematics, rotation
from kinetoscope_spec.contracts._dual_quaternion import Carrier, dual_quaternion_blend


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


@pytest.mark.parametrize("influences", [1, 4, 8])
def test_dual_quaternions_equal_the_reference(influences):
    rng = np.random.default_rng(influences)
    bones = np.tile(np.eye(4), (40, 1, 1))
    bones[:, :3, :3] = rng.normal(size=(40, 3, 3))
    bones[:, :3, 3] = rng.uniform(-3, 3, (40, 3))
    joints = rng.integers(0, 40, (100, influences))
    weights = -np.sort(-rng.dirichlet(np.ones(influences), 100), axis=1)  # the heaviest first
    found = np.zeros((100, 3, 4))
    turns, stretches = kinematics.polar(bones[:, :3, :3])
    blend_duals(joints, weights, turns, stretches, np.ascontiguousarray(bones[:, :3, 3]), found)
    apart = [Carrier.of(bone) for bone in bones]
    for each, named, shares in zip(found, joints, weights, strict=True):
        for point in (np.zeros(3), *np.eye(3)):
            expected = dual_quaternion_blend([apart[j] for j in named], shares, point)
            np.testing.assert_allclose(each @ np.append(point, 1.0), expected, atol=1e-9)
