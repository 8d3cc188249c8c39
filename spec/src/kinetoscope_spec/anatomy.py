"""Which joint is which: roles of humanoid joints by the names that tools give them.

Known conventions: Bandai Namco (`UpperLeg_L`), Mixamo (`mixamorig:LeftUpLeg`), CMU (`LeftUpLeg`,
`lfemur`), LaFAN and Geno (`LeftUpLeg`), Unity Humanoid (`LeftUpperLeg`), Unreal (`thigh_l`),
Blender Rigify (`thigh.L`), 3ds Max Biped (`Bip01 L Thigh`), SMPL (`L_Hip`), BioVision (`LeftHip`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from kinetoscope_spec.motion import Skeleton

__all__ = ["ROLES", "roles", "side", "sided_pairs"]

# Of each role the words that name it, the surest first. Joints stand where a bone begins: a hand's
# joint is the wrist, a foot's the ankle.
_LIMBS = {
    "shoulder": ("clavicle", "collar", "clav", "shoulder"),
    "upper_arm": ("upperarm", "uparm", "arm", "humerus", "bicep", "shoulder"),
    "lower_arm": ("lowerarm", "forearm", "loarm", "radius", "elbow"),
    "hand": ("wrist", "hand"),
    "upper_leg": ("upperleg", "upleg", "thigh", "femur", "hip", "leg"),
    "lower_leg": ("lowerleg", "loleg", "shin", "calf", "tibia", "knee", "leg"),
    "foot": ("ankle", "foot"),
    "toes": ("toes", "toe", "toebase", "toe0", "ball", "foot"),
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

_PREFIX = re.compile(
    r"^(?:mixamorig\d*[_. \-]?"
    r"|(?:Bip0?01|bip|CC_Base|joint|jt|jnt|bone|Character\d*|DEF)[_. \-])"
)
_SMALL = (
    "femur|tibia|foot|toes?|clavicle|humerus|radius|wrist|hand|fingers|thumb|hipjoint|thigh|shin|calf|"
    "arm|leg|knee|ankle|shoulder|collar"
)
_SIDES = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"^(left|right)", re.I),
        (r"(left|right)$", re.I),
        (r"[_.\- ](l|r)$", re.I),
        (r"^(l|r)[_.\- ]", re.I),
        (r"[_.\- ](l|r|left|right)[_.\- ]", re.I),
        (r"^(l|r)(?=[A-Z])", 0),
        (rf"^(l|r)(?=(?:{_SMALL})$)", re.I),
    )
)


def side(name: str) -> tuple[str | None, str]:
    """Split a joint's name into `left`, `right` or None, and what is left, lower-case letters only.

    `UpperLeg_L`, `l_upperLeg` and `mixamorig:LeftUpperLeg` all give `("left", "upperleg")`.
    """
    plain = _PREFIX.sub("", name.rsplit(":", 1)[-1])
    for pattern in _SIDES:
        match = pattern.search(plain)
        if match:
            where = "left" if match.group(1).lower().startswith("l") else "right"
            return where, _letters(plain[: match.start()] + plain[match.end() :])
    return None, _letters(plain)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def roles(skeleton: Skeleton) -> Mapping[str, int]:
    """Return the joint index of every role that the names in `skeleton` tell; others are absent.

    Where several joints could have a role the surest name wins, then the joint nearest the root.
    Names that mean different things in different rigs are told apart by their neighbours: a
    `Shoulder` above the elbow is the upper arm where a `Collar` or nothing stands above it. Hips,
    spine, chest, neck and head that have no known name are found from where legs and arms branch.
    """
    named: dict[tuple[str | None, str], int] = {}
    for joint, name in enumerate(skeleton.names):
        named.setdefault(side(name), joint)
    found: dict[str, int] = {}
    for limb_side in ("left", "right"):
        for limb, words in _limb_words(named, limb_side):
            _claim(found, f"{limb_side}_{limb}", [named.get((limb_side, word)) for word in words])
    for role, words in _CENTRE.items():
        _claim(found, role, [named.get((None, word)) for word in words])
    _complete_trunk(skeleton, found)
    return MappingProxyType({role: found[role] for role in ROLES if role in found})


def _limb_words(
    named: Mapping[tuple[str | None, str], int], limb_side: str
) -> list[tuple[str, Sequence[str]]]:
    """Return the limbs with their words; a `Shoulder` with no arm below it is itself the arm."""
    arm = any((limb_side, word) in named for word in _LIMBS["upper_arm"][:-1])
    words = dict(_LIMBS)
    if not arm:
        words["shoulder"] = words["shoulder"][:-1]
    return list(words.items())


def _claim(found: dict[str, int], role: str, candidates: Sequence[int | None]) -> None:
    for joint in candidates:
        if joint is not None and joint not in found.values():
            found[role] = joint
            return


def _complete_trunk(skeleton: Skeleton, found: dict[str, int]) -> None:
    """Add hips, spine, chest, neck and head where their names are unknown but their place is not."""
    legs = _meeting(skeleton, found.get("left_upper_leg"), found.get("right_upper_leg"))
    arms = _meeting(
        skeleton,
        found.get("left_shoulder", found.get("left_upper_arm")),
        found.get("right_shoulder", found.get("right_upper_arm")),
    )
    if legs is not None and "hips" not in found:
        _take_over(found, "hips", legs)
    if arms is None or arms == legs:
        return
    if "spine" not in found:
        path = [joint for joint in _line(skeleton, arms) if joint > found.get("hips", -1)]
        if len(path) > 1:
            _take_over(found, "chest", arms)
            found["spine"] = path[-1]
    if "chest" not in found and arms not in found.values():
        found["chest"] = arms
    _complete_head(skeleton, found, arms)


def _take_over(found: dict[str, int], role: str, joint: int) -> None:
    for other in [name for name, taken in found.items() if taken == joint]:
        del found[other]
    found[role] = joint


def _complete_head(skeleton: Skeleton, found: dict[str, int], chest: int) -> None:
    """Take the longest chain that leaves the chest without leading to an arm for neck and head."""
    if "head" in found:
        return
    limbs = {joint for role, joint in found.items() if role.startswith(("left", "right"))}
    lines = [_line(skeleton, joint) for joint in range(chest + 1, len(skeleton))]
    free = [line[: line.index(chest)] for line in lines if chest in line and not limbs & set(line)]
    longest = max(free, key=len, default=[])
    if longest:
        found["head"] = longest[0]
    if len(longest) > 1:
        found.setdefault("neck", longest[-1])


def _line(skeleton: Skeleton, joint: int) -> list[int]:
    """Return `joint` and all joints above it, up to its root."""
    line = []
    while joint >= 0:
        line.append(joint)
        joint = int(skeleton.parents[joint])
    return line


def _meeting(skeleton: Skeleton, a: int | None, b: int | None) -> int | None:
    """Return the lowest joint that both `a` and `b` hang on."""
    if a is None or b is None:
        return None
    above = set(_line(skeleton, a)[1:])
    return next((joint for joint in _line(skeleton, b)[1:] if joint in above), None)


def sided_pairs(skeleton: Skeleton) -> tuple[tuple[int, int], ...]:
    """Return (left, right) joint indices of all joints that differ in their side alone."""
    sides = [side(name) for name in skeleton.names]
    place = {key: joint for joint, key in reversed(list(enumerate(sides)))}
    return tuple(
        (joint, place["right", rest])
        for joint, (where, rest) in enumerate(sides)
        if where == "left" and ("right", rest) in place
    )
