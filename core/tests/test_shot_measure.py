"""The figures of the report, on motions whose truth is known."""

from __future__ import annotations

from itertools import combinations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.shot import futures, measure
from kinetoscope.shot.inserts import placed
from kinetoscope.shot.perform import pick_start
from kinetoscope_spec import ConfigError, JointLimits, Motion, Path, Skeleton, ValidationError, rotation

NAMES = (
    "Hips",
    "LeftUpLeg",
    "LeftLeg",
    "LeftFoot",
    "LeftToeBase",
    "RightUpLeg",
    "RightLeg",
    "RightFoot",
    "RightToeBase",
)
PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7)
LEFT_LEG = [[0.1, 0, 0], [0, -0.42, 0], [0, -0.42, 0], [0, -0.04, 0.12]]
RIGHT_LEG = [[-0.1, 0, 0], *LEFT_LEG[1:]]
REST = np.array([[0, 0.9, 0], *LEFT_LEG, *RIGHT_LEG])
SKELETON = Skeleton(NAMES, PARENTS, REST)


def gliding(
    velocity: tuple[float, float], frames: int = 60, framerate: float = 30.0, name: str = "glide"
) -> Motion:
    """A statue that glides over the ground: its toes rest at 2 cm."""
    positions = np.repeat(REST[None], frames, axis=0)
    seconds = np.arange(frames) / framerate
    positions[:, 0, 0] += velocity[0] * seconds
    positions[:, 0, 2] += velocity[1] * seconds
    return Motion(SKELETON, positions, rotation.identity(np.zeros((frames, 9, 4))), framerate, name)


@given(st.floats(-0.3, 0.3), st.floats(-0.25, 0.25), st.sampled_from([24.0, 30.0, 120.0]))
def test_a_gliding_statue_skates_at_its_speed(x: float, z: float, framerate: float) -> None:
    motion = gliding((x, z), framerate=framerate)
    contacts = measure.contact_frames(motion, rest_m=0.02)
    assert contacts.all()
    assert measure.skate_cm_s(motion, contacts) == pytest.approx(100 * np.hypot(x, z), abs=1e-6)


def test_what_is_fast_or_high_is_not_in_contact() -> None:
    assert not measure.contact_frames(gliding((0.5, 0)), rest_m=0.02).any()
    assert not measure.contact_frames(gliding((0, 0)), rest_m=-0.04).any()


def test_a_translated_statue_takes_no_steps() -> None:
    motion = gliding((0, 1.2))
    gait = measure.gait(motion, measure.contact_frames(motion, rest_m=0.02))
    assert gait.speed_m_s == pytest.approx(1.2)
    assert gait.steps_per_s == 0


@given(st.integers(2, 12))
def test_steps_are_counted_once_each(steps: int) -> None:
    motion = gliding((0, 1.2), frames=240)
    contacts = np.zeros((240, 2), bool)
    for i in range(steps):
        contacts[10 + 15 * i : 20 + 15 * i, i % 2] = True
    assert measure.gait(motion, contacts).steps_per_s == pytest.approx(steps / 8.0)


def test_path_error_is_the_distance_to_the_path() -> None:
    motion = gliding((0, 1.0), frames=120)
    errors = measure.path_errors(motion, Path([[0.25, 0.0], [0.25, 10.0]]))
    assert errors == pytest.approx(np.full(120, 0.25))


def test_a_path_that_crosses_itself_is_followed_branch_by_branch() -> None:
    angles = np.linspace(0, 2 * np.pi, 33)
    eight = np.stack([2 * np.sin(2 * angles), 3 * np.sin(angles)], axis=1)
    path = Path(eight)
    walked = path.at(np.linspace(0, path.length, 400))
    positions = np.repeat(REST[None], 400, axis=0)
    positions[:, 0, [0, 2]] = walked
    motion = Motion(SKELETON, positions, rotation.identity(np.zeros((400, 9, 4))), 30.0)
    assert measure.path_errors(motion, path).max() < 1e-3


def test_judging_a_translated_statue_fails_it() -> None:
    statue = gliding((0, 1.2), frames=90)
    figures = measure.judge(
        statue,
        statue,
        path=Path([[0, 0], [0, 4]]),
        limits=JointLimits.of([statue]),
        rest_m=0.02,
        training=[measure.Gait(1.0, 1.7, 0.02), measure.Gait(1.4, 2.1, 0.03)],
    )
    assert figures["contact_share"] == {"left": 0.0, "right": 0.0}
    assert figures["steps_per_s"]["value"] < figures["steps_per_s"]["training"][0]


def test_joint_angles_outside_the_range_are_counted() -> None:
    still = gliding((0, 0), frames=10)
    bent = still.rotations.copy()
    bent[4, 2] = rotation.from_rotation_vector(np.array([0.5, 0.0, 0.0]))
    limits = JointLimits.of([still])
    excess = limits.excess(bent)
    assert excess[4, 2] == pytest.approx(0.5)
    assert (excess > 0).sum() == 1
    assert limits.excess(limits.clamp(bent)).max() < 1e-9


def test_a_missing_joint_is_named() -> None:
    skeleton = Skeleton(["blob"], [-1], np.zeros((1, 3)))
    motion = Motion(skeleton, np.zeros((3, 1, 3)), rotation.identity(np.zeros((3, 1, 4))), 30.0, "blobby")
    with pytest.raises(ValidationError, match=r"'blobby' is known as 'left_toes'.*blob"):
        measure.contact_frames(motion, rest_m=0.0)


@given(st.floats(-3, 3), st.floats(-5, 5), st.floats(-5, 5))
def test_placing_turns_about_the_point_and_moves_it(turn: float, x: float, z: float) -> None:
    motion = gliding((0.3, 1.0), frames=20)
    about = measure.pelvis(motion)[-1]
    moved = measure.pelvis(placed(motion, np.array([x, z]), turn, about))
    assert moved[-1] == pytest.approx([x, z], abs=1e-9)
    before, after = (np.diff(track, axis=0)[0] for track in (measure.pelvis(motion), moved))
    turned = np.arctan2(after[0], after[1]) - np.arctan2(before[0], before[1])
    assert np.angle(np.exp(1j * (turned - turn))) == pytest.approx(0, abs=1e-6)
    assert measure.toes(placed(motion, np.array([x, z]), turn, about))[..., 1] == pytest.approx(
        measure.toes(motion)[..., 1]
    )


def test_the_start_is_the_stretch_nearest_in_speed() -> None:
    slow, fast = gliding((0, 0.8), name="slow"), gliding((0, 1.6), name="fast")
    assert pick_start([slow, fast], None, 1.5).name == "fast"
    assert pick_start([slow, fast], "slow", 1.5).name == "slow"
    with pytest.raises(ConfigError, match="did you mean 'slow'"):
        pick_start([slow, fast], "slwo", 1.5)
    with pytest.raises(ConfigError, match=r"1\.5 s"):
        pick_start([gliding((0, 1), frames=5)], None, 1.0)


def test_only_steps_with_both_ends_on_the_ground_count_as_skate() -> None:
    """Still for ten frames, then off: the step that leaves the ground is not skate."""
    positions = np.repeat(REST[None], 20, axis=0)
    positions[10:, 0, 2] += np.arange(1, 11)
    motion = Motion(SKELETON, positions, rotation.identity(np.zeros((20, 9, 4))), 30.0)
    contacts = np.zeros((20, 2), bool)
    contacts[:10] = True
    assert measure.skate_cm_s(motion, contacts) == 0


def test_shuffling_on_the_spot_is_no_step() -> None:
    still, walk = gliding((0, 0), frames=60), gliding((0, 1.2), frames=60)
    positions = np.concatenate([still.positions, walk.positions])
    motion = Motion(SKELETON, positions, rotation.identity(np.zeros((120, 9, 4))), 30.0)
    contacts = np.zeros((120, 2), bool)
    contacts[10:20, 0] = contacts[30:40, 1] = contacts[80:90, 0] = True
    moving = np.linalg.norm(np.gradient(measure.pelvis(motion), 1 / 30, axis=0), axis=1) > 0.3
    assert measure.gait(motion, contacts).steps_per_s == pytest.approx(1 / (moving.sum() / 30))


def test_the_heading_of_the_hips_is_free() -> None:
    still = gliding((0, 0), frames=10)
    turned = still.rotations.copy()
    turned[:, 0] = rotation.from_yaw(np.full(10, 1.0))
    assert JointLimits.of([still]).excess(turned).max() == 0


pairs = st.lists(st.floats(0, 0.3), min_size=15, max_size=15)


def matrix(values: list[float], size: int = 6) -> np.ndarray:
    found = np.zeros((size, size))
    found[np.triu_indices(size, 1)] = values
    return found + found.T


@given(pairs)
def test_the_different_ones_are_all_apart_and_none_could_join_them(values: list[float]) -> None:
    distances = matrix(values)
    chosen = futures.different(distances)
    assert all(distances[a, b] >= futures.VISIBLE_M for a, b in combinations(chosen, 2))
    for size in range(len(chosen) + 1, 7):
        for more in combinations(range(6), size):
            assert any(distances[a, b] < futures.VISIBLE_M for a, b in combinations(more, 2))


def test_of_many_each_taken_is_apart_from_those_before() -> None:
    places = np.arange(40) * 0.04
    distances = np.abs(places[:, None] - places)
    assert futures.different(distances) == tuple(range(0, 40, 3))


def swinging(seconds: float, by_rad: float, after_s: float = 0.0, yaw_rad: float = 0.0) -> Motion:
    """A walker that swings its left leg once a second, and begins `after_s` later in it."""
    walk = gliding((0, 1.2), frames=round(seconds * 30))
    times = np.arange(walk.frame_count) / 30 + after_s
    rotations, leg = walk.rotations.copy(), SKELETON.names.index("LeftUpLeg")
    angle = by_rad * np.sin(2 * np.pi * times)
    rotations[:, leg] = rotation.from_axis_angle(np.array([[1.0, 0, 0]]), angle)
    motion = attrs.evolve(walk, rotations=rotations)
    return placed(motion, np.array([3.0, -1.0]), yaw_rad, np.zeros(2)) if yaw_rad else motion


def test_a_walk_elsewhere_to_another_side_and_out_of_step_is_the_same_walk() -> None:
    walks = [swinging(6, 0.6), swinging(6, 0.6, after_s=0.4), swinging(6, 0.6, yaw_rad=2.0)]
    assert futures.apart(walks).max() < 1e-3
    assert np.linalg.norm(futures.posture(walks[0]) - futures.posture(walks[2]), axis=-1).mean() > 0.02


def test_another_walk_is_as_far_as_its_joints_are() -> None:
    """By hand: legs that swing by 0.6 and by 0.2 rad, once a second each, lined up at their best."""
    walks = [swinging(6, 0.6), swinging(6, 0.2, after_s=0.3)]
    lined_up = [futures.posture(walk) for walk in (walks[0], swinging(6, 0.2))]
    by_hand = np.sqrt(((lined_up[0] - lined_up[1]) ** 2).sum(axis=-1)[30:150].mean())
    assert futures.apart(walks)[0, 1] == pytest.approx(by_hand, rel=0.02)
    assert futures.apart(walks)[1, 0] == futures.apart(walks)[0, 1]


def test_motions_shorter_than_a_window_are_compared_too() -> None:
    assert futures.apart([swinging(0.5, 0.6), swinging(0.4, 0.0)])[0, 1] > 0.01
    assert futures.apart([swinging(0.04, 0.6), swinging(0.04, 0.6)])[0, 1] == 0.0


def test_what_lies_above_the_hips_and_stays_behind_is_no_part_of_the_posture() -> None:
    names, parents = ("Root", *NAMES), (-1, *(parent + 1 for parent in PARENTS))
    skeleton = Skeleton(names, parents, np.concatenate([np.zeros((1, 3)), REST]))

    def below_a_root(walk: Motion) -> Motion:
        frames = walk.frame_count
        positions = np.concatenate([np.zeros((frames, 1, 3)), walk.positions], axis=1)
        rotations = np.concatenate([rotation.identity(np.zeros((frames, 1, 4))), walk.rotations], axis=1)
        return Motion(skeleton, positions, rotations, 30.0)

    walks = [swinging(6, 0.6), swinging(6, 0.2)]
    np.testing.assert_allclose(futures.apart([below_a_root(walk) for walk in walks]), futures.apart(walks))
