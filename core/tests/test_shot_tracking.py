"""Head and hands that are followed: targets within reach are met, what is not known changes nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope import Host
from kinetoscope.shot.tracking import BLEND_S, MOST_SHIFT_M, TRACKED, Targets, follow, led, misses
from kinetoscope.shot.walkers import Tracked
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec import Motion, anatomy
from kinetoscope_spec.errors import ConfigError, ValidationError

RATE, FRAMES = 30.0, 45
RAMP = round(BLEND_S * RATE)


@pytest.fixture(scope="module")
def walking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Motion]:
    folder = tmp_path_factory.mktemp("clips")
    write_sample(folder, steps=1, size=(64, 36), quality="draft", path=((0, 0), (0.4, 2.0)))
    with Host() as host:
        clip = host.open(sorted((folder / "mocap").iterdir())[0]).motions[0].resample(RATE)
        return host.provider("solver"), clip.slice(0, FRAMES)


def joint(motion: Motion, role: str) -> int:
    return anatomy.roles(motion.skeleton)[role]


def places(motion: Motion, *roles: str) -> np.ndarray:
    found = motion.global_transforms()[0].astype(np.float64)
    return found[:, [joint(motion, role) for role in roles]]


def reachable(motion: Motion, seed: int) -> Targets:
    """The head where the pelvis can follow it down, hands where the arms then reach."""
    random = np.random.default_rng(seed)
    way = random.normal(size=3)
    way[1] = -abs(way[1])
    move = 0.12 * way / np.linalg.norm(way)
    wanted = places(motion, *TRACKED)
    wanted[:, 0] += move
    for number, side in enumerate(("left", "right"), start=1):
        shoulder, elbow, hand = np.moveaxis(
            places(motion, f"{side}_upper_arm", f"{side}_lower_arm", f"{side}_hand"), 1, 0
        )
        arm = np.linalg.norm(elbow - shoulder, axis=1) + np.linalg.norm(hand - elbow, axis=1)
        ways = random.normal(size=3) + 0.3 * random.normal(size=(FRAMES, 3))
        far = random.uniform(0.4, 0.95) * arm / np.linalg.norm(ways, axis=1)
        wanted[:, number] = shoulder + move + far[:, None] * ways
    return Targets(RATE, wanted)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), absent=st.sets(st.integers(0, 2), max_size=2))
def test_targets_within_reach_are_met_to_a_centimetre(walking: Any, seed: int, absent: set[int]) -> None:
    solver, motion = walking
    targets = reachable(motion, seed)
    if 0 in absent:  # who has no head to go along with reaches from where it is
        targets.positions[:, 1:] += (places(motion, "head")[0] - targets.positions[0, :1])[None]
    targets.positions[:, list(absent)] = np.nan
    found = follow(solver, motion, targets)
    off = misses(found, targets)[RAMP:]
    present = [number for number in range(3) if number not in absent]
    assert off[:, present].max() < 0.01
    lengths = [np.linalg.norm(m.positions[:, 2:], axis=-1) for m in (motion, found)]
    np.testing.assert_allclose(*lengths, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_an_elbow_bends_about_its_own_axis_the_way_it_did(walking: Any, seed: int) -> None:
    solver, motion = walking
    found = follow(solver, motion, reachable(motion, seed))
    for side in ("left", "right"):
        elbow = joint(motion, f"{side}_lower_arm")
        before, after = (Rotation.from_quat(m.rotations[:, elbow]) for m in (motion, found))
        axes = before.as_rotvec()
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
        bent = after.as_rotvec()
        along = (bent * axes).sum(axis=1)
        assert along[RAMP:].min() > -0.05
        assert np.linalg.norm(bent - along[:, None] * axes, axis=1).max() < 0.1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), first=st.integers(0, FRAMES - 1), count=st.integers(1, FRAMES))
def test_what_is_not_known_leaves_the_pose_to_the_last_bit(
    walking: Any, seed: int, first: int, count: int
) -> None:
    solver, motion = walking
    targets = reachable(motion, seed)
    gone = slice(first, first + count)
    targets.positions[gone] = np.nan
    found = follow(solver, motion, targets)
    assert np.array_equal(found.positions[gone], motion.positions[gone])
    assert np.array_equal(found.rotations[gone], motion.rotations[gone])
    off = misses(found, targets)
    assert np.isnan(off[gone]).all()
    assert np.isfinite(off[:first]).all()
    if first > 2 * RAMP:  # in the middle of what is known
        assert off[first // 2].max() < 0.01


def test_feet_stay_and_no_pose_jumps_where_a_target_comes_and_goes(walking: Any) -> None:
    solver, motion = walking
    targets = reachable(motion, 3)
    targets.positions[:10] = targets.positions[35:] = np.nan
    found = follow(solver, motion, targets)
    feet = ("left_foot", "right_foot")
    np.testing.assert_allclose(places(found, *feet), places(motion, *feet), atol=1e-3)
    moved = places(found, *TRACKED) - places(motion, *TRACKED)
    steps = np.linalg.norm(np.diff(moved, axis=0), axis=-1)
    # A smooth step is steepest in its middle: 1.5 of the whole over its length, and targets move themselves.
    far = np.linalg.norm(targets.positions[10:35] - places(motion, *TRACKED)[10:35], axis=-1)
    itself = np.linalg.norm(np.diff(targets.positions - places(motion, *TRACKED), axis=0), axis=-1)
    assert (steps <= 1.6 * np.nanmax(far, axis=0) / RAMP + np.nanmax(itself, axis=0)).all()


def test_rotations_are_met_too(walking: Any) -> None:
    solver, motion = walking
    other = Targets.of(follow(solver, motion, reachable(motion, 5)))
    found = Targets.of(follow(solver, motion, other))
    assert other.rotations is not None
    assert found.rotations is not None
    cosines = np.abs((found.rotations * other.rotations).sum(axis=-1))[RAMP:]
    assert np.degrees(2 * np.arccos(np.minimum(cosines, 1.0))).max() < 0.5


def test_out_of_reach_is_as_near_as_bones_allow(walking: Any) -> None:
    solver, motion = walking
    positions = places(motion, *TRACKED)
    positions[:, 1] = places(motion, "left_upper_arm")[:, 0] + [5.0, 0.0, 0.0]
    positions[:, [0, 2]] = np.nan
    arm = places(
        follow(solver, motion, Targets(RATE, positions)), "left_upper_arm", "left_lower_arm", "left_hand"
    )
    bones = np.linalg.norm(np.diff(arm, axis=1), axis=-1).sum(axis=1)
    np.testing.assert_allclose(np.linalg.norm(arm[RAMP:, 2] - arm[RAMP:, 0], axis=1), bones[RAMP:], rtol=1e-3)


def test_a_head_too_far_takes_the_pelvis_along_so_far_and_no_further(walking: Any) -> None:
    solver, motion = walking
    positions = np.full((FRAMES, 3, 3), np.nan)
    positions[:, 0] = places(motion, "head")[:, 0] + [0.0, 0.0, 3.0]
    hips = places(follow(solver, motion, Targets(RATE, positions)), "hips") - places(motion, "hips")
    assert np.linalg.norm(hips[-1]) == pytest.approx(MOST_SHIFT_M, rel=1e-5)


def test_who_bends_the_spine_for_the_head_stays_on_both_feet(walking: Any) -> None:
    solver, motion = walking
    positions = np.full((FRAMES, 3, 3), np.nan)
    positions[:, 0] = places(motion, "head")[:, 0] + [0.0, -0.25, 0.25]
    targets = Targets(RATE, positions)
    found = follow(solver, motion, targets)
    feet = ("left_foot", "right_foot")
    np.testing.assert_allclose(places(found, *feet), places(motion, *feet), atol=1e-3)
    assert misses(found, targets)[RAMP:, 0].max() < 0.01


def test_whose_model_lags_is_led_to_where_the_head_is(walking: Any) -> None:
    _, motion = walking
    ground = places(motion, "head")[:, 0, [0, 2]] + np.linspace(0.0, 0.6, FRAMES)[:, None]
    head = places(led(motion, ground), "head")[:, 0, [0, 2]]
    np.testing.assert_allclose(head[8:-8], ground[8:-8], atol=1e-5)
    np.testing.assert_allclose(head, ground, atol=0.06)


def test_a_way_faces_where_the_head_does_or_where_it_goes() -> None:
    frames = 90
    angles = np.linspace(0.0, np.pi, frames)
    circle = np.stack([np.sin(angles), np.full(frames, 1.6), 1 - np.cos(angles)], axis=1) * [2, 1, 2]
    positions = np.full((frames, 3, 3), np.nan)
    positions[:, 0] = circle
    positions[40:50, 0] = np.nan
    ground, facings = Targets(RATE, positions).way(np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(ground, circle[:, [0, 2]], atol=0.05)  # a chord for what is not known
    going = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert ((facings * going).sum(axis=1)[10:-10] > np.cos(0.15)).all()
    backwards = np.zeros((frames, 3, 4))
    backwards[:, :, 1], backwards[:, :, 3] = np.sin(-angles / 2)[:, None], np.cos(-angles / 2)[:, None]
    _, facings = Targets(RATE, positions, backwards).way(np.array([-1.0, 0.0, 0.0]))
    assert ((facings * going).sum(axis=1)[10:-10] < -np.cos(0.25)).all()


@given(rate=st.sampled_from([24.0, 30.0, 60.0, 100.0]))
def test_another_rate_tells_the_same(rate: float) -> None:
    times = np.arange(120) / 60.0
    positions = np.broadcast_to(times[:, None, None] * [1.0, 0.0, 2.0], (120, 3, 3))
    found = Targets(60.0, positions).resampled(rate)
    seconds = np.arange(len(found.positions)) / rate
    np.testing.assert_allclose(found.positions[:, 1], seconds[:, None] * [1.0, 0.0, 2.0], atol=1e-9)
    assert abs(found.duration - 2.0) < 2 / min(rate, 60.0)


@pytest.mark.parametrize(
    ("rate", "positions", "rotations", "said"),
    [
        (0.0, np.zeros((2, 3, 3)), None, "framerate"),
        (30.0, np.zeros((2, 2, 3)), None, r"expected \[T, 3, 3\]"),
        (30.0, np.zeros((0, 3, 3)), None, r"expected \[T, 3, 3\]"),
        (30.0, np.full((2, 3, 3), np.inf), None, "infinity"),
        (30.0, [[[0.0] * 3] * 3, [[0.0] * 3] * 2], None, "different lengths"),
        (30.0, np.zeros((2, 3, 3)), [["up"]], "no numbers"),
        (30.0, np.zeros((2, 3, 3)), np.zeros((2, 3, 3)), r"expected \[2, 3, 4\]"),
        (30.0, np.zeros((2, 3, 3)), np.zeros((2, 3, 4)), "length 1"),
    ],
)
def test_what_are_no_targets_is_refused(rate: float, positions: Any, rotations: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Targets(rate, positions, rotations)


def test_a_head_never_known_leads_nowhere_and_scales_are_refused(walking: Any) -> None:
    solver, motion = walking
    unknown = Targets(RATE, np.full((FRAMES, 3, 3), np.nan))
    assert follow(solver, motion, unknown) is motion
    with pytest.raises(ValidationError, match="no frame"):
        unknown.way(np.array([0.0, 0.0, 1.0]))
    with pytest.raises(ValidationError, match="stays where it is"):
        Targets(RATE, np.zeros((FRAMES, 3, 3))).path()
    scaled = attrs.evolve(motion, scales=np.ones((FRAMES, len(motion.skeleton), 3)))
    with pytest.raises(ValidationError, match="scales"):
        follow(solver, scaled, unknown)


def test_a_start_of_one_frame_tells_no_motion(walking: Any) -> None:
    _, motion = walking
    learned: Any = SimpleNamespace(record={"joints": list(motion.skeleton.names)}, feature=None)
    nothing: Any = None
    with pytest.raises(ConfigError, match="has 1 frame, expected at least 2"):
        Tracked.of(learned, motion.slice(0, 1), nothing, nothing, None)
