"""Prefabs of characters, and pictures of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kinetoscope_spec import Actor, Asset, Character, Scene, Skeleton, ValidationError, kinematics, rotation
from kinetoscope_stage._chunk import Chunk
from kinetoscope_stage._component import Array
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Animator, GlobalPose, Inertia, Pose, PreviousPose, Rig, RootMotion, Skin
from kinetoscope_stage.prefab import Prefab
from kinetoscope_stage.systems.reach import Reach
from kinetoscope_stage.transforms import GlobalTransform, Transform
from kinetoscope_stage.world import World

__all__ = ["character", "scene"]

_MOST_IDS = 65_535
"""What the `id` buffer of a picture can tell apart."""


def character(
    world: World,
    body: Skeleton | Asset,
    *,
    clip: int = -1,
    root_motion: bool = True,
    inertia: bool = True,
    interpolated: bool = False,
    reach: Sequence[tuple[str, str]] = (),
) -> Prefab:
    """Return a prefab of a character in its rest pose, which plays `clip`.

    Args:
        world: its `Library` takes the skeleton in, and an asset's meshes, skins and materials.
        body: a skeleton, or an asset whose meshes it wears.
        clip: number of a clip or tree in the `Library`, or -1.
        root_motion: whether clips move it about.
        inertia: whether it keeps its momentum when it is told to `play` something else.
        interpolated: whether it keeps the pose before, so that `scene` can draw it between two steps.
        reach: chains for the solver, each from a joint's name down to another's; every one is a child
            of the character with a `Reach` of weight 0: raise it, and give it a target.

    Raises:
        ValidationError: a chain's joint that the skeleton has not.
    """
    library = world.resource(Library)
    skeleton = body.skeleton if isinstance(body, Asset) else body
    rest = Pose(skeleton.rest_positions, skeleton.rest_rotations)
    posed = GlobalPose(skeleton.rest_positions, skeleton.rest_rotations)
    made: list[object] = [Transform(), GlobalTransform(), rest, posed, Animator(clip=clip)]
    made.append(Rig(library.skeleton(skeleton)))
    if isinstance(body, Asset):
        made.append(Skin(library.asset(body)))
    if interpolated:
        made.append(PreviousPose(skeleton.rest_positions, skeleton.rest_rotations))
    if root_motion:
        made.append(RootMotion())
    if inertia:
        made.append(Inertia(positions=skeleton.rest_positions, rotations=skeleton.rest_rotations))
    return Prefab(made, children=[Prefab([_chain(skeleton, *names)]) for names in reach])


def _chain(skeleton: Skeleton, root: str, end: str) -> Reach:
    known = list(skeleton.names)
    for name in (root, end):
        if name not in known:
            raise ValidationError(f"joint {name!r} is not in this skeleton, expected one of {known[:8]}, ...")
    return Reach(root=known.index(root), end=known.index(end), weight=0.0)


def scene(world: World, *, alpha: float = 1.0, **options: Any) -> Scene:
    """Return what a renderer draws: every entity with a `Skin`.

    Args:
        world: whose `GlobalPose`s are up to date.
        alpha: how far the picture lies between the last two fixed steps: a loop's `alpha`. Who has no
            `PreviousPose` is drawn as in the last one.
        options: those of `Scene`: lights, ground, background, ...

    Raises:
        ValidationError: more characters than the `id` buffer can tell apart.
    """
    library = world.resource(Library)
    actors: list[Actor] = []
    for chunk in world.query(GlobalPose, GlobalTransform, Skin):
        (positions, rotations), scale = _between(chunk, alpha), chunk[GlobalTransform].scale
        scales = np.repeat(scale[:, None, None], positions.shape[1], axis=1) * np.ones(3)
        matrices = kinematics.matrices(positions, rotations, scales)
        for number, matrix in zip(chunk[Skin].asset.tolist(), matrices, strict=True):
            actors.append(Actor(_worn(library, number), matrix, id=min(len(actors) + 1, _MOST_IDS)))
    if len(actors) > _MOST_IDS:
        raise ValidationError(f"{len(actors)} characters wear a skin, expected at most {_MOST_IDS}")
    return Scene(actors=tuple(actors), **options)


def _between(chunk: Chunk, alpha: float) -> tuple[Array, Array]:
    now, before = chunk[GlobalPose], chunk.get(PreviousPose)
    if before is None or alpha == 1:
        return now.positions, now.rotations
    turned = rotation.nlerp(before.rotations, now.rotations, np.full((1, 1), alpha))
    return before.positions + alpha * (now.positions - before.positions), turned


def _worn(library: Library, number: int) -> Character:
    if not 0 <= number < len(library.assets):
        raise ValidationError(f"asset {number} is not in the library, which holds {len(library.assets)}")
    return library.worn(number)
