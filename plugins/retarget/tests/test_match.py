"""Matching: pairs, chains, what is left out, and how it is told."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_retarget._conventions import CONVENTIONS
from kinetoscope_retarget._people import body, reaxed, renamed, scaled
from kinetoscope_retarget.hooks import Match, Retargeter
from kinetoscope_retarget.retargeter import AnatomicRetargeter
from kinetoscope_spec import Skeleton, ValidationError, rotation

match = AnatomicRetargeter().match


def with_joint(skeleton: Skeleton, name: str, parent: str, place: tuple[float, float, float]) -> Skeleton:
    return Skeleton(
        [*skeleton.names, name],
        [*skeleton.parents, skeleton.index(parent)],
        [*skeleton.rest_positions, place],
    )


def test_it_is_a_retargeter() -> None:
    assert isinstance(AnatomicRetargeter(), Retargeter)


@pytest.mark.parametrize("ours", CONVENTIONS)
@pytest.mark.parametrize("theirs", ["mixamo", "unreal", "bandai", "mikumiku", "biped"])
def test_all_limbs_of_all_conventions_match(ours, theirs) -> None:
    (source, roles), (target, other) = body(ours), body(theirs)
    found = match(source, target).roles()
    for role, joint in other.items():
        if role in roles and not role.startswith(("spine", "neck")):
            assert found[role] == (source.names[roles[role]], target.names[joint]), role


def test_spines_of_different_counts_share_the_movement() -> None:
    (source, _), (target, _) = body("bandai"), body("unreal")
    pairs = {pair.target: pair for pair in match(source, target).pairs}
    chain = [pairs[f"spine_0{i}"] for i in range(1, 6)]
    order = ["Hips", "Spine", "Chest"]
    along = [order.index(p.source) + p.share for p in chain]
    assert along == sorted(along)
    assert 0 < along[0] < 1
    assert chain[-1].source == "Chest"
    assert chain[-1].second is None
    assert pairs["neck_02"].second in ("Neck", "Head")


def test_spines_of_one_count_are_paired_one_to_one() -> None:
    (source, _), (target, _) = body("lafan"), body("smpl")
    pairs = [pair for pair in match(source, target).pairs if "spine" in pair.role]
    assert [(p.source, p.target, p.second) for p in pairs] == [
        ("Spine", "Spine1", None),
        ("Spine1", "Spine2", None),
    ]


def test_one_shape_is_matched_whatever_the_names() -> None:
    skeleton, _ = body("vrm")
    random = np.random.default_rng(0)
    copy = reaxed(scaled(skeleton, 100.0), rotation.normalize(random.normal(size=(len(skeleton), 4))))
    found = match(skeleton, renamed(copy, [f"x{i}" for i in range(len(copy))]))
    assert found.same_shape
    assert [pair.target for pair in found.pairs] == [f"x{i}" for i in range(len(copy))]
    assert {pair.why for pair in found.pairs} == {"shape"}
    assert not match(skeleton, body("bandai")[0]).same_shape


def test_a_mirror_image_is_another_shape() -> None:
    skeleton, _ = body("vrm")
    mirrored = Skeleton(skeleton.names, skeleton.parents, np.asarray(skeleton.rest_positions) * [-1, 1, 1])
    assert not match(skeleton, mirrored).same_shape


def test_what_is_left_out_has_a_reason() -> None:
    source, _ = body("unreal")
    for name, parent, place in (
        ("ik_foot_root", "pelvis", (0, -1, 0)),
        ("lowerarm_twist_01_l", "lowerarm_l", (0.1, 0, 0)),
        ("head_end", "head", (0, 0.1, 0)),
    ):
        source = with_joint(source, name, parent, place)
    target, _ = body("bandai")
    left = {item.joint: item.reason for item in match(source, target).left_out_source}
    assert "beside" in left["ik_foot_root"]
    assert "twist" in left["lowerarm_twist_01_l"]
    assert "tip" in left["head_end"]
    assert left["index_01_l"] == "the target has no such joint"


def test_the_report_reads() -> None:
    (source, _), (target, _) = body("unreal"), body("bandai")
    text = str(match(source, target))
    assert text.splitlines()[0] == "21 joints matched"
    assert "left_lower_arm" in text
    assert "left out of the source (" in text
    assert "thumb_01_l" in text
    assert max(len(line) for line in text.splitlines()) < 110
    assert "%" in str(match(target, source))


def test_joints_beyond_a_person_are_paired_by_their_names() -> None:
    (source, _), (target, _) = body("unity"), body("bandai")
    source = with_joint(source, "Tail_01", "Hips", (0, 0, -0.2))
    target = with_joint(target, "tail1", "Hips", (0, 0, -0.2))
    found = {pair.target: pair for pair in match(source, target).pairs}
    assert (found["tail1"].source, found["tail1"].why) == ("Tail_01", "alike")
    elsewhere = with_joint(body("bandai")[0], "tail1", "Head", (0, 0, -0.2))
    assert "tail1" not in {pair.target for pair in match(source, elsewhere).pairs}


def test_pairs_can_be_given() -> None:
    (source, _), (target, _) = body("bandai"), body("unity")
    found = {p.target: p for p in match(source, target, names={"LeftHand": "Hand_R"}).pairs}
    assert (found["LeftHand"].source, found["LeftHand"].why) == ("Hand_R", "given")
    with pytest.raises(ValidationError, match=r"target has no joint 'LeftHnd'.*LeftHand"):
        match(source, target, names={"LeftHnd": "Hand_R"})
    with pytest.raises(ValidationError, match="source has no joint 'x'"):
        match(source, target, names={"LeftHand": "x"})


def test_nothing_alike_is_an_error() -> None:
    stone = Skeleton(["stone"], [-1], [[0, 0, 0]])
    with pytest.raises(ValidationError, match="no joint of the source"):
        match(stone, body("bandai")[0])


def test_missing_limbs_are_noted() -> None:
    source, _ = body("bandai")
    bust = Skeleton(["Hips", "Spine", "Head"], [-1, 0, 1], [[0, 0, 0], [0, 0.3, 0], [0, 0.3, 0]])
    found = match(source, bust)
    assert any("left_upper_leg" in note for note in found.notes)
    assert isinstance(attrs.evolve(found, notes=()), Match)


@given(st.floats(0.1, 30.0), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_one_shape_is_known_in_any_scale_and_axes(scale, seed) -> None:
    one, _ = body("unity")
    turn = rotation.normalize(np.random.default_rng(seed).normal(size=4))
    names = [f"joint{i}" for i in range(len(one))]
    other = Skeleton(names, one.parents, scale * rotation.rotate(turn, np.asarray(one.rest_positions)))
    found = match(one, other)
    assert found.same_shape
    assert [(pair.source, pair.target) for pair in found.pairs] == list(zip(one.names, names, strict=True))
    bent = np.array(one.rest_positions)
    bent[len(bent) // 2] *= 1.2
    changed = Skeleton(one.names, one.parents, bent)
    assert not match(one, changed).same_shape
