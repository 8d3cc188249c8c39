"""What a retargeter takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs
from numpy.typing import NDArray

from kinetoscope_spec import Asset, Character, Motion, Skeleton

__all__ = ["Array", "LeftOut", "Match", "MirrorPair", "Pair", "Pairs", "Retargeter"]

Array = NDArray[Any]


@attrs.frozen
class Pair:
    """A joint of the target and the joint of the source that moves it.

    Attributes:
        source, target: names of joints.
        role: what both are, such as `left_lower_arm`, `spine_2`, `right_index_1`; empty where they
            were paired by likeness alone.
        why: `given`, `shape` (the same tree with the same bones), `name`, `structure`, `chain` (a
            place along spine, neck or a finger) or `alike` (equal names outside the known roles).
        confidence: 0 to 1.
        second: a further joint of the source that moves the target, where a chain of the target has
            other joints than the source's; None where one joint does it all.
        share: of the movement, what `second` gives, 0 to 1.
    """

    source: str
    target: str
    role: str
    why: str
    confidence: float
    second: str | None = None
    share: float = 0.0


@attrs.frozen
class LeftOut:
    """A joint that has no partner, and why."""

    joint: str
    reason: str


@attrs.frozen
class Match:
    """Which joints of two skeletons belong together. `str()` gives a report to read.

    Attributes:
        pairs: in the order of the target's joints, none of which occurs twice.
        left_out_source: joints whose movement is lost.
        left_out_target: joints that keep their rest pose relative to their parent.
        same_shape: both skeletons are one tree with the same bones, up to one scale and one turn.
        notes: what a reader should know, one sentence each.
    """

    pairs: tuple[Pair, ...]
    left_out_source: tuple[LeftOut, ...] = ()
    left_out_target: tuple[LeftOut, ...] = ()
    same_shape: bool = False
    notes: tuple[str, ...] = ()

    def roles(self) -> Mapping[str, tuple[str, str]]:
        """Return source and target joint by role."""
        return {pair.role: (pair.source, pair.target) for pair in self.pairs if pair.role}

    def __str__(self) -> str:
        from kinetoscope_retarget._report import report

        return report(self)


@attrs.frozen
class MirrorPair:
    """A left and a right joint.

    Attributes:
        left, right: joint indices.
        why: `name` or `structure`.
        off: how far the rest pose is from putting the left joint's mirror image on the right one, as a
            share of the body's size; None where the rest pose as a whole is not symmetric.
        agrees: the rest pose does not speak against the pair.
    """

    left: int
    right: int
    why: str
    off: float | None
    agrees: bool


@attrs.frozen(eq=False)
class Pairs:
    """Which joints are partners when left and right are exchanged.

    Attributes:
        pairs: every joint is in one pair at most.
        middle: indices of joints that are their own partner.
        normal: unit vector `[3]` across the plane of symmetry of the rest pose, towards the left, or
            None where the rest pose has none.
        point: a point `[3]` m of that plane, or None.
        doubts: what names say and the rest pose denies, one sentence each.
    """

    pairs: tuple[MirrorPair, ...]
    middle: tuple[int, ...]
    normal: Array | None = None
    point: Array | None = None
    doubts: tuple[str, ...] = ()

    def partners(self, count: int) -> tuple[int, ...]:
        """Return the partner of each of `count` joints; a joint in the middle is its own."""
        other = list(range(count))
        for pair in self.pairs:
            other[pair.left], other[pair.right] = pair.right, pair.left
        return tuple(other)


@runtime_checkable
class Retargeter(Protocol):
    """Puts motions of one skeleton on another.

    The result moves the target's skeleton, has as many frames as the motion, its framerate and its
    morph weights.
    Joints that no joint of the source moves keep their rest pose, bones keep their lengths. What
    the joints are called, how their axes are turned and what unit the skeleton is built in makes no
    difference to where the joints stand. Onto its own skeleton a motion stays what it was.
    """

    def match(self, source: Skeleton, target: Skeleton, *, names: Mapping[str, str] | None = None) -> Match:
        """Find which joints belong together.

        Args:
            names: pairs that are known: source joints by target joint.

        Raises:
            ValidationError: `names` holds a name that a skeleton has not; nothing matches.
        """
        ...

    def retarget(
        self,
        motion: Motion,
        target: Skeleton | Character | Motion | Asset,
        *,
        match: Match | None = None,
        contacts: Array | bool | None = None,
        path: str = "scaled",
        reference: Motion | None = None,
    ) -> Motion:
        """Return `motion` on another skeleton.

        Args:
            motion: of any skeleton.
            target: whom to move. A character's bind pose, or a clip of the target, shows how its
                joints are turned where its rest pose does not; an asset may have both.
            match: which joints belong together; found when None.
            contacts: bool `[T, 2]`, when the left and the right foot stand; found when None or
                True; with False feet are left as they come.
            path: `scaled` by the legs' lengths, or `metres` as the source walked them.
            reference: a clip of the source that shows how its joints are turned, better than
                `motion` does (a T pose, a longer take).

        Raises:
            ValidationError: a shape, an unknown option, nothing that matches.
        """
        ...

    def mirror_pairs(self, skeleton: Skeleton) -> Pairs:
        """Find left and right partners by names, or by the rest pose, and check one by the other."""
        ...
