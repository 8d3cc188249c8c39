"""Foot planting: from contact labels to feet that stand still.

A whole clip at once. The toes (the ball of the foot) are held at one point as long as a contact
lasts; the foot keeps its orientation and so rolls over them; the ankle follows, then the pelvis where
a leg would not reach; the knee bends in the plane that it bent in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from kinetoscope_fabrik import _contacts, _legs, _pelvis
from kinetoscope_fabrik.protocol import Array, Planting
from kinetoscope_spec import Motion, ValidationError, kinematics, rotation

if TYPE_CHECKING:
    from kinetoscope_spec.limits import JointLimits

__all__ = ["ground_level", "plant", "skate_cm_s"]

_GROUND_PERCENTILE = 5
"""Of the heights of both toes over all frames: where they rest, a few outliers apart."""


def plant(
    motion: Motion,
    *,
    contacts: Array | None = None,
    height_m: float = 0.05,
    speed_m_s: float = 0.4,
    ground_m: float | None = None,
    limits: JointLimits | None = None,
    blend_s: float = 0.2,
    close_gaps_s: float = 0.0,
    drop_blips_s: float = 0.0,
) -> Planting:
    """Hold the toes still wherever they touch the ground; see `FabrikSolver.plant`."""
    if not (np.isfinite(blend_s) and blend_s > 0):
        raise ValidationError(f"blend_s is {blend_s}, expected seconds above 0")
    legs = _legs.legs_of(motion.skeleton)
    _check_scales(motion, legs)
    pelvis = _legs.pelvis_of(motion.skeleton, legs)
    positions, orientations = (np.asarray(a, np.float64) for a in motion.global_transforms())
    toes = positions[:, [leg.toes for leg in legs]]
    ground = ground_level(toes) if ground_m is None else float(ground_m)
    held = _held(motion, toes, contacts, height_m, speed_m_s, ground)
    fps = motion.framerate
    held = _contacts.tidy(held, round(close_gaps_s * fps), round(drop_blips_s * fps))
    blend = max(round(blend_s * fps), 1)
    planted = motion
    if held.any():
        goals = np.stack([_contacts.targets(toes[:, i], held[:, i], blend, ground) for i in range(2)], axis=1)
        planted = _posed(motion, legs, pelvis, (positions, orientations), goals, blend)
    after = planted.global_transforms()[0][:, [leg.toes for leg in legs]]
    return Planting(
        planted,
        held,
        ground,
        skate_cm_s(toes, held, fps),
        skate_cm_s(after, held, fps),
        tuple(float(share) for share in held.mean(axis=0)),
        _excess(planted, limits),
    )


def ground_level(toes: Array) -> float:
    """Return the height m at which `toes [T, K, 3]` rest."""
    return float(np.percentile(toes[..., 1], _GROUND_PERCENTILE))


def skate_cm_s(toes: Array, contacts: Array, framerate: float) -> float:
    """Return the mean speed in cm/s of `toes [T, 2, 3]` over steps that begin and end in contact."""
    steps = np.diff(np.asarray(toes, np.float64), axis=0)
    both = contacts[1:] & contacts[:-1]
    return float(np.linalg.norm(steps, axis=-1)[both].mean() * framerate * 100) if both.any() else 0.0


def _held(
    motion: Motion, toes: Array, contacts: Array | None, height_m: float, speed_m_s: float, ground: float
) -> Array:
    if contacts is None:
        found: Array = kinematics.contacts(
            toes, motion.framerate, height_m=height_m, speed_m_s=speed_m_s, ground_m=ground
        )
        return found
    given = np.asarray(contacts)
    if given.shape != (motion.frame_count, 2) or given.dtype != bool:
        raise ValidationError(
            f"contacts is {given.dtype} {list(given.shape)}, expected bool [{motion.frame_count}, 2] (left, right)"
        )
    return given


def _posed(
    motion: Motion,
    legs: tuple[_legs.Leg, _legs.Leg],
    pelvis: int,
    globals_: tuple[Array, Array],
    goals: Array,
    blend: int,
) -> Motion:
    positions, orientations = globals_
    hip, knee, ankle, toes = (
        positions[:, [getattr(leg, part) for leg in legs]] for part in ("upper", "lower", "foot", "toes")
    )
    goals = goals - toes + ankle  # the foot keeps its orientation, so the ankle moves as the toes do
    lengths = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
    before = np.linalg.norm(ankle - hip, axis=-1)
    shift = _pelvis.pelvis_shift(hip, goals, lengths, before, blend)
    rotations = np.asarray(motion.rotations, np.float64).copy()
    for i, leg in enumerate(legs):
        new_hip = hip[:, i] + shift
        goal = _within(new_hip, goals[:, i], lengths[:, i])
        moved = ((goal != ankle[:, i]) | (shift != 0)).any(axis=-1)
        sideways = hip[:, 0] - hip[:, 1]
        hinge = _legs.hinge_axes(hip[:, i], knee[:, i], ankle[:, i], orientations[:, leg.upper], sideways)
        new_knee, turn = _legs.place_knee((hip[:, i], knee[:, i], ankle[:, i]), new_hip, goal, hinge)
        posed = rotations.copy()
        _legs.pose_leg(posed, motion, leg, globals_, (new_hip, new_knee, goal), turn)
        rotations = np.where(moved[:, None, None], posed, rotations)
    return attrs.evolve(
        motion,
        positions=_shifted(motion, pelvis, orientations, shift),
        rotations=rotations.astype(motion.rotations.dtype),
    )


def _within(hip: Array, goal: Array, length: Array) -> Array:
    """Return `goal`, or where it is out of reach the nearest point that a straight leg reaches."""
    line = goal - hip
    distance = np.linalg.norm(line, axis=-1)
    out = distance > length
    return np.where(out[:, None], hip + line * (length / np.maximum(distance, 1e-9))[:, None], goal)


def _shifted(motion: Motion, pelvis: int, orientations: Array, shift: Array) -> Array:
    moved = np.asarray(motion.positions, np.float64).copy()
    above = _legs.ancestors(motion.skeleton, pelvis)
    if above:
        shift = rotation.rotate(rotation.conjugate(orientations[:, above[0]]), shift)
    if motion.scales is not None and above:
        shift = shift / np.prod(motion.scales[:, above, 0], axis=1, dtype=np.float64)[:, None]
    moved[:, pelvis] += shift
    return moved.astype(motion.positions.dtype)


def _check_scales(motion: Motion, legs: tuple[_legs.Leg, _legs.Leg]) -> None:
    """Refuse what shears: legs turn rigidly only below joints that scale alike in all directions."""
    if motion.scales is None:
        return
    for leg in legs:
        for joint in (leg.foot, *_legs.ancestors(motion.skeleton, leg.foot)):
            if np.ptp(motion.scales[:, joint], axis=-1).max() > 1e-4 or motion.scales[:, joint].min() <= 0:
                raise ValidationError(
                    f"joint {motion.skeleton.names[joint]!r} has an uneven scale, expected one number for all axes"
                )


def _excess(motion: Motion, limits: JointLimits | None) -> float | None:
    return None if limits is None else float(limits.excess(motion.rotations).max())
