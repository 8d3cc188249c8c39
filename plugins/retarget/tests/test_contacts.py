"""Standing feet: when they stand, how they come to stand, and what the legs do about it."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_retarget import _contacts
from kinetoscope_retarget._knee import bent
from kinetoscope_retarget._people import SIDES, acted, body
from kinetoscope_retarget.contract import _moving, people
from kinetoscope_retarget.retargeter import AnatomicRetargeter
from kinetoscope_spec import Skeleton, rotation

retarget = AnatomicRetargeter().retarget


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_two_bones_reach_what_is_in_reach(seed) -> None:
    random = np.random.default_rng(seed)
    frames = 30
    thigh = rotation.normalize(random.normal(size=(frames, 4)))
    a, b = random.uniform(0.2, 1.0, size=2)
    hinge = rotation.rotate(thigh, np.tile([1.0, 0.0, 0.0], (frames, 1)))
    upper = rotation.rotate(thigh, np.tile([0.0, -a, 0.0], (frames, 1)))
    bend = random.uniform(0.0, 2.5, size=frames)
    bend[:4] = -0.4  # overstretched
    knee = rotation.from_axis_angle(hinge, bend)
    lower = rotation.rotate(knee, upper * (b / a))
    hip0 = random.normal(size=(frames, 3))
    hip = hip0 + random.normal(size=(frames, 3)) * 0.2
    way = random.normal(size=(frames, 3))
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    ankle = hip + way * random.uniform(abs(a - b) * 1.01, a + b, size=(frames, 1))
    first, second = bent((hip0, hip0 + upper, hip0 + upper + lower), hip, ankle, thigh)
    thighs, shanks = rotation.rotate(first, upper), rotation.rotate(second, lower)
    np.testing.assert_allclose(hip + thighs + shanks, ankle, atol=1e-6)
    # The knee still bends about its own hinge, and the same way.
    turned = rotation.rotate(first, hinge)
    folds = np.sum(np.cross(thighs, shanks) * turned, axis=-1)
    assert (folds > -1e-6).all()
    np.testing.assert_allclose(np.sum(shanks * turned, axis=-1), 0, atol=1e-6)


def test_two_bones_out_of_reach_are_stretched_towards_it() -> None:
    hip, knee, ankle = (np.array([[0.0, y, 0.0]]) for y in (1.0, 0.5, 0.0))
    knee = knee + np.array([[0, 0, 0.1]])
    goal = np.array([[0.0, -5.0, 3.0]])
    first, second = bent((hip, knee, ankle), hip, goal, np.array([[0.0, 0, 0, 1]]))
    reached = hip + rotation.rotate(first, knee - hip) + rotation.rotate(second, ankle - knee)
    length = np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee)
    np.testing.assert_allclose(reached - hip, (goal - hip) / np.linalg.norm(goal - hip) * length, atol=1e-6)


def test_a_leg_that_has_nothing_to_do_does_nothing() -> None:
    hip, knee, ankle = (np.tile([0.0, y, z], (3, 1)) for y, z in ((1, 0), (0.5, 0.1), (0, 0)))
    first, second = bent((hip, knee, ankle), hip, ankle, np.tile([0.0, 0, 0, 1], (3, 1)))
    assert (first == [0, 0, 0, 1]).all()
    assert (second == [0, 0, 0, 1]).all()


def test_knees_bend_forwards_from_straight_legs() -> None:
    """Straight legs that have to give way bend the way that knees do in the rest of the clip."""
    skeleton, roles = body("unity")
    frames = 60
    bend = np.concatenate([np.linspace(0.8, 0.0, 30), np.zeros(30)])
    turned = np.tile([0.0, 0.0, 0.0, 1.0], (frames, len(skeleton), 1))
    for side in SIDES:
        thigh, shank = (roles[f"{side}_{part}"] for part in ("upper_leg", "lower_leg"))
        turned[:, thigh] = rotation.from_rotation_vector(bend[:, None] * [-0.5, 0, 0])
        turned[:, shank] = rotation.from_rotation_vector(bend[:, None] * [0.5, 0, 0])
    path = np.tile(skeleton.rest_positions[0], (frames, 1))
    motion = acted(skeleton, turned, path)
    target, other = body("bandai", spread=1.3)
    moved = retarget(motion, target, contacts=np.ones((frames, 2), bool)).global_transforms()[0]
    for side in SIDES:
        hip, knee, ankle = (moved[:, other[f"{side}_{p}"]] for p in ("upper_leg", "lower_leg", "foot"))
        line = (ankle - hip) / np.linalg.norm(ankle - hip, axis=-1, keepdims=True)
        ahead = (knee - hip) - np.sum((knee - hip) * line, axis=-1, keepdims=True) * line
        assert (ahead[:, 2] > -1e-3).all()


def test_hips_come_down_also_under_a_node_that_stays() -> None:
    """A foot that is held behind a body that walks on: with an armature above the hips as without."""
    skeleton, _ = body("unity")
    still = np.tile([0.0, 0.0, 0.0, 1.0], (40, len(skeleton), 1))
    path = np.tile(skeleton.rest_positions[0], (40, 1))
    path[:, 2] += np.linspace(0, 0.25, 40)
    motion = acted(skeleton, still, path)
    contacts = np.ones((40, 2), bool)
    plain, other = body("bandai", spread=1.3)
    node = Skeleton(
        ["Armature", *plain.names], [-1, *(plain.parents + 1)], [[0.0, 0, 0], *plain.rest_positions]
    )
    expected = retarget(motion, plain, contacts=contacts).global_transforms()[0]
    loose = retarget(motion, plain, contacts=False).global_transforms()[0]
    assert (loose - expected)[:, other["hips"], 1].max() > 0.005, "this walk is to lower the hips"
    moved = retarget(motion, node, contacts=contacts).global_transforms()[0][:, 1:]
    np.testing.assert_allclose(moved, expected, atol=1e-9)
    toes = moved[:, other["left_toes"]]
    assert np.abs(toes - toes[:1]).max() < 1e-6


@given(people(swing=0.15, walk=0.02), people(frames=1))
@settings(deadline=None, max_examples=20)
def test_standing_toes_are_on_the_ground(person, other) -> None:
    """The toes of both stand as high over the ground as each body's rest pose has them."""
    motion = person.motion
    moved = retarget(motion, other.skeleton, contacts=np.ones((motion.frame_count, 2), bool))
    toes = [other.roles[f"{side}_toes"] for side in SIDES]
    rest = other.skeleton.rest_transforms()[0][toes, 1].min()
    low = moved.global_transforms()[0][:, toes, 1]
    assert low.min() > rest - 0.001 * other.skeleton.rest_transforms()[0][:, 1].max()


def test_steps_of_a_stair_keep_their_heights() -> None:
    """Who stands on a step stands on one as high, by the legs, with the target's feet."""
    skeleton, roles = body("unity")
    person = _moving("unity", skeleton, roles, 90, 5, 0.0, 0.0)
    path = np.array(person.path)
    path[45:] += [0, 0.3, 0.4]
    motion = acted(skeleton, person.turned, path)
    contacts = np.ones((90, 2), bool)
    contacts[40:50] = False
    target, other = body("smpl", height=3.5)
    moved = retarget(motion, target, contacts=contacts).global_transforms()[0]
    toes = moved[:, other["left_toes"], 1]
    assert toes[60] - toes[20] == pytest.approx(0.6, abs=0.01)
    assert np.ptp(toes[:40]) < 1e-6


def test_contacts_are_found_where_toes_rest() -> None:
    rest = np.zeros((100, 1, 3))
    rest[40:70, 0, 2] = np.linspace(0, 0.6, 30)
    rest[70:, 0, 2] = 0.6
    rest[40:70, 0, 1] = 0.1 * np.sin(np.linspace(0, np.pi, 30))
    found = _contacts.standing(rest, 0.8, 60.0)[:, 0]
    assert found[:38].all()
    assert found[73:].all()
    assert not found[45:65].any()


def test_between_one_shape_feet_are_left_alone_unless_asked() -> None:
    skeleton, roles = body("unity")
    person = _moving("unity", skeleton, roles, 40, 1, 0.2, 0.02)
    motion = person.motion
    same = retarget(motion, skeleton)
    np.testing.assert_allclose(same.rotations, motion.rotations, atol=1e-9)
    held = retarget(motion, skeleton, contacts=np.ones((40, 2), bool))
    toes = held.global_transforms()[0][:, roles["left_toes"]]
    assert np.abs(toes - toes[:1]).max() < 0.005
    upper = [
        joint
        for role, joint in roles.items()
        if "leg" not in role and "foot" not in role and "toes" not in role
    ]
    np.testing.assert_allclose(held.rotations[:, upper], same.rotations[:, upper], atol=1e-12)
    assert attrs.evolve(held, name="x") != held


@pytest.mark.parametrize(("moving", "stays"), [(3, True), (12, False)])
def test_a_foot_that_moves_for_a_moment_still_stands(moving, stays) -> None:
    """At 60 frames a second a twitch of 3 frames is no step; one of 12 is."""
    points = np.zeros((120, 1, 3))
    points[60 : 60 + moving, 0, 0] = 0.02 * np.arange(1, moving + 1)
    points[60 + moving :, 0, 0] = 0.02 * moving
    held = _contacts.standing(points, 0.9, 60.0)[:, 0]
    assert held[:58].all()
    assert held[64 + moving :].all()
    assert held.all() == stays


def test_a_foot_that_stops_for_a_moment_does_not_stand() -> None:
    points = np.zeros((120, 1, 3))
    points[:, 0, 0] = 0.02 * np.minimum(np.arange(120), 58) + 0.02 * np.maximum(np.arange(120) - 60, 0)
    assert not _contacts.standing(points, 0.9, 60.0)[4:116].any()
