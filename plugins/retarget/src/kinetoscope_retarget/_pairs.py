"""Left and right partners: by names, by the rest pose, and one checked by the other."""

from __future__ import annotations

import numpy as np

from kinetoscope_retarget._symmetry import NEAR, Plane, best_plane, mirrored_pairs, named_plane, size_of
from kinetoscope_retarget.protocol import Array, MirrorPair, Pairs
from kinetoscope_spec import Skeleton
from kinetoscope_spec.anatomy import JointName, read_name

__all__ = ["mirror_pairs"]

_LENGTHS = 0.25
"""By how much of the longer one the bones of a pair may differ."""


def mirror_pairs(skeleton: Skeleton) -> Pairs:
    """Find partners; see `Retargeter.mirror_pairs`."""
    positions = np.asarray(skeleton.rest_transforms()[0], np.float64)
    names = [read_name(name) for name in skeleton.names]
    named = _by_name(skeleton, names)
    sideless = [joint for joint, name in enumerate(names) if name.side is None]
    plane = named_plane(positions, named, sideless) if named else best_plane(skeleton, positions)
    pairs = [_checked(skeleton, positions, plane, pair, "name") for pair in named]
    taken = {joint for pair in named for joint in pair}
    if plane is not None:
        plane = _left_is_left(skeleton, plane, named)
        for left, right in mirrored_pairs(skeleton, positions, plane):
            sides = names[left].side, names[right].side
            if left not in taken and right not in taken and sides == (None, None):
                pairs.append(_checked(skeleton, positions, plane, (left, right), "structure"))
                taken |= {left, right}
    middle = tuple(j for j in range(len(skeleton)) if j not in taken and names[j].side is None)
    doubts = [_doubt(skeleton, pair) for pair in pairs if not pair.agrees]
    lone = [skeleton.names[j] for j in range(len(skeleton)) if j not in taken and names[j].side is not None]
    if lone:
        doubts.append(f"no joint is the other side's {', '.join(repr(name) for name in lone)}")
    return Pairs(
        tuple(sorted(pairs, key=lambda pair: pair.left)),
        middle,
        None if plane is None else plane.normal,
        None if plane is None else plane.point,
        tuple(doubts),
    )


def _by_name(skeleton: Skeleton, names: list[JointName]) -> list[tuple[int, int]]:
    """Pair joints whose names differ in their side alone and that stand equally deep in the tree."""
    places: dict[tuple[str | None, object], list[int]] = {}
    for joint, name in enumerate(names):
        places.setdefault((name.side, name.key), []).append(joint)
    pairs = []
    for (side, key), lefts in places.items():
        rights = places.get(("right", key), [])
        if side == "left" and len(lefts) == len(rights):
            pairs += list(zip(lefts, rights, strict=True))
    return pairs


def _checked(
    skeleton: Skeleton, positions: Array, plane: Plane | None, pair: tuple[int, int], why: str
) -> MirrorPair:
    left, right = pair
    off = None
    if plane is not None:
        away = np.linalg.norm(plane.mirror(positions[right]) - positions[left])
        off = float(away) / size_of(positions)
    bones = [float(np.linalg.norm(skeleton.rest_positions[joint])) for joint in pair]
    size = size_of(positions)
    alike = abs(bones[0] - bones[1]) <= max(_LENGTHS * max(bones), NEAR * size * 0.5)
    return MirrorPair(left, right, why, off, alike and (off is None or off < NEAR))


def _doubt(skeleton: Skeleton, pair: MirrorPair) -> str:
    left, right = skeleton.names[pair.left], skeleton.names[pair.right]
    where = "" if pair.off is None else f": mirrored, it stands {pair.off:.1%} of the body's size away"
    return f"the rest pose does not show {left!r} and {right!r} as partners{where}"


def _left_is_left(skeleton: Skeleton, plane: Plane, named: list[tuple[int, int]]) -> Plane:
    """Point the plane's normal to the left: as names say, else by the limbs."""
    if named:
        return plane
    from kinetoscope_retarget._body import body_of

    limbs = body_of(skeleton).limbs
    left, right = limbs.get("left_upper_leg"), limbs.get("right_upper_leg")
    if left is None or right is None:
        return plane
    positions = np.asarray(skeleton.rest_transforms()[0], np.float64)
    sign = 1.0 if (positions[left] - positions[right]) @ plane.normal >= 0 else -1.0
    return Plane(plane.point, sign * plane.normal)
