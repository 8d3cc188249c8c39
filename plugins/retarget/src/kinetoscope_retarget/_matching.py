"""Which joints of two skeletons belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kinetoscope_retarget import _shape
from kinetoscope_retarget._body import body_of
from kinetoscope_retarget._bones import metric_offsets
from kinetoscope_retarget._leftovers import left_out
from kinetoscope_retarget._twists import twists_of
from kinetoscope_retarget.protocol import Match, Pair
from kinetoscope_spec import Skeleton, ValidationError
from kinetoscope_spec.anatomy import JointName, Person, Tree, read_name
from kinetoscope_spec.errors import nearest

__all__ = ["match_skeletons"]

_SURE = {"given": 1.0, "shape": 1.0, "name": 0.95, "chain": 0.8, "alike": 0.7, "structure": 0.6}


def match_skeletons(source: Skeleton, target: Skeleton, names: Mapping[str, str] | None = None) -> Match:
    """Match two skeletons; see `Retargeter.match`."""
    given = dict(names or {})
    for what, wanted, skeleton in (
        ("target", given.keys(), target),
        ("source", given.values(), source),
    ):
        for name in wanted:
            if name not in skeleton.names:
                raise ValidationError(
                    f"match: the {what} has no joint {name!r}{nearest(name, skeleton.names)}"
                )
    if not given and _shape.same_shape(source, target) is not None:
        return _one_to_one(source, target)
    matcher = _Matcher(source, target)
    for theirs, ours in given.items():
        matcher.add(source.index(ours), target.index(theirs), "", "given")
    matcher.people()
    matcher.alike()
    matcher.twists()
    if not matcher.pairs:
        raise ValidationError(
            f"match: no joint of the source ({', '.join(source.names[:8])}, ...) is like one of the target "
            f"({', '.join(target.names[:8])}, ...); name pairs with names={{target: source}}"
        )
    pairs = tuple(matcher.pairs[joint] for joint in sorted(matcher.pairs))
    return Match(pairs, *left_out(matcher.bodies, pairs), notes=matcher.notes())


def _one_to_one(source: Skeleton, target: Skeleton) -> Match:
    roles = {joint: role for role, joint in (body_of(source).roles() or body_of(target).roles()).items()}
    pairs = tuple(
        Pair(ours, theirs, roles.get(joint, ""), "shape", _SURE["shape"])
        for joint, (ours, theirs) in enumerate(zip(source.names, target.names, strict=True))
    )
    return Match(pairs, same_shape=True)


class _Matcher:
    def __init__(self, source: Skeleton, target: Skeleton) -> None:
        self.bodies = body_of(source), body_of(target)
        self.names: tuple[list[JointName], list[JointName]] = (
            [read_name(name) for name in source.names],
            [read_name(name) for name in target.names],
        )
        self.pairs: dict[int, Pair] = {}
        self.taken: set[int] = set()

    def add(
        self, ours: int, theirs: int, role: str, why: str, second: int | None = None, share: float = 0.0
    ) -> None:
        """Pair a joint of the source with one of the target, if both are free."""
        if theirs in self.pairs or (ours in self.taken and why not in ("given", "chain")):
            return
        names = self.bodies[0].skeleton.names
        self.taken |= {ours} if second is None else {ours, second}
        self.pairs[theirs] = Pair(
            names[ours],
            self.bodies[1].skeleton.names[theirs],
            role,
            why,
            _SURE[why],
            None if second is None else names[second],
            share,
        )

    def people(self) -> None:
        """Pair what has the same role in both bodies."""
        ours, theirs = (body.roles() for body in self.bodies)
        for role, joint in theirs.items():
            if role in ours and not role.startswith(("spine_", "neck_")):
                self.add(ours[role], joint, role, self._why(ours[role], joint))
        a, b = self.bodies
        if a.carrier is not None and b.carrier is not None:
            # Where pelvis and trunk hang side by side on a centre, it goes with the hips.
            self.add(a.carrier, b.carrier, "body", "chain")
        self._chain([a.hips, *a.spine], [b.hips, *b.spine], "spine")
        self._chain([a.chest, *a.neck, a.head], [b.chest, *b.neck, b.head], "neck")

    def _why(self, ours: int, theirs: int) -> str:
        a, b = self.bodies
        return "name" if ours in a.by_name and theirs in b.by_name else "structure"

    def _chain(self, ours: Sequence[int | None], theirs: Sequence[int | None], role: str) -> None:
        """Pair the joints between the ends of two chains; unequal chains by where along them they are."""
        first, second = ([j for j in chain if j is not None] for chain in (ours, theirs))
        if len(first) < 2 or len(second) < 2 or None in (ours[0], ours[-1], theirs[0], theirs[-1]):
            return
        inner = range(1, len(second) - 1)
        if len(first) == len(second):
            for i in inner:
                self.add(first[i], second[i], f"{role}_{i}", self._why(first[i], second[i]))
            return
        knots = _along(self.bodies[0], first)
        for i, at in zip(inner, _along(self.bodies[1], second)[1:-1], strict=True):
            k = min(int(np.searchsorted(knots, at, side="right")) - 1, len(first) - 2)
            share = float((at - knots[k]) / max(knots[k + 1] - knots[k], 1e-9))
            if share < 0.02 or share > 0.98:
                self.add(first[k + (share > 0.5)], second[i], f"{role}_{i}", "chain")
            else:
                self.add(first[k], second[i], f"{role}_{i}", "chain", first[k + 1], round(share, 6))

    def alike(self) -> None:
        """Pair joints outside the known roles that have the same name, side and place in the tree."""
        places: dict[object, list[int]] = {}
        for joint, name in enumerate(self.names[0]):
            places.setdefault((name.side, name.key), []).append(joint)
        trees = [Tree(body.skeleton) for body in self.bodies]
        count: dict[object, int] = {}
        for name in self.names[1]:
            count[name.side, name.key] = count.get((name.side, name.key), 0) + 1
        for theirs, name in enumerate(self.names[1]):
            found = places.get((name.side, name.key), [])
            if len(found) != 1 or count[name.side, name.key] != 1 or name.kind == "end" or not name.word:
                continue
            if self._hang_alike(trees, found[0], theirs):
                self.add(found[0], theirs, "", "alike")

    def _hang_alike(self, trees: Sequence[Tree], ours: int, theirs: int) -> bool:
        """Tell whether the nearest paired joints above two joints are a pair, or there are none."""
        above = trees[1].nearest(theirs, self.pairs)
        mover = trees[0].nearest(ours, self.taken)
        if above is None or mover is None:
            return above is None and mover is None
        pair = self.pairs[above]
        return self.bodies[0].skeleton.names[mover] in (pair.source, pair.second)

    def twists(self) -> None:
        """Let the twist joints of limbs share what turns about their bones."""
        target = self.bodies[1]
        for twist in twists_of(target, metric_offsets(target.skeleton)):
            mover = self.pairs.get(twist.mover)
            if mover is not None:
                source = self.bodies[0].skeleton.index(mover.source)
                self.add(source, twist.joint, twist.role, "chain")

    def notes(self) -> tuple[str, ...]:
        """Say what was not found that one would expect."""
        found = []
        for whose, body in zip(("source", "target"), self.bodies, strict=True):
            missing = [
                f"{side}_{part}"
                for side in ("left", "right")
                for part in ("upper_leg", "lower_leg", "foot", "upper_arm", "lower_arm")
                if body.limb(side, part) is None
            ]
            if missing:
                found.append(f"the {whose} has no {', '.join(missing)} that names or shape tell")
        return tuple(found)


def _along(body: Person, chain: Sequence[int]) -> list[float]:
    """Return where along a chain, 0 to 1, the middle of each joint's bone is; the ends are 0 and 1."""
    places = np.asarray(body.skeleton.rest_transforms()[0], np.float64)[list(chain)]
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    total = max(float(lengths.sum()), 1e-12)
    done = np.concatenate([[0.0], np.cumsum(lengths)]) / total
    middles = 0.5 * (done[1:-1] + done[2:])
    # Joints in one place keep their order.
    spread = np.arange(len(chain)) * 1e-9
    return [float(v) for v in np.concatenate([[0.0], np.clip(middles, 0.0, 1.0), [1.0]]) + spread]
