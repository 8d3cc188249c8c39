"""Joints that stand in the place of another one and are to turn with it."""

from __future__ import annotations

import numpy as np

from kinetoscope_retarget._symmetry import size_of
from kinetoscope_retarget.protocol import Array, Match
from kinetoscope_spec import rotation
from kinetoscope_spec.anatomy import SIDES, Person, Tree, read_name

__all__ = ["doubled"]

_SAME = 1e-3
"""Of the body's size, how far a double may stand from its joint."""


def doubled(local: Array, target: Person, match: Match) -> Array:
    """Return local rotations `[T, J, 4]` in which the doubles of hands and feet turn as these do.

    Rigs that are animated by one foot and skinned to another have both in one place, on one parent.
    A double that the source moves by a joint of its own is left alone.
    """
    rest = np.asarray(target.skeleton.rest_rotations, np.float64)
    moved_already = {pair.target for pair in match.pairs}
    for joint, double in _doubles(target):
        if target.skeleton.names[double] in moved_already:
            continue
        moved = rotation.multiply(local[:, joint], rotation.conjugate(rest[joint]))
        local[:, double] = rotation.normalize(rotation.multiply(moved, rest[double]))
    return local


def _doubles(target: Person) -> list[tuple[int, int]]:
    skeleton, tree = target.skeleton, Tree(target.skeleton)
    places = np.asarray(skeleton.rest_transforms()[0], np.float64)
    near = _SAME * size_of(places)
    told = set(target.roles().values())
    ends = [target.limb(side, part) for side in SIDES for part in ("hand", "foot")]
    return [
        (end, joint)
        for end in ends
        if end is not None and tree.parents[end] >= 0
        for joint in tree.children[tree.parents[end]]
        if joint not in told
        and read_name(skeleton.names[joint]).kind == "joint"
        and np.linalg.norm(places[joint] - places[end]) < near
    ]
