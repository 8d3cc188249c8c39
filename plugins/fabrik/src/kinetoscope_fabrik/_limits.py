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

_SLOPE_M = 1e-3
"""Metres a radian: of legs nearer to straight the reach is taken as it is."""
_STEP_RAD = 0.2
_BENDS = 6
_MISSED_M = 1e-8
"""A leg whose reach comes no nearer than this stays as it was: its foot is not to move."""


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
    return _air_clamped(body, _hinged(body, best, limits), held, limits, frames)


def _hinged(body: Body, motion: Motion, limits: JointLimits) -> Motion:
    """Return the motion with its knees clamped and its feet as they were: thighs swing to make that good.

    A leg is posed in the plane of its bend, which is not quite that of the knee's hinge: some tenths of a
    degree, which are the thigh's to take.
    """
    rotations = np.array(motion.rotations, np.float64)
    exact = attrs.evolve(motion, positions=motion.positions.astype(np.float64), rotations=rotations)
    positions, turns = (np.asarray(array) for array in exact.global_transforms())
    rotations = rotations.copy()
    clamped, over = (np.asarray(f(motion.rotations), np.float64) for f in (limits.clamp, limits.excess))
    parents = motion.skeleton.parents
    for leg in body.legs:
        thigh, shank = turns[:, parents[leg.lower]], turns[:, leg.lower]
        line = positions[:, leg.foot] - positions[:, leg.upper]
        knee = _seen(thigh, positions[:, leg.lower] - positions[:, leg.upper])
        ankle = _seen(shank, positions[:, leg.foot] - positions[:, leg.lower])
        local = _bent(clamped[:, leg.lower], knee, ankle, np.linalg.norm(line, axis=-1))
        arm = rotation.rotate(thigh, knee + rotation.rotate(local, ankle))
        missed = np.linalg.norm(arm, axis=-1) - np.linalg.norm(line, axis=-1)
        swing = rotation.between(arm, line)
        upper = rotation.multiply(swing, turns[:, leg.upper])
        lower = rotation.multiply(swing, rotation.multiply(thigh, local))
        above = rotation.multiply(
            lower, rotation.multiply(rotation.conjugate(shank), turns[:, parents[leg.foot]])
        )
        hip = parents[leg.upper]
        posed = {
            leg.upper: rotation.multiply(rotation.conjugate(turns[:, hip]), upper) if hip >= 0 else upper,
            leg.lower: local,
            leg.foot: rotation.multiply(rotation.conjugate(above), turns[:, leg.foot]),
        }
        out = (over[:, leg.lower] > 1e-6) & (np.abs(missed) < _MISSED_M)
        for joint, turned in posed.items():
            rotations[:, joint] = np.where(out[:, None], turned, rotations[:, joint])
    return attrs.evolve(motion, rotations=rotations.astype(motion.rotations.dtype))


def _seen(frame: Array, vector: Array) -> Array:
    """Return `vector [T, 3]` as it is in a frame `[T, 4]`."""
    return np.asarray(rotation.rotate(rotation.conjugate(frame), vector))


def _bent(local: Array, knee: Array, ankle: Array, reach: Array) -> Array:
    """Return the knee's rotation `[T, 4]`, bent a little so that the ankle is `reach [T]` from the hip.

    `knee` is the knee as the thigh sees it from the hip, `ankle` the ankle as the shank does.
    """
    for _ in range(_BENDS):
        arm = rotation.rotate(local, ankle)
        now = np.linalg.norm(knee + arm, axis=-1)
        axis = np.cross(knee, arm)
        axis /= np.maximum(np.linalg.norm(axis, axis=-1), 1e-12)[:, None]
        slope = np.sum(knee * np.cross(axis, arm), axis=-1) / np.maximum(now, 1e-12)
        # A straight leg gets no longer by bending: there it stays as it is.
        step = np.where(np.abs(slope) > _SLOPE_M, (reach - now) / np.where(slope == 0, 1.0, slope), 0.0)
        local = rotation.multiply(rotation.from_axis_angle(axis, np.clip(step, -_STEP_RAD, _STEP_RAD)), local)
    return np.asarray(local)


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
