"""How high ankles and toes stand over the ground."""

from __future__ import annotations

import numpy as np

from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import Character
from kinetoscope_spec.anatomy import SIDES, Person

__all__ = ["at_rest", "feet_of", "in_clip", "level_of", "lowest", "mean_drop"]

_STANDING = 10
"""The percentile of a foot's heights, over a clip, at which it stands."""

_NEAR = (-0.05, 0.2)
"""Of a leg's length, between which heights toes are that stand on a ground at 0."""


def feet_of(body: Person) -> list[int]:
    """Return the joints that stand: toes, or feet without any."""
    for part in ("toes", "foot"):
        joints = [joint for side in SIDES if (joint := body.limb(side, part)) is not None]
        if joints:
            return joints
    return []


def has_toes(body: Person) -> bool:
    """Tell whether a body has toes."""
    return any(body.limb(side, "toes") is not None for side in SIDES)


def lowest(positions: Array, joints: list[int]) -> float:
    """Return the height m at which the lower of `joints` stands, in poses `[..., J, 3]`."""
    return float(np.percentile(positions[..., joints, 1].min(axis=-1), _STANDING))


def level_of(toes: float, leg: float) -> float:
    """Return the height of the ground under toes that stand at `toes` m: 0 where that is near."""
    return 0.0 if _NEAR[0] * leg < toes < _NEAR[1] * leg else toes


def mean_drop(positions: Array, body: Person) -> float:
    """Return how much lower toes are than ankles in a pose `[J, 3]` with flat feet; 0 without toes."""
    drops = [
        positions[foot, 1] - positions[toes, 1]
        for side in SIDES
        if (foot := body.limb(side, "foot")) is not None and (toes := body.limb(side, "toes")) is not None
    ]
    return float(np.mean(drops)) if drops else 0.0


def at_rest(positions: Array, body: Person, character: Character | None) -> float | None:
    """Return the toes' height m over the ground in a standing rest pose, or None where nothing tells.

    The ground is under the skin, or else at 0 if feet are near that.
    """
    feet = feet_of(body)
    if not feet:
        return None
    stand, size = float(positions[feet, 1].mean()), float(np.ptp(positions[:, 1]))
    if character is not None:
        soles = [m.vertices[:, 1].min() for m in character.meshes if m.skin is not None and len(m.vertices)]
        if soles and -0.02 * size < stand - min(soles) < 0.15 * size:
            return float(stand - min(soles))
    return stand if -0.01 * size < stand < 0.1 * size else None


def in_clip(positions: Array, body: Person, leg: float) -> float | None:
    """Return the toes' height m over a ground at 0 in a clip `[T, J, 3]`, or None where that is not."""
    feet = feet_of(body)
    if not feet:
        return None
    toes = lowest(positions, feet)
    return toes if level_of(toes, leg) == 0.0 else None
