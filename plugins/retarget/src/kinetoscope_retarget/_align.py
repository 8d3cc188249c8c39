"""The target's reference pose, brought to stand as the source's does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kinetoscope_retarget._reference import Reference
from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import rotation
from kinetoscope_spec.anatomy import Person

__all__ = ["aligned"]

_AIMS = {
    "upper_arm": "lower_arm",
    "lower_arm": "hand",
    "upper_leg": "lower_leg",
    "lower_leg": "foot",
}
"""Bones whose direction is posture: an A pose and a T pose differ here."""

_UNSURE_AIMS = {"shoulder": "upper_arm"}
"""Bones whose direction is a matter of build, unless a pose shows nothing but its bones' axes."""

_LEVEL = 0.4
"""Of a foot's length, how much has to be level for its heading to mean something."""


def aligned(target: Person, goal: Reference, source: Person, model: Reference) -> Array:
    """Return the target's global rotations `[J, 4]` in a pose that stands as `model` does.

    Arms and legs are aimed the way the model's point, each by the shortest turn from where the
    bone above takes it, so nothing twists. Feet keep how they lie on the ground and turn to the
    model's heading. Trunk, shoulders, head, hands and fingers keep the shape of the target's own
    reference: where joints were placed inside a body is a matter of build, not of posture.
    """
    aims = dict(_AIMS)
    if not (goal.trusted and model.trusted):
        aims |= _UNSURE_AIMS
    roles = {joint: role for role, joint in target.limbs.items()}
    turns: dict[int, Array] = {-1: np.array([0.0, 0.0, 0.0, 1.0])}
    result = np.array(goal.rotations)
    for joint, parent in enumerate(target.skeleton.parents):
        turn = turns[int(parent)]
        side, _, part = roles.get(joint, "").partition("_")
        if part in aims:
            turn = _aimed(turn, _bone(target, goal, side, part, aims), _bone(source, model, side, part, aims))
        elif part == "foot":
            turn = _headed(turn, target, goal, source, model, side)
        turns[joint] = turn
        result[joint] = rotation.multiply(turn, goal.rotations[joint])
    return result


def _bone(body: Person, pose: Reference, side: str, part: str, aims: Mapping[str, str]) -> Array | None:
    start, end = body.limb(side, part), body.limb(side, aims[part])
    if start is None or end is None:
        return None
    bone: Array = pose.positions[end] - pose.positions[start]
    return bone if np.linalg.norm(bone) > 1e-9 else None


def _aimed(turn: Array, bone: Array | None, aim: Array | None) -> Array:
    if bone is None or aim is None:
        return turn
    swing: Array = rotation.multiply(rotation.between(rotation.rotate(turn, bone), aim), turn)
    return swing


def _headed(
    turn: Array, target: Person, goal: Reference, source: Person, model: Reference, side: str
) -> Array:
    """Turn a foot about the vertical to the model's heading; a foot without toes stays as it lies."""
    toes = {"foot": "toes"}
    own, aim = _bone(target, goal, side, "foot", toes), _bone(source, model, side, "foot", toes)
    if own is None or aim is None:
        return np.array([0.0, 0.0, 0.0, 1.0]) if goal.trusted else turn
    if not goal.trusted or min(_level(own), _level(aim)) < _LEVEL:
        return _aimed(turn, own, aim)
    yaw: Array = rotation.from_yaw(np.arctan2(aim[0], aim[2]) - np.arctan2(own[0], own[2]))
    return yaw


def _level(v: Array) -> float:
    return float(np.hypot(v[0], v[2]) / np.linalg.norm(v))
