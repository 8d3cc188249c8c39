"""Limbs by the rest pose alone, for skeletons whose names say nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinetoscope_retarget._symmetry import best_plane, mirrored_pairs, size_of
from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import Skeleton
from kinetoscope_spec.anatomy import Tree

__all__ = ["limbs_by_shape"]

_LONG = 0.2
"""Of the body's size, how far a limb reaches at least."""

_BONE = 0.12
"""Of a limb's reach, how long a bone is at least to be one of its two long bones."""


def limbs_by_shape(skeleton: Skeleton) -> dict[str, int]:
    """Return limbs by role, as far as a symmetric rest pose shows them.

    Legs and arms are the two longest pairs of branches that mirror one another; legs end lowest. In
    each branch the two longest bones that follow one another are the thigh and the shank, the upper
    arm and the forearm. Feet point forwards: that tells left from right.
    """
    positions = np.asarray(skeleton.rest_transforms()[0], np.float64)
    plane = best_plane(skeleton, positions)
    if plane is None:
        return {}
    tree = Tree(skeleton)
    pairs = mirrored_pairs(skeleton, positions, plane)
    partner = dict(pairs) | {b: a for a, b in pairs}
    offsets = np.asarray(skeleton.rest_positions, np.float64)
    reach = tree.reach(offsets) + np.linalg.norm(offsets, axis=-1)
    starts = [(a, b) for a, b in pairs if tree.parents[a] not in partner]
    long = [pair for pair in starts if reach[pair[0]] > _LONG * size_of(positions)]
    long.sort(key=lambda pair: -reach[pair[0]])
    chains = [[_main_chain(tree, reach, joint) for joint in pair] for pair in long[:2]]
    if not chains:
        return {}
    lowest = min(chains, key=lambda pair: positions[pair[0][-1]][1])
    limbs: dict[str, int] = {}
    for pair in chains:
        group = "leg" if pair is lowest else "arm"
        ordered = _left_first(pair, lowest, positions)
        for side, chain in zip(("left", "right"), ordered, strict=True):
            limbs |= {f"{side}_{part}": joint for part, joint in _parts(chain, positions, group).items()}
    return limbs


def _main_chain(tree: Tree, reach: Array, joint: int) -> list[int]:
    chain = [joint]
    while tree.children[joint]:
        joint = max(tree.children[joint], key=lambda child: reach[child])
        chain.append(joint)
    return chain


def _left_first(
    pair: Sequence[list[int]], legs: Sequence[list[int]], positions: Array
) -> Sequence[list[int]]:
    """Order a pair of chains by the way that the feet point; without feet one faces +Z."""
    forward = np.array([0.0, 0.0, 0.0])
    for leg in legs:
        parts = _parts(leg, positions, "leg")
        if "toes" in parts:
            forward += positions[parts["toes"]] - positions[parts["foot"]]
    if np.hypot(forward[0], forward[2]) < 1e-6:
        forward = np.array([0.0, 0.0, 1.0])
    left = np.cross([0.0, 1.0, 0.0], forward)
    return sorted(pair, key=lambda chain: -float(positions[chain].mean(axis=0) @ left))


def _parts(chain: Sequence[int], positions: Array, group: str) -> dict[str, int]:
    """Name the joints of a limb's chain; joints that stand in one place count as the last of them."""
    bones = np.linalg.norm(np.diff(positions[list(chain)], axis=0), axis=-1)
    starts = [i for i, length in enumerate(bones) if length > _BONE * bones.sum()]
    if len(starts) < 2:
        return {}
    first = max(range(len(starts) - 1), key=lambda i: bones[starts[i]] + bones[starts[i + 1]])
    upper, lower = starts[first], starts[first + 1]
    end = lower + 1
    names = ("upper_leg", "lower_leg", "foot") if group == "leg" else ("upper_arm", "lower_arm", "hand")
    parts = dict(zip(names, (chain[upper], chain[lower], chain[end]), strict=True))
    if group == "arm" and upper > 0:
        parts["shoulder"] = chain[upper - 1]
    after = [i for i in range(end + 1, len(chain)) if bones[i - 1] > 1e-6 * bones.sum()]
    if group == "leg" and after:
        parts["toes"] = chain[after[0]]
    return parts
