"""How joints may turn: hinges, and cones with a twist."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import ValidationError, rotation

__all__ = ["Cone", "Hinge", "Limit"]

_NO_TURN = (0.0, 0.0, 0.0, 1.0)
_INSIDE_RAD = 1e-12
"""What is less than this beyond a limit is rounding, and left as it is."""


def _direction(value: Any) -> Array:
    vector = np.array(value, np.float64)
    length = np.linalg.norm(vector) if vector.shape == (3,) else np.nan
    if not (np.isfinite(length) and length > 0):
        raise ValidationError(f"axis is {value!r}, expected three numbers, not all zero")
    vector /= length
    vector.setflags(write=False)
    return vector


def _turn(value: Any) -> Array:
    q = np.array(value, np.float64)
    length = np.linalg.norm(q) if q.shape == (4,) else np.nan
    if not (np.isfinite(length) and length > 0):
        raise ValidationError(f"zero is {value!r}, expected a quaternion x, y, z, w")
    q /= length
    q.setflags(write=False)
    return q


@attrs.frozen(eq=False)
class Hinge:
    """A joint that turns about one axis: a knee, an elbow.

    Attributes:
        axis: `[3]`, in the joint's own frame; made of length 1.
        low, high: rad, in [-pi, pi] and `low <= high`.
        zero: `[4]` xyzw, the local rotation from which the angle is measured; none, as a rule.
    """

    axis: Array = attrs.field(converter=_direction)
    low: float
    high: float
    zero: Array = attrs.field(default=_NO_TURN, converter=_turn)

    def __attrs_post_init__(self) -> None:
        if not -np.pi <= self.low <= self.high <= np.pi:
            raise ValidationError(
                f"hinge from {self.low} to {self.high} rad, expected -pi <= low <= high <= pi"
            )

    def excess(self, local: Array) -> Array:
        """Return by how much `local [..., 4]` leave the hinge or its range, rad `[...]`."""
        swing, angle = _parts(self.zero, local, self.axis)
        return np.maximum(_size(swing), _outside(angle, self.low, self.high)[1])

    def clamp(self, local: Array) -> Array:
        """Return `local [..., 4]`, or the nearest rotation that the hinge allows; what is allowed stays."""
        _, angle = _parts(self.zero, local, self.axis)
        turned = rotation.from_axis_angle(self.axis, _outside(angle, self.low, self.high)[0])
        return _kept(local, self.excess(local), rotation.multiply(self.zero, turned))


@attrs.frozen(eq=False)
class Cone:
    """A joint whose bone stays in a cone, and twists about itself only so far: a shoulder, a hip.

    Attributes:
        axis: `[3]`, the bone's direction in the joint's own frame; made of length 1.
        swing: rad, half the cone's opening, in [0, pi].
        twist_low, twist_high: rad, in [-pi, pi], about the axis after the swing is taken out.
        zero: `[4]` xyzw, the local rotation at the cone's middle; none, as a rule.
    """

    axis: Array = attrs.field(converter=_direction)
    swing: float
    twist_low: float = -np.pi
    twist_high: float = np.pi
    zero: Array = attrs.field(default=_NO_TURN, converter=_turn)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.swing <= np.pi:
            raise ValidationError(f"cone of {self.swing} rad, expected 0 to pi")
        if not -np.pi <= self.twist_low <= self.twist_high <= np.pi:
            raise ValidationError(
                f"twist from {self.twist_low} to {self.twist_high} rad, expected -pi <= low <= high <= pi"
            )

    def excess(self, local: Array) -> Array:
        """Return by how much `local [..., 4]` leave the cone or twist too far, rad `[...]`."""
        swing, twist = _parts(self.zero, local, self.axis)
        over: Array = np.maximum(_size(swing) - self.swing, 0.0)
        return np.maximum(over, _outside(twist, self.twist_low, self.twist_high)[1])

    def clamp(self, local: Array) -> Array:
        """Return `local [..., 4]`, swung and twisted back as far as the limit asks; what is allowed stays."""
        swing, twist = _parts(self.zero, local, self.axis)
        angle = _size(swing)
        way = rotation.normalize(swing[..., :3])
        swing = rotation.from_axis_angle(way, np.minimum(angle, self.swing))
        turned = rotation.from_axis_angle(self.axis, _outside(twist, self.twist_low, self.twist_high)[0])
        inside = rotation.multiply(self.zero, rotation.multiply(swing, turned))
        return _kept(local, self.excess(local), inside)


Limit = Hinge | Cone


def _parts(zero: Array, local: Array, axis: Array) -> tuple[Array, Array]:
    """Return the swing `[..., 4]` and the angle of the twist `[...]` of `local` as seen from `zero`."""
    swing, twist = rotation.swing_twist(rotation.multiply(rotation.conjugate(zero), local), axis)
    angle = 2 * np.arctan2((twist[..., :3] * axis).sum(axis=-1), twist[..., 3])
    return swing, np.arctan2(np.sin(angle), np.cos(angle))


def _size(swing: Array) -> Array:
    angle: Array = 2 * np.arctan2(np.linalg.norm(swing[..., :3], axis=-1), np.abs(swing[..., 3]))
    return angle


def _outside(angle: Array, low: float, high: float) -> tuple[Array, Array]:
    """Return `angle`, or the nearer end of its range the short way round, and how far that is."""
    circle = 2 * np.pi
    below, above = np.mod(low - angle, circle), np.mod(angle - high, circle)
    inside = (angle >= low) & (angle <= high)
    nearest = np.where(below < above, low, high)
    return np.where(inside, angle, nearest), np.where(inside, 0.0, np.minimum(below, above))


def _kept(local: Array, excess: Array, inside: Array) -> Array:
    return np.where((excess > _INSIDE_RAD)[..., None], rotation.normalize(inside), local)
