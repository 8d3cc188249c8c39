"""Camera rigs: free, fixed, orbiting, third person; from one to the other without a cut."""

from __future__ import annotations

from typing import Final

import numpy as np

from kinetoscope_spec import Camera, rotation
from kinetoscope_stage._component import Array, Numbers, column, component, reference
from kinetoscope_stage.springs import damp
from kinetoscope_stage.transforms import GlobalTransform
from kinetoscope_stage.view import View
from kinetoscope_stage.world import World

__all__ = ["FIXED", "FREE", "ORBIT", "THIRD_PERSON", "CameraRig", "CameraSystem", "camera"]

FREE: Final = 0
"""Stands at `offset` and looks by `yaw` and `pitch`."""
FIXED: Final = 1
"""Stands at `offset` and looks at the target."""
ORBIT: Final = 2
"""`distance` from the target, by `yaw` and `pitch` of the world."""
THIRD_PERSON: Final = 3
"""The same by the way the target faces: behind it at yaw 0."""

_NEAREST_M: Final = 1e-3
"""No camera comes nearer to what it looks at."""


@component
class CameraRig:
    """How a camera stands to what it shows, and where it is now. Change the mode: it glides over."""

    mode: Numbers = column(dtype=np.int8, default=ORBIT)
    entity: Numbers = reference(default=0)  # the target, by its GlobalTransform
    aim: Numbers = column(3, default=(0.0, 1.0, 0.0))  # m from the target, where it looks
    offset: Numbers = column(3, default=0)  # m, in the world: where free and fixed cameras stand
    distance: Numbers = column(default=4.0)  # m
    yaw: Numbers = column(default=0)  # rad
    pitch: Numbers = column(default=0.2)  # rad, looking down
    halflife: Numbers = column(default=0.12)  # s
    started: Numbers = column(dtype=np.bool_, default=0)
    position: Numbers = column(3, default=0)  # m: what the camera does now
    target: Numbers = column(3, default=0)
    target_velocity: Numbers = column(3, default=0)
    arm: Numbers = column(3, default=(0.0, 0.0, 1.0))  # yaw and pitch, rad, and length, m, to the target
    arm_velocity: Numbers = column(3, default=0)
    before_position: Numbers = column(3, default=0)  # the same a step ago, for frames in between
    before_target: Numbers = column(3, default=0)


class CameraSystem:
    """Moves `CameraRig`s softly to where their modes want them; the first step puts them there.

    What glides is the point looked at, and the camera's turn and distance to it: from one side of a
    target to the other it goes around, the shorter way, and not through.
    """

    name = "cameras"
    reads = (CameraRig, GlobalTransform)
    writes = (CameraRig,)

    def step(self, world: View, dt: float) -> None:
        """Move on by `dt` s."""
        for chunk in world.query(CameraRig):
            held = chunk[CameraRig]
            subject, there = world.gather(held.entity, GlobalTransform)
            target, arm = _wanted(held, subject.position, subject.rotation)
            started = held.started[:, None]
            held.before_position[:], held.before_target[:] = held.position, held.target
            # Whose target is gone stays where it is.
            keeps = (~there & (held.mode != FREE))[:, None] & started
            target, arm = np.where(keeps, held.target, target), np.where(keeps, held.arm, arm)
            # Of all ways around to the wanted yaw, the nearest.
            turns = np.round((held.arm[:, 0] - arm[:, 0]) / (2 * np.pi))
            arm[:, 0] += np.where(held.started, 2 * np.pi * turns, 0.0)
            for x, v, goal in (
                (held.target, held.target_velocity, target),
                (held.arm, held.arm_velocity, arm),
            ):
                moved, speed = damp(x, v, goal, held.halflife[:, None], dt)
                x[:], v[:] = np.where(started, moved, goal), np.where(started, speed, 0.0)
            length = np.maximum(held.arm[:, 2], _NEAREST_M)
            held.position[:] = held.target - length[:, None] * _ahead(held.arm[:, 0], held.arm[:, 1])
            held.before_position[:] = np.where(started, held.before_position, held.position)
            held.before_target[:] = np.where(started, held.before_target, held.target)
            held.started[:] = True


def _ahead(yaw: Array, pitch: Array) -> Array:
    """Return the way `[n, 3]` a camera looks: along +Z at yaw 0, down by the pitch."""
    level = np.cos(pitch)
    return np.stack([np.sin(yaw) * level, -np.sin(pitch), np.cos(yaw) * level], axis=-1)


def _wanted(held: CameraRig, subject: Array, turn: Array) -> tuple[Array, Array]:
    """Return where to look `[n, 3]`, and yaw, pitch and distance `[n, 3]`."""
    aim = subject + held.aim
    forward = rotation.rotate(turn, np.broadcast_to([0.0, 0.0, 1.0], aim.shape))
    facing = np.arctan2(forward[:, 0], forward[:, 2])
    yaw = held.yaw + np.where(held.mode == THIRD_PERSON, facing, 0.0)
    arm = np.stack([yaw, held.pitch, np.maximum(held.distance, _NEAREST_M)], axis=-1)
    free = (held.mode == FREE)[:, None]
    target = np.where(free, held.offset + arm[:, 2:] * _ahead(yaw, held.pitch), aim)
    way = aim - held.offset
    flat, far = np.hypot(way[:, 0], way[:, 2]), np.linalg.norm(way, axis=-1)
    # Straight above or below the target every yaw is right: keep the one there is.
    around = np.where(flat > _NEAREST_M, np.arctan2(way[:, 0], way[:, 2]), held.arm[:, 0])
    seen = np.stack([around, np.arctan2(-way[:, 1], flat), np.maximum(far, _NEAREST_M)], axis=-1)
    return target, np.where((held.mode == FIXED)[:, None], seen, arm)


def camera(world: World, entity: int, *, alpha: float = 1.0, **options: float) -> Camera:
    """Return what a rig's camera sees, `alpha` of the way from the last fixed step but one to the last.

    `options` are those of `Camera` (field_of_view, near, far).
    """
    held = world.get(entity, CameraRig)
    target, position = (
        now if alpha == 1 else before + alpha * (now - before)
        for before, now in ((held.before_target, held.target), (held.before_position, held.position))
    )
    way = target - position
    steep = np.hypot(way[0], way[2]) < 1e-3 * np.linalg.norm(way)
    yaw = float(held.arm[0])
    # Straight down there is no up: the top of the picture is where the camera would go on to.
    up = [np.sin(yaw), 0.0, np.cos(yaw)] if steep else [0.0, 1.0, 0.0]
    return Camera(position.copy(), target.copy(), np.array(up), **options)
