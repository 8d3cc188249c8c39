"""Feet that stand still: legs posed anew where the source's feet stand."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_retarget._knee import bent
from kinetoscope_retarget._path import Ground
from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import footing, rotation
from kinetoscope_spec.anatomy import SIDES, Person

__all__ = ["Leg", "legs_of", "planted"]

_BLEND_S = 0.2
_STRETCH = 0.9995
"""Of a leg's length, how straight the hips may make it before they come down."""

_SINK = 0.15
"""Of a leg's length, how far the hips come down at most."""

_TIP_RAD = 0.3
"""How far a foot may tip to bring its toes down."""

_DEPTH = 0.006
"""Of a leg's length, how far a foot in the air may sink under the height of one that stands."""


@attrs.frozen
class Leg:
    """A leg of the target and the point of the source that it stands with.

    Attributes:
        upper, lower, foot: the target's joints.
        tip: the target's joint that stands: toes, or the foot itself.
        mover: the source's.
    """

    upper: int
    lower: int
    foot: int
    tip: int
    mover: int


def legs_of(source: Person, target: Person) -> tuple[Leg | None, ...]:
    """Return the left and the right leg, None where either body lacks a joint of it."""
    found: list[Leg | None] = []
    for side in SIDES:
        upper, lower, foot, toes = (
            target.limb(side, part) for part in ("upper_leg", "lower_leg", "foot", "toes")
        )
        mover = source.limb(side, "foot")
        if upper is None or lower is None or foot is None or mover is None:
            found.append(None)
            continue
        source_toes = source.limb(side, "toes")
        if toes is None or source_toes is None:
            toes, source_toes = foot, mover
        found.append(Leg(upper, lower, foot, toes, source_toes))
    return tuple(found)


def planted(
    target: Person,
    legs: tuple[Leg | None, ...],
    poses: tuple[Array, Array, Array],
    moved: Array,
    contacts: Array,
    heights: tuple[Ground, float, float],
) -> tuple[Array, Array]:
    """Return local rotations `[T, J, 4]` with standing feet, and by how much the hips come down `[T]`.

    Args:
        target: whose legs.
        legs: left and right.
        poses: local rotations `[T, J, 4]`, global rotations and positions of the target.
        moved: global positions of the source `[T, J', 3]`.
        contacts: bool `[T, 2]`.
        heights: the ground, the target's size over the source's, and the framerate.
    """
    local, world, positions = poses
    ground, scale, framerate = heights
    blend = max(round(_BLEND_S * framerate), 1)
    goals = {
        leg: _goal(positions[:, leg.tip], moved[:, leg.mover], contacts[:, i], ground, scale, blend)
        for i, leg in enumerate(legs)
        if leg is not None
    }
    tips = {
        leg: _tip(positions[:, leg.tip] - positions[:, leg.foot], goals[leg], positions, leg) for leg in goals
    }
    ankles = {
        leg: goal - rotation.rotate(tips[leg], positions[:, leg.tip] - positions[:, leg.foot])
        for leg, goal in goals.items()
    }
    sink = _sink(positions, ankles, blend)
    result = local.copy()
    for leg, ankle in ankles.items():
        hip, knee, old = (positions[:, joint] for joint in (leg.upper, leg.lower, leg.foot))
        down = np.array([0.0, -1.0, 0.0]) * sink[:, None]
        turns = bent((hip, knee, old), hip + down, ankle, world[:, leg.upper])
        _write(result, target, world, leg, (*turns, tips[leg]))
    return result, sink


def _goal(tip: Array, mover: Array, contact: Array, ground: Ground, scale: float, blend: int) -> Array:
    """Return where a foot's tip `[T, 3]` is to be: at one place in each contact.

    That is the mean of where it was, at the height of the source's in that contact: on the ground,
    or on a step of a stair.
    """
    offsets = np.zeros_like(tip)
    low = ground.toes[1]
    for start, stop in footing.runs(contact):
        place = tip[start:stop].mean(axis=0)
        over = scale * (float(np.median(mover[start:stop, 1])) - ground.toes[0])
        place[1] = low + max(over, 0.0)
        offsets[start:stop] = place - tip[start:stop]
    goal = tip + footing.bridged(offsets, contact, blend)
    depth = np.maximum(low - goal[:, 1], 0.0)
    soft = _DEPTH * max(abs(low), 0.1)
    goal[:, 1] = np.where(contact | (depth == 0), goal[:, 1], low - depth / (1 + depth / soft))
    return goal


def _sink(positions: Array, ankles: dict[Leg, Array], blend: int) -> Array:
    """Return `[T]` m by which the hips have to come down for all ankles to be in reach, smoothly."""
    need = np.zeros(len(positions))
    for leg, ankle in ankles.items():
        hip, knee, old = (positions[:, joint] for joint in (leg.upper, leg.lower, leg.foot))
        length = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(old - knee, axis=-1)
        # A leg that is left alone may be as straight as it was.
        reach = np.maximum(_STRETCH * length, np.linalg.norm(old - hip, axis=-1))
        away = hip - ankle
        level = np.hypot(away[:, 0], away[:, 2])
        over = away[:, 1] - np.sqrt(np.maximum(reach * reach - level * level, 0.0))
        need = np.maximum(need, np.clip(over, 0.0, _SINK * length))
    return _smooth_above(need, blend)


def _smooth_above(need: Array, frames: int) -> Array:
    """Return a smooth curve `[T]` that is nowhere below `need`."""
    if not need.any():
        return need
    wide = np.pad(need, 2 * frames, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(wide, 2 * frames + 1).max(axis=-1)
    window = np.hanning(2 * frames + 3)[1:-1]
    smooth = np.convolve(highest, window / window.sum(), mode="valid")
    return np.maximum(smooth, 0.0)


def _tip(bone: Array, goal: Array, positions: Array, leg: Leg) -> Array:
    """Return the turn `[T, 4]` by which a foot tips forwards where its toes are to come down.

    Toes that slap down, or peel off already, come to the ground by tipping the foot: lowering the
    ankle would stretch the leg.
    """
    one = np.broadcast_to(np.array([0.0, 0.0, 0.0, 1.0]), (len(bone), 4))
    size, level = np.linalg.norm(bone, axis=-1), np.hypot(bone[:, 0], bone[:, 2])
    if leg.tip == leg.foot or size.max() < 1e-9:
        return one
    down = np.maximum(positions[:, leg.tip, 1] - goal[:, 1], 0.0)
    size = np.maximum(size, 1e-9)
    now = np.arcsin(np.clip(bone[:, 1] / size, -1.0, 1.0))
    tip = now - np.arcsin(np.clip((bone[:, 1] - down) / size, -1.0, 1.0))
    # A foot that stands on its toes' tips cannot come down by tipping.
    tip = np.minimum(tip, _TIP_RAD) * np.minimum(2 * level / size, 1.0)
    axis = np.stack([bone[:, 2], np.zeros_like(level), -bone[:, 0]], axis=-1)
    axis = axis / np.maximum(level, 1e-9)[:, None]
    turn: Array = rotation.from_axis_angle(axis, tip)
    return np.where((tip > 0)[:, None], turn, one)


def _write(local: Array, target: Person, world: Array, leg: Leg, turns: tuple[Array, Array, Array]) -> None:
    """Turn thigh and shank, with all joints between them, and the foot."""
    parents = target.skeleton.parents
    thigh, shank, foot = turns
    above = int(parents[leg.upper])
    for joint, turn, over in (
        (leg.upper, thigh, None),
        (leg.lower, shank, thigh),
        (leg.foot, foot, shank),
    ):
        turned = rotation.multiply(turn, world[:, joint])
        parent = above if joint == leg.upper else int(parents[joint])
        if parent >= 0:
            frame = world[:, parent] if over is None else rotation.multiply(over, world[:, parent])
            turned = rotation.multiply(rotation.conjugate(frame), turned)
        local[:, joint] = rotation.normalize(turned)
