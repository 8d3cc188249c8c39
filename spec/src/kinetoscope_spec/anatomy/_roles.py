"""The roles of a person's joints, and the pairs that differ in their side alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from kinetoscope_spec.anatomy._names import JointName, read_name
from kinetoscope_spec.anatomy._person import SIDES, person
from kinetoscope_spec.anatomy._words import LIMBS
from kinetoscope_spec.motion import Skeleton

__all__ = ["ROLES", "roles", "sided_pairs"]

# Where no arms show which joints are the trunk, these words do, the surest first.
_TRUNK = {
    "hips": ("hips", "pelvis", "hip"),
    "spine": ("spine", "lowerback", "abdomen"),
    "chest": ("chest", "upperchest", "thorax"),
    "neck": ("neck", "lowerneck"),
    "head": ("head",),
}

ROLES: tuple[str, ...] = (
    *_TRUNK,
    *(f"{side}_{part}" for side in SIDES for group in LIMBS.values() for part in group),
)
"""All roles: `hips`, `spine`, ..., `left_upper_leg`, `left_lower_leg`, `left_foot`, `left_toes`, ..."""


def roles(skeleton: Skeleton) -> Mapping[str, int]:
    """Return the joint index of every role that the names in `skeleton` tell; others are absent.

    The first joint above the hips is the `spine`, the one that carries the arms the `chest`, the
    first above it the `neck`. `person` says more: every joint of the spine, and the fingers.
    """
    who = person(skeleton)
    found = dict(who.limbs)
    trunk = {
        "hips": who.hips,
        "spine": who.spine[0] if len(who.spine) > 1 else None,
        "chest": who.chest if who.spine else None,
        "neck": who.neck[0] if who.neck else None,
        "head": who.head,
    }
    found |= {role: joint for role, joint in trunk.items() if joint is not None}
    names = [read_name(name) for name in skeleton.names]
    for role, words in _TRUNK.items():
        if role not in found:
            _claim(found, role, names, words)
    return MappingProxyType({role: found[role] for role in ROLES if role in found})


def _claim(found: dict[str, int], role: str, names: Sequence[JointName], words: Sequence[str]) -> None:
    taken = set(found.values())
    for word in words:
        for joint, name in enumerate(names):
            if (name.side, name.kind, name.word) == (None, "joint", word) and joint not in taken:
                found[role] = joint
                return


def sided_pairs(skeleton: Skeleton) -> tuple[tuple[int, int], ...]:
    """Return (left, right) joint indices of all joints whose names differ in their side alone.

    Where several joints have one name but for the side, the first of each side are a pair, then the
    second, as far as both sides go.
    """
    places: dict[tuple[str | None, object], list[int]] = {}
    for joint, written in enumerate(skeleton.names):
        name = read_name(written)
        places.setdefault((name.side, name.key), []).append(joint)
    pairs = [
        pair
        for (side, key), lefts in places.items()
        if side == "left"
        for pair in zip(lefts, places.get(("right", key), ()), strict=False)
    ]
    return tuple(sorted(pairs))
