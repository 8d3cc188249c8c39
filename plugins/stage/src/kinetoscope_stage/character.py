"""Prefabs of characters."""

from __future__ import annotations

from kinetoscope_spec import Skeleton
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Animator, GlobalPose, Inertia, Pose, Rig, RootMotion
from kinetoscope_stage.prefab import Prefab
from kinetoscope_stage.transforms import GlobalTransform, Transform
from kinetoscope_stage.world import World

__all__ = ["character"]


def character(
    world: World, skeleton: Skeleton, *, clip: int = -1, root_motion: bool = True, inertia: bool = True
) -> Prefab:
    """Return a prefab of a character in its rest pose, which plays `clip`.

    Args:
        world: its `Library` takes the skeleton in.
        skeleton: whose joints it has.
        clip: number of a clip in the `Library`, or -1.
        root_motion: whether clips move it about.
        inertia: whether it keeps its momentum when it is told to `play` something else.
    """
    rest = Pose(skeleton.rest_positions, skeleton.rest_rotations)
    posed = GlobalPose(skeleton.rest_positions, skeleton.rest_rotations)
    made: list[object] = [Transform(), GlobalTransform(), rest, posed, Animator(clip=clip)]
    made.append(Rig(world.resource(Library).skeleton(skeleton)))
    if root_motion:
        made.append(RootMotion())
    if inertia:
        made.append(Inertia(positions=skeleton.rest_positions, rotations=skeleton.rest_rotations))
    return Prefab(made)
