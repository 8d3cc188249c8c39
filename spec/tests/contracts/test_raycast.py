"""The geometry that judges renderers, against answers known without it."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kinetoscope_spec import Actor, Asset, Camera, Character, Material, Mesh, Scene, Skeleton, kinematics
from kinetoscope_spec.character import BLENDINGS
from kinetoscope_spec.contracts import _staging as staging
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._raycast import cast, half_turned, rays, skinned, triangles

SIZE = (40, 30)
FRONT = Camera((0, 0, 4), (0, 0, 0))


def plate(*, at: float = 0.0, width: float = 1.0, behind: bool = False, number: int = 1) -> Actor:
    points = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * width + [0, 0, at]
    mesh = Mesh.from_triangles("plate", points, np.array([[0, 1, 2], [0, 2, 3]]), node=0)
    root = Skeleton(("root",), [-1], [[0.0, 0.0, 0.0]])
    character = Character("plate", root, (mesh,), (Material(double_sided=behind),))
    return Actor(character, np.eye(4)[None], number)


def met(*actors: Actor, camera: Camera = FRONT):
    return cast(camera, SIZE, triangles(actors), edge_px=0.25)


@given(strategies.cameras(), st.floats(0.1, 100))
@settings(max_examples=50, deadline=None)
def test_rays_are_the_inverse_of_projection(camera: Camera, depth: float) -> None:
    points = camera.position + depth * rays(camera, SIZE)
    x, y, away = np.moveaxis(camera.project(points, SIZE), -1, 0)
    np.testing.assert_allclose(x, np.broadcast_to(np.arange(40) + 0.5, x.shape), atol=1e-6)
    np.testing.assert_allclose(y, np.broadcast_to(np.arange(30)[:, None] + 0.5, y.shape), atol=1e-6)
    np.testing.assert_allclose(away, depth, rtol=1e-9)


def test_a_plate_before_the_camera_is_met_at_its_depth() -> None:
    found = met(plate(at=1.0))
    near, slack = found.nearest
    tangent = np.tan(FRONT.field_of_view / 2)
    half = 1.0 / (3.0 * tangent) * SIZE[1] / 2  # pixels from the middle to the plate's edge
    x, y = np.abs(np.arange(40) + 0.5 - 20), np.abs(np.arange(30) + 0.5 - 15)[:, None]
    inside = np.maximum(x, y) < half
    assert (np.isfinite(near) == inside)[found.sure].all()
    assert found.sure.mean() > 0.9
    np.testing.assert_allclose(near[np.isfinite(near)], 3.0)
    assert slack[np.isfinite(near)].max() < 0.01


@pytest.mark.parametrize(("behind", "seen"), [(False, False), (True, True)])
def test_a_back_is_met_only_where_it_is_double_sided(behind: bool, seen: bool) -> None:
    from_behind = Camera((0, 0, -4), (0, 0, 0))
    found = met(plate(behind=behind), camera=from_behind)
    assert found.met.any() == seen


def test_a_mirrored_pose_keeps_the_outside_outside() -> None:
    actor = plate()
    mirrored = Actor(actor.character, np.diag([-1.0, 1, 1, 1])[None])
    assert met(mirrored).met.any()


def test_the_nearest_of_several_and_whose_it_is() -> None:
    found = met(plate(at=-1.0, width=0.8, number=7), plate(at=1.0, width=0.2, number=9))
    near, _ = found.nearest
    assert set(near[np.isfinite(near)].round(6)) == {3.0, 5.0}
    ids, one = found.whose()
    assert set(ids[one].tolist()) == {0, 7}
    assert set(near[~one].round(6)) == {3.0}
    assert not found.tied.any()
    assert met(plate(number=7), plate(number=9)).tied.any()


def test_what_crosses_the_eye_is_met_ahead_only() -> None:
    points = np.array([[-50.0, -1, 60], [50, -1, 60], [0, -1, -60]])
    mesh = Mesh.from_triangles("floor", points, np.array([[0, 1, 2]]), node=0)
    root = Skeleton(("root",), [-1], [[0.0, 0.0, 0.0]])
    floor = Actor(Character("floor", root, (mesh,), (Material(),)), np.eye(4)[None])
    found = met(floor)
    near, _ = found.nearest
    assert np.isfinite(near[-1][found.sure[-1]]).all()  # the lowest row looks down at it
    assert not np.isfinite(near[:15]).any()
    drop = -rays(FRONT, SIZE)[..., 1]
    np.testing.assert_allclose(near[-1, 20], 1 / drop[-1, 20])


def test_nothing_is_met_where_nothing_is() -> None:
    found = met()
    near, _ = found.nearest
    assert found.sure.all()
    assert np.isinf(near).all()
    assert (found.whose()[0] == 0).all()
    assert not found.tied.any()


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_skinning_is_that_of_kinematics(data: st.DataObject) -> None:
    joints = strategies.skeletons(joints=st.sampled_from((1, 2, 3)), rest_scales=False)
    skeleton = data.draw(joints)
    mesh = data.draw(strategies.meshes(skeleton, carried=("skinned",), scales=(1.0,)))
    motion = data.draw(strategies.motions(st.just(skeleton), frames=st.just(1)))
    unmorphed = {name: [0.0] for name in mesh.morph_names}  # renderers are not asked for morphs
    mesh = attrs.evolve(mesh, skin=attrs.evolve(mesh.skin, blending=data.draw(st.sampled_from(BLENDINGS))))
    motion = attrs.evolve(motion, morph_weights=unmorphed)
    pose = kinematics.global_matrices(skeleton.parents, motion.positions, motion.rotations, motion.scales)[0]
    theirs = kinematics.skinned_vertices(Asset("a", skeleton, (motion,), (mesh,)))
    pose = np.asarray(pose, np.float64)
    assume(mesh.skin.blending == "linear" or not half_turned(mesh.skin, pose))
    np.testing.assert_allclose(skinned(mesh, pose), theirs, atol=1e-5 * (1 + np.abs(pose).max()))


def test_moving_camera_and_scene_moves_nothing_in_the_picture() -> None:
    move = staging.movement(0.7, (3.0, -1.0, 5.0))
    scene = Scene((plate(),))
    camera, moved = staging.moved_camera(FRONT, move), staging.moved_scene(scene, move)
    here, there = met(*scene.actors), met(*moved.actors, camera=camera)
    np.testing.assert_array_equal(here.met, there.met)
    np.testing.assert_allclose(camera.project(move[:3, :3] @ (0.1, 0.2, 0.3) + move[:3, 3], SIZE),
                               FRONT.project(np.array([0.1, 0.2, 0.3]), SIZE))  # fmt: skip
