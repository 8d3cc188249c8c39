"""Which joint is which: roles of humanoid joints by the names that tools give them.

Known conventions: Bandai Namco (`UpperLeg_L`), Mixamo (`mixamorig:LeftUpLeg`), CMU (`LeftUpLeg`,
`lfemur`), LaFAN and Geno (`LeftUpLeg`), Unity Humanoid (`LeftUpperLeg`), Unreal (`thigh_l`),
Blender Rigify (`thigh.L`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from kinetoscope_spec.motion import Skeleton

__all__ = ["ROLES", "roles", "side", "sided_pairs"]

_LIMBS = {
    "shoulder": ("shoulder", "clavicle", "collar", "clav"),
    "upper_arm": ("upperarm", "uparm", "arm", "humerus", "bicep"),
    "lower_arm": ("lowerarm", "forearm", "loarm", "radius", "elbow"),
    "hand": ("hand", "wrist"),
    "upper_leg": ("upperleg", "upleg", "thigh", "femur", "hip"),
    "lower_leg": ("lowerleg", "loleg", "leg", "shin", "calf", "tibia", "knee"),
    "foot": ("foot", "ankle"),
    "toes": ("toes", "toe", "toebase", "ball"),
}
_CENTRE = {
    "hips": ("hips", "pelvis", "hip"),
    "spine": ("spine", "lowerback", "spine1", "spine01", "abdomen"),
    "chest": ("chest", "spine3", "spine2", "spine03", "upperchest", "thorax", "spine1"),
    "neck": ("neck", "neck1", "neck01", "lowerneck"),
    "head": ("head",),
}

ROLES: tuple[str, ...] = (
    *_CENTRE,
    *(f"{limb_side}_{limb}" for limb_side in ("left", "right") for limb in _LIMBS),
)
"""All roles: `hips`, `spine`, ..., `left_upper_leg`, `left_lower_leg`, `left_foot`, `left_toes`, ..."""

def _plain(name: str) -> str:
    """Return `name` without the rig's prefix: `mixamorig:Hips` is `Hips`."""
    name = name.rsplit(":", 1)[-1]
    return re.sub(r"^(mixamorig\d*|Bip0?01|bip|CC_Base|joint|jt|jnt|bone|Character\d*|DEF)[_. \-]", "", name)


def side(name: str) -> tuple[str | None, str]:
    """Split a joint's name into `left`, `right` or None, and what is left, lower-case letters only.

    `UpperLeg_L`, `l_upperLeg` and `mixamorig:LeftUpperLeg` all give `("left", "upperleg")`.
    """
    plain = _plain(name)
    where: str | None = None
    rest = plain
    for pattern, flags in (
        (r"^(left|right)", re.I),
        (r"(left|right)$", re.I),
        (r"[_.\- ](l|r)$", re.I),
        (r"^(l|r)[_.\- ]", re.I),
        (r"[_.\- ](l|r|left|right)[_.\- ]", re.I),
        (r"^(l|r)(?=[A-Z])", 0),
        (r"^(l|r)(?=(?:femur|tibia|foot|toes|clavicle|humerus|radius|wrist|hand|fingers|thumb|hipjoint|thigh|shin|calf|arm|leg|knee|ankle|shoulder|collar)$)", 0),
    ):
        match = re.search(pattern, plain, flags)
        if match:
            where = "left" if match.group(1).lower().startswith("l") else "right"
            rest = plain[: match.start()] + plain[match.end() :]
            break
    return where, re.sub(r"[^a-z0-9]", "", rest.lower())


def roles(skeleton: Skeleton) -> Mapping[str, int]:
    """Return the joint index of every role that the names in `skeleton` tell; others are absent.

    Where several joints could have a role the name listed first for it wins, then the one nearest
    the root.
    """
    named: dict[tuple[str | None, str], int] = {}
    for joint, name in enumerate(skeleton.names):
        named.setdefault(side(name), joint)
    found: dict[str, int] = {}
    for role, words in _CENTRE.items():
        _claim(found, role, [named.get((None, word)) for word in words])
    for limb_side in ("left", "right"):
        for limb, words in _LIMBS.items():
            _claim(found, f"{limb_side}_{limb}", [named.get((limb_side, word)) for word in words])
    return MappingProxyType(found)


def _claim(found: dict[str, int], role: str, candidates: Sequence[int | None]) -> None:
    for joint in candidates:
        if joint is not None and joint not in found.values():
            found[role] = joint
            return


def sided_pairs(skeleton: Skeleton) -> tuple[tuple[int, int], ...]:
    """Return (left, right) joint indices of all joints that differ in their side alone."""
    sides = [side(name) for name in skeleton.names]
    place = {key: joint for joint, key in reversed(list(enumerate(sides)))}
    return tuple(
        (joint, place["right", rest])
        for joint, (where, rest) in enumerate(sides)
        if where == "left" and ("right", rest) in place
    )
