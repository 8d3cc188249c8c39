"""Blend trees: weights are shares, what stands at a node is the node, and clips walk in step."""

from __future__ import annotations

import importlib.util
from pathlib import Path as File

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_spec import ValidationError
from kinetoscope_stage import (
    Across,
    Along,
    Animator,
    BlendValues,
    Inertia,
    Library,
    Pose,
    Schedule,
    Transform,
    World,
    play,
)
from kinetoscope_stage.character import character
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.trees import Tree

_spec = importlib.util.spec_from_file_location("clips", File(__file__).with_name("clips.py"))
clips = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(clips)

numbers = st.floats(-3, 3)


@st.composite
def trees(draw, depth=2):
    if depth == 0 or (draw(st.booleans()) and depth < 2):
        return draw(st.integers(0, 2))
    below = trees(depth - 1)
    if draw(st.booleans()):
        at = draw(st.lists(st.integers(-4, 4), min_size=1, max_size=4, unique=True))
        return Along(draw(st.integers(0, 3)), {x / 2: draw(below) for x in at})
    places = st.tuples(st.integers(-2, 2), st.integers(-2, 2))
    at = draw(st.lists(places, min_size=1, max_size=4, unique=True))
    return Across((draw(st.integers(0, 3)), draw(st.integers(0, 3))), {place: draw(below) for place in at})


def library() -> Library:
    held = Library()
    for seed, frames in ((0, 31), (1, 46), (2, 61)):
        held.clip(clips.clip(seed, frames=frames))
    return held


@settings(deadline=None)
@given(trees(), st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=5))
def test_weights_are_shares_and_change_without_a_jump(node, values) -> None:
    tree = Tree.of(node, library().clips)
    values = np.array(values)
    weights = tree.weights(values)
    assert weights.shape == (len(values), len(tree.clips))
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-12)
    # Places are half a metre apart at least: shares fall by 2 a metre, in nested nodes by more.
    near = tree.weights(values + 1e-7)
    assert np.abs(near - weights).max() < 1e-4


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6, unique=True), st.booleans())
def test_where_a_node_stands_it_is_alone(places, line) -> None:
    if line:
        places = sorted({x for x, _ in places})
        places = [x for x, after in zip(places, [*places[1:], 99.0], strict=True) if after - x > 1e-6]
        node = Along(1, dict.fromkeys(places, 0))
        values = np.array([[0, x, 0, 0] for x in places])
    else:
        far = [
            p
            for i, p in enumerate(places)
            if all(np.hypot(p[0] - o[0], p[1] - o[1]) > 1e-6 for o in places[:i])
        ]
        places = far
        node = Across((0, 2), dict.fromkeys(places, 0))
        values = np.array([[x, 0, y, 0] for x, y in places])
    tree = Tree.of(node, library().clips)
    np.testing.assert_allclose(tree.weights(values), np.eye(len(places)), atol=1e-9)


def test_in_the_middle_of_two_it_is_both() -> None:
    held = library()
    tree = Tree.of(Along(0, {0.0: 0, 1.0: 1}), held.clips)
    values = np.array([[0.5, 0, 0, 0], [0.25, 0, 0, 0], [7, 0, 0, 0], [-7, 0, 0, 0]])
    np.testing.assert_allclose(tree.weights(values), [[0.5, 0.5], [0.75, 0.25], [0, 1], [1, 0]])
    square = Tree.of(Across((0, 1), {(0, 0): 0, (2, 0): 1, (0, 2): 2}), held.clips)
    np.testing.assert_allclose(square.weights(np.array([[1, 0, 0, 0.0]])), [[0.5, 0.5, 0]], atol=1e-12)


def stage(node, values, **options):
    world = World()
    held = world.resource(Library)
    for seed, frames in ((0, 31), (1, 46), (2, 61)):
        held.clip(clips.clip(seed, frames=frames, turn=0.1))
    number = held.tree(node)
    made = character(world, clips.SKELETON, clip=number, **options)
    ids = made.spawn(world, len(values), BlendValues(values))
    return world, ids, Schedule([AnimationSystem()])


def test_a_tree_at_a_node_plays_that_clip() -> None:
    world, ids, schedule = stage(Along(0, {0.0: 0, 1.0: 1, 2.0: 2}), [[1, 0, 0, 0]], inertia=False)
    alone = character(world, clips.SKELETON, clip=1, inertia=False).spawn(world)
    for _ in range(70):
        schedule.run(world, 1 / 30)
    a, b = (world.get(int(held[0]), Pose) for held in (ids, alone))
    np.testing.assert_allclose(a.positions, b.positions, atol=1e-9)
    assert (Rotation.from_quat(a.rotations).inv() * Rotation.from_quat(b.rotations)).magnitude().max() < 1e-7
    a, b = (world.get(int(held[0]), Transform) for held in (ids, alone))
    np.testing.assert_allclose(a.position, b.position, atol=1e-8)


def test_clips_walk_in_step_and_the_length_is_between() -> None:
    world, ids, schedule = stage(
        Along(0, {0.0: 0, 1.0: 2}), [[0.5, 0, 0, 0]], inertia=False, root_motion=False
    )
    for _ in range(45):
        schedule.run(world, 1 / 30)
    # Clips of 1 s and 2 s, half of each: a round takes 1.5 s.
    assert world.get(int(ids[0]), Animator).time == pytest.approx(1.0)
    world.get(int(ids[0]), Animator).time[...] = 0.4
    schedule.run(world, 0.0)
    held = [world.resource(Library).clips[i].sample(np.array([0.4 * (1 + i // 2)])) for i in (0, 2)]
    shown = world.get(int(ids[0]), Pose)
    np.testing.assert_allclose(shown.positions, (held[0][0][0] + held[1][0][0]) / 2, atol=1e-9)
    # Half way between two rotations is their mean, whatever it is called.
    turns = Rotation.from_quat(np.stack([held[0][1][0], held[1][1][0]])[:, 4])
    assert (turns.mean().inv() * Rotation.from_quat(shown.rotations[4])).magnitude() < 1e-7


def test_the_sign_of_a_quaternion_is_no_difference() -> None:
    """A rotation has two quaternions; files differ in which they hold."""
    world = World()
    library, motion = world.resource(Library), clips.clip(1)
    other = attrs.evolve(motion, rotations=-motion.rotations)
    tree = library.tree(Along(0, {0.0: library.clip(motion), 1.0: library.clip(other)}))
    made = character(world, clips.SKELETON, clip=tree, root_motion=False, inertia=False)
    (entity,) = made.spawn(world, 1, BlendValues([0.5, 0, 0, 0]), Animator(clip=tree, time=0.4))
    Schedule([AnimationSystem()]).run(world, 0.0)
    expected = Rotation.from_quat(library.clips[0].sample(np.array([0.4 * motion.duration]))[1][0])
    shown = Rotation.from_quat(world.get(int(entity), Pose).rotations)
    assert (expected.inv() * shown).magnitude().max() < 1e-7


def test_root_motion_is_the_mean_of_the_clips_steps() -> None:
    world, ids, schedule = stage(Along(0, {0.0: 0, 1.0: 0}), [[0.3, 0, 0, 0]], inertia=False)
    alone = character(world, clips.SKELETON, clip=0, inertia=False).spawn(world)
    for _ in range(200):
        schedule.run(world, 1 / 60)
    a, b = (world.get(int(held[0]), Transform) for held in (ids, alone))
    np.testing.assert_allclose(a.position, b.position, atol=1e-7)
    assert np.linalg.norm(a.position) > 1


def test_a_crowd_is_each_of_its_members() -> None:
    random = np.random.default_rng(5)
    node = Across((0, 1), {(0, 0): 0, (1, 0): 1, (0, 1): Along(2, {0.0: 2, 1.0: 0})})
    values = random.uniform(-0.5, 1.5, (9, 4))
    together, ids, schedule = stage(node, values)
    for _ in range(20):
        schedule.run(together, 1 / 60)
    for i in range(9):
        alone, own, single = stage(node, values[i : i + 1])
        for _ in range(20):
            single.run(alone, 1 / 60)
        a, b = together.get(int(ids[i]), Pose), alone.get(int(own[0]), Pose)
        assert a.positions.tobytes() == b.positions.tobytes()
        assert a.rotations.tobytes() == b.rotations.tobytes()


def test_trees_fade_like_clips() -> None:
    world, ids, schedule = stage(
        Along(0, {0.0: 0, 1.0: 1}), [[0.5, 0, 0, 0]], inertia=False, root_motion=False
    )
    schedule.run(world, 0.2)
    before = world.get(int(ids[0]), Pose).rotations.copy()
    play(world, int(ids[0]), 2, fade=0.3)
    schedule.run(world, 0.0)
    np.testing.assert_allclose(world.get(int(ids[0]), Pose).rotations, before, atol=1e-12)
    for _ in range(20):
        schedule.run(world, 1 / 30)
    expected = world.resource(Library).clips[2].sample(np.array([20 / 30]))
    np.testing.assert_allclose(world.get(int(ids[0]), Pose).positions, expected[0][0], atol=1e-12)


def test_from_clip_to_tree_with_inertia_nothing_pops() -> None:
    world, ids, schedule = stage(Along(0, {0.0: 1, 1.0: 2}), [[0.5, 0, 0, 0]], root_motion=False)
    tree = int(world.get(int(ids[0]), Animator).clip)
    play(world, int(ids[0]), 0)
    for _ in range(9):
        schedule.run(world, 1 / 60)
    before = world.get(int(ids[0]), Pose).positions.copy()
    play(world, int(ids[0]), tree)
    schedule.run(world, 0.0)
    np.testing.assert_allclose(world.get(int(ids[0]), Pose).positions, before, atol=1e-12)
    assert world.has(int(ids[0]), Inertia)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (1, "begins with 1"),
        (lambda: Along(0, {}), "nodes at"),
        (lambda: Along(0, {0.0: 9}), "leaf is 9"),
        (lambda: Along(0, {0.0: 3}), "leaf is 3"),
        (lambda: Along(0, {0.0: None}), "leaf is None"),
        (lambda: Along(0, {float("nan"): 0}), "nodes at"),
        (lambda: Along(4, {0.0: 0}), "value 4"),
        (lambda: Across((0, "x"), {(0, 0): 0}), "value 'x'"),
    ],
)
def test_what_is_no_tree_is_refused(node, words) -> None:
    held = library()
    held.tree(Along(0, {0.0: 0}))
    with pytest.raises(ValidationError, match=words):
        held.tree(node() if callable(node) else node)
    assert len(held.clips) == 4
