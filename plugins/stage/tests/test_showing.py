"""Looking, following, filming, recording."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope import Host
from kinetoscope_spec import Asset, Motion, Path, ValidationError, kinematics
from kinetoscope_spec.body import capsule_character
from kinetoscope_stage import (
    CameraRig,
    Follower,
    GlobalPose,
    GlobalTransform,
    Library,
    LookAt,
    Loop,
    Rig,
    Schedule,
    Skin,
    Take,
    Transform,
    World,
    camera,
)
from kinetoscope_stage.character import character, scene
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.systems.cameras import FIXED, FREE, ORBIT, THIRD_PERSON, CameraSystem
from kinetoscope_stage.systems.movement import FollowSystem
from kinetoscope_stage.systems.poses import LookAtSystem, PoseSystem
from kinetoscope_stage.systems.recorder import RecorderSystem
from kinetoscope_stage.transforms import TransformSystem
from kinetoscope_stage.view import View

_spec = importlib.util.spec_from_file_location("stages", File(__file__).with_name("stages.py"))
stages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stages)
clips, SKELETON, stage, shown = stages.clips, stages.SKELETON, stages.stage, stages.shown


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 3.0))
def test_looks_at_the_target_or_as_far_as_the_neck_allows(seed, most) -> None:
    random = np.random.default_rng(seed)
    world = World()
    library = world.resource(Library)
    number = library.clip(clips.clip(seed))
    target = world.spawn(Transform(random.normal(size=3) * 5), GlobalTransform())
    turn = Rotation.random(random_state=seed).as_quat()
    (entity,) = character(world, SKELETON, clip=number, root_motion=False).spawn(
        world,
        1,
        Transform(random.normal(size=3), turn, 1.3),
        LookAt(joint=2, entity=target, most=most, halflife=0.0),
    )
    plain = Schedule([AnimationSystem(), TransformSystem(), PoseSystem()])
    plain.run(world, 0.0)
    before = Rotation.from_quat(world.get(int(entity), GlobalPose).rotations[2].copy()).apply([0, 0, 1])
    Schedule([AnimationSystem(), LookAtSystem(), TransformSystem(), PoseSystem()]).run(world, 0.0001)
    posed = world.get(int(entity), GlobalPose)
    way = world.get(target, GlobalTransform).position - posed.positions[2]
    way /= np.linalg.norm(way)
    ahead = Rotation.from_quat(posed.rotations[2]).apply([0, 0, 1])
    asked = np.arccos(np.clip(before @ way, -1, 1))
    turned = np.arccos(np.clip(before @ ahead, -1, 1))
    assert turned <= most + 2e-3
    assert np.arccos(np.clip(ahead @ way, -1, 1)) == pytest.approx(max(asked - most, 0), abs=2e-3)


def test_what_is_behind_is_not_looked_at() -> None:
    still = Motion(SKELETON, SKELETON.rest_positions[None], np.tile([0.0, 0, 0, 1], (1, 5, 1)), 30.0)
    for target, looks in (([3, 1.5, -1], True), ([0.1, 1.5, -3], False)):
        world, entity, _ = stage(still, LookAt(joint=2, target=target, widest=2.0), inertia=False)
        run = Schedule([AnimationSystem(), TransformSystem(), LookAtSystem(), PoseSystem()])
        for _ in range(60):
            run.run(world, 1 / 60)
        ahead = Rotation.from_quat(world.get(entity, GlobalPose).rotations[2]).apply([0, 0, 1])
        assert (ahead[0] > 0.5) == looks


def test_follows_a_path_facing_along_it() -> None:
    world = World()
    path = Path([[0, 0], [2, 3], [6, 3], [9, 0]])
    number = world.resource(Library).path(path)
    there = world.spawn(Transform([0, 0.7, 0]), Follower(path=number, speed=1.5))
    back = world.spawn(Transform(), Follower(path=number, distance=1.0, speed=-1.0))
    round_ = world.spawn(Transform(), Follower(path=number, distance=path.length - 0.5, speed=1.0, loop=True))
    for _ in range(120):
        Schedule([FollowSystem()]).run(world, 1 / 60)
    held = world.get(there, Transform)
    np.testing.assert_allclose(held.position, [*path.at(3.0)[:1], 0.7, path.at(3.0)[1]], atol=1e-9)
    ahead = Rotation.from_quat(held.rotation).apply([0, 0, 1])
    np.testing.assert_allclose(ahead[[0, 2]], path.direction(3.0), atol=1e-9)
    assert world.get(back, Follower).distance == 0
    assert float(world.get(round_, Follower).distance) == pytest.approx(1.5)


@pytest.mark.parametrize("mode", [FREE, FIXED, ORBIT, THIRD_PERSON])
def test_cameras_glide_to_where_they_are_wanted(mode) -> None:
    world = World()
    turn = Rotation.from_rotvec([0, np.pi / 2, 0]).as_quat()
    hero = world.spawn(Transform([3, 0, 0], turn), GlobalTransform())
    rig = world.spawn(CameraRig(mode=ORBIT, entity=hero, distance=2.0, pitch=0.0, offset=[1, 2, 3]))
    run = Schedule([TransformSystem(), CameraSystem()])
    run.run(world, 1 / 60)
    assert camera(world, rig).position == pytest.approx([3, 1, -2])  # at once in the first step
    world.get(rig, CameraRig).mode[...] = mode
    places = [camera(world, rig).position]
    for _ in range(240):
        run.run(world, 1 / 60)
        places.append(camera(world, rig).position)
    wanted = {FREE: [1, 2, 3], FIXED: [1, 2, 3], ORBIT: [3, 1, -2], THIRD_PERSON: [1, 1, 0]}[mode]
    looks = {FREE: [1, 2, 5], FIXED: [3, 1, 0], ORBIT: [3, 1, 0], THIRD_PERSON: [3, 1, 0]}[mode]
    assert places[-1] == pytest.approx(wanted, abs=1e-5)
    assert camera(world, rig).target == pytest.approx(looks, abs=1e-5)
    # A critically damped spring of rate w goes at most w/e times its way a second; turns are taken
    # on the longer of both arms.
    held = world.get(rig, CameraRig)
    arms = np.abs(held.arm - [0, 0, 2.0]) * [max(2.0, held.arm[2])] * np.array([1, 1, 0]) + [
        0,
        0,
        abs(held.arm[2] - 2),
    ]
    way = arms.sum() + np.linalg.norm(np.array(looks) - [3, 1, 0])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps.max() <= 1.6783469900166605 / 0.12 / np.e / 60 * way + 1e-9
    world.despawn(hero)
    run.run(world, 1 / 60)
    assert camera(world, rig).target == pytest.approx(looks, abs=1e-4)


@settings(deadline=None, max_examples=20)
@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(0.5, 5))
def test_cameras_go_around_what_they_show_and_not_through(yaw, other, pitch, steeper, distance) -> None:
    world = World()
    hero = world.spawn(Transform([3, 0, 0]), GlobalTransform())
    rig = world.spawn(CameraRig(entity=hero, yaw=yaw, pitch=pitch, distance=distance))
    run = Schedule([TransformSystem(), CameraSystem()])
    run.run(world, 0.01)
    held = world.get(rig, CameraRig)
    began = float(held.arm[0])
    held.yaw[...], held.pitch[...] = other, steeper
    turned = []
    for _ in range(200):
        run.run(world, 0.02)
        shown = camera(world, rig)
        assert np.linalg.norm(shown.position - shown.target) == pytest.approx(distance, abs=1e-9)
        turned.append(float(held.arm[0]))
    assert np.ptp([began, *turned]) <= np.pi + 1e-6
    level = np.cos(steeper)
    ahead = np.array([np.sin(other) * level, -np.sin(steeper), np.cos(other) * level])
    assert camera(world, rig).position == pytest.approx([3, 1, 0] - distance * ahead, abs=1e-6)


def test_a_camera_straight_above_has_an_up() -> None:
    world = World()
    hero = world.spawn(Transform(), GlobalTransform())
    rig = world.spawn(CameraRig(entity=hero, pitch=np.pi / 2))
    fixed = world.spawn(CameraRig(mode=FIXED, entity=hero, offset=[0, 5, 0]))
    Schedule([TransformSystem(), CameraSystem()]).run(world, 0.01)
    for entity in (rig, fixed):
        right = camera(world, entity).view_matrix()[0, :3]
        assert right == pytest.approx([-1, 0, 0], abs=1e-9)


def test_what_is_recorded_is_what_was_shown(tmp_path) -> None:
    motion = clips.clip(4)
    world, entity, schedule = stage(motion, Transform([1, 0, 2], scale=1.5))
    poses = []
    loop = Loop(world, schedule, steps_per_second=30)
    for _ in range(50):
        loop.headless(1)
        poses.append(world.get(entity, GlobalPose).positions.copy())
    take = world.resource(Take).motion(world, entity)
    assert take.framerate == pytest.approx(30)
    np.testing.assert_allclose(take.global_transforms()[0], poses, atol=1e-9)
    with Host() as host:
        from kinetoscope_spec import Asset

        host.importer("glb").write(Asset("take", SKELETON, (take,)), str(tmp_path / "take.glb"))
        again = host.open(str(tmp_path / "take.glb")).motions[0]
    np.testing.assert_allclose(
        again.global_transforms()[0][:, -1], take.global_transforms()[0][:, -1], atol=1e-4
    )


def test_takes_begin_when_their_characters_do() -> None:
    world, first, schedule = stage(clips.clip(4))
    loop = Loop(world, schedule, steps_per_second=30)
    loop.headless(10)
    number = world.resource(Library).clip(clips.clip(4))
    (second,) = character(world, SKELETON, clip=number).spawn(world)
    loop.headless(5)
    takes = [world.resource(Take).motion(world, int(entity)) for entity in (first, second)]
    assert [take.start_time for take in takes] == [0.0, pytest.approx(10 / 30)]
    assert takes[0].duration == pytest.approx(takes[1].start_time + takes[1].duration)
    world.get(int(second), Rig).skeleton[...] = -1
    with pytest.raises(ValidationError, match="skeleton -1"):
        RecorderSystem().step(View(world, RecorderSystem()), 0.1)


def test_pictures_lie_between_steps() -> None:
    world = World()
    number = world.resource(Library).clip(clips.clip(4))
    hero, _ = (
        int(character(world, dressed(), clip=number, interpolated=between).spawn(world, 1, at)[0])
        for between, at in ((True, Transform([1, 0, 2])), (False, Transform([4, 0, 2])))
    )
    rig = world.spawn(CameraRig(entity=hero, halflife=0.05))
    systems = [AnimationSystem(), TransformSystem(), PoseSystem(), CameraSystem()]
    loop = Loop(world, Schedule(systems), steps_per_second=30)
    loop.headless(1)

    def seen(alpha):
        held = camera(world, rig, alpha=alpha)
        return [actor.pose for actor in scene(world, alpha=alpha).actors], held.position, held.target

    # Who has just come was nowhere else before.
    for now, new in zip(seen(1.0)[0], seen(0.0)[0], strict=True):
        np.testing.assert_array_equal(now, new)
    np.testing.assert_array_equal(seen(1.0)[1], seen(0.0)[1])
    for _ in range(5):
        (moving, standing), *view = seen(1.0)
        loop.headless(1)
        (now, other), *sight = seen(1.0)
        (before, same), *past = seen(0.0)
        np.testing.assert_allclose(before, moving, atol=1e-9)
        np.testing.assert_array_equal(same, other)
        np.testing.assert_allclose(past, view, atol=1e-9)
        (middle, _), *halfway = seen(0.5)
        np.testing.assert_allclose(middle[:, :3, 3], 0.5 * (before + now)[:, :3, 3], atol=1e-9)
        np.testing.assert_allclose(halfway, 0.5 * (np.array(past) + sight), atol=1e-9)
        turns = [Rotation.from_matrix(pose[:, :3, :3]) for pose in (before, middle, now)]
        first, second = (b * a.inv() for a, b in pairwise(turns))
        np.testing.assert_allclose(first.magnitude(), second.magnitude(), atol=1e-9)
        assert np.abs(now - standing).max() > 1e-4


def test_no_more_is_recorded_than_was_asked_for() -> None:
    world, entity, schedule = stage(clips.clip(4))
    world.provide(Take(most_frames=7))
    Loop(world, schedule, steps_per_second=30).headless(20)
    assert world.resource(Take).motion(world, entity).frame_count == 7


def dressed() -> Asset:
    mesh = capsule_character(SKELETON).meshes
    return Asset("doll", SKELETON, (), mesh)


def test_what_is_drawn_and_written_is_what_stands_there(tmp_path) -> None:
    world = World()
    doll = dressed()
    number = world.resource(Library).clip(clips.clip(4))
    (entity,) = character(world, doll, clip=number).spawn(world, 1, Transform([1, 0, 2], scale=1.5))
    character(world, SKELETON).spawn(world)
    loop = Loop(world, Schedule([AnimationSystem(), TransformSystem(), PoseSystem(), RecorderSystem()]))
    loop.headless(40)
    (actor,) = scene(world).actors
    assert scene(world).actors[0].character is actor.character
    take = world.resource(Take).asset(world, int(entity))
    last = take.motions[0].frame_count - 1
    np.testing.assert_allclose(take.motions[0].global_matrices()[last], actor.pose, atol=1e-9)
    drawn = kinematics.skinned_vertices(take, 0, 0, last)
    with Host() as host:
        host.importer("glb").write(take, str(tmp_path / "take.glb"))
        again = host.open(str(tmp_path / "take.glb"))
    np.testing.assert_allclose(
        np.sort(kinematics.skinned_vertices(again, 0, 0, last), axis=0), np.sort(drawn, axis=0), atol=1e-4
    )
    world.get(int(entity), Skin).asset[...] = 5
    with pytest.raises(ValidationError, match="asset 5"):
        scene(world)
