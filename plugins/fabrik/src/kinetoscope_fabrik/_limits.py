"""Planted legs inside their joint limits: the foot tips, then the pelvis gives, then the air."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_fabrik._body import Body
from kinetoscope_fabrik._pelvis import smooth
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import Motion, rotation
from kinetoscope_spec.limits import JointLimits

_ROUNDS = 12
_NEAR_M = 2e-4
"""Where clamping moves held toes by no more than this, the limits are as good as kept."""


def settle(body: Body, goals: Array, held: Array, limits: JointLimits, frames: int) -> Motion:
    """Return the motion with its toes at `goals [T, 2, 3]` and its legs within `limits`, if they can be.

    In each round ankles are clamped, and the feet tip over their toes as far as that asks for. What
    clamping thighs and shanks would take a held foot off its place is made good by moving the
    pelvis, smoothed over `frames`. In the end a held foot stays where it is held, whatever limits
    are left exceeded; legs in the air are clamped.
    """
    feet, extra = body.rolled(goals), np.zeros((len(goals), 3))
    best, least = None, np.inf
    for _ in range(_ROUNDS):
        shift = body.shift(goals, feet, frames, extra=extra)
        posed = body.posed(goals, shift, feet)
        over = float(np.square(limits.excess(posed.rotations)[:, _leg_joints(body)]).sum())
        if over < least:
            best, least = posed, over
        tipped, off = _clamp_effects(body, posed, limits)
        off = np.where(held[..., None], off, 0.0)
        if np.abs(off).max() < _NEAR_M and np.abs(tipped - feet).max() < 1e-4:
            break
        feet = tipped
        # Half of it: where two limits pull against each other, all of it would swing to and fro.
        extra = extra - 0.5 * smooth(off.sum(axis=1) / np.maximum(held.sum(axis=1), 1)[:, None], frames)
    assert best is not None
    return _air_clamped(body, best, held, limits, frames)


def _leg_joints(body: Body) -> list[int]:
    return [joint for leg in body.legs for joint in (leg.upper, leg.lower, leg.foot)]


def _clamped(motion: Motion, limits: JointLimits, joints: list[int]) -> Motion:
    rotations = np.array(motion.rotations)
    rotations[:, joints] = limits.clamp(motion.rotations)[:, joints]
    return attrs.evolve(motion, rotations=rotations)


def _clamp_effects(body: Body, posed: Motion, limits: JointLimits) -> tuple[Array, Array]:
    """Return how clamped ankles turn the feet `[T, 2, 4]`, and how clamped legs move the ankles `[T, 2, 3]`."""
    feet = [leg.foot for leg in body.legs]
    tipped = _clamped(posed, limits, feet).global_transforms()[1][:, feet]
    legs = _clamped(posed, limits, [joint for leg in body.legs for joint in (leg.upper, leg.lower)])
    off = legs.global_transforms()[0][:, feet] - posed.global_transforms()[0][:, feet]
    return np.asarray(tipped, np.float64), np.asarray(off, np.float64)


def _air_clamped(body: Body, motion: Motion, held: Array, limits: JointLimits, frames: int) -> Motion:
    clamped = _clamped(motion, limits, _leg_joints(body))
    rotations = np.array(motion.rotations)
    for i, leg in enumerate(body.legs):
        joints = [leg.upper, leg.lower, leg.foot]
        over = limits.excess(motion.rotations)[:, joints].max(axis=1)
        weight = _away(held[:, i] & (over > 1e-6), frames)[:, None]
        weight = np.where(held[:, i, None], 0.0, weight).astype(rotations.dtype)
        changed = (clamped.rotations[:, joints] != motion.rotations[:, joints]).any(axis=(1, 2)) & ~held[:, i]
        mixed = rotation.nlerp(motion.rotations[:, joints], clamped.rotations[:, joints], weight)
        rotations[:, joints] = np.where(changed[:, None, None], mixed, rotations[:, joints])
    return attrs.evolve(motion, rotations=rotations)


def _away(places: Array, frames: int) -> Array:
    """Return `[T]` rising from 0 at True `places` to 1 at `frames` from the nearest."""
    if not places.any():
        return np.ones(len(places))
    at, now = np.flatnonzero(places), np.arange(len(places))
    after = np.searchsorted(at, now)
    left, right = at[np.maximum(after - 1, 0)], at[np.minimum(after, len(at) - 1)]
    distance = np.minimum(np.abs(now - left), np.abs(now - right))
    t = np.minimum(distance / frames, 1.0)
    rising: Array = t * t * (3 - 2 * t)
    return rising
