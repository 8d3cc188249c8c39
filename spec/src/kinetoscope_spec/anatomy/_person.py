"""A person in a skeleton: which joint is the hips, the left forearm, the second bone of a thumb."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import attrs

from kinetoscope_spec.anatomy._names import JointName, read_name
from kinetoscope_spec.anatomy._tree import Tree
from kinetoscope_spec.anatomy._words import CENTRE, FINGERS, LIMBS, METACARPAL, TRUNK
from kinetoscope_spec.motion import Skeleton

__all__ = ["SIDES", "Person", "person"]

SIDES = ("left", "right")

_CANDIDATES = 6
"""Of the joints with a part's name, how many are tried at most."""

_BIPED_FINGER = re.compile(r"finger[ _]?(\d)(\d*)", re.I)
_CENTRE_WORDS = TRUNK | {word for words in CENTRE.values() for word in words}


@attrs.frozen(eq=False)
class Person:
    """The joints of a person.

    Attributes:
        skeleton: whose.
        limbs: joint by role: `left_shoulder`, `left_upper_arm`, ..., `right_toes`; some may be absent.
        hips: the joint that carries the legs, or None.
        spine: from the first joint above the hips to the one that carries the arms.
        neck: between spine and head.
        head: or None.
        fingers: chains from the palm outwards, by side and finger.
        by_name: joints that their names told; the others were told by the structure.
    """

    skeleton: Skeleton
    limbs: Mapping[str, int]
    hips: int | None
    spine: tuple[int, ...]
    neck: tuple[int, ...]
    head: int | None
    fingers: Mapping[tuple[str, str], tuple[int, ...]]
    by_name: frozenset[int]

    @property
    def chest(self) -> int | None:
        """The joint that carries the arms."""
        return self.spine[-1] if self.spine else self.hips

    @property
    def carrier(self) -> int | None:
        """The joint that carries legs and trunk: whoever moves it moves the whole person."""
        ends = [joint for joint in (self.hips, self.chest, self.head) if joint is not None]
        return Tree(self.skeleton).meeting(ends) if ends else None

    def limb(self, side: str, part: str) -> int | None:
        """Return the joint of a limb, such as `("left", "foot")`, or None."""
        return self.limbs.get(f"{side}_{part}")

    def roles(self) -> dict[str, int]:
        """Return every joint by its role."""
        found: dict[str, int] = {} if self.hips is None else {"hips": self.hips}
        for i, joint in enumerate(self.spine[:-1]):
            found[f"spine_{i + 1}"] = joint
        if self.spine:
            found["chest"] = self.spine[-1]
        found |= {f"neck_{i + 1}": joint for i, joint in enumerate(self.neck)}
        if self.head is not None:
            found["head"] = self.head
        found |= self.limbs
        for (side, finger), chain in self.fingers.items():
            found |= {f"{side}_{finger}_{i + 1}": joint for i, joint in enumerate(chain)}
        return found


@lru_cache(maxsize=64)
def _named(skeleton: Skeleton) -> Person:
    tree, names = Tree(skeleton), [read_name(name) for name in skeleton.names]
    limbs = _limbs_by_name(tree, names)
    return _complete(skeleton, tree, names, limbs, frozenset(limbs.values()))


def person(skeleton: Skeleton, limbs: Mapping[str, int] | None = None) -> Person:
    """Find the person in a skeleton by the names of its joints.

    Hips, spine, neck and head whose names say nothing are found from where legs and arms branch.

    Args:
        skeleton: of any rig; where it is no person's, the parts are absent.
        limbs: joints by role (`left_upper_leg`, ...) that the caller knows otherwise, such as by the
            shape of the rest pose, instead of those that the names tell.
    """
    if limbs is None:
        return _named(skeleton)
    names = [read_name(name) for name in skeleton.names]
    return _complete(skeleton, Tree(skeleton), names, dict(limbs), frozenset())


def _complete(
    skeleton: Skeleton,
    tree: Tree,
    names: Sequence[JointName],
    limbs: Mapping[str, int],
    named: frozenset[int],
) -> Person:
    """Find the trunk and the fingers of a person whose limbs are known."""
    hips = _hips(tree, names, limbs)
    chest = _chest(tree, names, limbs, hips)
    spine = _spine(tree, hips, chest)
    top = spine[-1] if spine else hips
    head = _head(skeleton, tree, names, limbs, top)
    neck = tuple(tree.between(top, head)) if top is not None and head is not None else ()
    trunk = [joint for joint in (hips, head, *spine, *neck) if joint is not None]
    told = {joint for joint in trunk if names[joint].side is None and _says(names[joint])}
    fingers = _fingers(skeleton, tree, names, limbs)
    told |= {joint for chain in fingers.values() for joint in chain}
    return Person(skeleton, limbs, hips, spine, neck, head, fingers, named | told)


def _says(name: JointName) -> bool:
    return any(piece in _CENTRE_WORDS for piece in (*name.pieces, name.word))


def _limbs_by_name(tree: Tree, names: Sequence[JointName]) -> dict[str, int]:
    limbs: dict[str, int] = {}
    for side in SIDES:
        words: dict[str, list[int]] = {}
        for joint, name in enumerate(names):
            if name.side == side and name.kind == "joint":
                words.setdefault(name.word, []).append(joint)
        for joints in words.values():
            # A marker stands in a joint and has its name, but carries nothing.
            joints.sort(key=lambda j: (len(names[j].numbers), not tree.children[j], tree.depth[j]))
        for group in LIMBS.values():
            found = _chain(tree, words, group)
            limbs |= {f"{side}_{part}": joint for part, joint in _with_toes(tree, names, found, words)}
    return limbs


def _chain(
    tree: Tree, words: Mapping[str, Sequence[int]], group: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Claim joints for the parts of a limb; each hangs on the one before it.

    Of all ways to do so the one that finds the most parts is taken, then the one with the surest words.
    """
    # A shoulder without an arm below it is itself the arm.
    alone = not any(word in words for word in group.get("upper_arm", ())[:-1])
    candidates = {
        part: [
            joint
            for word in spoken
            if not (part == "shoulder" and alone and word == "shoulder")
            for joint in words.get(word, ())
        ][:_CANDIDATES]
        for part, spoken in group.items()
    }

    def best(parts: Sequence[str], above: int | None) -> dict[str, int]:
        most: dict[str, int] = {}
        for joint in candidates[parts[0]] if parts else ():
            if above is None or tree.hangs_on(joint, above):
                found = {parts[0]: joint} | best(parts[1:], joint)
                most = max(most, found, key=len)
        return max(most, best(parts[1:], above), key=len) if parts else most

    return best(tuple(group), None)


def _with_toes(
    tree: Tree, names: Sequence[JointName], limb: dict[str, int], words: Mapping[str, Sequence[int]]
) -> Iterable[tuple[str, int]]:
    """Take for the foot what carries the toes, where a joint called foot stands beside it."""
    lower, foot = limb.get("lower_leg"), limb.get("foot")
    if lower is not None and foot is not None and "toes" not in limb:
        said = [joint for word in LIMBS["leg"]["toes"][:-1] for joint in words.get(word, ())]
        toes = next((joint for joint in said if tree.hangs_on(joint, lower)), None)
        line = [] if toes is None else tree.between(lower, toes)
        ankle = next((joint for joint in line if names[joint].kind == "joint"), None)
        if toes is not None and ankle is not None:
            limb = limb | {"foot": ankle, "toes": toes}
    return limb.items()


def _hips(tree: Tree, names: Sequence[JointName], limbs: Mapping[str, int]) -> int | None:
    legs = [limbs[role] for role in ("left_upper_leg", "right_upper_leg") if role in limbs]
    if len(legs) == 2:
        meeting = tree.meeting([tree.parents[leg] for leg in legs]) if min(legs) > 0 else None
        if meeting is not None:
            return meeting
    return _first(names, "hips")


def _chest(tree: Tree, names: Sequence[JointName], limbs: Mapping[str, int], hips: int | None) -> int | None:
    arms = [
        next((limbs[role] for part in ("shoulder", "upper_arm") if (role := f"{side}_{part}") in limbs), -1)
        for side in SIDES
    ]
    if min(arms) <= 0:
        return None
    meeting = tree.meeting([tree.parents[arm] for arm in arms])
    if meeting is not None and any(word in names[meeting].word for word in CENTRE["neck"]):
        meeting = tree.parents[meeting]  # 3ds Max hangs clavicles on the neck
    return None if meeting in (None, hips, -1) else meeting


def _spine(tree: Tree, hips: int | None, chest: int | None) -> tuple[int, ...]:
    if chest is None:
        return ()
    carrier = None if hips is None else tree.meeting([hips, chest])
    if carrier is None:
        return (chest,)
    return (*tree.between(carrier, chest), chest)


def _first(names: Sequence[JointName], role: str) -> int | None:
    for word in CENTRE[role]:
        for joint, name in enumerate(names):
            if name.side is None and name.kind == "joint" and name.word == word:
                return joint
    return None


def _head(
    skeleton: Skeleton, tree: Tree, names: Sequence[JointName], limbs: Mapping[str, int], top: int | None
) -> int | None:
    """Return the head by name, or at the end of the chain that leaves the chest between the arms."""
    named = _first(names, "head")
    if named is not None and (top is None or tree.hangs_on(named, top)):
        return named
    if top is None:
        return None
    taken = set(limbs.values())
    reach = tree.reach(skeleton.rest_positions)
    free = [c for c in tree.children[top] if not taken & {c, *tree.below(c)} and names[c].side is None]
    if not free:
        return None
    # Down the longest chain. Without names its last joint is taken for the head's tip, if it has three.
    joint = max(free, key=lambda c: reach[c])
    chain = [joint]
    while tree.children[joint]:
        joint = max(tree.children[joint], key=lambda c: reach[c])
        chain.append(joint)
    nameless = not any(names[joint].side for joint in taken)
    if names[chain[-1]].kind == "end" or (nameless and len(chain) > 2):
        chain = chain[:-1] or chain
    return chain[-1]


def _fingers(
    skeleton: Skeleton, tree: Tree, names: Sequence[JointName], limbs: Mapping[str, int]
) -> dict[tuple[str, str], tuple[int, ...]]:
    found: dict[tuple[str, str], list[int]] = {}
    for side in SIDES:
        hand = limbs.get(f"{side}_hand")
        for joint in [] if hand is None else tree.below(hand):
            finger = _finger(skeleton.names[joint], names[joint])
            if finger is not None:
                found.setdefault((side, finger), []).append(joint)
    return {key: _one_chain(tree, joints) for key, joints in found.items()}


def _finger(written: str, name: JointName) -> str | None:
    if name.kind != "joint" or any(piece in METACARPAL for piece in name.pieces):
        return None
    numbered = _BIPED_FINGER.search(written)
    if numbered and int(numbered[1]) < len(FINGERS):
        return tuple(FINGERS)[int(numbered[1])]
    pieces = {*name.pieces, name.word}
    return next((finger for finger, words in FINGERS.items() if pieces & set(words)), None)


def _one_chain(tree: Tree, joints: Sequence[int]) -> tuple[int, ...]:
    """Return the joints that hang on one another, from the first down."""
    chain = [joints[0]]
    for joint in joints[1:]:
        if tree.hangs_on(joint, chain[-1]):
            chain.append(joint)
    return tuple(chain)
