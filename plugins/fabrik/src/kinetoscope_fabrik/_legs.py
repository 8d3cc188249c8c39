"""Where a skeleton's legs are, and posing them: two bones and the foot that hangs on them."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import Motion, Skeleton, ValidationError, anatomy, rotation

_PARTS = ("upper_leg", "lower_leg", "foot", "toes")


@attrs.frozen
class Leg:
    """Joint indices of one leg, each a descendant of the one before."""

    side: str
    upper: int
    lower: int
    foot: int
    toes: int


def legs_of(skeleton: Skeleton) -> tuple[Leg, Leg]:
    """Return the left and the right leg.

    Raises:
        ValidationError: a role that no joint's name tells, or joints that don't form a chain.
    """
    known = anatomy.roles(skeleton)
    missing = [
        f"{side}_{part}" for side in ("left", "right") for part in _PARTS if f"{side}_{part}" not in known
    ]
    if missing:
        raise ValidationError(
            f"planting needs the joints {', '.join(missing)}, which no name in this skeleton tells; "
            f"it has {', '.join(skeleton.names)}"
        )
    left, right = (Leg(side, *(known[f"{side}_{part}"] for part in _PARTS)) for side in ("left", "right"))
    return left, right


def pelvis_of(skeleton: Skeleton, legs: tuple[Leg, Leg]) -> int:
    """Return the joint that carries both legs and, where the names tell it, the hips and the spine.

    Raises:
        ValidationError: no joint carries both legs.
    """
    known = anatomy.roles(skeleton)
    carried = [known[role] for role in ("hips", "spine") if role in known]
    common = set(ancestors(skeleton, legs[0].upper)) & set(ancestors(skeleton, legs[1].upper))
    for joint in carried:
        common &= {joint, *ancestors(skeleton, joint)}
    if not common:
        raise ValidationError("no joint carries both legs, expected a pelvis above them")
    return max(common)


def ancestors(skeleton: Skeleton, joint: int) -> list[int]:
    """Return the joints above `joint`, its parent first."""
    found: list[int] = []
    while (joint := int(skeleton.parents[joint])) >= 0:
        found.append(joint)
    return found


def hinge_axes(hip: Array, knee: Array, ankle: Array, upper: Array, sideways: Array) -> Array:
    """Return unit vectors `[T, 3]` about which the knee bends, also where it is straight.

    The axis is fixed in the thigh: its mean there, over all frames by how far they bend, is turned
    back by `upper [T, 4]`. A leg that is straight throughout bends about `sideways [T, 3]`.
    """
    normal = np.cross(knee - hip, ankle - knee)
    local = rotation.rotate(rotation.conjugate(upper), normal).sum(axis=0)
    size = np.linalg.norm(local)
    if size < 1e-6 * np.sum((knee - hip) ** 2):
        level: Array = rotation.normalize(sideways)
        return level
    axis: Array = rotation.rotate(upper, np.broadcast_to(local / size, normal.shape))
    return axis


def place_knee(
    old: tuple[Array, Array, Array], hip: Array, ankle: Array, hinge: Array
) -> tuple[Array, Array]:
    """Return the knee `[T, 3]` between a new hip and ankle, and the turn `[T, 4]` of the whole leg.

    The leg turns from its old hip-ankle line to the new one by the shortest way; in the plane that
    it then bends in, the knee goes where both bones keep their lengths (law of cosines). What bend
    there is beyond the old one goes the way that the hinge opens: a straight leg bends forwards.
    """
    hip0, knee0, ankle0 = old
    a = np.linalg.norm(knee0 - hip0, axis=-1, keepdims=True)
    b = np.linalg.norm(ankle0 - knee0, axis=-1, keepdims=True)
    line = ankle - hip
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    u = rotation.normalize(line)
    turn = rotation.between(ankle0 - hip0, line)
    carried = rotation.rotate(turn, knee0 - hip0)
    aside = carried - np.sum(carried * u, axis=-1, keepdims=True) * u
    along = (a * a - b * b + distance * distance) / (2 * np.maximum(distance, 1e-9))
    along = np.clip(along, -a, a)
    bow = np.sqrt(np.maximum(a * a - along * along, 0.0))
    old_bow = np.linalg.norm(aside, axis=-1, keepdims=True)
    opening = rotation.normalize(np.cross(u, rotation.rotate(turn, hinge)))
    way = rotation.normalize(aside + np.maximum(bow - old_bow, 0.0) * opening)
    return hip + along * u + bow * way, turn


def pose_leg(
    rotations: Array,
    motion: Motion,
    leg: Leg,
    globals_: tuple[Array, Array],
    new: tuple[Array, Array, Array],
    turn: Array,
    foot: Array,
) -> None:
    """Write into local `rotations [T, J, 4]` what puts hip, knee and ankle at `new`.

    The thigh and the shank turn with the leg's `turn` and then by the shortest way to their new
    directions, so neither twists about itself. The foot takes the global orientation `foot [T, 4]`.
    """
    positions, orientations = globals_
    parents = motion.skeleton.parents
    hip, knee, ankle = new
    p = {joint: positions[:, joint] for joint in (leg.upper, leg.lower, leg.foot)}
    above = orientations[:, parents[leg.upper]] if parents[leg.upper] >= 0 else None
    for joint, below, end, bone in (
        (leg.upper, leg.lower, knee - hip, p[leg.lower] - p[leg.upper]),
        (leg.lower, leg.foot, ankle - knee, p[leg.foot] - p[leg.lower]),
    ):
        swing = rotation.multiply(rotation.between(rotation.rotate(turn, bone), end), turn)
        rotations[:, joint] = _local(above, rotation.multiply(swing, orientations[:, joint]))
        above = rotation.multiply(swing, orientations[:, parents[below]])
    rotations[:, leg.foot] = _local(above, foot)


def _local(parent: Array | None, orientation: Array) -> Array:
    local = orientation if parent is None else rotation.multiply(rotation.conjugate(parent), orientation)
    normalized: Array = rotation.normalize(local)
    return normalized
