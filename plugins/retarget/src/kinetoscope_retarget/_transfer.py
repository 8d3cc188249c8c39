"""Rotations from one skeleton to another: what a joint is turned out of the reference pose."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_retarget import _shape
from kinetoscope_retarget._align import aligned
from kinetoscope_retarget._body import body_of
from kinetoscope_retarget._bones import chained, check_scales, metric_offsets
from kinetoscope_retarget._reference import reference_of
from kinetoscope_retarget._twists import add_twists, twists_of
from kinetoscope_retarget.protocol import Array, Match
from kinetoscope_spec import Character, Motion, rotation
from kinetoscope_spec.anatomy import Person

__all__ = ["Rig", "rig_of", "turned", "twisted"]


@attrs.frozen(eq=False)
class Rig:
    """Two bodies in one pose.

    Attributes:
        source, target: the bodies.
        model: global rotations `[J, 4]` of the source in the common pose.
        pose: global rotations `[J', 4]` of the target in the same pose.
        places: global positions `[J', 3]` m of the target in it.
        offsets: `[J', 3]` m, the target's bones.
        scale: the target's size over the source's where both are one shape, else None.
        toes: height m of the target's standing toes over the ground, or None.
        kinds: which references were taken, source and target.
    """

    source: Person
    target: Person
    model: Array
    pose: Array
    places: Array
    offsets: Array
    scale: float | None
    toes: float | None
    kinds: tuple[str, str]


def rig_of(
    source: Motion, target: Person, match: Match, clip: Motion | None, character: Character | None
) -> Rig:
    """Bring both skeletons to one pose.

    `source` shows how the source's joints turn, `clip` and `character` how the target's do.
    """
    body = body_of(source.skeleton)
    check_scales(target.skeleton, [target.skeleton.index(pair.target) for pair in match.pairs])
    offsets = metric_offsets(target.skeleton)
    likeness = _shape.same_shape(source.skeleton, target.skeleton) if match.same_shape else None
    if likeness is not None:
        model = np.asarray(source.skeleton.rest_transforms()[1], np.float64)
        rest = np.asarray(target.skeleton.rest_transforms()[1], np.float64)
        pose = rotation.multiply(rotation.conjugate(likeness.turn)[None], rest)
        places = chained(target.skeleton, offsets, pose)
        return Rig(body, target, model, pose, places, offsets, likeness.scale, None, ("rest", "rest"))
    ours = reference_of(body, source)
    theirs = reference_of(target, clip, character)
    pose = aligned(target, theirs, body, ours)
    places = chained(target.skeleton, offsets, pose)
    return Rig(
        body, target, ours.rotations, pose, places, offsets, None, theirs.toes, (ours.kind, theirs.kind)
    )


def turned(rig: Rig, motion: Motion, match: Match) -> tuple[Array, Array]:
    """Return the target's local `[T, J, 4]` and global `[T, J, 4]` rotations.

    Each joint of the target is turned out of the common pose as its joint of the source is;
    one between two joints of the source, part of the way from the one to the other. Joints that
    are in no pair rest on their parent. Twist joints do, too, until `twisted`.
    """
    rotations = np.asarray(motion.global_transforms()[1], np.float64)
    out_of = rotation.multiply(rotations, rotation.conjugate(rig.model)[None])
    skeleton = rig.target.skeleton
    source = {name: i for i, name in enumerate(motion.skeleton.names)}
    shared = _shared(match)
    pairs = {pair.target: pair for pair in match.pairs if pair.target not in shared}
    rest = np.asarray(skeleton.rest_rotations, np.float64)
    count = len(rotations)
    world = np.empty((count, len(skeleton), 4))
    local = np.empty_like(world)
    for joint, parent in enumerate(skeleton.parents):
        pair = pairs.get(skeleton.names[joint])
        if pair is None:
            local[:, joint] = rest[joint]
            world[:, joint] = (
                local[:, joint] if parent < 0 else rotation.multiply(world[:, parent], local[:, joint])
            )
            continue
        delta = out_of[:, source[pair.source]]
        if pair.second is not None:
            share = np.full(count, pair.share)
            delta = rotation.slerp(delta, out_of[:, source[pair.second]], share)
        world[:, joint] = rotation.multiply(delta, rig.pose[joint])
        local[:, joint] = (
            world[:, joint]
            if parent < 0
            else rotation.multiply(rotation.conjugate(world[:, parent]), world[:, joint])
        )
    return rotation.normalize(local), world


def twisted(rig: Rig, local: Array, match: Match) -> Array:
    """Return local rotations `[T, J, 4]` in which twist joints share what turns about their bones."""
    names = rig.target.skeleton.names
    shared = _shared(match)
    twists = [twist for twist in twists_of(rig.target, rig.offsets) if names[twist.joint] in shared]
    result = local.copy()
    add_twists(result, twists, rig.pose, rig.target, rig.offsets)
    return result


def _shared(match: Match) -> set[str]:
    return {pair.target for pair in match.pairs if "_twist_" in pair.role}
