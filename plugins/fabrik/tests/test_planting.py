"""Planting, on a biped that walks by formula and on real clips, with their feet made to skate."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_fabrik._body import Body
from kinetoscope_fabrik._contacts import targets
from kinetoscope_fabrik._legs import Leg
from kinetoscope_fabrik._limits import _away, _hinged
from kinetoscope_fabrik._pelvis import pelvis_shift
from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_spec import JointLimits, Motion, Skeleton, ValidationError, anatomy, footing, rotation

THIGH_M, SHANK_M, ANKLE_M, BALL_M = 0.42, 0.40, 0.08, 0.13
NAMES = (
    "Root", "Hips", "Spine", "Chest", "Head", "UpperArm_L", "Hand_L", "UpperArm_R", "Hand_R",
    "UpperLeg_L", "LowerLeg_L", "Foot_L", "Toes_L", "UpperLeg_R", "LowerLeg_R", "Foot_R", "Toes_R",
)  # fmt: skip
PARENTS = (-1, 0, 1, 2, 3, 3, 5, 3, 7, 1, 9, 10, 11, 1, 13, 14, 15)
LEGS = ((9, 10, 11, 12), (13, 14, 15, 16))
TOES = (12, 16)


def skeleton() -> Skeleton:
    leg = [[0.1, 0, 0], [0, -THIGH_M, 0], [0, -SHANK_M, 0], [0, -ANKLE_M + 0.02, BALL_M]]
    other = [[-x, y, z] for x, y, z in leg]
    arms = [[0.18, 0.1, 0], [0.5, 0, 0], [-0.18, 0.1, 0], [-0.5, 0, 0]]
    trunk = [[0, 0, 0], [0, 0.9, 0], [0, 0.15, 0], [0, 0.2, 0], [0, 0.25, 0]]
    return Skeleton(NAMES, PARENTS, np.array(trunk + arms + leg + other, float))


def walk(frames: int = 150, framerate: float = 30.0, speed: float = 0.8, cycle_s: float = 1.1) -> Motion:
    """Walk along +Z: each foot stands for 60 % of the cycle and rolls over its ball."""
    body = skeleton()
    t = np.arange(frames) / framerate
    positions = np.repeat(body.rest_positions[None], frames, axis=0)
    rotations = np.tile([0.0, 0, 0, 1], (frames, len(NAMES), 1))
    hips = np.stack([0 * t, 0.83 + 0.01 * np.cos(4 * np.pi * t / cycle_s), speed * t], -1)
    positions[:, 1] = hips
    for side, leg in enumerate(LEGS):
        phase = t / cycle_s + 0.5 * side
        step, part = np.floor(phase), phase % 1
        stride = speed * cycle_s
        swing = np.clip((part - 0.6) / 0.4, 0, 1)
        eased = swing - np.sin(2 * np.pi * swing) / (2 * np.pi)
        ball_z = stride * (step + eased - 0.5 * side) + 0.3
        ball = np.stack(
            [np.full_like(t, 0.1 - 0.2 * side), 0.02 + 0.09 * np.sin(np.pi * swing) ** 2, ball_z], -1
        )
        pitch = 0.5 * np.exp(-(((part - 0.62) / 0.1) ** 2)) - 0.15 * np.exp(-(((part - 0.95) / 0.08) ** 2))
        foot = rotation.from_axis_angle(np.tile([1.0, 0, 0], (frames, 1)), pitch)
        ankle = ball - rotation.rotate(foot, np.tile(body.rest_positions[leg[3]], (frames, 1)))
        hip = hips + body.rest_positions[leg[0]]
        _bend(rotations, leg, hip, ankle, foot)
    return Motion(body, positions, rotations, framerate, "walk")


def _bend(rotations, leg, hip, ankle, foot) -> None:
    """The planar two-bone formula: all of a leg's angles are about X."""
    line = ankle - hip
    reach = np.hypot(line[:, 1], line[:, 2])
    assert (np.linalg.norm(line, axis=1) < THIGH_M + SHANK_M).all(), "the walk overstretches its legs"
    lean = np.arctan2(-line[:, 2], -line[:, 1])
    thigh = np.arccos((THIGH_M**2 + reach**2 - SHANK_M**2) / (2 * THIGH_M * reach))
    knee = np.arccos((THIGH_M**2 + SHANK_M**2 - reach**2) / (2 * THIGH_M * SHANK_M))
    x = np.tile([1.0, 0, 0], (len(hip), 1))
    upper = rotation.from_axis_angle(x, lean - thigh)
    lower = rotation.from_axis_angle(x, np.pi - knee)
    rotations[:, leg[0]], rotations[:, leg[1]] = upper, lower
    rotations[:, leg[2]] = rotation.multiply(rotation.conjugate(rotation.multiply(upper, lower)), foot)


def skating(motion: Motion, amount_m: float = 0.08, period_s: float = 3.0) -> Motion:
    """Let the whole character drift to and fro over the ground, so that its feet slide."""
    t = np.arange(motion.frame_count) / motion.framerate
    positions = np.array(motion.positions)
    positions[:, 0, 0] += amount_m * np.sin(2 * np.pi * t / period_s)
    positions[:, 0, 2] += amount_m * np.sin(2 * np.pi * t / (1.37 * period_s) + 1)
    return attrs.evolve(motion, positions=positions)


def toes_of(motion: Motion):
    known = anatomy.roles(motion.skeleton)
    return motion.global_transforms()[0][:, [known["left_toes"], known["right_toes"]]]


def joints(motion: Motion, *parts: str) -> list[int]:
    known = anatomy.roles(motion.skeleton)
    return [known[f"{side}_{part}"] for side in ("left", "right") for part in parts]


def steps_m_s(motion: Motion, contacts):
    """Return the speed of the toes over each step that begins and ends in contact."""
    speed = np.linalg.norm(np.diff(toes_of(motion), axis=0), axis=-1) * motion.framerate
    return speed[contacts[1:] & contacts[:-1]]


def segment_lengths(motion: Motion):
    positions, _ = motion.global_transforms()
    parents = np.asarray(motion.skeleton.parents)
    pelvis = anatomy.roles(motion.skeleton)["hips"]
    children = [j for j, parent in enumerate(parents) if parent >= 0 and j != pelvis]
    return np.linalg.norm(positions[:, children] - positions[:, parents[children]], axis=-1)


def accelerations(motion: Motion, *parts: str):
    path = motion.global_transforms()[0][:, joints(motion, *parts)]
    return np.linalg.norm(np.diff(path, 2, axis=0), axis=-1) * motion.framerate**2


def plant(motion: Motion, **options):
    return FabrikSolver().plant(motion, **options)


@pytest.fixture(scope="module")
def still():
    motion = walk()
    return motion, plant(motion).contacts


@settings(deadline=None, max_examples=25)
@given(st.floats(0.0, 0.12), st.floats(3.0, 6.0), st.sampled_from([30.0, 60.0, 120.0]), st.floats(0.05, 0.4))
def test_toes_stand_still_in_contact(amount, period, framerate, blend) -> None:
    motion = skating(walk(framerate=framerate, frames=int(3 * framerate)), amount, period)
    result = plant(motion, blend_s=blend)
    assert steps_m_s(result.motion, result.contacts).max() < 0.002
    assert result.skate_after_cm_s < 0.01
    assert (np.asarray(result.contact_share) > 0.3).all()
    assert np.abs(segment_lengths(result.motion) - segment_lengths(motion)).max() < 1e-6
    assert toes_of(result.motion)[..., 1].min() > result.ground_m - 0.005


@pytest.mark.parametrize("framerate", [30.0, 60.0, 120.0])
def test_nothing_pops(framerate) -> None:
    motion = skating(walk(framerate=framerate, frames=int(5 * framerate)))
    result = plant(motion)
    for part in ("toes", "foot", "lower_leg"):
        before, after = accelerations(motion, part), accelerations(result.motion, part)
        assert after.max() < 1.5 * before.max(), part
    assert accelerations(result.motion, "upper_leg").max() < accelerations(motion, "upper_leg").max() + 3.0


def knees_rad(motion: Motion):
    """Return how far each knee is bent, `[T, 2]`."""
    path = motion.global_transforms()[0]
    upper, lower, foot = (
        path[:, joints(motion, part)].astype(float) for part in ("upper_leg", "lower_leg", "foot")
    )
    a, b = lower - upper, foot - lower
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1))


@given(st.integers(0, 10_000), st.integers(1, 15), st.integers(20, 120))
@settings(deadline=None, max_examples=100)
def test_blending_bounds_the_acceleration(seed, blend, frames) -> None:
    """Whatever is in contact when: what blending adds is what the cubic over the blend's frames needs.

    A Hermite curve over n frames from offset p and slope m to nothing is bent by at most
    (6 |p| + 4 n |m|) / n^2 a frame; two may meet, and the toes' own acceleration stands in contact.
    """
    random = np.random.default_rng(seed)
    t = np.arange(frames)[:, None] / 10
    toes = np.sin(t * random.uniform(0.2, 2, 3) + random.uniform(0, 6, 3)) * random.uniform(0.05, 0.5, 3)
    contact = np.repeat(random.random(frames // 4 + 1) < 0.4, 4)[:frames]
    goals = targets(toes, contact, blend, -10.0)
    inner = [stop - start + 1 for start, stop in footing.runs(~contact) if start > 0 and stop < frames]
    n = min([blend, *inner])
    offset = np.abs(goals - toes).sum(axis=-1).max()
    slope = np.abs(np.diff(toes, axis=0)).sum(axis=-1).max()
    own = np.abs(np.diff(toes, 2, axis=0)).sum(axis=-1).max()
    bound = own + 2 * (6 * offset + 4 * n * slope) / n**2
    assert np.linalg.norm(np.diff(goals, 2, axis=0), axis=-1).max() <= bound


@pytest.mark.parametrize(("amount", "faster"), [(0.05, 1.25), (0.12, 1.6)])
def test_knees_do_not_snap(amount, faster) -> None:
    """A foot that has slid 12 cm is brought back within the blend's 0.2 s: that much the knee has to hurry."""
    motion = skating(walk(framerate=60.0, frames=300), amount)
    before, after = knees_rad(motion), knees_rad(plant(motion).motion)
    speed, bend = (
        (lambda x: np.abs(np.diff(x, axis=0)).max()),
        (lambda x: np.abs(np.diff(x, 2, axis=0)).max()),
    )
    assert speed(after) < faster * speed(before)
    assert bend(after) < 1.5 * faster * bend(before)


def test_figures_are_those_of_the_motions() -> None:
    motion = skating(walk())
    result = plant(motion)
    both = result.contacts[1:] & result.contacts[:-1]
    speeds = np.linalg.norm(np.diff(toes_of(motion), axis=0), axis=-1) * motion.framerate * 100
    assert result.skate_before_cm_s == pytest.approx(speeds[both].mean())
    assert result.skate_before_cm_s > 5
    assert result.contact_share == pytest.approx(tuple(result.contacts.mean(axis=0)))
    assert result.excess_rad is None


def test_planting_again_changes_nothing() -> None:
    once = plant(skating(walk()))
    again = plant(once.motion, contacts=once.contacts, ground_m=once.ground_m)
    assert np.abs(again.motion.rotations - once.motion.rotations).max() < 1e-5
    assert np.abs(again.motion.positions - once.motion.positions).max() < 1e-5


def test_without_contact_nothing_changes() -> None:
    motion = walk()
    assert plant(motion, contacts=np.zeros((motion.frame_count, 2), bool)).motion == motion


def test_feet_that_stand_stay_as_they_are(still) -> None:
    """Where nothing slides but in the moments of touching down and lifting, little is done."""
    motion, contacts = still
    result = plant(motion, contacts=contacts)
    moved = np.linalg.norm(result.motion.global_transforms()[0] - motion.global_transforms()[0], axis=-1)
    assert moved.max() < 0.01


def test_everything_but_legs_moves_with_the_pelvis() -> None:
    motion = skating(walk(), 0.12)
    result = plant(motion)
    legs = set(joints(motion, "upper_leg", "lower_leg", "foot"))
    others = [j for j in range(len(motion.skeleton)) if j not in legs]
    np.testing.assert_array_equal(result.motion.rotations[:, others], motion.rotations[:, others])
    before, after = motion.global_transforms()[0], result.motion.global_transforms()[0]
    shift = after - before
    upper = [
        j
        for j, name in enumerate(NAMES)
        if name.split("_")[0] in ("Spine", "Chest", "Head", "UpperArm", "Hand")
    ]
    np.testing.assert_allclose(shift[:, upper], np.repeat(shift[:, 1:2], len(upper), axis=1), atol=1e-9)
    np.testing.assert_array_equal(before[:, 0], after[:, 0])


def test_feet_only_tip_and_knees_keep_their_way() -> None:
    motion = skating(walk(), 0.12)
    result = plant(motion)
    feet = joints(motion, "foot")
    before, after = motion.global_transforms()[1], result.motion.global_transforms()[1]
    assert rotation.angle(before[:, feet], after[:, feet]).max() < 0.26
    assert np.median(rotation.angle(before[:, feet], after[:, feet])) < 1e-3
    ahead = np.array([0.0, 0.0, 1.0])
    was, now = rotation.rotate(before[:, feet], ahead), rotation.rotate(after[:, feet], ahead)
    aside = was[..., 0] * now[..., 2] - was[..., 2] * now[..., 0]
    assert np.abs(aside).max() < 1e-9, "a foot turns aside"
    assert (now[..., 1] <= was[..., 1] + 1e-9).all(), "a foot tips backwards"
    positions = result.motion.global_transforms()[0]
    for upper, lower, foot, _ in LEGS:
        line, knee = positions[:, foot] - positions[:, upper], positions[:, lower] - positions[:, upper]
        assert (np.cross(line, knee)[:, 0] < 1e-6).all(), "a knee bends backwards"


@settings(deadline=None, max_examples=15)
@given(st.floats(-np.pi, np.pi), st.floats(-50, 50), st.floats(-50, 50))
def test_turning_and_moving_the_world_commutes(yaw, x, z) -> None:
    motion = skating(walk(frames=90))
    turn = rotation.from_yaw(np.array(yaw))
    positions, rotations = np.array(motion.positions), np.array(motion.rotations)
    positions[:, 0] = rotation.rotate(turn, positions[:, 0]) + np.array([x, 0, z])
    rotations[:, 0] = rotation.multiply(turn, rotations[:, 0])
    there = plant(attrs.evolve(motion, positions=positions, rotations=rotations))
    here = plant(motion)
    moved = rotation.rotate(turn, here.motion.global_transforms()[0]) + np.array([x, 0, z])
    np.testing.assert_array_equal(there.contacts, here.contacts)
    np.testing.assert_allclose(there.motion.global_transforms()[0], moved, atol=1e-6)


def test_a_foot_far_away_takes_the_pelvis_along() -> None:
    """Drift beyond what a leg can reach: the pelvis comes along, no leg is torn or bent backwards."""
    motion = skating(walk(), 0.4)
    result = plant(motion, speed_m_s=1.5)
    pelvis = result.motion.global_transforms()[0][:, 1] - motion.global_transforms()[0][:, 1]
    assert np.linalg.norm(pelvis, axis=-1).max() > 0.05
    assert np.abs(segment_lengths(result.motion) - segment_lengths(motion)).max() < 1e-6
    assert result.skate_after_cm_s < 0.5
    assert accelerations(result.motion, "upper_leg").max() < 25.0


@pytest.mark.parametrize("ahead", [0.3, 0.9, 1.5])
def test_the_pelvis_comes_near_enough_for_every_leg(ahead) -> None:
    hips = np.tile([[0.1, 0.9, 0.0], [-0.1, 0.9, 0.0]], (40, 1, 1))
    ankles = np.tile([[0.1, 0.1, ahead], [-0.1, 0.1, 0.8 * ahead]], (40, 1, 1))
    lengths, before = np.full((40, 2), 0.85), np.full((40, 2), 0.8)
    shift = pelvis_shift(hips, ankles, lengths, before, 6)
    assert (np.linalg.norm(ankles - hips - shift[:, None], axis=-1) <= lengths).all()
    assert (hips + shift[:, None])[..., 1].min() > 0.3  # comes along instead of lying down
    assert (shift[:, 2] > 0).all() == (ahead > 0.85)


def test_ground_is_not_entered() -> None:
    motion = walk()
    sunk = np.array(motion.positions)
    sunk[:, 0, 1] -= 0.03 * (1 - np.cos(np.arange(motion.frame_count) / 20))
    motion = attrs.evolve(motion, positions=sunk)
    assert toes_of(motion)[..., 1].min() < -0.03
    result = plant(motion, ground_m=0.02)
    assert toes_of(result.motion)[..., 1].min() > 0.015


def test_feet_in_the_air_are_kept_above_the_ground() -> None:
    """A character that sinks after its last contact: its feet sink no deeper, and go on smoothly."""
    motion = walk()
    sunk = np.array(motion.positions)
    sunk[:, 0, 1] -= 0.1 * (1 - np.cos(np.pi * np.clip(np.arange(motion.frame_count) / 60 - 1, 0, 1)))
    motion = attrs.evolve(motion, positions=sunk)
    contacts = np.zeros((motion.frame_count, 2), bool)
    contacts[:15, 0] = True
    assert toes_of(motion)[..., 1].min() < -0.15
    result = plant(motion, contacts=contacts, ground_m=0.02)
    assert toes_of(result.motion)[..., 1].min() > 0.015
    assert accelerations(result.motion, "toes").max() < 1.5 * accelerations(motion, "toes").max()


def test_gaps_are_closed_and_blips_dropped(still) -> None:
    motion, contacts = still
    torn = contacts.copy()
    first = np.flatnonzero(contacts[:, 0])[0]
    torn[first + 5, 0] = False
    lifted = first + 5 + np.flatnonzero(~contacts[first + 5 :, 0])[0]
    torn[lifted + 5, 0] = True
    raw = plant(motion, contacts=torn, close_gaps_s=0)
    np.testing.assert_array_equal(raw.contacts, torn)
    tidy = plant(motion, contacts=torn, close_gaps_s=0.04, drop_blips_s=0.04)
    np.testing.assert_array_equal(tidy.contacts, contacts)


def test_scaled_skeletons_are_planted_alike() -> None:
    """A rig in centimetres under a root scaled by 0.01 stands as the same rig in metres does."""
    motion = skating(walk(), 0.4)
    scales = np.ones((motion.frame_count, len(NAMES), 3))
    scales[:, 0] = 0.01
    positions = np.array(motion.positions)
    positions[:, 1:] *= 100
    small = plant(attrs.evolve(motion, positions=positions, scales=scales), speed_m_s=1.5)
    metres = plant(motion, speed_m_s=1.5).motion
    assert (metres.positions[:, 1] != motion.positions[:, 1]).any(), "this walk is to move the pelvis"
    np.testing.assert_allclose(small.motion.global_transforms()[0], metres.global_transforms()[0], atol=1e-9)
    scales[:, 1, 0] = 2.0
    with pytest.raises(ValidationError, match="scale"):
        plant(attrs.evolve(motion, scales=scales))


def test_single_precision_and_single_frames() -> None:
    motion = skating(walk())
    single = attrs.evolve(
        motion, positions=motion.positions.astype(np.float32), rotations=motion.rotations.astype(np.float32)
    )
    result = plant(single)
    assert result.motion.positions.dtype == result.motion.rotations.dtype == np.float32
    assert result.skate_after_cm_s < 0.05
    one = plant(motion.slice(0, 1), contacts=np.ones((1, 2), bool))
    assert one.skate_before_cm_s == one.skate_after_cm_s == 0
    np.testing.assert_allclose(one.motion.rotations, motion.rotations[:1], atol=1e-9)


def test_legs_stay_within_their_limits() -> None:
    """Limits taken from the walk itself: planting what drifts breaks them, and is led back inside."""
    limits = JointLimits.of([walk()])
    motion = skating(walk(), 0.1)
    free, kept = plant(motion), plant(motion, limits=limits)
    legs = joints(motion, "upper_leg", "lower_leg", "foot")
    before, after = (limits.excess(result.motion.rotations)[:, legs] for result in (free, kept))
    assert before.max() > np.radians(3), "this test is to have something to keep inside"
    assert np.square(after).sum() < 0.5 * np.square(before).sum()
    assert kept.excess_rad == pytest.approx(limits.excess(kept.motion.rotations).max())
    assert steps_m_s(kept.motion, kept.contacts).max() < 0.002
    assert np.abs(segment_lengths(kept.motion) - segment_lengths(motion)).max() < 1e-6
    for part in ("toes", "lower_leg"):
        assert accelerations(kept.motion, part).max() < 2 * accelerations(motion, part).max()


@given(st.floats(-0.006, 0.006), st.floats(-0.006, 0.006), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=20)
def test_a_knee_off_its_hinge_is_clamped_and_its_foot_stays(across: float, along: float, dtype: type) -> None:
    whole = walk()
    limits, shanks, feet = JointLimits.of([whole]), [leg[1] for leg in LEGS], [leg[2] for leg in LEGS]
    rotations = whole.rotations.copy()
    off = rotation.from_rotation_vector(np.array([0.0, along, across]))
    rotations[:, shanks] = rotation.multiply(off, rotations[:, shanks])
    turned = attrs.evolve(whole, positions=whole.positions.astype(dtype), rotations=rotations.astype(dtype))
    legs = (Leg("left", *LEGS[0]), Leg("right", *LEGS[1]))
    after = _hinged(Body(turned, legs, 1, turned.global_transforms()), turned, limits)
    (was, faced), (now, faces) = turned.global_transforms(), after.global_transforms()
    assert after.rotations.dtype == dtype
    np.testing.assert_allclose(now[:, feet], was[:, feet], atol=2e-6)
    np.testing.assert_allclose(rotation.angle(faces[:, feet], faced[:, feet]), 0, atol=2e-3)
    before, left = (limits.excess(motion.rotations)[:, shanks].max() for motion in (turned, after))
    assert left <= 0.1 * before + 1e-6


@given(places=st.lists(st.booleans(), min_size=1, max_size=80), frames=st.integers(1, 20))
@settings(deadline=None)
def test_clamping_fades_in_with_the_distance_to_the_nearest_held_frame(places, frames) -> None:
    found = _away(np.array(places), frames)
    for now, weight in enumerate(found):
        nearest = min((abs(now - at) for at, there in enumerate(places) if there), default=frames)
        t = min(nearest / frames, 1.0)
        assert weight == pytest.approx(t * t * (3 - 2 * t), abs=1e-15)


def test_an_hour_of_held_frames_takes_memory_for_each_frame_once() -> None:
    places = np.zeros(20_000, bool)
    places[::2] = True
    tracemalloc.start()
    try:
        _away(places, 10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200 * len(places)


def test_wide_limits_change_nothing() -> None:
    motion = skating(walk())
    limits = JointLimits.of([walk(speed=speed, cycle_s=1.6 - 0.6 * speed) for speed in (0.2, 0.8)])
    wide = attrs.evolve(limits, low=limits.low - 0.5, high=limits.high + 0.5)
    assert plant(motion, limits=wide).motion == plant(motion).motion


def test_mistakes_are_named() -> None:
    motion = walk()
    with pytest.raises(ValidationError, match=r"expected bool \[150, 2\]"):
        plant(motion, contacts=np.ones((3, 2), bool))
    with pytest.raises(ValidationError, match="expected bool"):
        plant(motion, contacts=np.ones((150, 2)))
    for name in ("blend_s", "close_gaps_s", "drop_blips_s", "height_m", "speed_m_s", "ground_m"):
        with pytest.raises(ValidationError, match=name):
            plant(motion, **{name: np.nan})
    for name, value in (
        *(("blend_s", 0), ("blend_s", 1e300), ("close_gaps_s", np.inf), ("close_gaps_s", -1)),
        *(("drop_blips_s", np.inf), ("ground_m", np.inf), ("ground_m", -1e300)),
    ):
        with pytest.raises(ValidationError, match=name):
            plant(motion, **{name: value})
    names = tuple("Antenna" if name == "Toes_R" else name for name in NAMES)
    body = Skeleton(names, motion.skeleton.parents, motion.skeleton.rest_positions)
    with pytest.raises(ValidationError, match="right_toes"):
        plant(attrs.evolve(motion, skeleton=body))
    torn = list(PARENTS)
    torn[15] = 1
    body = Skeleton(NAMES, torn, motion.skeleton.rest_positions)
    with pytest.raises(ValidationError, match="right_foot, right_toes"):
        plant(attrs.evolve(motion, skeleton=body))


_DATA = os.environ.get("KINETOSCOPE_DATA")
_CLIPS = [
    "walk_active_001",
    "walk_sad_001",
    "walk_musical_001",
    "walk_feminine_002",
    "walk_giant_001",
    "walk-left_normal_001",
    "run_old_001",
    "dash_happy_001",
]


@pytest.mark.realdata
@pytest.mark.skipif(_DATA is None, reason="KINETOSCOPE_DATA is not set: no real mocap to plant")
@pytest.mark.parametrize("clip", _CLIPS)
@pytest.mark.parametrize("drift_m", [0.0, 0.1])
def test_real_clips(clip, drift_m) -> None:
    importer = pytest.importorskip("kinetoscope_bvh.importer").BvhImporter()
    asset = importer.read(Path(_DATA) / "bvh" / "bandai-namco-1" / f"dataset-1_{clip}.bvh")
    motion = skating(asset.motions[0], drift_m)
    result = plant(motion)
    assert result.skate_after_cm_s < 0.5 < result.skate_before_cm_s
    assert steps_m_s(result.motion, result.contacts).max() < 0.005
    assert np.abs(segment_lengths(result.motion) - segment_lengths(motion)).max() < 1e-5  # float32 in metres
    assert toes_of(result.motion)[..., 1].min() > result.ground_m - 0.005
    for part in ("toes", "foot", "lower_leg"):
        before, after = accelerations(motion, part), accelerations(result.motion, part)
        assert np.percentile(after, 99) < 1.5 * np.percentile(before, 99), part
        assert after.max() < 2 * before.max(), part
    knees = [np.abs(np.diff(knees_rad(one), axis=0)).max() for one in (motion, result.motion)]
    assert knees[1] < 1.25 * knees[0], "a knee snaps"
    again = plant(result.motion, contacts=result.contacts, ground_m=result.ground_m)
    moved = np.linalg.norm(
        again.motion.global_transforms()[0] - result.motion.global_transforms()[0], axis=-1
    )
    assert moved.max() < 2e-3


@pytest.mark.realdata
@pytest.mark.skipif(_DATA is None, reason="KINETOSCOPE_DATA is not set: no real mocap to plant")
def test_real_walks_stay_within_the_limits_of_all_walks() -> None:
    importer = pytest.importorskip("kinetoscope_bvh.importer").BvhImporter()
    paths = sorted((Path(_DATA) / "bvh" / "bandai-namco-1").glob("dataset-1_walk_*.bvh"))
    walks = [importer.read(path).motions[0] for path in paths]
    limits = JointLimits.of(walks)
    for motion in walks[::6]:
        result = plant(skating(motion, 0.05), limits=limits)
        assert result.excess_rad < np.radians(1)
        assert (limits.excess(result.motion.rotations) > 1e-3).any(axis=1).mean() < 0.03
        assert result.skate_after_cm_s < 0.1
