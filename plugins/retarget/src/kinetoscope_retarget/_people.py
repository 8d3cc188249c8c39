"""People to test with: skeletons built with the names that tools give, and what moves them.

Nothing here is computed by what the contract and the tests judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import attrs
import numpy as np

from kinetoscope_retarget._conventions import CONVENTIONS
from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import Motion, Skeleton, rotation

__all__ = ["CONVENTIONS", "FINGERS", "LIMBS", "SIDES", "acted", "body", "reaxed", "renamed", "scaled"]

SIDES = ("left", "right")
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
LIMBS = ("shoulder", "upper_arm", "lower_arm", "hand", "upper_leg", "lower_leg", "foot", "toes")

_PLACES = {
    "shoulder": (0.03, 1.42, 0.0),
    "upper_arm": (0.18, 1.42, -0.01),
    "lower_arm": (0.46, 1.42, -0.015),
    "hand": (0.72, 1.42, -0.01),
    "upper_leg": (0.09, 0.92, 0.0),
    "lower_leg": (0.09, 0.5, 0.01),
    "foot": (0.09, 0.08, -0.02),
    "toes": (0.1, 0.02, 0.12),
}
"""Where the joints of a left limb stand in a T pose, m."""


def body(
    convention: str, *, height: float = 1.75, spread: float = 1.0, arms: float = 0.0
) -> tuple[Skeleton, dict[str, int]]:
    """Return a skeleton named by a convention, facing +Z, and its joints by role.

    Args:
        convention: one of `CONVENTIONS`.
        height: m.
        spread: widens hips and shoulders.
        arms: radians by which the arms hang below a T pose.
    """
    names = CONVENTIONS[convention]
    rows = _trunk(names)
    chest = names["neck"][0] if names.get("arms_on_neck") else names["spine"][-1]
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        rows += _limbs(names, side, sign * spread, chest, arms)
    index = {row.name: i for i, row in enumerate(rows)}
    parents = [-1 if row.parent is None else index[row.parent] for row in rows]
    places = np.array([row.place for row in rows]) * (height / 1.75)
    offsets = [place if p < 0 else place - places[p] for place, p in zip(places, parents, strict=True)]
    skeleton = Skeleton([row.name for row in rows], np.array(parents), np.array(offsets))
    return skeleton, {row.role: i for i, row in enumerate(rows) if row.role}


class _Row(NamedTuple):
    name: str
    parent: str | None
    role: str
    place: tuple[float, float, float]


def _trunk(names: Mapping[str, Any]) -> list[_Row]:
    top = names.get("centre")
    rows = [_Row(top, None, "", (0, 0.93, 0))] if top else []
    rows.append(_Row(names["hips"], top, "hips", (0, 0.95, 0)))
    above = top or names["hips"]
    count = len(names["spine"])
    for i, name in enumerate(names["spine"]):
        role = "chest" if i == count - 1 else f"spine_{i + 1}"
        rows.append(_Row(name, above, role, (0, 1.03 + 0.25 * i / max(count - 1, 1), -0.01)))
        above = name
    for i, name in enumerate(names["neck"]):
        rows.append(_Row(name, above, f"neck_{i + 1}", (0, 1.46 + 0.05 * i, -0.02)))
        above = name
    rows.append(_Row(names["head"], above, "head", (0, 1.58, 0.0)))
    return rows


def _limbs(names: Mapping[str, Any], side: str, sign: float, chest: str, arms: float) -> list[_Row]:
    word = names["sides"][SIDES.index(side)]
    rows: list[_Row] = []
    above = chest
    for limb, written in zip(LIMBS, names["limbs"], strict=True):
        name = names["limb"].format(side=word, word=written)
        above = names["hips"] if limb == "upper_leg" else above
        rows.append(_Row(name, above, f"{side}_{limb}", _place(_PLACES[limb], sign, arms)))
        above = name
        if limb == "hand":
            rows += _fingers(names, side, word, sign, name, arms)
    return rows


def _fingers(
    names: Mapping[str, Any], side: str, word: str, sign: float, hand: str, arms: float
) -> list[_Row]:
    rows = []
    for f, written in enumerate(names.get("fingers", ())):
        above = hand
        for i, segment in enumerate(names["segments"]):
            name = names["finger"].format(side=word, finger=written, i=segment)
            place = (0.78 + 0.03 * i - 0.02 * (f == 0), 1.42, 0.05 - 0.025 * f)
            rows.append(_Row(name, above, f"{side}_{FINGERS[f]}_{i + 1}", _place(place, sign, arms)))
            above = name
    return rows


def _place(place: tuple[float, float, float], sign: float, arms: float) -> tuple[float, float, float]:
    """Mirror a place to its side; what lies beyond the shoulder hangs down by `arms` radians."""
    x, y, z = place
    shoulder = _PLACES["upper_arm"]
    if y > 1.4 and x > shoulder[0]:
        out = x - shoulder[0]
        x, y = shoulder[0] + out * float(np.cos(arms)), y - out * float(np.sin(arms))
    return sign * x, y, z


def renamed(skeleton: Skeleton, names: Sequence[str]) -> Skeleton:
    """Return the same skeleton under other names."""
    return attrs.evolve(skeleton, names=tuple(names))


def scaled(skeleton: Skeleton, scale: float) -> Skeleton:
    """Return the same skeleton in another size."""
    return attrs.evolve(skeleton, rest_positions=np.asarray(skeleton.rest_positions) * scale)


def reaxed(skeleton: Skeleton, turns: Array) -> Skeleton:
    """Return the same skeleton with each joint's own axes turned by `turns [J, 4]`."""
    places, frames = skeleton.rest_transforms()
    world = rotation.multiply(frames, turns)
    positions, rotations = np.array(places), np.array(world)
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            back = rotation.conjugate(world[parent])
            positions[joint] = rotation.rotate(back, places[joint] - places[parent])
            rotations[joint] = rotation.multiply(back, world[joint])
    return attrs.evolve(skeleton, rest_positions=positions, rest_rotations=rotation.normalize(rotations))


def acted(skeleton: Skeleton, turned: Array, path: Array, framerate: float = 30.0) -> Motion:
    """Return the motion in which each joint is turned by global `turned [T, J, 4]` out of its rest.

    The first joint is carried along `path [T, 3]` m. Whatever axes a joint has of its own, and whatever
    it is called, the same turns give the same pose.
    """
    world = rotation.multiply(turned, np.asarray(skeleton.rest_transforms()[1])[None])
    rotations = world.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            rotations[:, joint] = rotation.multiply(rotation.conjugate(world[:, parent]), world[:, joint])
    positions = np.repeat(np.asarray(skeleton.rest_positions)[None], len(turned), axis=0)
    positions[:, 0] = path
    return Motion(skeleton, positions, rotation.normalize(rotations), framerate)
