"""Camera rigs: fixed, orbiting, third person; from one to the other without a cut."""

from __future__ import annotations

from typing import Final

import numpy as np

from kinetoscope_spec import Camera, rotation
from kinetoscope_stage._component import Array, Numbers, column, component
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


@component
class CameraRig:
    """How a camera stands to what it shows, and where it is now. Change the mode: it glides over."""

    mode: Numbers = column(dtype=np.int8, default=ORBIT)
    entity: Numbers = column(dtype=np.int64, default=0)  # the target, by its GlobalTransform
    aim: Numbers = column(3, default=(0.0, 1.0, 0.0))  # m from the target, where it looks
    offset: Numbers = column(3, default=0)  # m, in the world: where free and fixed cameras stand
    distance: Numbers = column(default=4.0)  # m
    yaw: Numbers = column(default=0)  # rad
    pitch: Numbers = column(default=0.2)  # rad, looking down
    halflife: Numbers = column(default=0.12)  # s
    started: Numbers = column(dtype=np.bool_, default=0)
    position: Numbers = column(3, default=0)  # m: what the camera does now
    target: Numbers = column(3, default=0)
    velocity: Numbers = column(3, default=0)
    target_velocity: Numbers = column(3, default=0)


class CameraSystem:
    """Moves `CameraRig`s softly to where their modes want them; the first step puts them there."""

    name = "cameras"
    reads = (CameraRig, GlobalTransform)
    writes = (CameraRig,)

    def step(self, world: View, dt: float) -> None:
        """Move on by `dt` s."""
        for chunk in world.query(CameraRig):
            held = chunk[CameraRig]
            subject, there = world.gather(held.entity, GlobalTransform)
            position, target = _wanted(held, subject.position, subject.rotation)
            # Whose target is gone stays where it is.
            keeps = ~there & (held.mode != FREE) & held.started
            position = np.where(keeps[:, None], held.position, position)
            target = np.where(keeps[:, None], held.target, target)
            halflife = held.halflife[:, None]
            for x, v, goal in (
                (held.position, held.velocity, position),
                (held.target, held.target_velocity, target),
            ):
                moved, speed = damp(x, v, goal, halflife, dt)
                x[:] = np.where(held.started[:, None], moved, goal)
                v[:] = np.where(held.started[:, None], speed, 0.0)
            held.started[:] = True


def _wanted(held: CameraRig, subject: Array, turn: Array) -> tuple[Array, Array]:
    aim = subject + held.aim
    ahead = rotation.rotate(turn, np.broadcast_to([0.0, 0.0, 1.0], aim.shape))
    facing = np.arctan2(ahead[:, 0], ahead[:, 2])
    yaw = held.yaw + np.where(held.mode == THIRD_PERSON, facing, 0.0)
    # At yaw 0 the camera looks along +Z, from above by the pitch.
    level = np.cos(held.pitch)
    look = np.stack([np.sin(yaw) * level, -np.sin(held.pitch), np.cos(yaw) * level], axis=-1)
    round_it = (held.mode == ORBIT) | (held.mode == THIRD_PERSON)
    position = np.where(round_it[:, None], aim - held.distance[:, None] * look, held.offset)
    free = held.mode == FREE
    return position, np.where(free[:, None], position + held.distance[:, None] * look, aim)


def camera(world: World, entity: int, **options: float) -> Camera:
    """Return what a rig's camera sees now; `options` are those of `Camera` (field_of_view, near, far)."""
    held = world.get(entity, CameraRig)
    return Camera(held.position.copy(), held.target.copy(), **options)
