"""Characters moved by models: by one that is known exactly, and by a trained one."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope import Host
from kinetoscope_spec import Path, ValidationError
from kinetoscope_stage import Controlled, Library, Loop, Models, Pose, Recording, Schedule, Transform, World
from kinetoscope_stage.character import character
from kinetoscope_stage.systems.controller import ControllerSystem

_spec = importlib.util.spec_from_file_location("glide", File(__file__).with_name("glide.py"))
glide = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(glide)


def stage(count=1, feature=glide.Forgetful, seed=None, **wish):
    world = World(seed=3)
    fitted = glide.Identity()
    clip = world.resource(Library).clip(seed or glide.standing())
    model = world.resource(Models).add(feature(), fitted)
    made = character(world, glide.SKELETON, root_motion=False, inertia=False)
    ids = made.spawn(world, count, Controlled(model=model, seed=clip, **wish))
    return world, ids, Schedule([ControllerSystem()]), fitted


@settings(deadline=None, max_examples=25)
@given(
    st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.sampled_from((1 / 60, 1 / 30, 0.05, 0.31)),
)
def test_goes_as_fast_as_it_is_told_wherever_it_stands(velocity, yaw, seed_yaw, dt) -> None:
    turn = Rotation.from_rotvec([0, yaw, 0]).as_quat()
    world, ids, schedule, _ = stage(seed=glide.standing(yaw=seed_yaw), velocity=velocity, facing=[0.6, 0.8])
    at = world.get(int(ids[0]), Transform)
    at.position[:], at.rotation[:] = [4, 0.5, -7], turn
    schedule.run(world, dt)
    steps = int(1.2 / dt)
    for _ in range(steps):
        before = at.position.copy()
        schedule.run(world, dt)
        np.testing.assert_allclose(
            at.position - before, np.array([velocity[0], 0, velocity[1]]) * dt, atol=1e-6
        )
    ahead = Rotation.from_quat(at.rotation).apply([0, 0, 1])
    np.testing.assert_allclose(ahead, [0.6, 0, 0.8], atol=1e-6)
    np.testing.assert_allclose(
        world.get(int(ids[0]), Pose).positions, glide.SKELETON.rest_positions, atol=1e-9
    )


def test_follows_a_path_and_comes_back_to_it() -> None:
    world, ids, schedule, _ = stage(speed=1.5, path=0)
    way = Path([[0, 0], [0, 4], [3, 8], [8, 8]])
    world.resource(Library).path(way)
    at = world.get(int(ids[0]), Transform)
    at.position[0] = 0.4
    off = []
    for _ in range(300):
        schedule.run(world, 1 / 60)
        place = at.position[[0, 2]]
        off.append(np.linalg.norm(place - way.at(way.nearest(place))))
    assert off[0] == pytest.approx(0.4, abs=0.05)
    assert max(off[120:]) < 0.15
    assert float(world.get(int(ids[0]), Controlled).distance) == pytest.approx(7.5, abs=0.4)


def test_all_who_need_frames_are_asked_for_at_once() -> None:
    world, _, schedule, fitted = stage(7, velocity=[1, 0])
    for _ in range(24):
        schedule.run(world, 1 / 30)
    assert set(fitted.batches) == {7}
    assert len(fitted.batches) in {4, 5}  # 24 frames at 6 a time


def test_who_is_gone_is_forgotten_and_what_was_played_too() -> None:
    world, ids, schedule, _ = stage(5, velocity=[1, 0])
    for _ in range(200):
        schedule.run(world, 1 / 30)
    minds = world.resource(Models).minds
    assert all(len(mind.state.played) == 0 for mind in minds.values())
    assert all(len(mind.frames.positions) <= glide.STRIDE + 2 for mind in minds.values())
    world.despawn(ids[:3])
    schedule.run(world, 1 / 30)
    assert sorted(minds) == sorted(ids[3:].tolist())


def test_a_feature_that_remembers_moves_alike() -> None:
    digests = []
    for feature in (glide.Glide, glide.Forgetful):
        world, ids, schedule, _ = stage(2, feature, velocity=[0.3, -0.9])
        for _ in range(100):
            schedule.run(world, 1 / 60)
        digests.append(world.get(int(ids[0]), Transform).position.tobytes())
    assert digests[0] == digests[1]


def test_minds_are_state_and_replay() -> None:
    def loop(recording=None):
        world, ids, schedule, _ = stage(3, velocity=[1, 0])
        return Loop(world, schedule, recording=recording), ids

    live, ids = loop(Recording())
    digests = []
    for dt in (0.02, 0.3, 0.001, 0.05):
        live.tick(dt)
        digests.append(live.world.digest())
    again, _ = loop()
    assert again.replay(live.recording) == digests
    live.world.resource(Models).minds[int(ids[1])].time += 1e-3
    assert live.world.digest() != digests[-1]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"model": 4}, "model 4 is not there"),
        ({"seed": 9}, "seed is 9"),
        ({"path": 2}, "path 2 is not in the library"),
    ],
)
def test_what_is_not_there_is_named(wish, words) -> None:
    world, ids, schedule, _ = stage()
    held = world.get(int(ids[0]), Controlled)
    for name, value in wish.items():
        getattr(held, name)[...] = value
    with pytest.raises(ValidationError, match=words):
        schedule.run(world, 0.1)


@pytest.mark.realdata
def test_a_trained_model_walks_where_it_is_to() -> None:
    folder = os.environ.get("KINETOSCOPE_DATA")
    if not folder:
        pytest.skip("KINETOSCOPE_DATA is not set")
    with Host() as host:
        clips = [
            host.open(str(path)).motions[0]
            for path in sorted(File(folder, "bvh", "bandai-namco-1").glob("*walk_normal_*.bvh"))[:3]
        ]
        maker = host.feature("locomotion").configured(bends=2)
        dataset = maker.training_set(clips)
        fitted = host.model("mlp").fit(dataset, seed=0, budget={"steps": 300})
        world = World()
        library = world.resource(Library)
        model = world.resource(Models).add(maker.restored(dataset.metadata), fitted)
        seed = library.clip(clips[0].slice(0, 45))
        path = library.path(Path([[5, 5], [5, 9], [7, 13]]))
        (hero,) = character(world, clips[0].skeleton, root_motion=False).spawn(
            world, 1, Transform([5, 0, 5]), Controlled(model=model, seed=seed, path=path, speed=1.1)
        )
        run = Loop(world, Schedule([host.provider("system", "controller")]))
        run.headless(4 * 60)
    held = world.get(int(hero), Transform)
    assert 2.0 < float(world.get(int(hero), Controlled).distance) < 6.5
    way = library.paths[path]
    assert np.linalg.norm(held.position[[0, 2]] - way.at(way.nearest(held.position[[0, 2]]))) < 0.6
