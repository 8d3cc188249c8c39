"""Reference of dual quaternion skinning: one vertex at a time, from the paper, for the renderer's laws.

Kavan, Collins, Zara, O'Sullivan 2008, "Geometric skinning with approximate dual quaternion blending".
Nothing here is shared with `kinematics`: quaternions are (w, x, y, z), rotations are found by Newton's
iteration, and a point goes through the unit dual quaternion as the paper's sandwich q p q*.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array

__all__ = ["Carrier", "dual_quaternion_blend", "sides", "turn_of"]


@attrs.frozen(eq=False)
class Carrier:
    """What a bone does to mesh space: it stretches `[3, 3]`, turns (w, x, y, z), and moves `[3]`, in this order."""

    stretch: Array
    turn: Array
    move: Array

    @classmethod
    def of(cls, matrix: Array) -> Carrier:
        """Take a matrix `[4, 4]` apart."""
        turn = turn_of(matrix[:3, :3])
        return cls(turn.T @ matrix[:3, :3], _quaternion(turn), matrix[:3, 3])


def turn_of(matrix: Array) -> Array:
    """Return the rotation `[3, 3]` of a linear map, of a mirroring one that of its opposite.

    Newton's iteration for the polar factor (Higham 1986): the mean of the map and its inverse transposed.
    """
    turn = matrix * (-1.0 if np.linalg.det(matrix) < 0 else 1.0)
    for _ in range(100):
        better = 0.5 * (turn + np.linalg.inv(turn).T)
        if np.abs(better - turn).max() < 1e-14:
            break
        turn = better
    return better


def _quaternion(turn: Array) -> Array:
    """Return (w, x, y, z) of a rotation: the axis that it leaves alone, and how far it turns about it."""
    _, _, axes = np.linalg.svd(turn - np.eye(3))
    axis = axes[2]
    across = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    across = across / math.sqrt(across @ across)
    angle = math.atan2(axis @ np.cross(across, turn @ across), across @ turn @ across)
    return np.array([math.cos(angle / 2), *(math.sin(angle / 2) * axis)])


def _product(a: Array, b: Array) -> Array:
    vector = a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])
    return np.array([a[0] * b[0] - a[1:] @ b[1:], *vector])


def _conjugate(q: Array) -> Array:
    conjugate: Array = q * np.array([1.0, -1.0, -1.0, -1.0])
    return conjugate


def sides(bones: Sequence[Carrier], weights: Sequence[float]) -> list[float]:
    """Return how far each bone's quaternion lies to the side of the heaviest bone's, from -1 to 1."""
    heaviest = max(range(len(bones)), key=lambda i: weights[i])
    return [float(bone.turn @ bones[heaviest].turn) for bone in bones]


def dual_quaternion_blend(
    bones: Sequence[Carrier], weights: Sequence[float], point: Array, *, align: bool = True
) -> Array:
    """Return where bones carry a point `[3]` together: stretched by their mean, then turned and moved.

    `align=False` leaves out the choice between q and -q, which is wrong.
    """
    real, dual, stretched = np.zeros(4), np.zeros(4), np.zeros(3)
    for bone, weight, side in zip(bones, weights, sides(bones, weights), strict=True):
        turn = -bone.turn if align and side < 0 else bone.turn
        real += weight * turn
        dual += weight * 0.5 * _product(np.array([0.0, *bone.move]), turn)
        stretched += weight * (bone.stretch @ point)
    length = math.sqrt(real @ real)
    real, dual = real / length, dual / length
    turned = _product(_product(real, np.array([0.0, *stretched])), _conjugate(real))
    moved = 2 * _product(dual, _conjugate(real))
    result: Array = (turned + moved)[1:]
    return result
