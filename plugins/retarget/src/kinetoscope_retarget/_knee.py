"""Two bones to a goal: the law of cosines, in the plane that the knee bends in."""

from __future__ import annotations

import numpy as np

from kinetoscope_retarget._stand import unit
from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import rotation

__all__ = ["bent"]

_STRAIGHT = 0.15
"""Sine of the knee's bend under which the hinge of the whole clip tells the plane."""


def bent(old: tuple[Array, Array, Array], hip: Array, ankle: Array, thigh: Array) -> tuple[Array, Array]:
    """Return the turns `[T, 4]` of thigh and shank that bring a leg to a new hip and ankle.

    Args:
        old: where hip, knee and ankle were, `[T, 3]` m each.
        hip: where the hip is to be, `[T, 3]` m.
        ankle: where the ankle is to be; out of reach, the leg is stretched towards it.
        thigh: global rotations `[T, 4]` of the thigh, in which the knee's hinge is fixed.

    The knee is bent or straightened about its own axis first; then the whole leg swings the shortest
    way, so that neither bone twists.
    """
    hip0, knee0, ankle0 = old
    upper, lower, line = knee0 - hip0, ankle0 - knee0, ankle - hip
    a, b = (np.linalg.norm(v, axis=-1) for v in (upper, lower))
    axis = _hinge(upper, lower, thigh)
    # The hinge is across the thigh; what of the shank lies along it does not fold.
    aside = np.sum(lower * axis, axis=-1, keepdims=True) * axis
    folding = np.linalg.norm(lower - aside, axis=-1)
    bend0 = np.arctan2(np.sum(np.cross(upper, lower) * axis, axis=-1), np.sum(upper * lower, axis=-1))
    distance = np.linalg.norm(line, axis=-1)
    cosine = (distance * distance - a * a - b * b) / np.maximum(2 * a * folding, 1e-12)
    # Always the way that a knee bends: a leg that is overstretched would pop from one side to the other.
    bend = np.arccos(np.clip(cosine, -1.0, 1.0))
    fold = rotation.from_axis_angle(axis, bend - bend0)
    folded = upper + rotation.rotate(fold, lower)
    swing = rotation.between(folded, line)
    still = (np.abs(ankle - ankle0 - hip + hip0) < 1e-9).all(axis=-1)[:, None]
    one = np.array([0.0, 0.0, 0.0, 1.0])
    return np.where(still, one, swing), np.where(still, one, rotation.multiply(swing, fold))


def _hinge(upper: Array, lower: Array, thigh: Array) -> Array:
    """Return unit vectors `[T, 3]` about which the knee bends, also in frames in which it is straight.

    The clip's hinge is fixed in the thigh: the mean axis there, each frame counting by its bend.
    """
    across = np.cross(upper, lower)
    size = np.linalg.norm(upper, axis=-1) * np.linalg.norm(lower, axis=-1)
    across = across / np.maximum(size, 1e-12)[:, None]
    mean = rotation.rotate(rotation.conjugate(thigh), across).sum(axis=0)
    if np.linalg.norm(mean) < 1e-6:
        mean = np.array([1.0, 0.0, 0.0])
    fixed = rotation.rotate(thigh, np.broadcast_to(unit(mean), across.shape))
    # The hinge must be across the thigh to fold in a plane.
    along = unit(upper)
    fixed = unit(fixed - np.sum(fixed * along, axis=-1, keepdims=True) * along)
    way = np.where(np.sum(across * fixed, axis=-1) < 0, -1.0, 1.0)[:, None]
    axis: Array = unit(across * way + _STRAIGHT * fixed)
    return axis
