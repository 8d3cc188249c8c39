"""Whether joints stand as a person can, which way it faces, and how long its legs are."""

from __future__ import annotations

import itertools

import numpy as np

from kinetoscope_retarget.protocol import Array
from kinetoscope_spec.anatomy import SIDES, Person

__all__ = ["UP", "frame_of", "leg_length", "legs_middle", "stands", "strain", "unit"]

UP = np.array([0.0, 1.0, 0.0])

_UPRIGHT = np.cos(np.radians(25.0))
"""A body that leans less than this is taken to stand on level ground."""


def unit(v: Array) -> Array:
    """Return `v [..., 3]` at length 1; what has no length becomes zero."""
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    result: Array = np.where(length > 1e-12, v / np.maximum(length, 1e-12), 0.0)
    return result


def legs_middle(positions: Array, body: Person) -> Array:
    """Return the middle `[..., 3]` between the hip joints; of what there is, the next best."""
    legs = [leg for side in SIDES if (leg := body.limb(side, "upper_leg")) is not None]
    joints = legs if len(legs) == 2 else [body.carrier or 0]
    middle: Array = positions[..., joints, :].mean(axis=-2)
    return middle


def leg_length(positions: Array, body: Person) -> float:
    """Return the length m of thigh and shank, the mean of both legs; 0 without legs.

    `positions [..., J, 3]` may be many poses; the median is taken.
    """
    found = []
    for side in SIDES:
        chain = [body.limb(side, part) for part in ("upper_leg", "lower_leg", "foot")]
        for a, b in itertools.pairwise(chain):
            if a is not None and b is not None:
                found.append(np.median(np.linalg.norm(positions[..., b, :] - positions[..., a, :], axis=-1)))
    return 0.5 * float(np.sum(found))


def frame_of(positions: Array, body: Person) -> Array | None:
    """Return the rotation `[3, 3]` whose rows are left, up and forward of a standing body, or None.

    Up is the world's where the body is nearly upright, else from the feet to the head.
    """
    left = np.zeros(3)
    for part in ("upper_leg", "upper_arm", "shoulder"):
        a, b = (body.limb(side, part) for side in SIDES)
        if a is not None and b is not None:
            left = left + unit(positions[a] - positions[b])
    top = next((j for j in (body.head, *body.neck[::-1], body.chest) if j is not None), None)
    bottom = [j for side in SIDES for p in ("foot", "lower_leg") if (j := body.limb(side, p)) is not None]
    if top is None or not np.any(left):
        return None
    low = positions[bottom].mean(axis=0) if bottom else legs_middle(positions, body)
    up = unit(positions[top] - low)
    if not np.any(up):
        return None
    if up @ UP > _UPRIGHT:
        up = UP
    left = unit(left - (left @ up) * up)
    if not np.any(left):
        return None
    return np.stack([left, up, np.cross(left, up)])


def strain(positions: Array, body: Person) -> float:
    """Return how far joints are from standing at ease: 0 is at attention, above 1 is something else.

    `positions [J, 3]` face +Z, up is +Y. Each part adds its deviation in units of what still counts
    as standing; the largest is returned.
    """
    worst = [_trunk(positions, body)]
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        worst += _leg(positions, body, side)
        worst += _arm(positions, body, side, sign)
    return max(worst)


def stands(positions: Array, body: Person) -> bool:
    """Tell whether a rest pose, turned to face +Z, shows how a person stands."""
    return strain(positions, body) <= 1.0


def _off(a: Array, b: Array) -> float:
    """Return the angle in degrees between two directions; 0 where one has none."""
    a, b = unit(a), unit(b)
    if not (np.any(a) and np.any(b)):
        return 0.0
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


def _trunk(positions: Array, body: Person) -> float:
    top = next((j for j in (*body.neck[:1], body.head, body.chest) if j is not None), None)
    if top is None:
        return 0.0
    return _off(positions[top] - legs_middle(positions, body), UP) / 20.0


def _leg(positions: Array, body: Person, side: str) -> list[float]:
    upper, lower, foot, toes = (body.limb(side, p) for p in ("upper_leg", "lower_leg", "foot", "toes"))
    if upper is None or lower is None:
        return [0.0]
    thigh = positions[lower] - positions[upper]
    found = [_off(thigh, -UP) / 35.0]
    if foot is not None:
        found.append(_off(thigh, positions[foot] - positions[lower]) / 35.0)
    if foot is not None and toes is not None:
        bone = positions[toes] - positions[foot]
        found.append(_off(bone * [1, 0, 1], np.array([0.0, 0.0, 1.0])) / 50.0)
        found.append(_off(bone, bone * [1, 0, 1]) / 60.0 if np.any(bone) else 0.0)
    return found


def _arm(positions: Array, body: Person, side: str, sign: float) -> list[float]:
    upper, lower, hand = (body.limb(side, p) for p in ("upper_arm", "lower_arm", "hand"))
    if upper is None or lower is None:
        return [0.0]
    bone = positions[lower] - positions[upper]
    if bone[0] * sign < -0.2 * np.linalg.norm(bone):
        return [2.0]
    found = [abs(_off(bone, -UP) - 45.0) / 90.0, abs(unit(bone)[2]) / 0.5]
    if hand is not None:
        found.append(_off(bone, positions[hand] - positions[lower]) / 45.0)
    return found
