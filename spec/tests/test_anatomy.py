"""Roles and sides of the joints of rigs people use, each convention told in its own names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_spec import Skeleton, anatomy


def rig(chains: str) -> Skeleton:
    """Build a skeleton from chains of names; a chain begins at a joint that stands before it."""
    names: list[str] = []
    parents: list[int] = []
    for chain in chains.strip().splitlines():
        above = -1
        for name in chain.split():
            if name not in names:
                names.append(name)
                parents.append(above)
            above = names.index(name)
    return Skeleton(tuple(names), np.array(parents), np.zeros((len(names), 3)))


def told(skeleton: Skeleton) -> dict[str, str]:
    return {role: skeleton.names[joint] for role, joint in anatomy.roles(skeleton).items()}


def expected(trunk: str, limbs: str, *, left: str, right: str) -> dict[str, str]:
    """Roles from `hips spine chest neck head` and the eight limb names, sides put in for `*`."""
    wanted = dict(zip(anatomy.ROLES[:5], trunk.split(), strict=True))
    for side, mark in (("left", left), ("right", right)):
        named = (name.replace("*", mark) for name in limbs.split())
        wanted |= dict(zip((r for r in anatomy.ROLES if r.startswith(side)), named, strict=True))
    return wanted


def both(chains: str, left: str, right: str) -> str:
    lines = chains.strip().splitlines()
    return "\n".join(
        line.replace("*", mark) for line in lines for mark in ((left, right) if "*" in line else ("",))
    )


CONVENTIONS = {
    "bandai-namco": (
        """joint_Root Hips Spine Chest Neck Head
        Chest Shoulder_* UpperArm_* LowerArm_* Hand_*
        Hips UpperLeg_* LowerLeg_* Foot_* Toes_*""",
        "Hips Spine Chest Neck Head",
        "Shoulder_* UpperArm_* LowerArm_* Hand_* UpperLeg_* LowerLeg_* Foot_* Toes_*",
        ("L", "R"),
    ),
    "mixamo": (
        """m:Hips m:Spine m:Spine1 m:Spine2 m:Neck m:Head m:HeadTop_End
        m:Spine2 m:*Shoulder m:*Arm m:*ForeArm m:*Hand m:*HandThumb1
        m:Hips m:*UpLeg m:*Leg m:*Foot m:*ToeBase m:*Toe_End""",
        "m:Hips m:Spine m:Spine2 m:Neck m:Head",
        "m:*Shoulder m:*Arm m:*ForeArm m:*Hand m:*UpLeg m:*Leg m:*Foot m:*ToeBase",
        ("Left", "Right"),
    ),
    "cmu-asf": (
        """root lowerback upperback thorax lowerneck upperneck head
        thorax *clavicle *humerus *radius *wrist *hand *fingers
        root *hipjoint *femur *tibia *foot *toes""",
        "root lowerback thorax lowerneck head",
        "*clavicle *humerus *radius *wrist *femur *tibia *foot *toes",
        ("l", "r"),
    ),
    "unreal": (
        """root pelvis spine_01 spine_02 spine_03 neck_01 head
        spine_03 clavicle_* upperarm_* lowerarm_* hand_*
        upperarm_* upperarm_twist_01_*
        pelvis thigh_* calf_* foot_* ball_*""",
        "pelvis spine_01 spine_03 neck_01 head",
        "clavicle_* upperarm_* lowerarm_* hand_* thigh_* calf_* foot_* ball_*",
        ("l", "r"),
    ),
    "unity": (
        """Hips Spine Chest UpperChest Neck Head
        UpperChest *Shoulder *UpperArm *LowerArm *Hand
        Hips *UpperLeg *LowerLeg *Foot *Toes""",
        "Hips Spine UpperChest Neck Head",
        "*Shoulder *UpperArm *LowerArm *Hand *UpperLeg *LowerLeg *Foot *Toes",
        ("Left", "Right"),
    ),
    "rigify": (
        """spine spine.001 spine.002 spine.003 spine.004 spine.005 spine.006
        spine.003 shoulder.* upper_arm.* forearm.* hand.*
        spine thigh.* shin.* foot.* toe.*""",
        "spine spine.001 spine.003 spine.004 spine.006",
        "shoulder.* upper_arm.* forearm.* hand.* thigh.* shin.* foot.* toe.*",
        ("L", "R"),
    ),
    "biovision": (
        """Hips Chest Chest2 Neck Head
        Chest2 *Collar *Shoulder *Elbow *Wrist
        Hips *Hip *Knee *Ankle *Toe""",
        "Hips Chest Chest2 Neck Head",
        "*Collar *Shoulder *Elbow *Wrist *Hip *Knee *Ankle *Toe",
        ("Left", "Right"),
    ),
    "smpl": (
        """Pelvis Spine1 Spine2 Spine3 Neck Head
        Spine3 *_Collar *_Shoulder *_Elbow *_Wrist *_Hand
        Pelvis *_Hip *_Knee *_Ankle *_Foot""",
        "Pelvis Spine1 Spine3 Neck Head",
        "*_Collar *_Shoulder *_Elbow *_Wrist *_Hip *_Knee *_Ankle *_Foot",
        ("L", "R"),
    ),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_role_is_told_from_the_names_of_a_convention(convention: str) -> None:
    chains, trunk, limbs, (left, right) = CONVENTIONS[convention]
    skeleton = rig(both(chains, left, right))
    assert told(skeleton) == expected(trunk, limbs, left=left, right=right)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_sided_joint_has_its_pair(convention: str) -> None:
    chains, _, _, (left, right) = CONVENTIONS[convention]
    skeleton = rig(both(chains, left, right))
    pairs = anatomy.sided_pairs(skeleton)
    names = {(skeleton.names[a], skeleton.names[b]) for a, b in pairs}
    assert all(a.replace(left, right, 1) == b or a[: -len(left)] + right == b for a, b in names)
    sided = [joint for joint, name in enumerate(skeleton.names) if anatomy.read_name(name).side is not None]
    assert sorted(joint for pair in pairs for joint in pair) == sided
    assert len(pairs) >= 8


@pytest.mark.parametrize(
    ("name", "side", "rest"),
    [
        ("UpperLeg_L", "left", "upperleg"),
        ("l_upperLeg", "left", "upperleg"),
        ("mixamorig:LeftUpperLeg", "left", "upperleg"),
        ("mixamorigLeftArm", "left", "arm"),
        ("Bip01 R Thigh", "right", "thigh"),
        ("RThumb", "right", "thumb"),
        ("lThigh", "left", "thigh"),
        ("hand.R.001", "right", "hand1"),
        ("Hand_Right", "right", "hand"),
        ("LowerBack", None, "lowerback"),
        ("Root", None, "root"),
        ("Lumbar", None, "lumbar"),
        ("rotor", None, "rotor"),
        ("Head", None, "head"),
    ],
)
def test_side(name: str, side: str | None, rest: str) -> None:
    said = anatomy.read_name(name)
    assert (said.side, said.word + "".join(said.numbers)) == (side, rest)


def test_a_leg_is_the_upper_leg_only_where_nothing_else_is() -> None:
    assert told(rig("hips LeftLeg LeftShin LeftFoot"))["left_upper_leg"] == "LeftLeg"
    assert told(rig("hips LeftUpLeg LeftLeg LeftFoot"))["left_lower_leg"] == "LeftLeg"


def test_markers_that_stand_in_joints_have_no_role() -> None:
    marked = rig("""hips left_hip
        hips l_thigh left_knee
        l_thigh l_shin left_ankle
        l_shin l_foot l_toes""")
    parts = {part: told(marked).get(f"left_{part}") for part in ("upper_leg", "lower_leg", "foot", "toes")}
    assert parts == {"upper_leg": "l_thigh", "lower_leg": "l_shin", "foot": "l_foot", "toes": "l_toes"}


def test_the_foot_is_what_carries_the_toes() -> None:
    beside = rig("""hips b_l_upleg b_l_leg b_l_foot_twist b_l_foot
        b_l_foot_twist b_l_talocrural b_l_subtalar b_l_ball""")
    assert told(beside)["left_foot"] == "b_l_talocrural"
    assert told(beside)["left_toes"] == "b_l_ball"


def test_a_joint_that_does_not_hang_on_its_limb_is_no_part_of_it() -> None:
    torn = rig("""hips LeftUpLeg LeftLeg
        hips LeftFoot LeftToe""")
    assert set(told(torn)) == {"hips", "left_upper_leg", "left_lower_leg"}


def test_no_roles_are_made_up() -> None:
    assert told(rig("base arm1 arm2 gripper")) == {}
    assert anatomy.sided_pairs(rig("base arm1 arm2")) == ()


def test_roles_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        anatomy.roles(rig("Hips Spine"))["head"] = 0  # type: ignore[index]


REAL = (
    "bvh/bandai-namco-1/dataset-1_walk_normal_001.bvh",
    "bvh/other/01_01.bvh",
    "bvh/other/Geno_stance.bvh",
    "characters/geno.glb",
    "characters/geno.fbx",
    "characters/cranberry.glb",
    "characters/cranberry.fbx",
)


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_rigs_have_all_roles(name: str) -> None:
    folder = os.environ.get("KINETOSCOPE_DATA")
    if not folder:
        pytest.skip("KINETOSCOPE_DATA is not set")
    file = Path(folder) / name
    kind = file.suffix[1:]
    module = pytest.importorskip(f"kinetoscope_{kind}.importer")
    skeleton = getattr(module, f"{kind.title()}Importer")().read(file).skeleton
    assert set(anatomy.roles(skeleton)) == set(anatomy.ROLES)
