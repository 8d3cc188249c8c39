"""The biped walks as people do: still stance feet, alternating steps, human joints, on its path."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_samples.biped import Generated, generate, generate_with_feet
from kinetoscope_samples.recipe import Recipe
from kinetoscope_samples.recipes import RECIPES
from kinetoscope_spec import Motion, kinematics
from kinetoscope_spec.anatomy import ROLES, roles, sided_pairs

SIDES = ("Left", "Right")
STEADY = {
    "walk": Recipe(speed=1.3, seconds=8, seed=3),
    "slow": Recipe(speed=0.8, seconds=8, seed=4),
    "bend": Recipe(speed=1.1, turn=50, seconds=8, seed=5),
    "sharp": Recipe(speed=0.9, turn=-80, seconds=8, seed=6),
    "jog": Recipe(action="jog", speed=2.7, seconds=8, seed=7),
}


def of(motion: Motion, joint: str) -> np.ndarray:
    return motion.global_transforms()[0][:, motion.skeleton.index(joint)].astype(np.float64)


def angles_at_knee(motion: Motion, side: str) -> np.ndarray:
    """Degrees between thigh and shank, above 0 where the knee is in front of the line hip to ankle."""
    hip, knee, ankle = (of(motion, f"{side}{name}") for name in ("UpLeg", "Leg", "Foot"))
    thigh, shank = knee - hip, ankle - knee
    cosine = (thigh * shank).sum(1) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(shank, axis=1)
    left = of(motion, "LeftUpLeg") - of(motion, "RightUpLeg")
    forward = np.cross(left, [0.0, 1.0, 0.0])
    line = ankle - hip
    along = (thigh * line).sum(1) / (line * line).sum(1)
    bulge = ((thigh - along[:, None] * line) * forward).sum(1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))) * np.where(bulge < -1e-3, -1, 1)


@pytest.mark.parametrize("name", RECIPES)
def test_stance_feet_stand_still(name: str) -> None:
    made = generate_with_feet(RECIPES[name])
    for s, side in enumerate(SIDES):
        toe = of(made.motion, f"{side}ToeBase")
        speed = np.linalg.norm(np.diff(toe, axis=0), axis=1) * made.motion.framerate
        both = made.planted[1:, s] & made.planted[:-1, s]
        assert both.mean() > 0.2
        assert speed[both].max() < 0.005


@pytest.mark.parametrize("name", RECIPES)
def test_joints_are_human(name: str) -> None:
    motion = generate(RECIPES[name])
    positions, _ = motion.global_transforms()
    assert positions[..., 1].min() > -0.01
    for side in SIDES:
        knee = angles_at_knee(motion, side)
        assert knee.min() > 5
        assert knee.max() < 115
    hips = positions[:, 0, 1] / 1.75
    assert 0.44 < hips.min() < hips.max() < 0.55
    rest = np.linalg.norm(motion.skeleton.rest_positions[1:], axis=1)
    children = np.arange(1, len(motion.skeleton))
    bones = np.linalg.norm(positions[:, children] - positions[:, motion.skeleton.parents[1:]], axis=-1)
    assert np.abs(bones - rest).max() < 1e-4


@pytest.mark.parametrize("name", RECIPES)
def test_nothing_jerks(name: str) -> None:
    """A limb that snapped in one frame would show 1 g a hundredfold; feet meet the ground with a few."""
    positions, _ = generate(RECIPES[name]).global_transforms()
    acceleration = np.linalg.norm(np.diff(positions.astype(np.float64), n=2, axis=0), axis=-1) * 900
    assert acceleration.max() < 130
    assert acceleration[:, 0].max() < 30


@pytest.mark.parametrize("name", STEADY)
def test_contacts_alternate_with_the_rhythm_of_the_speed(name: str) -> None:
    made = generate_with_feet(STEADY[name])
    starts = []
    for s in range(2):
        planted = made.planted[:, s]
        starts += [(f, s) for f in np.flatnonzero(planted[1:] & ~planted[:-1])]
    order = [s for _, s in sorted(starts)]
    assert len(order) > 8
    assert all(a != b for a, b in pairwise(order))
    frames = np.array(sorted(f for f, _ in starts))
    cadence = 60 * 30 / np.diff(frames).mean()
    low, high = (140, 185) if name == "jog" else (75, 130)
    assert low < cadence < high
    in_air = ~made.planted.any(axis=1)
    assert (in_air.mean() > 0.25) == (name == "jog")


@pytest.mark.parametrize("name", STEADY)
def test_goes_as_fast_and_turns_as_asked(name: str) -> None:
    recipe = attrs.evolve(STEADY[name], speed_variation=0.0)
    motion = generate(recipe)
    hips = of(motion, "Hips")[:, [0, 2]]
    path = np.stack([np.convolve(hips[:, k], np.ones(31) / 31, "valid") for k in range(2)], 1)
    steps = np.diff(path, axis=0)
    # Averaging over a second shortens a circle; what is left of a chord is known.
    half = np.deg2rad(recipe.turn) / 2
    shortened = np.sin(half) / half if half else 1.0
    assert np.linalg.norm(steps, axis=1).mean() * 30 == pytest.approx(recipe.speed * shortened, rel=0.04)
    heading = np.unwrap(np.arctan2(steps[:, 0], steps[:, 1]))
    turned = np.degrees(heading[-1] - heading[0]) / (len(heading) / 30)
    assert turned == pytest.approx(recipe.turn, abs=4)


@pytest.mark.parametrize("name", RECIPES)
def test_feet_stand_on_their_own_side(name: str) -> None:
    made = generate_with_feet(RECIPES[name])
    across = of(made.motion, "LeftUpLeg") - of(made.motion, "RightUpLeg")
    across /= np.linalg.norm(across, axis=1)[:, None]
    apart = ((of(made.motion, "LeftFoot") - of(made.motion, "RightFoot")) * across).sum(1)
    # The pelvis turns with the stride, which swings the line across the feet by some centimetres.
    assert apart.mean() > 0.08
    assert np.quantile(apart, 0.01) > -0.06


def test_turns_on_the_spot() -> None:
    motion = generate(RECIPES["turn-left"])
    hips = of(motion, "Hips")[:, [0, 2]]
    assert np.ptp(hips, axis=0).max() < 0.2
    across = of(motion, "LeftUpLeg") - of(motion, "RightUpLeg")
    facing = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    assert np.degrees(facing[-1] - facing[0]) == pytest.approx(55 * motion.duration, rel=0.08)


def test_arms_swing_against_the_legs() -> None:
    motion = generate(STEADY["walk"])
    forward = of(motion, "Hips")[-1] - of(motion, "Hips")[0]
    forward /= np.linalg.norm(forward)
    feet = (of(motion, "LeftFoot") - of(motion, "RightFoot")) @ forward
    hands = (of(motion, "LeftHand") - of(motion, "RightHand")) @ forward
    assert np.corrcoef(feet, hands)[0, 1] < -0.9
    assert 0.2 < np.ptp(hands) / 2 < 0.9


def test_pelvis_is_highest_over_the_standing_leg_when_walking_and_in_the_air_when_jogging() -> None:
    for name, highest_on_one_foot in (("walk", True), ("jog", False)):
        made = generate_with_feet(STEADY[name])
        height = of(made.motion, "Hips")[:, 1]
        top = height > np.quantile(height, 0.8)
        apart = np.abs(np.linalg.norm(of(made.motion, "LeftFoot") - of(made.motion, "RightFoot"), axis=1))
        assert (apart[top].mean() < apart[~top].mean()) == highest_on_one_foot


def test_contacts_of_the_spec_find_the_planted_feet() -> None:
    made = generate_with_feet(STEADY["walk"])
    motion = made.motion
    toes = np.stack([of(motion, f"{side}ToeBase") for side in SIDES], 1)
    found = np.asarray(kinematics.contacts(toes, motion.framerate)) > 0.5
    assert found.shape == made.planted.shape
    assert (found == made.planted).mean() > 0.8


def test_skeleton_tells_its_roles() -> None:
    skeleton = generate(seconds=0.5).skeleton
    assert set(roles(skeleton)) == set(ROLES)
    assert len(sided_pairs(skeleton)) == 10


def test_seeds_decide() -> None:
    a, b, c = (generate(seed=seed, seconds=2.0) for seed in (1, 1, 2))
    assert a == b
    assert not np.allclose(a.rotations, c.rotations, atol=0.01)


def test_framerate_changes_sampling_only() -> None:
    slow, fast = (generate(seconds=2.0, framerate=rate) for rate in (30.0, 60.0))
    assert fast.frame_count == 2 * slow.frame_count - 1
    a, b = of(slow, "LeftFoot"), of(fast, "LeftFoot")[::2]
    assert np.abs(a - b).max() < 0.005


def test_starts_at_the_origin_facing_forward() -> None:
    motion = generate(seconds=1.0)
    hips = of(motion, "Hips")[0]
    assert np.hypot(hips[0], hips[2]) < 0.06
    left = of(motion, "LeftUpLeg")[0] - of(motion, "RightUpLeg")[0]
    assert left[0] > 0.9 * np.linalg.norm(left)


@settings(max_examples=25, deadline=None)
@given(
    speed=st.floats(0, 4),
    turn=st.floats(-150, 150),
    height=st.floats(1.0, 2.3),
    stride=st.floats(0.7, 1.3),
    seed=st.integers(0, 2**40),
    variation=st.floats(0, 0.5),
    framerate=st.sampled_from([5.0, 30.0, 120.0]),
)
def test_any_recipe_is_a_valid_motion_above_the_ground(**options: float) -> None:
    options["speed_variation"] = options.pop("variation")
    made: Generated = generate_with_feet(seconds=1.5, **options)
    positions, _ = made.motion.global_transforms()
    assert positions[..., 1].min() > -0.01
    for s, side in enumerate(SIDES):
        speed = (
            np.linalg.norm(np.diff(of(made.motion, f"{side}ToeBase"), axis=0), axis=1) * options["framerate"]
        )
        still = made.planted[1:, s] & made.planted[:-1, s]
        # Neighbouring frames of a slow framerate may belong to two stances.
        if options["framerate"] > 20 and still.any():
            assert np.median(speed[still]) < 0.005
