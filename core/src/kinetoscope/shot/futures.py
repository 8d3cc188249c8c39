"""How much the futures differ that a model draws from one beginning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot import measure
from kinetoscope_spec import Motion, anatomy

__all__ = ["SHIFT_S", "VISIBLE_M", "WINDOW_S", "apart", "different", "posture"]

VISIBLE_M = 0.1
"""Walks that are so far apart are seen to be different ones. On the Bandai Namco walks two takes of one
style are 0.06 to 0.13 m apart (0.09 on average), takes of different styles 0.14 (median)."""
WINDOW_S = 2.0
"""What is compared at a time: two steps or more."""
SHIFT_S = 1.0
"""How far one may be moved in time to look like the other: a step out of time is the same walk."""
_MOST = 16

Array = NDArray[np.float64]


def posture(motion: Motion) -> Array:
    """Return positions `[T, B, 3]` m of the hips and all below, seen from the ground below the pelvis."""
    positions = motion.global_transforms()[0][:, _body(motion)].astype(np.float64)
    positions[..., [0, 2]] -= measure.pelvis(motion)[:, None]
    return positions


def _body(motion: Motion) -> list[int]:
    """Return the joints from the hips on: what lies above may stay where the clip began."""
    found = [anatomy.roles(motion.skeleton)["hips"]]
    for joint, parent in enumerate(motion.skeleton.parents):
        if int(parent) in found:
            found.append(joint)
    return found


def apart(motions: Sequence[Motion]) -> Array:
    """Return how different motions are, `[S, S]` m: the distance of joints when they look most alike.

    Joints are seen from the ground below the pelvis and from where the body faces: where a character is
    and which way it goes does not count. Of each window of `WINDOW_S` the root mean square over joints and
    frames, at the shift of up to `SHIFT_S` where it is least; of these the mean. Shorter motions are
    compared by a window of half their length.
    """
    count = min(motion.frame_count for motion in motions)
    rate = motions[0].framerate
    window = max(min(round(WINDOW_S * rate), count // 2), 1)
    shift = min(round(SHIFT_S * rate), (count - window) // 2)
    poses = [_faced(motion.slice(0, count)) for motion in motions]
    found = np.zeros((len(poses), len(poses)))
    for a, b in combinations(range(len(poses)), 2):
        starts = range(shift, count - window - shift + 1, window)
        least = [_least(poses[a][start : start + window], poses[b], start, shift) for start in starts]
        found[a, b] = found[b, a] = np.mean(least)
    return found


def _least(one: Array, other: Array, start: int, shift: int) -> float:
    """Return the least distance m of `one [W, J, 3]` from W frames of `other` about `start`."""
    shifted = (other[start + by : start + by + len(one)] for by in range(-shift, shift + 1))
    return float(min(np.sqrt(((one - part) ** 2).sum(axis=-1).mean()) for part in shifted))


def _faced(motion: Motion) -> Array:
    """Return `posture`, turned so that hips and shoulders face +Z on average."""
    positions, place = posture(motion), {joint: i for i, joint in enumerate(_body(motion))}
    roles = {role: place[joint] for role, joint in anatomy.roles(motion.skeleton).items() if joint in place}
    pairs = [(f"left_{part}", f"right_{part}") for part in ("upper_leg", "upper_arm")]
    across = np.zeros((motion.frame_count, 2))
    for left, right in (pair for pair in pairs if set(pair) <= set(roles)):
        way = (positions[:, roles[left]] - positions[:, roles[right]])[:, [0, 2]]
        across += way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    # Whoever faces +Z has the left at +X.
    yaw = np.arctan2(-across[:, 1], across[:, 0])[:, None]
    x, z = positions[..., 0], positions[..., 2]
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack([cos * x - sin * z, positions[..., 1], sin * x + cos * z], axis=-1)


def different(distances: Array, visible_m: float = VISIBLE_M) -> tuple[int, ...]:
    """Return the most of the `distances [S, S]` that are all at least `visible_m` from each other.

    The first such set in order; of more than 16 only those that are taken one after the other.
    """
    numbers = range(len(distances))
    if len(distances) > _MOST:
        taken: list[int] = []
        for i in numbers:
            if all(distances[i, j] >= visible_m for j in taken):
                taken.append(i)
        return tuple(taken)
    for size in range(len(distances), 1, -1):
        for chosen in combinations(numbers, size):
            if all(distances[a, b] >= visible_m for a, b in combinations(chosen, 2)):
                return chosen
    return tuple(numbers[:1])
