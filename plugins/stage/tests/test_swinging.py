"""Springs against the solutions of their equations; joints that swing after."""

from __future__ import annotations

import importlib.util
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.spatial.transform import Rotation

from kinetoscope_spec import Motion, ValidationError
from kinetoscope_stage import (
    GlobalPose,
    Schedule,
    Sway,
    Transform,
    sway,
)
from kinetoscope_stage.springs import damp, oscillate
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.systems.poses import PoseSystem
from kinetoscope_stage.systems.sway import SwaySystem
from kinetoscope_stage.transforms import TransformSystem

_spec = importlib.util.spec_from_file_location("stages", File(__file__).with_name("stages.py"))
stages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stages)
clips, SKELETON, stage, shown = stages.clips, stages.SKELETON, stages.stage, stages.shown


def swinging(motion, *names, dt=1 / 60, **options):
    world, entity, _ = stage(motion, root_motion=False, inertia=False)
    world.insert(entity, sway(SKELETON, *names, **options))
    return world, entity, Schedule([AnimationSystem(), TransformSystem(), SwaySystem(), PoseSystem()])


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 50),
    st.floats(0.2, 6),
    st.floats(0, 1),
    st.floats(0, 2),
    st.lists(st.floats(0, 0.2), max_size=8),
)
def test_what_swings_keeps_its_bones_and_its_cone(seed, hertz, damping, most, dts) -> None:
    world, entity, schedule = swinging(
        clips.clip(seed), "neck", "arm", "hand", frequency=hertz, damping=damping, most=most
    )
    plain, other, still = swinging(clips.clip(seed), "neck", weight=0.0)
    for dt in dts:
        at = world.get(entity, Transform)
        at.position[:] += [0.3, -0.2, 0.1]
        plain.get(other, Transform).position[:] = at.position
        schedule.run(world, dt)
        still.run(plain, dt)
        shown, clip = world.get(entity, GlobalPose), plain.get(other, GlobalPose)
        for a, b in ((0, 1), (1, 2), (1, 3), (3, 4)):
            length = np.linalg.norm(SKELETON.rest_positions[b])
            assert np.linalg.norm(shown.positions[a] - shown.positions[b]) == pytest.approx(length, abs=1e-9)
        held = world.get(entity, Sway)
        for joint, at_ in zip(held.joints, held.at, strict=True):
            arm = Rotation.from_quat(shown.rotations[joint]).apply(held.ends[list(held.joints).index(joint)])
            np.testing.assert_allclose(shown.positions[joint] + arm, at_, atol=1e-9)
        # The neck hangs on no other joint that swings: its cone is around the clip's own neck.
        turned = Rotation.from_quat(clip.rotations[2]).inv() * Rotation.from_quat(shown.rotations[2])
        assert turned.magnitude() <= most + 1e-6


def test_what_is_not_moved_comes_to_rest_and_gravity_pulls() -> None:
    still = Motion(SKELETON, SKELETON.rest_positions[None], np.tile([0.0, 0, 0, 1], (1, 5, 1)), 30.0)
    world, entity, schedule = swinging(still, "arm", frequency=2.0, damping=0.4)
    schedule.run(world, 0.1)
    schedule.run(world, 0.1)
    rest = world.get(entity, GlobalPose).positions.copy()
    world.get(entity, Transform).position[:] += [0, 0, 0.2]
    schedule.run(world, 1 / 120)
    lag = world.get(entity, GlobalPose).positions - [0, 0, 0.2] - rest
    assert lag[4, 2] < -0.1  # the hand is left behind
    hands = []
    for _ in range(600):
        schedule.run(world, 1 / 120)
        hands.append(world.get(entity, GlobalPose).positions[4, 2] - 0.2 - rest[4, 2])
    assert max(hands) > 0.005  # it swings through
    np.testing.assert_allclose(world.get(entity, GlobalPose).positions - [0, 0, 0.2], rest, atol=1e-4)
    world.get(entity, Sway).pull[:] = [0, -0.1, 0]
    for _ in range(600):
        schedule.run(world, 1 / 120)
    assert world.get(entity, GlobalPose).positions[4, 1] < rest[4, 1] - 0.05


@settings(deadline=None, max_examples=15)
@given(st.floats(0.5, 5), st.floats(0.1, 1), st.floats(-4, 4))
def test_what_moves_on_evenly_does_not_lag(hertz, damping, speed) -> None:
    still = Motion(SKELETON, SKELETON.rest_positions[None], np.tile([0.0, 0, 0, 1], (1, 5, 1)), 30.0)
    world, entity, schedule = swinging(still, "arm", frequency=hertz, damping=damping, most=0.6)
    schedule.run(world, 1 / 60)
    schedule.run(world, 1 / 60)
    rest = world.get(entity, GlobalPose).positions.copy()
    lag = []
    for _ in range(1200):
        world.get(entity, Transform).position[2] += speed / 60
        schedule.run(world, 1 / 60)
        lag.append(
            world.get(entity, GlobalPose).positions[4, 2]
            - world.get(entity, Transform).position[2]
            - rest[4, 2]
        )
    # It was left behind when it set off, and has caught up since.
    assert np.sign(lag[0]) == -np.sign(speed) or abs(speed) < 1e-3
    assert abs(lag[-1]) < 2e-3


def test_what_is_thrown_against_its_cone_comes_back_at_once() -> None:
    still = Motion(SKELETON, SKELETON.rest_positions[None], np.tile([0.0, 0, 0, 1], (1, 5, 1)), 30.0)
    world, entity, schedule = swinging(still, "arm", frequency=1.0, damping=0.2, most=0.3)
    schedule.run(world, 1 / 60)
    schedule.run(world, 1 / 60)
    rest = world.get(entity, GlobalPose).positions[4, 2]
    world.get(entity, Sway).velocity[:] = [[0, 0, 8.0]]
    hands = []
    for _ in range(25):
        schedule.run(world, 1 / 60)
        hands.append(world.get(entity, GlobalPose).positions[4, 2] - rest)
    assert hands[0] == pytest.approx(0.3 * np.sin(0.3), abs=1e-3)  # at the edge
    assert (np.diff(hands) < 0).all()  # with what is left of its speed it would stay there for long
    assert hands[-1] < 0


def test_swinging_does_not_know_the_frame_rate() -> None:
    still = Motion(SKELETON, SKELETON.rest_positions[None], np.tile([0.0, 0, 0, 1], (1, 5, 1)), 30.0)
    ends = []
    for steps in (60, 960):
        world, entity, schedule = swinging(still, "arm")
        schedule.run(world, 0.1)
        schedule.run(world, 0.1)
        world.get(entity, Sway).velocity[:] = [[0.1, 0.2, 0.1]]
        for _ in range(steps):
            schedule.run(world, 0.5 / steps)
        ends.append(world.get(entity, GlobalPose).positions[4].copy())
    # Free weights follow their springs exactly; the bone bends their way a little at every step.
    np.testing.assert_allclose(ends[0], ends[1], atol=2e-3)


def test_sway_names_joints_that_are_not_there() -> None:
    with pytest.raises(ValidationError, match="'tail'"):
        sway(SKELETON, "neck", "tail")


@settings(deadline=None)
@given(
    st.floats(-3, 3),
    st.floats(-9, 9),
    st.floats(-3, 3),
    st.floats(0.02, 2),
    st.lists(st.floats(0, 0.5), max_size=6),
)
def test_springs_do_not_know_the_frame_rate(x, v, goal, halflife, dts) -> None:
    once = damp(np.array(x), np.array(v), goal, halflife, sum(dts))
    many = np.array(x), np.array(v)
    for dt in dts:
        many = damp(*many, goal, halflife, dt)
    np.testing.assert_allclose(many, once, atol=1e-9)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-9, 9), st.floats(0.1, 1))
def test_springs_solve_their_equation(x, v, halflife) -> None:
    w = 1.6783469900166605 / halflife
    exact = solve_ivp(
        lambda _, y: [y[1], -2 * w * y[1] - w * w * (y[0] - 1)], (0, 0.4), [x, v], rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(damp(np.array(x), np.array(v), 1.0, halflife, 0.4), exact.y[:, -1], atol=1e-6)
    assert damp(np.array(0.0), np.array(0.0), 1.0, halflife, halflife)[0] == pytest.approx(0.5)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-9, 9), st.floats(0, 4), st.floats(0, 1), st.floats(0, 0.6))
def test_swinging_springs_solve_their_equation(x, v, hertz, damping, time) -> None:
    w = 2 * np.pi * hertz
    exact = solve_ivp(
        lambda _, y: [y[1], -2 * damping * w * y[1] - w * w * (y[0] - 1)],
        (0, max(time, 1e-9)),
        [x, v],
        rtol=1e-10,
        atol=1e-10,
    )
    found = oscillate(np.array(x), np.array(v), 1.0, hertz, damping, time)
    np.testing.assert_allclose(found, exact.y[:, -1], atol=2e-6)


@settings(deadline=None)
@given(st.floats(0, 4), st.floats(0, 1), st.lists(st.floats(0, 0.5), max_size=6))
def test_swinging_springs_do_not_know_the_frame_rate(hertz, damping, dts) -> None:
    once = oscillate(np.array(1.0), np.array(-2.0), 0.5, hertz, damping, sum(dts))
    many = np.array(1.0), np.array(-2.0)
    for dt in dts:
        many = oscillate(*many, 0.5, hertz, damping, dt)
    np.testing.assert_allclose(many, once, atol=1e-8)
