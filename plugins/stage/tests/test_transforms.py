"""Transforms against matrices multiplied one by one; prefabs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_spec import ValidationError, kinematics
from kinetoscope_stage import (
    GlobalTransform,
    Numbers,
    Parent,
    Prefab,
    Schedule,
    Transform,
    World,
    column,
    component,
)
from kinetoscope_stage.transforms import TransformSystem


@component
class Mark:
    number: Numbers = column(dtype=np.int64)


def matrix(position, turn, scale) -> np.ndarray:
    x, y, z, w = turn
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    held = np.eye(4)
    held[:3, :3] = (np.eye(3) + 2 * w * cross + 2 * cross @ cross) * scale
    held[:3, 3] = position
    return held


@settings(deadline=None)
@given(st.lists(st.integers(-1, 30), min_size=1, max_size=30), st.integers(0, 2**32), st.booleans())
def test_global_transforms_are_products_of_matrices(parents, seed, split) -> None:
    random = np.random.default_rng(seed)
    count = len(parents)
    # Parents may come before or after their children.
    label = random.permutation(count)
    above = [p % i if i and p >= 0 else -1 for i, p in enumerate(parents)]
    turn = random.normal(size=(count, 4))
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    position, scale = random.normal(size=(count, 3)), random.uniform(0.5, 2, count)
    world = World()
    ids = world.spawn_many(count, Transform(position[label], turn[label], scale[label]), GlobalTransform())
    at = np.empty(count, np.int64)
    at[label] = ids
    for i, parent in enumerate(above):
        if parent >= 0:
            world.insert(at[i], Parent(at[parent]))
    if split:
        world.insert(ids[::2], Mark(1))
    Schedule([TransformSystem()]).run(world, 0.1)
    expected: list[np.ndarray] = []
    for i, parent in enumerate(above):
        own = matrix(position[i], turn[i], scale[i])
        expected.append(own if parent < 0 else expected[parent] @ own)
        held = world.get(int(at[i]), GlobalTransform)
        found = kinematics.matrices(held.position, held.rotation, np.repeat(held.scale, 3))
        np.testing.assert_allclose(found, expected[i], atol=1e-9 * 4.0 ** min(i, 12))


def test_a_long_chain_and_a_circle() -> None:
    world = World()
    ids = world.spawn_many(1000, Transform([0, 1, 0]), GlobalTransform())
    world.insert(ids[1:], Parent(ids[:-1]))
    Schedule([TransformSystem()]).run(world, 0.1)
    assert world.get(int(ids[-1]), GlobalTransform).position.tolist() == [0, 1000, 0]
    world.insert(ids[0], Parent(ids[-1]))
    with pytest.raises(ValidationError, match="hangs on itself"):
        Schedule([TransformSystem()]).run(world, 0.1)


def test_who_lost_its_parent_stands_for_itself() -> None:
    world = World()
    parent = world.spawn(Transform([5, 0, 0]), GlobalTransform())
    child = world.spawn(Transform([1, 0, 0]), GlobalTransform(), Parent(parent))
    run = Schedule([TransformSystem()])
    run.run(world, 0.1)
    assert world.get(child, GlobalTransform).position[0] == 6
    world.despawn(parent, children=False)
    world.spawn_many(3, Transform([50, 0, 0]), GlobalTransform())
    run.run(world, 0.1)
    assert world.get(child, GlobalTransform).position[0] == 1


def test_a_prefab_is_made_with_its_children_many_times() -> None:
    hand = Prefab([Transform([0, 0, 1]), GlobalTransform(), Mark(3)])
    arm = Prefab([Transform([0, 1, 0]), GlobalTransform(), Mark(2)], children=[hand, hand])
    body = Prefab([Transform(), GlobalTransform(), Mark(1)], children=[arm])
    world = World()
    ids = body.spawn(world, 3, Transform(np.eye(3) * 10))
    assert len(world) == 12
    Schedule([TransformSystem()]).run(world, 0.1)
    (hands,) = (
        [
            (position, parent)
            for chunk in world.query(Mark, Parent)
            for position, parent, number in zip(
                chunk[GlobalTransform].position, chunk[Parent].entity, chunk[Mark].number, strict=True
            )
            if number == 3
        ],
    )
    found = sorted(position.tolist() for position, _ in hands)
    assert found == sorted([[10, 1, 1], [0, 11, 1], [0, 1, 11]] * 2)
    world.despawn(ids[0])
    assert len(world) == 8


def test_a_prefab_that_can_not_be_made_leaves_nothing() -> None:
    world = World()
    with pytest.raises(ValidationError):
        Prefab([Mark(1)], children=[Prefab([Mark(1.5)])]).spawn(world, 2)
    with pytest.raises(ValidationError, match="brings a Parent"):
        Prefab([Mark(1)], children=[Prefab([Parent(1)])]).spawn(world)
    assert len(world) == 0
