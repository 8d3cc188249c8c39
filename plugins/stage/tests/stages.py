"""A character on a stage, for tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path as File

from kinetoscope_stage import (
    Library,
    Pose,
    Schedule,
    World,
)
from kinetoscope_stage.character import character
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.systems.poses import PoseSystem
from kinetoscope_stage.systems.recorder import RecorderSystem
from kinetoscope_stage.transforms import TransformSystem

_spec = importlib.util.spec_from_file_location("clips", File(__file__).with_name("clips.py"))
clips = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(clips)
SKELETON = clips.SKELETON


def stage(motion, *more, dt=1 / 60, **options):
    world = World()
    number = world.resource(Library).clip(motion)
    (entity,) = character(world, motion.skeleton, clip=number, **options).spawn(world, 1, *more)
    return (
        world,
        int(entity),
        Schedule([AnimationSystem(), TransformSystem(), PoseSystem(), RecorderSystem()]),
    )


def shown(world, entity):
    held = world.get(entity, Pose)
    return held.positions.copy(), held.rotations.copy()
