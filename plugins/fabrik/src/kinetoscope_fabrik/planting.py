"""Foot planting: from contact labels to feet that stand still.

A whole clip at once. The toes (the ball of the foot) are held at one point as long as a contact
lasts; the foot keeps its orientation and so rolls over them; the ankle follows, then the pelvis where
a leg would not reach; the knee bends in the plane that it bent in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kinetoscope_fabrik import _contacts, _legs
from kinetoscope_fabrik._body import Body
from kinetoscope_fabrik._limits import settle
from kinetoscope_fabrik.protocol import Array, Planting
from kinetoscope_spec import Motion, ValidationError, footing, kinematics

if TYPE_CHECKING:
    from kinetoscope_spec.limits import JointLimits

__all__ = ["ground_level", "plant", "skate_cm_s"]

_GROUND_PERCENTILE = 5
"""Of the heights of both toes over all frames: where they rest, a few outliers apart."""

_LONGEST_BLEND_S = 60.0
"""More is a mistake, and every frame of it costs memory."""

_FARTHEST_M = 1e6
"""Further from the origin millimetres are lost."""


def plant(
    motion: Motion,
    *,
    contacts: Array | None = None,
    height_m: float = 0.05,
    speed_m_s: float = 0.4,
    ground_m: float | None = None,
    limits: JointLimits | None = None,
    blend_s: float = 0.2,
    close_gaps_s: float = 0.1,
    drop_blips_s: float = 0.0,
) -> Planting:
    """Hold the toes still wherever they touch the ground; see `FabrikSolver.plant`."""
    if not 0 < blend_s <= _LONGEST_BLEND_S:
        raise ValidationError(f"blend_s is {blend_s}, expected seconds above 0, at most {_LONGEST_BLEND_S}")
    for name, value in (("close_gaps_s", close_gaps_s), ("drop_blips_s", drop_blips_s)):
        if not (np.isfinite(value) and value >= 0):
            raise ValidationError(f"{name} is {value}, expected seconds, 0 or more")
    for name, value in (("height_m", height_m), ("speed_m_s", speed_m_s)):
        if np.isnan(value):
            raise ValidationError(f"{name} is {value}, expected a number")
    if ground_m is not None and not abs(ground_m) <= _FARTHEST_M:
        raise ValidationError(f"ground_m is {ground_m}, expected metres, at most {_FARTHEST_M:g} up or down")
    legs = _legs.legs_of(motion.skeleton)
    _check_scales(motion, legs)
    pelvis = _legs.pelvis_of(motion.skeleton, legs)
    positions, orientations = (np.asarray(a, np.float64) for a in motion.global_transforms())
    toes = positions[:, [leg.toes for leg in legs]]
    ground = ground_level(toes) if ground_m is None else float(ground_m)
    held = _held(motion, toes, contacts, height_m, speed_m_s, ground)
    fps = motion.framerate
    held = footing.tidied(held, round(close_gaps_s * fps), round(drop_blips_s * fps))
    blend = max(round(blend_s * fps), 1)
    planted = motion
    if held.any():
        goals = np.stack([_contacts.targets(toes[:, i], held[:, i], blend, ground) for i in range(2)], axis=1)
        body = Body(motion, legs, pelvis, (positions, orientations))
        feet = body.rolled(goals)
        planted = body.posed(goals, body.shift(goals, feet, blend), feet)
        if limits is not None:
            planted = settle(body, goals, held, limits, blend)
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
