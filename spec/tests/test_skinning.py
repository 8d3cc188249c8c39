"""Skinning by dual quaternions, against what is known of cylinders, mirrors and rigid bodies."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_spec import Asset, Character, Mesh, Motion, Skeleton, Skin, ValidationError, kinematics
from kinetoscope_spec.contracts import strategies

HALVES = np.array([0.5, 0.5])


def pair(*matrices, weights=HALVES, blending="dual_quaternion"):
    """Return what carries one vertex of two bones that were bound at the origin, `[3, 4]`."""
    bind = np.tile(np.eye(4), (2, 1, 1))
    skin = Skin([[0, 1]], [weights], [0, 1], bind, blending)
    return kinematics.vertex_matrices(skin, np.stack(matrices))[0]


def about(axis, degrees, at=(0.0, 0.0, 0.0)):
    """Return the matrix of a turn about an axis through a point."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * np.asarray(axis, float)).as_matrix()
    matrix[:3, 3] = at - matrix[:3, :3] @ at
    return matrix


def tube(blending, twist):
    """Return a tube of radius 1 along y, whose upper bone is twisted by `twist` degrees, as it stands then."""
    height, around = np.meshgrid(np.linspace(0, 2, 21), np.linspace(0, 2 * np.pi, 12), indexing="ij")
    points = np.stack([np.cos(around), height, np.sin(around)], axis=-1).reshape(-1, 3)
    upper = points[:, 1] / 2
    skeleton = Skeleton(("lower", "upper"), [-1, 0], [[0, 0, 0], [0, 1, 0]])
    skin = Skin(
        np.tile([0, 1], (len(points), 1)),
        np.stack([1 - upper, upper], axis=1),
        [0, 1],
        np.linalg.inv(skeleton.rest_matrices()),
        blending,
    )
    mesh = Mesh.from_triangles("tube", points, np.zeros((0, 3), int), skin=skin)
    turns = np.stack([[0, 0, 0, 1], Rotation.from_euler("y", twist, degrees=True).as_quat()])[None]
    motion = Motion(skeleton, skeleton.rest_positions[None], turns, 30)
    return points, kinematics.skinned_vertices(Asset("tube", skeleton, (motion,), (mesh,)))


def test_a_tube_that_is_twisted_keeps_its_girth() -> None:
    points, found = tube("dual_quaternion", 180 - 1e-6)
    np.testing.assert_allclose(np.hypot(found[:, 0], found[:, 2]), 1, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], points[:, 1], atol=1e-12)
    turned = np.arctan2(found[:, 0], found[:, 2]) - np.arctan2(points[:, 0], points[:, 2])
    ring = 6  # of those from 0 to 20; 0.3 of the way up in weight: blends are normalised lines, not arcs
    expected = 2 * np.arctan2(0.3 * np.sin(np.pi / 2), 0.7 + 0.3 * np.cos(np.pi / 2))
    at = np.flatnonzero(np.isclose(points[:, 1], 0.1 * ring))
    np.testing.assert_allclose(np.cos(turned[at]), np.cos(expected), atol=1e-6)
    _, collapsed = tube("linear", 180 - 1e-6)
    waist = np.isclose(points[:, 1], 1.0)
    assert np.hypot(collapsed[waist, 0], collapsed[waist, 2]).max() < 1e-6


def test_where_one_bone_carries_all_nothing_is_blended() -> None:
    rng = np.random.default_rng(5)
    bones = np.tile(np.eye(4), (6, 1, 1))
    bones[:, :3] = rng.normal(size=(6, 3, 4))  # shear, mirrors and all
    for slots in (1, 8):
        joints, weights = rng.integers(0, 6, (20, slots)), np.zeros((20, slots))
        joints[:, 0], weights[:, 0] = np.arange(20) % 6, 1.0
        skin = Skin(joints, weights, np.arange(6), np.tile(np.eye(4), (6, 1, 1)))
        for blending in ("linear", "dual_quaternion"):
            found = kinematics.vertex_matrices(attrs.evolve(skin, blending=blending), bones)
            np.testing.assert_allclose(found, bones[joints[:, 0], :3], atol=1e-12)


def test_the_way_between_two_turns_is_the_shorter_one() -> None:
    # 100 degrees one way and 100 the other are 160 apart, by way of 180.
    found = pair(about((0, 0, 1), 100), about((0, 0, 1), -100))
    np.testing.assert_allclose(found[:, :3], np.diag([-1, -1, 1]), atol=1e-12)
    found = pair(about((0, 0, 1), 80), about((0, 0, 1), -80))
    np.testing.assert_allclose(found[:, :3], np.eye(3), atol=1e-12)


def test_an_elbow_turns_about_its_joint() -> None:
    """A blend of two turns about axes through one point leaves the point where it is, and turns half way."""
    elbow = np.array([0.3, 1.2, -0.4])
    found = pair(np.eye(4), about((1, 0, 0), 120, at=elbow))
    np.testing.assert_allclose(found, about((1, 0, 0), 60, at=elbow)[:3], atol=1e-12)


def test_two_moves_are_averaged() -> None:
    there = np.eye(4)
    there[:3, 3] = (4.0, 8.0, 0.0)
    found = pair(np.eye(4), there, weights=[0.75, 0.25])
    np.testing.assert_allclose(found, [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 0]], atol=1e-12)


def test_a_screw_goes_half_way_up_and_half_way_round() -> None:
    screw = about((0, 1, 0), 90, at=(1, 0, 0))
    screw[1, 3] = 3.0
    half = about((0, 1, 0), 45, at=(1, 0, 0))
    half[1, 3] = 1.5
    np.testing.assert_allclose(pair(np.eye(4), screw), half[:3], atol=1e-12)


def test_what_bones_stretch_is_averaged_before_they_turn() -> None:
    wide = about((0, 0, 1), 90) @ np.diag([3.0, 1.0, 1.0, 1.0])
    found = pair(np.eye(4), wide)
    np.testing.assert_allclose(
        found[:, :3], about((0, 0, 1), 45)[:3, :3] @ np.diag([2.0, 1.0, 1.0]), atol=1e-12
    )


def skinned_scene(data):
    skeleton = data.draw(strategies.skeletons(joints=st.sampled_from((2, 3, 5)), rest_scales=False))
    skin = data.draw(strategies.skins(skeleton, 12))
    motion = data.draw(strategies.motions(st.just(skeleton), frames=st.just(1), scales=False))
    pose = np.asarray(motion.global_matrices()[0], np.float64)
    return attrs.evolve(skin, blending="dual_quaternion"), pose


@given(st.data(), st.sampled_from((1.0, 0.01, 30.0)), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_body_that_moves_grows_or_is_mirrored_whole_does_so_in_every_vertex(data, size, mirrored) -> None:
    skin, pose = skinned_scene(data)
    move = about((0.6, 0, 0.8), 130, at=(2, 1, -3)) @ np.diag([-size if mirrored else size, size, size, 1.0])
    here = kinematics.vertex_matrices(skin, pose)
    there = kinematics.vertex_matrices(skin, move @ pose)
    np.testing.assert_allclose(there, move[:3, :3] @ here + np.pad(move[:3, 3:], ((0, 0), (3, 0))),
                               atol=1e-4 * size)  # fmt: skip


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_the_order_of_influences_does_not_matter(data) -> None:
    skin, pose = skinned_scene(data)
    order = np.random.default_rng(0).permutation(skin.joints.shape[1])
    again = attrs.evolve(skin, joints=skin.joints[:, order], weights=skin.weights[:, order])
    here, there = (kinematics.vertex_matrices(s, pose) for s in (skin, again))
    np.testing.assert_allclose(here, there, atol=1e-9)


def test_morphs_come_before() -> None:
    skin = Skin([[0, 1]] * 3, [[0.5, 0.5]] * 3, [0, 1], np.tile(np.eye(4), (2, 1, 1)), "dual_quaternion")
    offset = np.array([[[0, 0, 2.0]] * 3])
    mesh = Mesh.from_triangles("m", np.eye(3), np.array([[0, 1, 2]]), skin=skin, morphs=offset,
                               morph_names=("up",), morph_weights={"up": 0.5})  # fmt: skip
    skeleton = Skeleton(("a", "b"), [-1, -1], np.zeros((2, 3)))
    turns = Rotation.from_rotvec([[0, 0, 0], [np.pi - 1e-9, 0, 0]]).as_quat()[None]
    motion = Motion(skeleton, np.zeros((1, 2, 3)), turns, 30)
    found = kinematics.skinned_vertices(Asset("x", skeleton, (motion,), (mesh,)))
    raised = np.eye(3) + np.array([0, 0, 1])
    np.testing.assert_allclose(found, raised @ about((1, 0, 0), 90)[:3, :3].T, atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_polar_gives_turn_and_stretch(seed) -> None:
    given_ = np.random.default_rng(seed).normal(size=(4, 5, 3, 3))
    turns, stretches = kinematics.polar(given_)
    turned = Rotation.from_quat(turns.reshape(-1, 4)).as_matrix().reshape(4, 5, 3, 3)
    np.testing.assert_allclose(turned @ stretches, given_, atol=1e-12)
    np.testing.assert_array_equal(stretches, np.swapaxes(stretches, -1, -2))
    signs = np.sign(np.linalg.eigvalsh(stretches))
    np.testing.assert_array_equal(signs, np.sign(np.linalg.det(given_))[..., None] * np.ones(3))


@pytest.mark.parametrize("flat", [np.zeros((3, 3)), np.diag([1.0, 0.0, 2.0]), np.diag([0.0, 0.0, -1.0])])
def test_polar_of_what_is_flat_is_a_turn_all_the_same(flat) -> None:
    turn, stretch = kinematics.polar(flat)
    np.testing.assert_allclose(np.linalg.norm(turn), 1)
    np.testing.assert_allclose(Rotation.from_quat(turn).as_matrix() @ stretch, flat, atol=1e-12)


def test_blendings_that_are_not_known_are_refused() -> None:
    with pytest.raises(ValueError, match="blending"):
        Skin([[0]], [[1.0]], [0], np.eye(4)[None], "cubic")
    skeleton = Skeleton(("a",), [-1], np.zeros((1, 3)))
    skin = Skin([[0]] * 3, [[1.0]] * 3, [0], np.eye(4)[None])
    meshes = [
        Mesh.from_triangles(n, np.eye(3), np.array([[0, 1, 2]]), skin=s)
        for n, s in (("a", skin), ("b", None))
    ]
    character = Character("c", skeleton, meshes)
    changed = character.blended("dual_quaternion")
    assert [mesh.skin and mesh.skin.blending for mesh in changed.meshes] == ["dual_quaternion", None]
    assert changed.blended("linear") == character
    with pytest.raises(ValidationError, match="'cubic', expected one of linear, dual_quaternion"):
        character.blended("cubic")
