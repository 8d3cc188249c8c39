"""Clips, fades, root motion and inertia."""

from __future__ import annotations

import importlib.util
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from kinetoscope_spec import Motion, Skeleton, ValidationError, kinematics
from kinetoscope_stage import (
    Along,
    Animator,
    GlobalPose,
    Inertia,
    Library,
    Transform,
    play,
)
from kinetoscope_stage.clips import Clip

_spec = importlib.util.spec_from_file_location("stages", File(__file__).with_name("stages.py"))
stages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stages)
clips, SKELETON, stage, shown = stages.clips, stages.SKELETON, stages.stage, stages.shown


def test_sampling_is_slerp_and_lerp() -> None:
    motion = clips.clip(3)
    times = np.linspace(0, motion.duration, 77)
    p, q = Clip.of(motion).sample(times)
    frames = np.arange(motion.frame_count) / motion.framerate
    for j in range(clips.JOINTS):
        expected = Slerp(frames, Rotation.from_quat(motion.rotations[:, j]))(np.minimum(times, frames[-1]))
        assert (expected.inv() * Rotation.from_quat(q[:, j])).magnitude().max() < 1e-7
        for axis in range(3):
            np.testing.assert_allclose(
                p[:, j, axis], np.interp(times, frames, motion.positions[:, j, axis]), atol=1e-12
            )


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=12), st.integers(0, 5), st.floats(-3, 3))
def test_root_motion_upon_pose_is_the_clip(dts, seed, turn) -> None:
    motion = clips.clip(seed, turn=turn)
    world, entity, schedule = stage(motion, Animator(clip=0, loop=False), inertia=False)
    # Where the clip's root stands and faces at first is where the character does.
    first = Clip.of(motion).root[0]
    at = world.get(entity, Transform)
    at.position[:] = [first[0], 0, first[1]]
    at.rotation[:] = Rotation.from_rotvec([0, first[2], 0]).as_quat()
    for dt in dts:
        schedule.run(world, dt)
    time = np.array([min(sum(dts), motion.duration)])
    p, q = Clip.of(motion).sample(time)
    shown = world.get(entity, GlobalPose)
    np.testing.assert_allclose(shown.positions[0], p[0, 0], atol=1e-9)
    assert (Rotation.from_quat(shown.rotations[0]).inv() * Rotation.from_quat(q[0, 0])).magnitude() < 1e-7


def travelling(seed: int) -> Motion:
    """The same walk, by hips below a root that stands still somewhere, turned somehow."""
    motion = clips.clip(seed, turn=0.4)
    skeleton = Skeleton(
        ("scene", "Hips", *motion.skeleton.names[1:], "lamp"),
        np.array([-1, 0, *(motion.skeleton.parents[1:] + 1), 0]),
        np.vstack([[0, 0, 0], motion.skeleton.rest_positions, [1, 2, 3]]),
    )
    still = Rotation.from_rotvec([0, 0.5 + seed, 0])
    turns = still.inv() * Rotation.from_quat(motion.rotations[:, 0])
    q = np.concatenate([motion.rotations[:, :1], motion.rotations, motion.rotations[:, :1]], axis=1).copy()
    p = np.concatenate([motion.positions[:, :1], motion.positions, motion.positions[:, :1]], axis=1).copy()
    q[:, 0], q[:, -1] = still.as_quat(), [0, 0, 0, 1]
    p[:, 0], p[:, -1] = [3, 0, -2], [1, 2, 3]
    q[:, 1], p[:, 1] = turns.as_quat(), still.inv().apply(motion.positions[:, 0] - [3, 0, -2])
    return Motion(skeleton, p, q, motion.framerate)


def test_hips_below_a_root_that_stands_still_carry_the_character() -> None:
    """What moves the character is the hips' way, whichever node the file has it on."""
    ends, poses = [], []
    for motion, first in ((clips.clip(2, turn=0.4), 0), (travelling(2), 1)):
        world, entity, schedule = stage(motion, inertia=False)
        for _ in range(100):
            schedule.run(world, 1 / 60)
        ends.append(world.get(entity, Transform).position.copy())
        poses.append(world.get(entity, GlobalPose).positions[first : first + 5].copy())
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-9)
    np.testing.assert_allclose(
        poses[0], poses[1], atol=1e-3
    )  # between frames, a root's and its child's slerp
    motion = travelling(1)
    held = Clip.of(motion)
    found = kinematics.global_transforms(motion.skeleton.parents, held.positions, held.rotations)
    exact = motion.global_transforms()
    np.testing.assert_allclose(found[0][:, 1:], exact[0][:, 1:], atol=1e-9)


def test_mixing_clips_of_such_files_does_not_swing_them_about() -> None:
    world, entity, schedule = stage(travelling(1))
    library = world.resource(Library)
    other = library.clip(travelling(2))
    places = []
    for i in range(120):
        if i == 40:
            play(world, entity, other)
        if i == 80:
            world.remove(entity, Inertia)
            play(world, entity, 0, fade=0.3)
        schedule.run(world, 1 / 60)
        places.append(world.get(entity, GlobalPose).positions[1].copy())
    speed = np.linalg.norm(np.diff(places, axis=0), axis=1) * 60
    assert speed.max() < 2.0  # clips walk 1.2 m/s, and bob


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 9.0), st.integers(0, 3), st.sampled_from((1.0, -1.0)))
def test_root_motion_goes_on_over_the_ends_of_a_loop(total, seed, way) -> None:
    motion = clips.clip(seed, turn=0.9)
    ends = []
    for steps in (1, 41):
        world, entity, schedule = stage(motion, Animator(clip=0, speed=way), inertia=False)
        for _ in range(steps):
            schedule.run(world, total / steps)
        at = world.get(entity, Transform)
        ends.append((at.position.copy(), Rotation.from_quat(at.rotation)))
    np.testing.assert_allclose(ends[0][0], ends[1][0], atol=1e-8)
    assert (ends[0][1].inv() * ends[1][1]).magnitude() < 1e-7


def test_a_billion_rounds_in_one_step_are_no_more_work_than_a_few() -> None:
    """A clip of a second, played so fast; without any turn the ways add up."""
    bent = clips.clip(1, turn=0.0)
    motion = Motion(
        bent.skeleton, bent.positions, np.tile([0.0, 0, 0, 1], (*bent.rotations.shape[:2], 1)), 30.0
    )
    world, entity, schedule = stage(motion, Animator(clip=0, speed=1e9), inertia=False)
    schedule.run(world, 1.0)
    once = motion.positions[-1, 0, 2] - motion.positions[0, 0, 2]
    assert world.get(entity, Transform).position[2] == pytest.approx(1e9 * once, rel=1e-6)


def test_a_cross_fade_begins_here_and_ends_there() -> None:
    world, entity, schedule = stage(clips.clip(1), inertia=False, root_motion=False)
    other = world.resource(Library).clip(clips.clip(2))
    schedule.run(world, 0.3)
    before = shown(world, entity)
    play(world, entity, other, fade=0.2)
    schedule.run(world, 0.0)
    np.testing.assert_allclose(shown(world, entity)[0], before[0], atol=1e-12)
    schedule.run(world, 0.1)
    mixed = shown(world, entity)
    schedule.run(world, 0.1)
    schedule.run(world, 0.1)
    p, q = world.resource(Library).clips[other].sample(np.array([0.3]))
    np.testing.assert_allclose(shown(world, entity)[0], p[0], atol=1e-12)
    np.testing.assert_allclose(shown(world, entity)[1], q[0], atol=1e-12)
    halves = [
        held.sample(np.array([t])) for held, t in zip(world.resource(Library).clips, (0.4, 0.1), strict=False)
    ]
    np.testing.assert_allclose(mixed[0], 0.5 * (halves[0][0][0] + halves[1][0][0]), atol=1e-12)


@pytest.mark.parametrize("rate", [60, 240])
def test_an_inertialised_transition_does_not_pop(rate) -> None:
    def run(inertia: bool):
        world, entity, schedule = stage(clips.clip(1), inertia=inertia, root_motion=False)
        if inertia:
            world.get(entity, Inertia).halflife[...] = 0.3
        other = world.resource(Library).clip(clips.clip(2, frames=121))
        frames, places = [], []
        for i in range(5 * rate // 2):
            if i == rate // 2:
                play(world, entity, other, fade=0.0)
            schedule.run(world, 1 / rate)
            frames.append(shown(world, entity)[1])
            places.append(shown(world, entity)[0])
        q = Rotation.from_quat(np.array(frames)[:, 4])
        speed = (q[1:] * q[:-1].inv()).as_rotvec() * rate
        clip = world.resource(Library).clips[other].sample(np.array([2.0]))[1][0, 4]
        return (
            np.abs(speed).max(),
            np.abs(np.diff(speed, axis=0)).max() * rate,
            (q[-1].inv() * Rotation.from_quat(clip)).magnitude(),
            np.abs(np.diff(np.array(places)[:, 0], n=2, axis=0)).max() * rate**2,
        )

    cut, soft = run(False), run(True)
    assert cut[0] > 0.02 * rate  # the cut jumps by an angle, whatever the rate
    assert soft[0] < 12
    assert soft[1] < 250  # rad/s2, bounded independently of the rate
    assert soft[2] < 2e-2
    assert soft[3] < 40  # m/s2, of the root


@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize("rate", [60, 180])
def test_the_seam_of_a_loop_does_not_pop(rate, tree) -> None:
    """A clip that does not end as it began, in a loop."""

    def run(inertia: bool) -> float:
        world, entity, schedule = stage(clips.clip(1, frames=50), inertia=inertia)
        if tree:
            held = world.resource(Library)
            world.get(entity, Animator).clip[...] = held.tree(Along(0, {0.0: 0, 1.0: 0}))
        frames = []
        for _ in range(2 * rate):
            schedule.run(world, 1 / rate)
            frames.append(shown(world, entity)[1])
        q = Rotation.from_quat(np.array(frames)[:, 4])
        return float((q[1:] * q[:-1].inv()).magnitude().max() * rate)

    assert run(False) > 0.2 * rate  # the seam jumps by an angle, whatever the rate
    assert run(True) < 15


def test_inertia_is_bounded_at_any_rate() -> None:
    world, entity, schedule = stage(clips.clip(1), root_motion=False)
    schedule.run(world, 1 / 60)
    schedule.run(world, 1 / 60)
    before = shown(world, entity)
    play(world, entity, world.resource(Library).clip(clips.clip(2)))
    schedule.run(world, 0.0)
    np.testing.assert_allclose(shown(world, entity)[0], before[0], atol=1e-12)
    turned = Rotation.from_quat(shown(world, entity)[1]).inv() * Rotation.from_quat(before[1])
    assert turned.magnitude().max() < 1e-7


def test_play_refuses_what_does_not_fit() -> None:
    world, entity, _ = stage(clips.clip(1))
    for clip, fade, words in ((7, 0.1, "clip is 7"), (0, -1, "fade is -1"), (0, np.inf, "fade is inf")):
        with pytest.raises(ValidationError, match=words):
            play(world, entity, clip, fade=fade)
    for wrong in ({"at": np.nan}, {"speed": np.inf}):
        with pytest.raises(ValidationError, match="expected numbers"):
            play(world, entity, 0, **wrong)
