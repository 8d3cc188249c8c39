"""Clips that are played in the middle of a performance: put where the performer is, and joined to it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec import Locomotion, Motion, anatomy, rotation

__all__ = ["Insert", "blended", "joined", "placed", "put"]

BLEND_S = 0.4
"""In which a pose goes over into a clip's: about as long as a step."""


@attrs.frozen
class Insert:
    """A clip and when it is played.

    Attributes:
        at: seconds from the performance's beginning.
        motion: of the performer's skeleton.
    """

    at: float
    motion: Motion


def placed(motion: Motion, ground: np.ndarray, turn_rad: float, about: np.ndarray) -> Motion:
    """Return `motion` turned by `turn_rad` about the vertical through `about`, then moved to `ground`.

    Args:
        motion: any motion; its roots' transforms change, nothing else does.
        ground: `[2]` m, world x and z, where `about` comes to lie.
        turn_rad: about +Y.
        about: `[2]` m, world x and z.
    """
    roots = np.flatnonzero(motion.skeleton.parents < 0)
    positions, rotations = motion.positions.copy(), motion.rotations.copy()
    yaw = rotation.from_yaw(np.asarray(turn_rad, dtype=np.float64))
    pivot = np.array([about[0], 0.0, about[1]])
    target = np.array([ground[0], 0.0, ground[1]])
    positions[:, roots] = rotation.rotate(yaw, positions[:, roots] - pivot) + target
    rotations[:, roots] = rotation.multiply(yaw, rotations[:, roots].astype(np.float64))
    return attrs.evolve(motion, positions=positions, rotations=rotations)


def _heading(direction: np.ndarray) -> float:
    """Return the angle about +Y that turns +Z to `direction [2]` (x, z)."""
    return float(np.arctan2(direction[0], direction[1]))


def put(
    feature: Locomotion, motion: Motion, ground: np.ndarray, facing: np.ndarray, *, end: bool = True
) -> Motion:
    """Return `motion` so that in its last frame (its first unless `end`) it stands and faces as is said.

    Args:
        feature: says where a motion stands and faces.
        motion: any motion of two frames or more.
        ground: `[2]` m, world x and z.
        facing: `[2]`, world x and z.
    """
    told = motion if end else motion.slice(0, 2)
    position, was = feature.root(feature.start(told))
    return placed(motion, ground, _heading(facing) - _heading(was), position)


def blended(before: Motion, after: Motion) -> Motion:
    """Return `after` growing out of the last pose of `before`: their difference is taken back in `BLEND_S`.

    After Bollo 2018, "Inertialization: High-Performance Animation Transitions in Gears of War" (GDC), with a
    smooth step in place of its quintic.
    """
    after = _carried_alike(before, after)
    count = min(round(BLEND_S * after.framerate), after.frame_count)
    share = (np.arange(count) + 1) / (count + 1)
    left = (1 - share**2 * (3 - 2 * share))[:, None]
    positions, rotations = after.positions.copy(), after.rotations.astype(np.float64)
    positions[:count] += left[..., None] * (before.positions[-1] - after.positions[0])
    off = rotation.multiply(before.rotations[-1].astype(np.float64), rotation.inverse(rotations[0]))
    vector = rotation.to_rotation_vector(off)
    turns = rotation.from_rotation_vector(left[..., None] * vector)
    rotations[:count] = rotation.multiply(turns, rotations[:count])
    return attrs.evolve(after, positions=positions, rotations=rotations)


def _carried_alike(before: Motion, after: Motion) -> Motion:
    """Return `after` with the joints above the hips as they were last in `before`: the hips carry the travel.

    Files differ in that, and generated motions do: mixed joint by joint the body would swing through the air.
    """
    hips = anatomy.roles(after.skeleton).get("hips")
    if hips is None:
        return after
    above, joint = [], int(after.skeleton.parents[hips])
    while joint >= 0:
        above.append(joint)
        joint = int(after.skeleton.parents[joint])
    if not above:
        return after
    positions, rotations = after.positions.copy(), after.rotations.astype(np.float64)
    for array, held in ((positions, before.positions), (rotations, before.rotations)):
        array[:, above] = held[-1, above]
    places, turns = (array[:, hips].astype(np.float64) for array in after.global_transforms())
    frame, facing = (array[-1, above[0]].astype(np.float64) for array in before.global_transforms())
    back = rotation.inverse(facing)
    positions[:, hips] = rotation.rotate(back, places - frame)
    rotations[:, hips] = rotation.multiply(back, turns)
    return attrs.evolve(after, positions=positions, rotations=rotations)


def joined(motions: Sequence[Motion]) -> Motion:
    """Return motions of one skeleton one after the other, on the first one's skeleton and name."""
    first = motions[0]
    return attrs.evolve(
        first,
        positions=np.concatenate([motion.positions for motion in motions]),
        rotations=np.concatenate([motion.rotations for motion in motions]),
    )
