"""Chains that reach for targets."""

from __future__ import annotations

import importlib.util
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope import Host
from kinetoscope_spec import ValidationError
from kinetoscope_stage import (
    GlobalPose,
    Library,
    Parent,
    Pose,
    Reach,
    Schedule,
    Transform,
    World,
)
from kinetoscope_stage.character import character
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.systems.poses import PoseSystem
from kinetoscope_stage.transforms import TransformSystem

_spec = importlib.util.spec_from_file_location("stages", File(__file__).with_name("stages.py"))
stages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stages)
clips, SKELETON, stage, shown = stages.clips, stages.SKELETON, stages.stage, stages.shown


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_reaches_and_keeps_its_bones(seed) -> None:
    random = np.random.default_rng(seed)
    world = World()
    number = world.resource(Library).clip(clips.clip(seed))
    count = 6
    ids = character(world, SKELETON, clip=number, root_motion=False).spawn(
        world,
        count,
        Transform(random.normal(size=(count, 3)), Rotation.random(count, random_state=seed).as_quat(), 1.4),
        Reach(root=1, end=4, weight=np.array([1, 1, 1, 1, 0.5, 0])),
    )
    with Host() as host:
        reach = host.provider("system", "reach")
        plain = Schedule([AnimationSystem(), TransformSystem(), PoseSystem()])
        plain.run(world, 0.0)
        before = np.array([world.get(int(e), GlobalPose).positions.copy() for e in ids])
        # Any pose of the chain is within reach: where the hand is once its joints are turned about.
        bones = np.diff(before[:, [1, 3, 4]], axis=1)
        turned = [Rotation.random(2, random_state=seed + i).apply(b).sum(axis=0) for i, b in enumerate(bones)]
        targets = before[:, 1] + np.array(turned)
        for entity, target in zip(ids, targets, strict=True):
            world.get(int(entity), Reach).target[:] = target
        Schedule([AnimationSystem(), TransformSystem(), reach, PoseSystem()]).run(world, 0.0)
    after = np.array([world.get(int(e), GlobalPose).positions.copy() for e in ids])
    off = np.linalg.norm(after[:, 4] - targets, axis=1)
    assert off[:4].max() < 3e-3
    # Half way there may lie nearer to the shoulder than the chain can fold.
    half = (before[4, 4] + targets[4]) / 2
    upper, lower = np.linalg.norm(bones[4], axis=1)
    hole = max(0.0, abs(upper - lower) - np.linalg.norm(half - before[4, 1]))
    assert np.linalg.norm(after[4, 4] - half) == pytest.approx(hole, abs=3e-3)
    np.testing.assert_allclose(after[5], before[5], atol=1e-9)
    np.testing.assert_allclose(after[:, :2], before[:, :2], atol=1e-9)
    for a, b in ((1, 3), (3, 4), (1, 2)):
        lengths = [np.linalg.norm(held[:, a] - held[:, b], axis=1) for held in (before, after)]
        np.testing.assert_allclose(lengths[0], lengths[1], rtol=1e-9)


def test_reach_names_what_is_no_chain() -> None:
    world, entity, _ = stage(clips.clip(1))
    with Host() as host:
        schedule = Schedule([host.provider("system", "reach")])
        for root, end, words in ((2, 4, "not below Reach.root"), (0, 9, "Reach.end is 9")):
            world.insert(entity, Reach(root=root, end=end))
            with pytest.raises(ValidationError, match=words):
                schedule.run(world, 0.1)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_limbs_of_one_character_reach_like_those_of_many(seed, bodies) -> None:
    """Children with a `Reach` bend their parent; two chains of one body are solved one after the other."""
    random = np.random.default_rng(seed)
    targets = random.normal(size=(len(bodies), 3)) * 0.3 + [0, 1.3, 0]
    chains = [(1, 4) if random.integers(2) else (0, 2) for _ in bodies]

    def stage_of(together: bool) -> list[np.ndarray]:
        found = []
        for group in [range(4)] if together else [[i] for i in range(4)]:
            world = World()
            number = world.resource(Library).clip(clips.clip(seed))
            made = character(world, SKELETON, clip=number, root_motion=False)
            ids = dict(zip(group, made.spawn(world, len(group)), strict=True))
            with Host() as host:
                schedule = Schedule([AnimationSystem(), TransformSystem(), host.provider("system", "reach")])
                for body, target, (root, end) in zip(bodies, targets, chains, strict=True):
                    if body in ids:
                        world.spawn(Parent(ids[body]), Reach(root=root, end=end, target=target))
                schedule.run(world, 0.1)
            found += [world.get(int(ids[i]), Pose).rotations.copy() for i in group]
        return found

    for a, b in zip(stage_of(True), stage_of(False), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_a_limb_moves_what_it_hangs_on_and_nobody_else() -> None:
    world = World()
    number = world.resource(Library).clip(clips.clip(1))
    made = character(world, SKELETON, clip=number, root_motion=False, reach=[("spine", "hand")])
    ids = made.spawn(world, 3)
    loose = world.spawn(Reach(root=1, end=4, target=[0, 1, 1]), Parent(0))
    with Host() as host:
        schedule = Schedule(
            [AnimationSystem(), TransformSystem(), host.provider("system", "reach"), PoseSystem()]
        )
        schedule.run(world, 0.1)
        before = [world.get(int(i), GlobalPose).positions.copy() for i in ids]
        (chunk,) = world.query(Reach, Parent, without=(Pose,))
        middle = chunk[Parent].entity == ids[1]
        chunk[Reach].weight[middle] = 1.0
        goal = before[1][1] + [0.1, 0.2, 0.2]
        chunk[Reach].target[middle] = goal
        schedule.run(world, 0.0)
    after = [world.get(int(i), GlobalPose).positions for i in ids]
    np.testing.assert_allclose(after[0], before[0], atol=1e-12)
    np.testing.assert_allclose(after[2], before[2], atol=1e-12)
    np.testing.assert_allclose(after[1][4], goal, atol=3e-3)
    assert world.alive(loose).all()
    with pytest.raises(ValidationError, match="joint 'tail' is not"):
        character(world, SKELETON, reach=[("spine", "tail")])


def test_every_limb_of_a_character_reaches() -> None:
    world = World()
    number = world.resource(Library).clip(clips.clip(1))
    chains = [("root", "neck"), ("spine", "hand")]
    (body,) = character(world, SKELETON, clip=number, root_motion=False, reach=chains).spawn(world)
    with Host() as host:
        reach = host.provider("system", "reach")
        schedule = Schedule([AnimationSystem(), TransformSystem(), reach, PoseSystem()])
        schedule.run(world, 0.1)
        before = world.get(int(body), GlobalPose).positions.copy()
        (chunk,) = world.query(Reach, Parent, without=(Pose,))
        first = chunk.entities == chunk.entities.min()
        chunk[Reach].weight[:] = 1.0
        # The first bends the back sideways, the second goes on from there.
        chunk[Reach].target[first] = before[0] + [0.2, 0.4, 0.0]
        chunk[Reach].target[~first] = before[0] + [0.4, 0.35, 0.15]
        schedule.run(world, 0.0)
    after = world.get(int(body), GlobalPose).positions
    np.testing.assert_allclose(after[4], before[0] + [0.4, 0.35, 0.15], atol=3e-3)
    assert np.linalg.norm(after[1] - before[1]) > 0.02  # only the first chain moves the spine
