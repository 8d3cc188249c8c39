"""Components of characters: how their joints stand, what they play, what they do to it."""

from __future__ import annotations

import numpy as np

from kinetoscope_stage._component import Numbers, column, component, reference

__all__ = [
    "Animator",
    "BlendValues",
    "GlobalPose",
    "Inertia",
    "LookAt",
    "Pose",
    "PreviousPose",
    "Rig",
    "RootMotion",
    "Skin",
]

_IDENTITY = (0.0, 0.0, 0.0, 1.0)


@component
class Rig:
    """Whose joints a pose moves."""

    skeleton: Numbers = column(dtype=np.int32, default=0)  # number in the Library


@component
class Skin:
    """What an entity wears: meshes bound to the joints of its pose."""

    asset: Numbers = column(dtype=np.int32, default=0)  # number in the Library


@component
class Pose:
    """Joints relative to their parents; a root's relative to the entity's `Transform`."""

    positions: Numbers = column("J", 3, default=0)  # m
    rotations: Numbers = column("J", 4, default=_IDENTITY)  # xyzw


@component
class GlobalPose:
    """Joints in the world: what `PoseSystem` makes of `Pose` and `GlobalTransform`."""

    positions: Numbers = column("J", 3, default=0)
    rotations: Numbers = column("J", 4, default=_IDENTITY)


@component
class PreviousPose:
    """The `GlobalPose` before the last fixed step, for frames in between."""

    positions: Numbers = column("J", 3, default=0)
    rotations: Numbers = column("J", 4, default=_IDENTITY)
    known: Numbers = column(dtype=np.bool_, default=0)  # whether it has stood anywhere yet


@component
class Animator:
    """What is played, and what is faded out. `play` sets it."""

    clip: Numbers = column(
        dtype=np.int32, default=-1
    )  # number of a clip or tree in the Library; -1 plays nothing
    time: Numbers = column(
        default=0
    )  # s since the beginning of a clip, rounds of a tree; counts on in a loop
    speed: Numbers = column(default=1.0)  # clip seconds a second; negative plays backwards
    loop: Numbers = column(dtype=np.bool_, default=True)
    from_clip: Numbers = column(dtype=np.int32, default=-1)
    from_time: Numbers = column(default=0)
    from_speed: Numbers = column(default=1.0)
    from_loop: Numbers = column(dtype=np.bool_, default=True)
    faded: Numbers = column(default=0)  # s of the cross-fade so far
    fade: Numbers = column(default=0)  # s that it takes; 0: none
    jumped: Numbers = column(dtype=np.bool_, default=0)  # a transition that is to be inertialised


@component
class BlendValues:
    """What blend trees mix by: speed, turn, mood, whatever their nodes say."""

    values: Numbers = column(4, default=0)


@component
class RootMotion:
    """Marks who is carried by its clip: the root's path moves `Transform`, the pose stays in place."""

    weight: Numbers = column(default=1.0)  # 0 to 1: the share of the path that moves


@component
class Inertia:
    """What a character still has of the motion it left, and the pose it last showed."""

    halflife: Numbers = column(default=0.08)  # s in which about half of an offset is gone
    started: Numbers = column(dtype=np.bool_, default=0)
    offset: Numbers = column("J", 3, default=0)  # m
    offset_velocity: Numbers = column("J", 3, default=0)
    turn: Numbers = column("J", 3, default=0)  # rad, rotation vector
    turn_velocity: Numbers = column("J", 3, default=0)
    positions: Numbers = column("J", 3, default=0)
    rotations: Numbers = column("J", 4, default=_IDENTITY)
    velocities: Numbers = column("J", 3, default=0)  # m/s
    spins: Numbers = column("J", 3, default=0)  # rad/s, in the parent's axes


@component
class LookAt:
    """A joint that turns to look at something, as far as its neck allows."""

    joint: Numbers = column(dtype=np.int32, default=-1)
    target: Numbers = column(3, default=0)  # m, in the world
    entity: Numbers = reference(default=0)  # looked at instead of `target`, if it is alive
    axis: Numbers = column(3, default=(0.0, 0.0, 1.0))  # which way the joint looks, in its own axes
    most: Numbers = column(default=1.2)  # rad off where the clip looks
    widest: Numbers = column(default=np.pi)  # rad; what is further off is not looked at
    weight: Numbers = column(default=1.0)  # 0 to 1
    halflife: Numbers = column(default=0.1)  # s
    turn: Numbers = column(3, default=0)  # rad, the turn that is applied now: rotation vector in the world
    velocity: Numbers = column(3, default=0)
