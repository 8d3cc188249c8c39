"""The laws of the hook `retargeter`, to be run on any provider of it.

    class TestMine(RetargeterContract):
        provider = MyRetargeter()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_retarget._people import CONVENTIONS, SIDES, acted, body, reaxed, renamed, scaled
from kinetoscope_retarget.protocol import Array, Match
from kinetoscope_spec import Motion, Skeleton, rotation
from kinetoscope_spec.contracts import Contract, law, require

__all__ = ["Person", "RetargeterContract", "people"]

_LIMBS = (
    ("upper_arm", "lower_arm"),
    ("lower_arm", "hand"),
    ("upper_leg", "lower_leg"),
    ("lower_leg", "foot"),
)
_SLIDE_M = 0.005


@attrs.frozen(eq=False, repr=False)
class Person:
    """A moving person.

    Attributes:
        convention: how the joints are named.
        skeleton: at rest in a T or an A pose.
        roles: joint by role.
        turned: `[T, J, 4]`, how each joint is turned out of its rest.
        path: `[T, 3]` m, of the first joint.
    """

    convention: str
    skeleton: Skeleton
    roles: dict[str, int]
    turned: Array
    path: Array

    def __repr__(self) -> str:
        return f"<person named as {self.convention}, {len(self.turned)} frames>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))  # hypothesis would print every number

    @property
    def motion(self) -> Motion:
        """The person's clip."""
        return acted(self.skeleton, self.turned, self.path)


@st.composite
def people(draw: Any, *, frames: int = 40, swing: float = 0.5, walk: float = 0.5) -> Person:
    """Draw a person who moves about, on bent legs.

    Joints turn by `swing` rad or so; the body walks `walk` times its height or so.
    """
    convention = draw(st.sampled_from(sorted(CONVENTIONS)))
    skeleton, roles = body(
        convention,
        height=draw(st.floats(0.5, 3.0)),
        spread=draw(st.floats(0.8, 1.2)),
        arms=draw(st.floats(0.0, 1.0)),
    )
    count = draw(st.integers(1, frames))
    return _moving(convention, skeleton, roles, count, draw(st.integers(0, 2**32 - 1)), swing, walk)


def _moving(
    convention: str,
    skeleton: Skeleton,
    roles: dict[str, int],
    count: int,
    seed: int,
    swing: float,
    walk: float,
) -> Person:
    random = np.random.default_rng(seed)
    time = np.linspace(0.0, 1.0, count)[:, None, None]
    waves = [random.normal(size=(1, len(skeleton), 3)) * np.sin(k * time * np.pi + k) for k in (1, 2, 3)]
    vectors = swing / 3 * np.sum(waves, axis=0)
    for side in SIDES:
        for part, bend in (("upper_leg", -0.3), ("lower_leg", 0.6), ("foot", -0.3)):
            vectors[:, roles[f"{side}_{part}"]] *= 0.2
            vectors[:, roles[f"{side}_{part}"], 0] += bend
    own = rotation.from_rotation_vector(vectors)
    turned = np.empty_like(own)
    for joint, parent in enumerate(skeleton.parents):
        turned[:, joint] = (
            own[:, joint] if parent < 0 else rotation.multiply(turned[:, parent], own[:, joint])
        )
    step = random.normal(size=3) * [1.0, 0.02, 1.0] * walk * _size(skeleton)
    path = np.asarray(skeleton.rest_positions)[0] + time[:, 0] * step
    return Person(convention, skeleton, roles, turned, path)


@st.composite
def _turns(draw: Any) -> Array:
    """Draw unit quaternions `[200, 4]`, as many as any person here has joints."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    quarters = random.integers(0, 4, size=(200, 3)) * np.pi / 2
    turns: Array = rotation.from_euler("xyz", quarters)
    if draw(st.booleans()):
        turns = rotation.normalize(random.normal(size=(200, 4)))
    return turns


def _size(skeleton: Skeleton) -> float:
    return float(np.ptp(skeleton.rest_transforms()[0], axis=0).max())


class RetargeterContract(Contract):
    """What callers of a retargeter rely on; subclass it and set `provider`."""

    hook: ClassVar[str] = "retargeter"
    mutants: ClassVar[str | None] = "kinetoscope_retarget.contract_mutants:MUTANTS"

    @law(people())
    def test_own_skeleton_changes_nothing(self, person: Person) -> None:
        """A motion on its own skeleton is what it was, to 1e-4 of the body's size."""
        motion = person.motion
        moved = self._retarget(motion, motion.skeleton)
        off = np.abs(moved.global_transforms()[0] - motion.global_transforms()[0]).max()
        require(off <= 1e-4 * _size(motion.skeleton), f"a joint is {off:.3g} m away on its own skeleton")

    @law(people(), _turns(), st.floats(0.02, 50.0), st.booleans())
    def test_names_axes_and_units_make_no_difference(
        self, person: Person, turns: Array, scale: float, nameless: bool
    ) -> None:
        """On a copy under other names, with other axes, in another unit, joints stand where they stood.

        The copy's joints stand `scale` times as far from the origin, to 1e-4 of its size.
        """
        copy = reaxed(scaled(person.skeleton, scale), turns[: len(person.skeleton)])
        if nameless:
            copy = renamed(copy, [f"node{i}" for i in range(len(copy))])
        expected = acted(copy, person.turned, person.path * scale).global_transforms()[0]
        moved = self._retarget(person.motion, copy)
        off = np.abs(moved.global_transforms()[0] - expected).max() / _size(copy)
        require(off <= 1e-4, f"a joint is {off:.3g} of the body's size away on a copy of its skeleton")

    @law(people(), people(frames=1))
    def test_result_is_the_targets(self, person: Person, other: Person) -> None:
        """The result moves the target's skeleton, frame by frame; what nothing moves rests on its parent.

        Bones keep their lengths: no joint but the one that carries the body leaves its place.
        """
        motion = attrs.evolve(person.motion, framerate=24.0, start_time=1.5)
        match = self.subject.match(motion.skeleton, other.skeleton)
        moved = self._retarget(motion, other.skeleton, match=match)
        require(moved.skeleton == other.skeleton, "the result does not move the target's skeleton")
        for what in ("frame_count", "framerate", "start_time"):
            before, after = getattr(motion, what), getattr(moved, what)
            require(after == before, f"{what} is {after}, the motion's is {before}")
        away = np.abs(moved.positions - other.skeleton.rest_positions).max(axis=(0, 2))
        movers = int(np.sum(away > 1e-5 * _size(other.skeleton)))
        require(movers <= 1, f"{movers} joints leave their place on their parent, expected one at most")
        for name in {item.joint for item in match.left_out_target}:
            joint = other.skeleton.index(name)
            turn = rotation.angle(
                np.asarray(moved.rotations[:, joint], np.float64), other.skeleton.rest_rotations[joint]
            ).max()
            require(turn < 1e-3, f"{name!r} is left out, but turned by {turn:.3g} rad")

    @law(people(), people(frames=1))
    def test_there_and_back(self, person: Person, other: Person) -> None:
        """From one body to another and back, arms and legs point where they pointed, to 0.01 rad."""
        motion = person.motion
        there = self._retarget(motion, other.skeleton, contacts=False)
        back = self._retarget(there, motion.skeleton, contacts=False)
        before, after = motion.global_transforms()[0], back.global_transforms()[0]
        for side in SIDES:
            for start, end in _LIMBS:
                a, b = (person.roles[f"{side}_{part}"] for part in (start, end))
                off = _angle(before[:, b] - before[:, a], after[:, b] - after[:, a]).max()
                require(
                    off < 0.01, f"{side} {start} points {off:.3g} rad elsewhere after going there and back"
                )

    @law(people(swing=0.2, walk=0.02), people(frames=1), st.integers(0, 20), st.integers(2, 30))
    def test_standing_feet_stand(self, person: Person, other: Person, start: int, length: int) -> None:
        """Feet that are said to stand stay in one place, to 5 mm (to 0.3 % of a larger body's size)."""
        motion = person.motion
        contacts = np.zeros((motion.frame_count, 2), bool)
        contacts[start : start + length] = True
        moved = self._retarget(motion, other.skeleton, contacts=contacts).global_transforms()[0]
        allowed = max(_SLIDE_M, 0.003 * _size(other.skeleton))
        for i, side in enumerate(SIDES):
            toes = moved[contacts[:, i], other.roles[f"{side}_toes"]]
            slide = np.linalg.norm(toes - toes[:1], axis=-1).max(initial=0.0)
            require(slide <= allowed, f"the {side} foot slides {slide:.3g} m while it stands")

    @law(people(), people(frames=1))
    def test_every_joint_is_accounted_for(self, person: Person, other: Person) -> None:
        """Each joint of both skeletons is in a pair or left out for a reason; the report names it."""
        match = self.subject.match(person.skeleton, other.skeleton)
        moving = {pair.source for pair in match.pairs} | {pair.second for pair in match.pairs}
        for what, skeleton, paired, left in (
            ("source", person.skeleton, moving, match.left_out_source),
            ("target", other.skeleton, {pair.target for pair in match.pairs}, match.left_out_target),
        ):
            out = {item.joint for item in left}
            lost = [name for name in skeleton.names if (name in paired) == (name in out)]
            require(not lost, f"{lost[:3]} of the {what} are neither in a pair nor left out, or both")
            require(all(item.reason for item in left), f"a joint of the {what} is left out for no reason")
            unsaid = [name for name in out if name not in str(match)]
            require(not unsaid, f"the report does not name {unsaid[:3]} of the {what}")
        require(
            len({pair.target for pair in match.pairs}) == len(match.pairs), "a target joint is in two pairs"
        )
        self._same_side(match, person, other)

    def _same_side(self, match: Match, person: Person, other: Person) -> None:
        ours = {person.skeleton.names[joint]: role for role, joint in person.roles.items()}
        theirs = {other.skeleton.names[joint]: role for role, joint in other.roles.items()}
        for pair in match.pairs:
            sides = [
                role.partition("_")[0] for role in (ours.get(pair.source, ""), theirs.get(pair.target, ""))
            ]
            crossed = sorted(sides) == ["left", "right"]
            require(not crossed, f"{pair.source!r} moves {pair.target!r}, which is on the other side")

    @law(people(frames=1))
    def test_partners_are_left_and_right(self, person: Person) -> None:
        """Every limb and finger has the other side's for a partner, and left is left."""
        pairs = self.subject.mirror_pairs(person.skeleton)
        found = {(pair.left, pair.right) for pair in pairs.pairs}
        for role, joint in person.roles.items():
            if role.startswith("left_"):
                other = person.roles["right_" + role.removeprefix("left_")]
                require((joint, other) in found, f"{person.skeleton.names[joint]!r} lacks its partner")
        joints = [joint for pair in pairs.pairs for joint in (pair.left, pair.right)]
        require(len(set(joints)) == len(joints), "a joint is in two pairs")

    @law(people(), people(frames=1), st.floats(-np.pi, np.pi))
    def test_turning_the_ground_turns_the_result(self, person: Person, other: Person, yaw: float) -> None:
        """Who walks another way is retargeted walking that way, to 1e-3 of the body's size."""
        turn = rotation.from_yaw(np.array(yaw))
        turned = acted(
            person.skeleton, rotation.multiply(turn, person.turned), rotation.rotate(turn, person.path)
        )
        plain = self._retarget(person.motion, other.skeleton).global_transforms()[0]
        moved = self._retarget(turned, other.skeleton).global_transforms()[0]
        root = self._carried(other)
        off = np.abs(moved - rotation.rotate(turn, plain))[:, root:].max() / _size(other.skeleton)
        require(off < 1e-3, f"walking another way, a joint is {off:.3g} of the body's size elsewhere")

    def _carried(self, person: Person) -> int:
        """Return the first joint that moves; nodes above the body stay where they are."""
        return int(min(person.roles.values()))

    def _retarget(self, motion: Motion, target: Skeleton, **options: Any) -> Motion:
        moved: Motion = self.subject.retarget(motion, target, **options)
        return moved


def _angle(a: Array, b: Array) -> Array:
    cross, dot = np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)
    angle: Array = np.arctan2(cross, dot)
    return angle
