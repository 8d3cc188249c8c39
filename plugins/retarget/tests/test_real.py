"""Real clips between real skeletons: directions, standing feet, the ground, nothing that pops."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_retarget import _contacts
from kinetoscope_retarget._body import body_of
from kinetoscope_retarget._people import SIDES
from kinetoscope_retarget._stand import leg_length
from kinetoscope_retarget.contract import _LIMBS, _angle
from kinetoscope_retarget.retargeter import AnatomicRetargeter
from kinetoscope_spec import Motion, footing

_DATA = os.environ.get("KINETOSCOPE_DATA")
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(_DATA is None, reason="KINETOSCOPE_DATA is not set: no real mocap to retarget"),
]

CLIPS = [
    f"bandai-namco-1/dataset-1_{name}_001.bvh"
    for name in (
        "walk_active",
        "walk_old",
        "walk-back_active",
        "walk-left_proud",
        "run_musical",
        "dash_happy",
        "dance-short_normal",
        "kick_normal",
        "bow_active",
    )
]
TARGETS = ["cmu", "geno", "geno bound", "biped"]
ours = AnatomicRetargeter()


@cache
def clip(name: str) -> Motion:
    importer = pytest.importorskip("kinetoscope_bvh.importer").BvhImporter()
    return importer.read(Path(_DATA or "") / "bvh" / name).motions[0]


@cache
def target(name: str) -> Motion:
    if name == "biped":
        skeleton = pytest.importorskip("kinetoscope_samples._skeleton").body_of(1.8).skeleton
        positions, rotations = skeleton.rest_positions[None], skeleton.rest_rotations[None]
        return Motion(skeleton, positions, rotations, 30.0)
    return clip(
        {"cmu": "other/01_01.bvh", "geno": "other/Geno_stance.bvh", "geno bound": "other/Geno_bind.bvh"}[name]
    )


def places(motion: Motion) -> np.ndarray:
    return np.asarray(motion.global_transforms()[0], np.float64)


def joints(motion: Motion, part: str) -> list[int]:
    return [body_of(motion.skeleton).limbs[f"{side}_{part}"] for side in SIDES]


def acceleration(motion: Motion, part: str) -> np.ndarray:
    return (
        np.linalg.norm(np.diff(places(motion)[:, joints(motion, part)], 2, axis=0), axis=-1)
        * motion.framerate**2
    )


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("onto", TARGETS)
def test_directions_feet_and_ground(name, onto) -> None:
    source, shown = clip(name), target(onto)
    moved = ours.retarget(source, shown)
    free = ours.retarget(source, shown, contacts=False)
    before, after, loose = places(source), places(moved), places(free)
    ours_, theirs = body_of(source.skeleton), body_of(moved.skeleton)

    for side in SIDES:
        for start, end in _LIMBS:
            a, b = (ours_.limbs[f"{side}_{part}"] for part in (start, end))
            c, d = (theirs.limbs[f"{side}_{part}"] for part in (start, end))
            off = _angle(before[:, b] - before[:, a], loose[:, d] - loose[:, c])
            assert off.max() < 2e-3, f"{side} {start}"

    contacts = _contacts.standing(
        before[:, joints(source, "toes")], leg_length(before, ours_), source.framerate
    )
    assert contacts.any()
    for i, toes in enumerate(joints(moved, "toes")):
        for start, stop in footing.runs(contacts[:, i]):
            slide = np.linalg.norm(after[start:stop, toes] - after[start, toes], axis=-1).max()
            assert slide < 0.005, f"{SIDES[i]} foot slides in frames {start} to {stop}"
    assert after[:, joints(moved, "toes"), 1].min() > -0.005
    for part in ("toes", "foot", "lower_leg"):
        was, now = acceleration(free, part), acceleration(moved, part)
        assert np.percentile(now, 99) < 1.6 * np.percentile(was, 99) + 2.0, part

    legs = joints(moved, "upper_leg")
    drop = np.abs(after[:, legs, 1] - loose[:, legs, 1]).max()
    assert drop < 0.05, "hips are to come down a little, not to crouch"


@pytest.mark.parametrize("onto", ["geno", "geno bound"])
def test_toes_stand_as_high_as_the_targets_clip_shows(onto) -> None:
    """Bandai Namco's toe joints stand 4 cm over the ground, Geno's 2."""
    source, shown = clip(CLIPS[0]), target(onto)
    moved = ours.retarget(source, shown)
    expected = places(shown)[:, joints(shown, "toes"), 1].min()
    height = np.percentile(places(moved)[:, joints(moved, "toes"), 1], 10)
    assert height == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("onto", TARGETS)
def test_there_and_back(onto) -> None:
    source, shown = clip(CLIPS[0]), target(onto)
    there = ours.retarget(source, shown, contacts=False)
    back = ours.retarget(there, source, contacts=False)
    names = body_of(source.skeleton).limbs
    for side in SIDES:
        for start, end in _LIMBS:
            a, b = (names[f"{side}_{part}"] for part in (start, end))
            off = _angle(places(source)[:, b] - places(source)[:, a], places(back)[:, b] - places(back)[:, a])
            assert off.max() < 0.005, f"{side} {start}"
    hips = body_of(source.skeleton).hips
    off = np.linalg.norm(places(back)[:, hips] - places(source)[:, hips], axis=-1)
    assert off.max() < 0.03


@pytest.mark.parametrize(
    "name", ["bandai-namco-1/dataset-1_walk_active_001.bvh", "other/01_01.bvh", "other/Geno_bind.bvh"]
)
def test_real_clips_stay_as_they_are_on_their_own_skeleton(name) -> None:
    source = clip(name)
    np.testing.assert_allclose(places(ours.retarget(source, source.skeleton)), places(source), atol=2e-6)


def test_every_joint_of_real_skeletons_is_accounted_for() -> None:
    for name in (CLIPS[0], "other/01_01.bvh", "other/Geno_bind.bvh"):
        for onto in TARGETS:
            source, goal = clip(name).skeleton, target(onto).skeleton
            match = ours.match(source, goal)
            roles = match.roles()
            for part in (
                "upper_arm",
                "lower_arm",
                "hand",
                "upper_leg",
                "lower_leg",
                "foot",
                "toes",
                "shoulder",
            ):
                for side in SIDES:
                    if not match.same_shape:
                        assert f"{side}_{part}" in roles
            paired = {pair.target for pair in match.pairs}
            assert len(paired) + len(match.left_out_target) == len(goal)


def test_feet_in_the_air_of_a_dance_follow_the_source() -> None:
    """Where no foot stands nothing is bent: legs point where the source's do."""
    source = clip("bandai-namco-1/dataset-1_dance-short_normal_001.bvh")
    moved, free = (ours.retarget(source, target("geno"), contacts=c) for c in (None, False))
    toes = joints(source, "toes")
    standing = _contacts.standing(places(source)[:, toes], 0.8, source.framerate)
    feet = joints(moved, "foot")
    off = np.linalg.norm(places(moved)[:, feet] - places(free)[:, feet], axis=-1)
    assert np.median(off[~standing]) < 0.02
