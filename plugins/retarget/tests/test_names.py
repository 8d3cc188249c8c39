"""Names and shapes: which joint is which, and who is whose partner."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_retarget._body import body_of
from kinetoscope_retarget._conventions import CONVENTIONS
from kinetoscope_retarget._people import LIMBS, SIDES, body, reaxed, renamed
from kinetoscope_retarget._symmetry import best_plane
from kinetoscope_retarget.retargeter import AnatomicRetargeter
from kinetoscope_spec import Skeleton, rotation
from kinetoscope_spec.anatomy import read_name

pairs_of = AnatomicRetargeter().mirror_pairs


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_role_is_found_by_name(convention) -> None:
    skeleton, roles = body(convention)
    assert body_of(skeleton).roles() == roles


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_limbs_are_found_by_shape_where_names_say_nothing(convention) -> None:
    skeleton, roles = body(convention, arms=0.5)
    nameless = renamed(skeleton, [f"node.{i}" for i in range(len(skeleton))])
    found = body_of(nameless).roles()
    for side in SIDES:
        for limb in LIMBS:
            assert found[f"{side}_{limb}"] == roles[f"{side}_{limb}"], f"{side}_{limb}"
    assert found["hips"] == roles["hips"]


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("nameless", [False, True])
def test_partners_are_found_and_confirmed(convention, nameless) -> None:
    skeleton, roles = body(convention, arms=0.3)
    if nameless:
        skeleton = renamed(skeleton, [f"b{i}" for i in range(len(skeleton))])
    pairs = pairs_of(skeleton)
    expected = {
        (joint, roles["right" + role.removeprefix("left")])
        for role, joint in roles.items()
        if role.startswith("left")
    }
    assert {(pair.left, pair.right) for pair in pairs.pairs} == expected
    assert all(pair.agrees and pair.off < 1e-6 for pair in pairs.pairs)
    assert {pair.why for pair in pairs.pairs} == {"structure" if nameless else "name"}
    np.testing.assert_allclose(pairs.normal, [1, 0, 0], atol=1e-9)
    assert set(pairs.middle) == set(range(len(skeleton))) - {joint for pair in expected for joint in pair}
    assert not pairs.doubts
    partners = pairs.partners(len(skeleton))
    assert all(partners[partners[joint]] == joint for joint in range(len(skeleton)))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_plane_of_symmetry_comes_from_the_data(seed) -> None:
    """However the body stands in the world and its joints are turned, the plane is that of the body."""
    random = np.random.default_rng(seed)
    turn = rotation.normalize(random.normal(size=4))
    skeleton, _ = body("smpl")
    positions = np.array(skeleton.rest_positions)
    positions[0] = random.normal(size=3)
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (len(skeleton), 1))
    rotations[0] = turn
    turned = Skeleton(skeleton.names, skeleton.parents, positions, rotations)
    turned = reaxed(turned, rotation.normalize(random.normal(size=(len(skeleton), 4))))
    pairs = pairs_of(turned)
    np.testing.assert_allclose(pairs.normal, rotation.rotate(turn, np.array([1.0, 0, 0])), atol=1e-6)
    places = turned.rest_transforms()[0]
    middles = [places[joint] for joint in pairs.middle]
    np.testing.assert_allclose((middles - pairs.point) @ pairs.normal, 0, atol=1e-6)
    assert len(pairs.pairs) == 8
    found = best_plane(turned, places)
    assert abs(found.normal @ pairs.normal) > 1 - 1e-9


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("LeftArm", "RightArm"),
        ("left_arm", "right_arm"),
        ("ArmLeft", "ArmRight"),
        ("rig:upper.LeftArm.01", "rig:upper.RightArm.01"),
        ("L_Arm", "R_Arm"),
        ("Arm_L", "Arm_R"),
        ("arm.l", "arm.r"),
        ("Arm-L", "Arm-R"),
        ("arm.L.001", "arm.R.001"),
        ("lThigh", "rThigh"),
        ("lfemur", "rfemur"),
        ("ThighL", "ThighR"),
        ("Bip001 L Thigh", "Bip001 R Thigh"),
        ("bip_upperArm_L", "bip_upperArm_R"),
        ("LHipJoint", "RHipJoint"),
        ("左腕", "右腕"),
        ("腕.左", "腕.右"),
        ("左人指１", "右人指１"),
        ("CC_Base_L_Upperarm", "CC_Base_R_Upperarm"),
        ("J_Bip_L_UpperArm", "J_Bip_R_UpperArm"),
        ("LFT_arm", "RGT_arm"),
        ("Character1_LeftArm", "Character1_RightArm"),
        ("mixamorig7:LeftHandIndex1", "mixamorig7:RightHandIndex1"),
        ("upperarm_twist_01_l", "upperarm_twist_01_r"),
    ],
)
def test_sides_of_every_convention(left, right) -> None:
    assert (read_name(left).side, read_name(right).side) == ("left", "right")
    assert read_name(left).key == read_name(right).key


@pytest.mark.parametrize(
    "name",
    ["Hips", "root", "L5", "L3", "T12", "lowerback", "Collar", "rig", "leg", "roll", "Clavicle", "Pelvis"],
)
def test_no_side_where_there_is_none(name) -> None:
    assert read_name(name).side is None


def test_names_that_the_rest_pose_denies_are_doubted() -> None:
    skeleton, roles = body("unity")
    positions = np.array(skeleton.rest_positions)
    positions[roles["left_toes"]] += [0.3, 0, 0]
    crooked = Skeleton(skeleton.names, skeleton.parents, positions)
    pairs = pairs_of(crooked)
    (doubted,) = [pair for pair in pairs.pairs if not pair.agrees]
    assert skeleton.names[doubted.left] == "LeftToes"
    assert doubted.off > 0.1
    assert "'LeftToes'" in pairs.doubts[0]


def test_a_joint_without_the_other_side_is_named() -> None:
    skeleton, _ = body("bandai")
    names = ["Antenna_R" if name == "Toes_R" else name for name in skeleton.names]
    (doubt,) = pairs_of(renamed(skeleton, names)).doubts
    assert "'Toes_L'" in doubt
    assert "'Antenna_R'" in doubt


def test_bones_along_one_axis_have_no_plane_but_names() -> None:
    """As in Bandai Namco's files: left and right are told, the rest pose shows no symmetry."""
    skeleton, roles = body("bandai")
    positions = np.array(skeleton.rest_positions)
    for role, joint in roles.items():
        size = np.linalg.norm(positions[joint])
        positions[joint] = [-size if role.startswith("right") else size, 0, 0]
    pairs = pairs_of(Skeleton(skeleton.names, skeleton.parents, positions))
    assert len(pairs.pairs) == 8
    assert pairs.doubts == ()


def test_a_prop_has_no_person_and_no_partners() -> None:
    prop = Skeleton(["base", "lid"], [-1, 0], [[0, 0, 0], [0, 0.1, 0]])
    assert body_of(prop).roles() == {}
    assert pairs_of(prop).pairs == ()
    assert pairs_of(Skeleton(["one"], [-1], [[0, 0, 0]])).middle == (0,)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("parents", ["flat", "chain", "bush", "roots"])
def test_thousands_of_nodes_are_no_trap(parents) -> None:
    """A scene of props may hang as it likes; the time is bounded by its size."""
    random = np.random.default_rng(0)
    count = 4000
    trees = {
        "flat": [-1] + [0] * (count - 1),
        "chain": [-1, *range(count - 1)],
        "bush": [-1, *(int(random.integers(0, i)) for i in range(1, count))],
        "roots": [-1] * count,
    }
    places = random.normal(size=(count, 3))
    crowd = Skeleton([f"n{i}" for i in range(count)], trees[parents], places)
    pairs = pairs_of(crowd)
    joints = [joint for pair in pairs.pairs for joint in (pair.left, pair.right)]
    assert len(set(joints)) == len(joints)
    other = Skeleton(crowd.names, crowd.parents, places + random.normal(size=(count, 3)))
    assert AnatomicRetargeter().match(crowd, other).pairs
