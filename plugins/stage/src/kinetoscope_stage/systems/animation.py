"""The animation player: clips and trees in loops, cross-fades, root motion, inertialised transitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kinetoscope_spec import ValidationError, rotation
from kinetoscope_stage._chunk import Chunk
from kinetoscope_stage._component import Array
from kinetoscope_stage.clips import Moments, Source
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Animator, BlendValues, Inertia, Pose, RootMotion
from kinetoscope_stage.springs import SHORTEST_S, damp
from kinetoscope_stage.transforms import Transform
from kinetoscope_stage.trees import VALUES
from kinetoscope_stage.view import View
from kinetoscope_stage.world import World

__all__ = ["AnimationSystem", "carry", "play"]


def play(world: World, entity: int, clip: int, *, fade: float = 0.2, at: float = 0.0, speed: float = 1.0,
         loop: bool = True) -> None:  # fmt: skip
    """Let an entity play a clip or tree of the world's `Library` from `at` (s of a clip, rounds of a tree) on.

    An entity that has `Inertia` keeps its momentum and lets go of it by its halflife; another one
    fades over from what it plays in `fade` s, during which both go on.

    Raises:
        ValidationError: no such clip, a clip of another number of joints, a negative fade, a time or
            speed that is no number.
    """
    clips = world.resource(Library).clips
    if not 0 <= clip < len(clips):
        raise ValidationError(f"clip is {clip}, expected 0 to {len(clips) - 1}")
    joints = len(world.get(entity, Pose).positions)
    if clips[clip].joints != joints:
        raise ValidationError(f"clip {clip} moves {clips[clip].joints} joints, the entity has {joints}")
    if not (np.isfinite(fade) and fade >= 0):
        raise ValidationError(f"fade is {fade}, expected seconds, 0 or more")
    if not (np.isfinite(at) and np.isfinite(speed)):
        raise ValidationError(f"at is {at} and speed {speed}, expected numbers")
    held = world.get(entity, Animator)
    inertial = world.has(entity, Inertia)
    fading = held.clip >= 0 and fade > 0 and not inertial
    held.from_clip[...] = held.clip if fading else -1
    held.from_time[...], held.from_speed[...] = held.time, held.speed
    held.from_loop[...] = held.loop
    held.faded[...], held.fade[...] = 0.0, fade if fading else 0.0
    held.clip[...], held.time[...], held.speed[...], held.loop[...] = clip, at, speed, loop
    held.jumped[...] = inertial


class AnimationSystem:
    """Plays `Animator`s into `Pose`s.

    With `RootMotion` the path of the clip's root (on the ground, and the way it faces) moves the
    entity's `Transform`, and the pose stays above it: pose upon transform is the clip's own pose,
    wherever it began. With `Inertia` a transition takes the difference to the pose shown before,
    and its velocity, and lets both fade (Bollo 2018, "Inertialization", with a critically damped
    spring in place of the polynomial); the seam of a loop whose ends differ is such a transition.
    Trees blend by the entity's `BlendValues`.
    """

    name = "animation"
    reads = (Animator, BlendValues, Inertia, RootMotion, Transform)
    writes = (Animator, Inertia, Pose, Transform)

    def step(self, world: View, dt: float) -> None:
        """Play on by `dt` s.

        Raises:
            ValidationError: a clip that is not in the library, or of another number of joints.
        """
        clips = world.resource(Library).clips
        for chunk in world.query(Animator, Pose):
            _Players(chunk, clips).step(dt)


class _Players:
    """The players of a chunk, and what they see."""

    def __init__(self, chunk: Chunk, sources: Sequence[Source]) -> None:
        self.held, pose = chunk[Animator], chunk[Pose]
        self.sources = sources
        self.pose = (pose.positions, pose.rotations)
        self.at = chunk[Transform] if RootMotion in chunk and Transform in chunk else None
        self.share = chunk[RootMotion].weight if self.at is not None else None
        self.inertia = chunk.get(Inertia)
        blends = chunk.get(BlendValues)
        self.values = np.zeros((len(chunk), VALUES)) if blends is None else blends.values

    def step(self, dt: float) -> None:
        held = self.held
        before, from_before = held.time.copy(), held.from_time.copy()
        held.faded[:] += dt
        held.from_clip[(held.from_clip >= 0) & (held.faded >= held.fade)] = -1
        playing = np.flatnonzero(held.clip >= 0)
        if not len(playing):
            return
        self._advance(held.clip, held.time, held.speed * dt)
        now = (held.clip, held.time, before, held.loop)
        step = self._play(now, playing, playing, self.pose)
        fading = np.flatnonzero((held.from_clip >= 0) & (held.clip >= 0))
        if len(fading):
            self._advance(held.from_clip, held.from_time, held.from_speed * dt)
            then = (held.from_clip, held.from_time, from_before, held.from_loop)
            self._fade(then, fading, playing, step)
        if self.inertia is not None:
            started = self.inertia.started[playing]
            jumped = playing[held.jumped[playing] & started]
            self._soften(self.inertia, jumped, before[jumped], dt)
            begun = self._begun(playing, before)
            seam = np.flatnonzero(np.isfinite(begun) & started & ~held.jumped[playing])
            self._soften(self.inertia, playing[seam], begun[seam], dt)
            _inertialise(self.inertia, playing, self.pose, dt)
        held.jumped[playing] = False
        if self.at is not None and self.share is not None:
            carry(self.at, playing, step * self.share[playing, None])

    def _by_source(self, number: Array, rows: Array) -> list[tuple[Source, Array]]:
        """Return each source that `rows` play, and the places in `rows` of those that do."""
        chosen = number[rows]
        first = int(chosen[0]) if len(chosen) else -1
        if len(chosen) and (chosen == first).all():
            return [(self._source(first), np.arange(len(rows)))]
        return [(self._source(int(index)), np.flatnonzero(chosen == index)) for index in np.unique(chosen)]

    def _source(self, index: int) -> Source:
        if index >= len(self.sources):
            raise ValidationError(f"clip {index} is not in the library, which holds {len(self.sources)}")
        source, joints = self.sources[index], self.pose[0].shape[1]
        if source.joints != joints:
            raise ValidationError(f"clip {index} moves {source.joints} joints, a pose has {joints}")
        return source

    def _advance(self, number: Array, time: Array, passed: Array) -> None:
        rows = np.flatnonzero(number >= 0)
        for source, here in self._by_source(number, rows):
            who = rows[here]
            time[who] = source.advanced(time[who], passed[who], self.values[who])

    def _play(self, now: tuple[Array, ...], rows: Array, places: Array, out: tuple[Array, Array]) -> Array:
        """Write what `rows` play into `places` of `out`; return the root's step (x, z, yaw) of each."""
        number, time, before, loop = now
        step = np.zeros((len(rows), 3))
        for source, here in self._by_source(number, rows):
            who = rows[here]
            moments = Moments(time[who], before[who], loop[who], self.values[who])
            step[here] = source.play(moments, places[here], out, moves=self.at is not None)
        return step

    def _played(self, now: tuple[Array, ...], rows: Array) -> tuple[tuple[Array, Array], Array]:
        joints = self.pose[0].shape[1]
        out = np.empty((len(rows), joints, 3)), np.empty((len(rows), joints, 4))
        return out, self._play(now, rows, np.arange(len(rows)), out)

    def _begun(self, playing: Array, before: Array) -> Array:
        """Return when the round began that was entered in this step, NaN where none was; ahead only."""
        held = self.held
        found = np.full(len(playing), np.nan)
        for source, here in self._by_source(held.clip, playing):
            who = playing[here]
            start = source.round_begin(held.time[who])
            entered = held.loop[who] & (held.speed[who] > 0) & (start > source.round_begin(before[who]))
            found[here[entered]] = start[entered]
        return found

    def _soften(self, inertia: Inertia, rows: Array, start: Array, dt: float) -> None:
        """Take up what `rows` showed before, off what they play from `start` on."""
        if not len(rows):
            return
        held = self.held
        first, second = held.time.copy(), held.time.copy()
        first[rows] = second[rows] = start
        for source, here in self._by_source(held.clip, rows):
            who = rows[here]
            second[who] = source.advanced(first[who], held.speed[who] * dt, self.values[who])
        began, _ = self._played((held.clip, first, first, held.loop), rows)
        after, _ = self._played((held.clip, second, second, held.loop), rows)
        _jump(inertia, rows, began, after, dt)

    def _fade(self, then: tuple[Array, ...], fading: Array, playing: Array, step: Array) -> None:
        other, their_step = self._played(then, fading)
        place = np.searchsorted(playing, fading)
        share = _smooth(self.held.faded[fading] / self.held.fade[fading])
        rest = (1 - share)[:, None, None]
        positions, rotations = self.pose
        positions[fading] += (other[0] - positions[fading]) * rest
        rotations[fading] = rotation.nlerp(other[1], rotations[fading], share[:, None])
        step[place] += (their_step - step[place]) * rest[..., 0]


def _smooth(share: Array) -> Array:
    """Ease in and out, so that a fade begins and ends without a jolt."""
    held = np.clip(share, 0.0, 1.0)
    eased: Array = held * held * (3 - 2 * held)
    return eased


def carry(held: Any, rows: Array, step: Array) -> None:
    """Move the transforms of `rows` by the root's `step [n, 3]` (x, z, yaw), seen from where they stand."""
    move = np.stack([step[:, 0], np.zeros(len(step)), step[:, 1]], axis=-1)
    held.position[rows] += rotation.rotate(held.rotation[rows], held.scale[rows, None] * move)
    held.rotation[rows] = rotation.normalize(
        rotation.multiply(held.rotation[rows], rotation.from_yaw(step[:, 2]))
    )


def _rates(then: tuple[Array, Array], now: tuple[Array, Array], dt: float) -> tuple[Array, Array]:
    """Return velocities m/s and spins rad/s `[n, J, 3]` between two poses; 0 where no time passed."""
    if dt < SHORTEST_S:
        return np.zeros_like(now[0]), np.zeros_like(now[0])
    turned = rotation.multiply(now[1], rotation.conjugate(then[1]))
    return (now[0] - then[0]) / dt, rotation.to_rotation_vector(turned) / dt


def _jump(held: Inertia, rows: Array, began: tuple[Array, ...], now: tuple[Array, Array], dt: float) -> None:
    """Take up, where a transition began, what the pose shown was off the new clip, and its rate."""
    velocities, spins = _rates((began[0], began[1]), now, dt)
    held.offset[rows] = held.positions[rows] - began[0]
    held.offset_velocity[rows] = held.velocities[rows] - velocities
    off = rotation.multiply(held.rotations[rows], rotation.conjugate(began[1]))
    held.turn[rows] = rotation.to_rotation_vector(off)
    held.turn_velocity[rows] = held.spins[rows] - spins


def _inertialise(held: Inertia, rows: Array, pose: tuple[Array, Array], dt: float) -> None:
    """Add what is left of the motion before to `rows` of `pose`."""
    halflife = held.halflife[rows, None, None]
    for x, v in ((held.offset, held.offset_velocity), (held.turn, held.turn_velocity)):
        x[rows], v[rows] = damp(x[rows], v[rows], 0.0, halflife, dt)
    positions = pose[0][rows] + held.offset[rows]
    rotations = rotation.multiply(rotation.from_rotation_vector(held.turn[rows]), pose[1][rows])
    if dt >= SHORTEST_S:
        began = held.started[rows, None, None]
        rates = _rates((held.positions[rows], held.rotations[rows]), (positions, rotations), dt)
        held.velocities[rows] = np.where(began, rates[0], 0.0)
        held.spins[rows] = np.where(began, rates[1], 0.0)
    held.positions[rows], held.rotations[rows], held.started[rows] = positions, rotations, True
    pose[0][rows], pose[1][rows] = positions, rotations
