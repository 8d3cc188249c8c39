"""Analytic truths of retargeting, beyond the contract: rest poses, chains, scales, what is missing."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_retarget._people import SIDES, acted, body, reaxed, scaled
from kinetoscope_retarget.contract import Person, _angle, people
from kinetoscope_retarget.retargeter import AnatomicRetargeter
from kinetoscope_spec import Asset, Character, Mesh, Motion, Skeleton, Skin, ValidationError, rotation

retarget = AnatomicRetargeter().retarget
BONES = [("upper_arm", "lower_arm"), ("lower_arm", "hand"), ("upper_leg", "lower_leg"), ("lower_leg", "foot")]


def bone(motion: Motion, roles: dict[str, int], side: str, start: str, end: str) -> np.ndarray:
    positions = motion.global_transforms()[0]
    return positions[:, roles[f"{side}_{end}"]] - positions[:, roles[f"{side}_{start}"]]


def assert_limbs_agree(ours: Motion, mine: dict, theirs: Motion, other: dict, off: float = 1e-4) -> None:
    for side in SIDES:
        for start, end in BONES:
            angle = _angle(bone(ours, mine, side, start, end), bone(theirs, other, side, start, end)).max()
            assert angle < off, f"{side} {start} points {angle:.3g} rad elsewhere"


def zero_posed(person: Person) -> Motion:
    """Return the person's clip on a skeleton that rests with all bones along one axis."""
    clip = person.motion
    skeleton = clip.skeleton
    places = np.array(skeleton.rest_positions)
    lengths = np.linalg.norm(places, axis=-1)
    frames = np.tile([0.0, 0.0, 0.0, 1.0], (len(skeleton), 1))
    along = places.copy()
    children = [skeleton.children(joint) for joint in range(len(skeleton))]
    for joint in range(len(skeleton)):
        if len(children[joint]) == 1:  # its only bone lies along its x, or -x on the right side
            child = children[joint][0]
            x = np.array([-1.0 if places[child][0] < -1e-3 else 1.0, 0, 0])
            frames[joint] = rotation.between(x, places[child])
            along[child] = x * lengths[child]
        else:
            for child in children[joint]:
                along[child] = places[child]
    rest = Skeleton(skeleton.names, skeleton.parents, along)
    world = rotation.multiply(person.turned, frames[None])
    local = world.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            local[:, joint] = rotation.multiply(rotation.conjugate(world[:, parent]), world[:, joint])
    positions = np.repeat(along[None], len(world), axis=0)
    positions[:, 0] = person.path
    return Motion(rest, positions, rotation.normalize(local), clip.framerate)


@given(people(), people(frames=1))
@settings(max_examples=40, deadline=None)
def test_limbs_point_where_the_sources_do(person, other) -> None:
    """An A pose is no T pose: it is directions that are carried over, not angles out of the rest."""
    moved = retarget(person.motion, other.skeleton, contacts=False)
    assert_limbs_agree(person.motion, person.roles, moved, other.roles)


@given(people(), people(frames=1))
@settings(max_examples=40, deadline=None)
def test_the_head_looks_where_the_sources_does(person, other) -> None:
    moved = retarget(person.motion, other.skeleton, contacts=False)
    ahead = np.array([0.0, 0.0, 1.0])
    for role in ("head", "chest", "hips"):
        ours = rotation.rotate(person.motion.global_transforms()[1][:, person.roles[role]], ahead)
        theirs = rotation.rotate(moved.global_transforms()[1][:, other.roles[role]], ahead)
        assert _angle(ours, theirs).max() < 1e-4


@given(people(frames=25, swing=0.3), people(frames=1))
@settings(max_examples=25, deadline=None)
def test_a_source_that_rests_along_one_axis_is_understood_by_its_clip(person, other) -> None:
    clip = zero_posed(person)
    np.testing.assert_allclose(clip.global_transforms()[0], person.motion.global_transforms()[0], atol=1e-9)
    moved = retarget(clip, other.skeleton, contacts=False)
    assert_limbs_agree(clip, person.roles, moved, other.roles)


@given(people(frames=10), people(frames=20, swing=0.3))
@settings(max_examples=25, deadline=None)
def test_a_target_that_rests_along_one_axis_is_shown_by_a_clip(person, other) -> None:
    target = zero_posed(other)
    moved = retarget(person.motion, target, contacts=False)
    assert moved.skeleton == target.skeleton
    assert_limbs_agree(person.motion, person.roles, moved, other.roles)
    bare = retarget(person.motion, target.skeleton, contacts=False)
    assert_limbs_agree(person.motion, person.roles, bare, other.roles)


@given(people(), st.floats(0.005, 0.5), st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_an_armature_with_scale_above_the_hips_stands_where_it_would_without(person, unit, yaw) -> None:
    """A rig in centimetres under a node scaled by 0.01, turned and moved, as exporters make them."""
    plain, _ = body("unity", height=1.6, spread=1.3)  # no drawn person has this shape
    node = Skeleton(
        ["Armature", *plain.names],
        [-1, *(plain.parents + 1)],
        [[0.3, 0.0, -0.2], *(np.asarray(plain.rest_positions) / unit)],
        [rotation.from_yaw(np.array(yaw)), *plain.rest_rotations],
        [[unit] * 3, *plain.rest_scales],
    )
    expected = retarget(person.motion, plain).global_transforms()[0]
    moved = retarget(person.motion, node)
    np.testing.assert_allclose(moved.global_transforms()[0][:, 1:], expected, atol=1e-5)
    np.testing.assert_array_equal(moved.positions[:, 0], np.tile([0.3, 0, -0.2], (moved.frame_count, 1)))
    assert moved.scales is not None


def test_uneven_scales_are_refused() -> None:
    person = _walker()
    plain, _ = body("unity")
    scales = np.array(plain.rest_scales)
    scales[0] = [1, 2, 1]
    with pytest.raises(ValidationError, match="'Hips' rests at the scale"):
        retarget(person.motion, attrs.evolve(plain, rest_scales=scales))
    scales[0] = 1
    scales[plain.index("LeftThumbDistal")] = [1, 2, 3]  # carries nothing
    retarget(person.motion, attrs.evolve(plain, rest_scales=scales))


def _walker(convention: str = "mixamo", frames: int = 40) -> Person:
    from kinetoscope_retarget.contract import _moving

    skeleton, roles = body(convention)
    return _moving(convention, skeleton, roles, frames, 3, 0.3, 0.5)


@given(people(), st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_a_larger_body_walks_farther_unless_metres_are_kept(person, scale) -> None:
    target = scaled(person.skeleton, scale)
    hips = person.roles["hips"]
    walked, scaled_walk, same = (
        np.ptp(motion.global_transforms()[0][:, hips], axis=0)
        for motion in (
            person.motion,
            retarget(person.motion, target),
            retarget(person.motion, target, path="metres"),
        )
    )
    np.testing.assert_allclose(scaled_walk, walked * scale, atol=1e-6 * scale)
    legs = [person.roles[f"{side}_upper_leg"] for side in SIDES]
    before, after = (
        motion.global_transforms()[0][:, legs].mean(axis=1)
        for motion in (person.motion, retarget(person.motion, target, path="metres"))
    )
    np.testing.assert_allclose(after[:, [0, 2]], before[:, [0, 2]], atol=1e-6)
    assert np.isfinite(same).all()


def test_spines_bend_as_far_with_other_counts() -> None:
    """A spine of five bends as one of two does: its ends agree, what is between lies between."""
    source, roles = body("bandai")
    frames = 7
    turned = np.tile([0.0, 0.0, 0.0, 1.0], (frames, len(source), 1))
    bend = rotation.from_rotation_vector(np.linspace(0, 1.2, frames)[:, None] * [1.0, 0, 0])
    for joint in range(len(source)):
        above = set()
        j = joint
        while j >= 0:
            above.add(j)
            j = int(source.parents[j])
        if roles["chest"] in above:
            turned[:, joint] = bend
        elif roles["spine_1"] in above:
            turned[:, joint] = rotation.nlerp(turned[:, 0], bend, np.full(frames, 0.5))
    motion = acted(source, turned, np.tile(source.rest_positions[0], (frames, 1)))
    target, other = body("unreal")
    moved = retarget(motion, target, contacts=False)
    world = moved.global_transforms()[1]
    angles = [
        rotation.angle(world[-1, other[role]], world[0, other[role]])
        for role in ("hips", "spine_1", "spine_2", "spine_3", "spine_4", "chest")
    ]
    assert angles[0] < 1e-6
    assert angles[-1] == pytest.approx(1.2, abs=1e-6)
    assert np.diff(angles).min() > 0.02, angles


def test_missing_toes_and_fingers_are_no_obstacle() -> None:
    person = _walker()
    plain, _ = body("bandai")
    keep = [j for j in range(len(plain)) if "Toes" not in plain.names[j]]
    place = {joint: i for i, joint in enumerate(keep)}
    bare = Skeleton(
        [plain.names[j] for j in keep],
        [place.get(int(plain.parents[j]), -1) for j in keep],
        np.asarray(plain.rest_positions)[keep],
    )
    on_the_spot = np.repeat(person.motion.positions[:1], 40, axis=0)
    motion = attrs.evolve(person.motion, positions=on_the_spot)
    moved = retarget(motion, bare, contacts=np.ones((40, 2), bool))
    feet = moved.global_transforms()[0][:, [bare.index("Foot_L"), bare.index("Foot_R")]]
    assert np.abs(feet - feet[:1]).max() < 0.005


def test_a_bind_pose_tells_what_the_rest_pose_does_not() -> None:
    """A character whose nodes rest with arms overhead, but whose skin was bound in a T pose."""
    person = _walker()
    upright, roles = body("unity")
    rotations = np.array(upright.rest_rotations)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rotations[roles[f"{side}_upper_arm"]] = rotation.from_axis_angle(
            np.array([0.0, 0.0, sign]), np.array(1.5)
        )
        rotations[roles[f"{side}_foot"]] = rotation.from_axis_angle(np.array([1.0, 0, 0]), np.array(1.4))
    scales = np.array(upright.rest_scales)
    scales[roles["head"]] = 0  # hidden until somebody looks
    odd = attrs.evolve(upright, rest_rotations=rotations, rest_scales=scales)
    inverse = np.linalg.inv(upright.rest_matrices())
    count = len(upright)
    mesh = Mesh(
        "skin",
        upright.rest_transforms()[0],
        np.arange(3),
        np.array([[0, 1, 2]]),
        skin=Skin(np.arange(count)[:, None], np.ones((count, 1)), np.arange(count), inverse),
    )
    character = Character("odd", odd, (mesh,))
    expected = retarget(person.motion, upright, contacts=False)
    moved = retarget(person.motion, character, contacts=False)
    np.testing.assert_allclose(moved.global_transforms()[1], expected.global_transforms()[1], atol=1e-6)
    assert retarget(person.motion, Asset("odd", odd, (), (mesh,)), contacts=False) == moved


def test_a_reference_clip_shows_how_the_source_is_turned() -> None:
    """A clip of somebody who bows throughout says nothing about standing; a T pose does."""
    person = _walker("bandai", frames=20)
    turned = np.array(person.turned)
    bow = rotation.from_rotation_vector(np.array([0.8, 0, 0]))
    for joint in (person.roles[r] for r in ("chest", "neck_1", "head")):
        turned[:, joint] = rotation.multiply(bow, turned[:, joint])
    bowing = zero_posed(attrs.evolve(person, turned=turned))
    still = np.tile([0.0, 0.0, 0.0, 1.0], (2, len(person.skeleton), 1))
    pose = zero_posed(
        attrs.evolve(person, turned=still, path=np.tile(person.skeleton.rest_positions[:1], (2, 1)))
    )
    target, other = body("unity")
    moved = retarget(bowing, target, reference=pose, contacts=False)
    ahead = np.array([0.0, 0.0, 1.0])
    looks = rotation.rotate(moved.global_transforms()[1][:, other["head"]], ahead)
    truth = rotation.rotate(turned[:, person.roles["head"]], ahead)
    assert _angle(looks, truth).max() < 1e-3
    guessed = retarget(bowing, target, contacts=False)
    assert guessed.frame_count == 20


def test_rates_names_and_precision_are_kept() -> None:
    person = _walker()
    target, _ = body("unity")
    motion = attrs.evolve(
        person.motion,
        positions=person.motion.positions.astype(np.float32),
        rotations=person.motion.rotations.astype(np.float32),
        name="hop",
        morph_weights={"smile": np.linspace(0, 1, person.motion.frame_count)},
        framerate=50.0,
        start_time=2.0,
    )
    moved = retarget(motion, target)
    assert (moved.name, moved.framerate, moved.start_time) == ("hop", 50.0, 2.0)
    assert moved.positions.dtype == moved.rotations.dtype == np.float32
    np.testing.assert_array_equal(moved.morph_weights["smile"], motion.morph_weights["smile"])


def test_options_that_are_wrong_are_named() -> None:
    person = _walker()
    target, _ = body("unity")
    with pytest.raises(ValidationError, match="path is 'miles'"):
        retarget(person.motion, target, path="miles")
    with pytest.raises(ValidationError, match=r"expected bool \[40, 2\]"):
        retarget(person.motion, target, contacts=np.ones((3, 2), bool))
    with pytest.raises(ValidationError, match="reference is a clip of another skeleton"):
        retarget(person.motion, target, reference=_walker("bandai").motion)
    with pytest.raises(ValidationError, match="expected bool"):
        retarget(person.motion, target, contacts=np.ones((40, 2)))
    other = AnatomicRetargeter().match(body("bandai")[0], body("smpl")[0])
    with pytest.raises(ValidationError, match="names 'Hips' of the source, which has no such joint"):
        retarget(person.motion, target, match=other)


def test_a_prop_is_retargeted_by_its_names() -> None:
    lamp = Skeleton(["base", "neck.001", "shade"], [-1, 0, 1], [[0, 0, 0], [0, 0.2, 0], [0, 0.2, 0]])
    taller = Skeleton(
        ["base", "neck.001", "shade", "bulb"],
        [-1, 0, 1, 2],
        [[0, 0, 0], [0, 0.5, 0], [0, 0.2, 0], [0, 0.1, 0]],
    )
    turned = rotation.from_rotation_vector(np.random.default_rng(0).normal(size=(5, 3, 3)))
    motion = acted(lamp, turned, np.zeros((5, 3)))
    moved = retarget(motion, taller)
    np.testing.assert_allclose(moved.global_transforms()[1][:, :3], motion.global_transforms()[1], atol=1e-9)
    assert reaxed(lamp, np.tile([0.0, 0, 0, 1], (3, 1))) == lamp


def _with_twists() -> tuple[Skeleton, dict[str, int]]:
    plain, roles = body("unreal")
    names, parents, places = list(plain.names), list(plain.parents), list(np.asarray(plain.rest_positions))
    for part, limb, next_part in (("upperarm", "upper_arm", "lower_arm"), ("lowerarm", "lower_arm", "hand")):
        for side, letter in zip(SIDES, "lr", strict=True):
            names.append(f"{part}_twist_01_{letter}")
            parents.append(roles[f"{side}_{limb}"])
            places.append(places[roles[f"{side}_{next_part}"]] * 0.25)
    return Skeleton(names, parents, places), roles


@given(st.floats(-2.5, 2.5), st.integers(0, 2**32 - 1), st.sampled_from(["lower_arm", "upper_arm"]))
@settings(max_examples=40, deadline=None)
def test_twist_joints_share_what_turns_about_their_bone(angle, seed, part) -> None:
    """A quarter along a forearm, a quarter of the wrist's turn; along an upper arm, of its own."""
    target, roles = _with_twists()
    axes = rotation.normalize(np.random.default_rng(seed).normal(size=(len(target), 4)))
    target = reaxed(target, axes)
    source, ours = body("unity")
    next_part = {"lower_arm": "hand", "upper_arm": "lower_arm"}[part]
    turned = np.tile([0.0, 0.0, 0.0, 1.0], (1, len(source), 1))
    places = source.rest_transforms()[0]
    along = places[ours[f"left_{next_part}"]] - places[ours[f"left_{part}"]]
    turn = rotation.from_axis_angle(along / np.linalg.norm(along), np.array(angle))
    start = ours["left_hand" if part == "lower_arm" else "left_upper_arm"]
    for joint in range(start, len(source)):
        above = joint
        while above > start:
            above = int(source.parents[above])
        if above == start:
            turned[:, joint] = turn
    moved = retarget(acted(source, turned, source.rest_positions[:1]), target)
    still = retarget(acted(source, turned * 0 + [0, 0, 0, 1], source.rest_positions[:1]), target)
    joint = target.index(f"{part.replace('_', '')}_twist_01_l")
    now, then = moved.global_transforms()[1][0, joint], still.global_transforms()[1][0, joint]
    delta = rotation.to_rotation_vector(rotation.multiply(now, rotation.conjugate(then)))
    np.testing.assert_allclose(delta, 0.25 * angle * along / np.linalg.norm(along), atol=1e-3)
    assert roles["left_hand"] != joint


def test_twist_joints_of_one_rig_are_moved_by_their_likes() -> None:
    target, _ = _with_twists()
    taller = Skeleton(target.names, target.parents, np.asarray(target.rest_positions) * [1, 1.2, 1])
    pairs = {pair.target: pair for pair in AnatomicRetargeter().match(target, taller).pairs}
    assert pairs["lowerarm_twist_01_l"].source == "lowerarm_twist_01_l"
    plain = {pair.target: pair for pair in AnatomicRetargeter().match(body("unity")[0], target).pairs}
    assert plain["lowerarm_twist_01_l"].source == "LeftHand"
    assert plain["upperarm_twist_01_r"].source == "RightUpperArm"


@given(st.integers(0, 2**32 - 1), st.sampled_from(["hand", "foot"]))
@settings(max_examples=30, deadline=None)
def test_a_joint_in_the_place_of_a_foot_turns_with_it(seed, part) -> None:
    plain, roles = body("unreal")
    joint = roles[f"left_{part}"]
    names = (*plain.names, "subtalar_l")
    places = np.concatenate([plain.rest_positions, plain.rest_positions[joint : joint + 1]])
    rig = Skeleton(names, [*plain.parents, plain.parents[joint]], places)
    random = np.random.default_rng(seed)
    target = reaxed(rig, rotation.normalize(random.normal(size=(len(rig), 4))))
    source = body("unity")[0]
    turned = rotation.normalize(random.normal(size=(6, len(source), 4)) + np.array([0, 0, 0, 4]))
    moved = retarget(acted(source, turned, np.repeat(source.rest_positions[:1], 6, axis=0)), target)
    world = np.asarray(moved.global_transforms()[1])
    turns = rotation.multiply(world[1:], rotation.conjugate(world[:1]))
    assert rotation.angle(turns[:, joint], turns[:, -1]).max() < 1e-6
    assert rotation.angle(turns[:, joint], rotation.identity(turns[:, joint])).max() > 0.05


def test_a_double_that_the_source_moves_itself_is_left_alone() -> None:
    plain, roles = body("unreal")
    joint = roles["left_foot"]
    places = np.concatenate([plain.rest_positions, plain.rest_positions[joint : joint + 1]])
    rig = Skeleton((*plain.names, "subtalar_l"), [*plain.parents, plain.parents[joint]], places)
    taller = Skeleton(rig.names, rig.parents, np.asarray(rig.rest_positions) * [1, 1.2, 1])
    turned = np.tile([0.0, 0.0, 0.0, 1.0], (2, len(rig), 1))
    turned[1, -1] = rotation.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.array(0.4))
    moved = retarget(acted(rig, turned, np.repeat(rig.rest_positions[:1], 2, axis=0)), taller)
    world = np.asarray(moved.global_transforms()[1])
    assert float(rotation.angle(world[0, -1], world[1, -1])) == pytest.approx(0.4, abs=1e-6)
