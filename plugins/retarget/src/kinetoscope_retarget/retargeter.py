"""The provider `anatomic`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs
import numpy as np

from kinetoscope_retarget import _contacts, _feet, _path
from kinetoscope_retarget._body import body_of
from kinetoscope_retarget._bones import scales_above
from kinetoscope_retarget._doubles import doubled
from kinetoscope_retarget._matching import match_skeletons
from kinetoscope_retarget._pairs import mirror_pairs
from kinetoscope_retarget._stand import leg_length
from kinetoscope_retarget._transfer import Rig, rig_of, turned, twisted
from kinetoscope_retarget.protocol import Array, Match, Pairs
from kinetoscope_spec import Asset, Character, Motion, Skeleton, ValidationError, rotation

__all__ = ["AnatomicRetargeter"]

_PATHS = ("scaled", "metres")


@attrs.frozen
class AnatomicRetargeter:
    """Retargets by anatomy: see `kinetoscope_retarget.hooks.Retargeter` for what it promises."""

    name: ClassVar[str] = "anatomic"

    def match(self, source: Skeleton, target: Skeleton, *, names: Mapping[str, str] | None = None) -> Match:
        """Find which joints belong together; see `Retargeter.match`."""
        return match_skeletons(source, target, names)

    def mirror_pairs(self, skeleton: Skeleton) -> Pairs:
        """Find left and right partners; see `Retargeter.mirror_pairs`."""
        return mirror_pairs(skeleton)

    def retarget(
        self,
        motion: Motion,
        target: Skeleton | Character | Motion | Asset,
        *,
        match: Match | None = None,
        contacts: Array | bool | None = None,
        path: str = "scaled",
        reference: Motion | None = None,
    ) -> Motion:
        """Return `motion` on another skeleton; see `Retargeter.retarget`."""
        if path not in _PATHS:
            raise ValidationError(f"retarget: path is {path!r}, expected one of {', '.join(_PATHS)}")
        skeleton, clip, character = _told(target)
        match = match_skeletons(motion.skeleton, skeleton) if match is None else match
        _check(match, motion.skeleton, skeleton)
        shows = motion if reference is None else reference
        if shows.skeleton != motion.skeleton:
            raise ValidationError("retarget: reference is a clip of another skeleton than the motion's")
        rig = rig_of(shows, body_of(skeleton), match, clip, character)
        positions = np.asarray(motion.global_transforms()[0], np.float64)
        local, world = turned(rig, motion, match)
        scale = _path.scale_of(rig, positions)
        ground = _path.ground_of(rig, positions, scale)
        middle = _path.carried(rig, positions, scale, ground, metres=path == "metres")
        placed = _path.placed(rig, world, middle)
        held = _held(rig, contacts, positions, motion.framerate)
        if held is not None and ground is not None:
            legs = _feet.legs_of(rig.source, rig.target)
            heights = (ground, scale, motion.framerate)
            local, sink = _feet.planted(rig.target, legs, (local, world, placed), positions, held, heights)
            # What stands above the hips stays: only the joint that carries the body comes down.
            placed[:, rig.target.carrier or 0, 1] -= sink
        local = doubled(twisted(rig, local, match), rig.target, match)
        return _motion(rig, motion, local, world, placed)


def _check(match: Match, source: Skeleton, target: Skeleton) -> None:
    """Refuse a match of other skeletons."""
    for pair in match.pairs:
        for what, name, names in (
            ("source", pair.source, source.names),
            ("source", pair.second or pair.source, source.names),
            ("target", pair.target, target.names),
        ):
            if name not in names:
                raise ValidationError(
                    f"retarget: match names {name!r} of the {what}, which has no such joint; "
                    "was it made for other skeletons?"
                )


def _told(target: Skeleton | Character | Motion | Asset) -> tuple[Skeleton, Motion | None, Character | None]:
    """Return the target's skeleton, and what shows how its joints are turned."""
    if isinstance(target, Skeleton):
        return target, None, None
    if isinstance(target, Motion):
        return target.skeleton, target, None
    if isinstance(target, Character):
        return target.skeleton, None, target
    clip = target.motions[0] if target.motions else None
    return target.skeleton, clip, target.character() if target.meshes else None


def _held(rig: Rig, contacts: Array | bool | None, positions: Array, framerate: float) -> Array | None:
    """Return when feet stand, bool `[T, 2]`; None where nothing is to be done about them.

    Between two skeletons of one shape feet stand as they stood.
    """
    if contacts is False or (contacts is None and rig.scale is not None):
        return None
    if contacts is not None and contacts is not True:
        return _contacts.given(contacts, len(positions))
    leg = leg_length(positions, rig.source)
    held = np.zeros((len(positions), 2), bool)
    for i, found in enumerate(_feet.legs_of(rig.source, rig.target)):
        if found is not None:
            held[:, i] = _contacts.standing(positions[:, [found.mover]], leg, framerate)[:, 0]
    return held


def _motion(rig: Rig, motion: Motion, local: Array, world: Array, placed: Array) -> Motion:
    """Return the target's motion: resting positions everywhere but at the joint that carries all."""
    skeleton = rig.target.skeleton
    count = motion.frame_count
    positions = np.repeat(np.asarray(skeleton.rest_positions, np.float64)[None], count, axis=0)
    carrier = rig.target.carrier or 0
    parent = int(skeleton.parents[carrier])
    at = placed[:, carrier]
    if parent >= 0:
        at = rotation.rotate(rotation.conjugate(world[:, parent]), at - placed[:, parent])
        at = at / scales_above(skeleton)[carrier]
    positions[:, carrier] = at
    dtype = motion.rotations.dtype
    scaled = not np.all(skeleton.rest_scales == 1)
    return Motion(
        skeleton,
        positions.astype(motion.positions.dtype),
        local.astype(dtype),
        motion.framerate,
        name=motion.name,
        scales=np.repeat(skeleton.rest_scales[None], count, axis=0) if scaled else None,
        start_time=motion.start_time,
        morph_weights=motion.morph_weights,
    )
