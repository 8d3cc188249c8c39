"""A body whose legs are to be posed anew: from where its toes shall be to local rotations."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_fabrik import _legs, _pelvis
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import Motion, rotation

_ROLL_RAD = 0.25
"""How far a foot may be tipped to bring its toes down, besides what joint limits ask for."""

_FLAT_M = 0.005
"""Lowering toes by less than about this is left to the ankle."""


class Body:
    """The legs and the pelvis of a motion, as it came; posing makes new motions of it."""

    def __init__(
        self, motion: Motion, legs: tuple[_legs.Leg, _legs.Leg], pelvis: int, globals_: tuple[Array, Array]
    ) -> None:
        """`globals_` are the motion's global positions `[T, J, 3]` and rotations `[T, J, 4]`, float64."""
        self.motion, self.legs, self.pelvis = motion, legs, pelvis
        self.globals = globals_
        positions, orientations = globals_
        self.hips, self.knees, self.ankles, toes = (
            positions[:, [getattr(leg, part) for leg in legs]] for part in ("upper", "lower", "foot", "toes")
        )
        self.feet: Array = orientations[:, [leg.foot for leg in legs]]
        self.toes: Array = toes
        self._balls: Array = rotation.rotate(rotation.conjugate(self.feet), toes - self.ankles)
        self.lengths: Array = np.linalg.norm(self.knees - self.hips, axis=-1)
        self.lengths = self.lengths + np.linalg.norm(self.ankles - self.knees, axis=-1)

    def shift(self, goals: Array, feet: Array, frames: int, *, extra: Array | None = None) -> Array:
        """Return `[T, 3]` by which the pelvis has to move for the toes to come to `goals [T, 2, 3]`.

        It begins with `extra [T, 3]`, if any, and adds what the legs' reach asks for. `feet` are as
        `posed` takes them.
        """
        extra = np.zeros((len(goals), 3)) if extra is None else extra
        ankles = self._ankles(goals, feet)
        # Only a leg that is left alone may be as straight as it was: its knee can't be told where to go.
        before = np.linalg.norm(self.ankles - self.hips, axis=-1) - np.linalg.norm(
            ankles - self.ankles, axis=-1
        )
        hips = self.hips + extra[:, None]
        return extra + _pelvis.pelvis_shift(hips, ankles, self.lengths, before, frames)

    def rolled(self, goals: Array) -> Array:
        """Return the feet's orientations `[T, 2, 4]`, tipped forwards where toes are to come down.

        Toes that are held while they still slap down, or peel off already, come to the ground by
        tipping the foot rather than by lowering the ankle, which would stretch the leg.
        """
        down = np.maximum(self.toes[..., 1] - goals[..., 1], 0.0)
        down = down * down / (down + _FLAT_M)
        ball = rotation.rotate(self.feet, self._balls)
        size = np.linalg.norm(ball, axis=-1)
        flat = np.hypot(ball[..., 0], ball[..., 2])
        size = np.maximum(size, 1e-9)
        tip = np.arcsin(np.clip((ball[..., 1] - down) / size, -1, 1)) - np.arcsin(
            np.clip(ball[..., 1] / size, -1, 1)
        )
        # A foot that stands on its tips can't come down by tipping.
        tip = np.maximum(tip, -_ROLL_RAD) * np.minimum(2 * flat / size, 1.0)
        zero = np.zeros_like(flat)
        axis = np.stack([-ball[..., 2], zero, ball[..., 0]], axis=-1) / np.maximum(flat, 1e-9)[..., None]
        tipped = rotation.multiply(rotation.from_axis_angle(axis, tip), self.feet)
        return np.where((tip != 0)[..., None], tipped, self.feet)

    def posed(self, goals: Array, shift: Array, feet: Array) -> Motion:
        """Return the motion with its toes at `goals [T, 2, 3]` and its pelvis moved by `shift [T, 3]`.

        The feet take the global orientations `feet [T, 2, 4]`. Where nothing moves the motion stays as
        it was, to the last bit.
        """
        ankles = self._ankles(goals, feet)
        rotations = np.asarray(self.motion.rotations, np.float64).copy()
        for i, leg in enumerate(self.legs):
            old = self.hips[:, i], self.knees[:, i], self.ankles[:, i]
            hip = old[0] + shift
            ankle = _within(hip, ankles[:, i], self.lengths[:, i])
            moved = ((np.abs(ankle - old[2]) > 1e-12) | (shift != 0)).any(axis=-1)
            moved |= (feet[:, i] != self.feet[:, i]).any(axis=-1)
            sideways = self.hips[:, 0] - self.hips[:, 1]
            hinge = _legs.hinge_axes(*old, self.globals[1][:, leg.upper], sideways)
            knee, turn = _legs.place_knee(old, hip, ankle, hinge)
            posed = rotations.copy()
            _legs.pose_leg(posed, self.motion, leg, self.globals, (hip, knee, ankle), turn, feet[:, i])
            rotations = np.where(moved[:, None, None], posed, rotations)
        return attrs.evolve(
            self.motion,
            positions=self._shifted(shift),
            rotations=rotations.astype(self.motion.rotations.dtype),
        )

    def _ankles(self, goals: Array, feet: Array) -> Array:
        """Return where the ankles have to be for the toes to be at `goals` on feet turned so."""
        ankles: Array = goals - rotation.rotate(feet, self._balls)
        return ankles

    def _shifted(self, shift: Array) -> Array:
        moved = np.asarray(self.motion.positions, np.float64).copy()
        above = _legs.ancestors(self.motion.skeleton, self.pelvis)
        if above:
            shift = rotation.rotate(rotation.conjugate(self.globals[1][:, above[0]]), shift)
        if self.motion.scales is not None and above:
            scales = np.asarray(self.motion.scales, np.float64)
            shift = shift / np.prod(scales[:, above, 0], axis=1)[:, None]
        moved[:, self.pelvis] += shift
        return moved.astype(self.motion.positions.dtype)


def _within(hip: Array, goal: Array, length: Array) -> Array:
    """Return `goal`, or where it is out of reach the nearest point that a straight leg reaches."""
    line = goal - hip
    distance = np.linalg.norm(line, axis=-1)
    out = distance > length
    return np.where(out[:, None], hip + line * (length / np.maximum(distance, 1e-9))[:, None], goal)
