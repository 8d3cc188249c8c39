"""The animation player: clips in loops, cross-fades, root motion, inertialised transitions."""

from __future__ import annotations

from typing import Any

import numpy as np

from kinetoscope_spec import ValidationError, rotation
from kinetoscope_stage._chunk import Chunk
from kinetoscope_stage._component import Array
from kinetoscope_stage.clips import Clip, Library
from kinetoscope_stage.poses import Animator, Inertia, Pose, RootMotion
from kinetoscope_stage.springs import damp
from kinetoscope_stage.transforms import Transform
from kinetoscope_stage.view import View
from kinetoscope_stage.world import World

__all__ = ["AnimationSystem", "play"]


def play(world: World, entity: int, clip: int, *, fade: float = 0.2, at: float = 0.0, speed: float = 1.0,
         loop: bool = True) -> None:  # fmt: skip
    """Let an entity play a clip of the world's `Library` from `at` s on.

    An entity that has `Inertia` keeps its momentum and lets go of it by its halflife; another one
    fades over from what it plays in `fade` s, during which both go on.

    Raises:
        ValidationError: no such clip, a clip of another number of joints, a negative fade.
    """
    clips = world.resource(Library).clips
    if not 0 <= clip < len(clips):
        raise ValidationError(f"clip is {clip}, expected 0 to {len(clips) - 1}")
    joints = len(world.get(entity, Pose).positions)
    if clips[clip].positions.shape[1] != joints:
        raise ValidationError(
            f"clip {clip} moves {clips[clip].positions.shape[1]} joints, the entity has {joints}"
        )
    if not fade >= 0:
        raise ValidationError(f"fade is {fade}, expected seconds, 0 or more")
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
    spring in place of the polynomial).
    """

    name = "animation"
    reads = (Animator, Inertia, RootMotion, Transform)
    writes = (Animator, Inertia, Pose, Transform)

    def step(self, world: View, dt: float) -> None:
        """Play on by `dt` s.

        Raises:
            ValidationError: a clip that is not in the library, or of another number of joints.
        """
        clips = world.resource(Library).clips
        for chunk in world.query(Animator, Pose):
            _play_chunk(chunk, clips, dt)


def _play_chunk(chunk: Chunk, clips: list[Clip], dt: float) -> None:
    held, pose = chunk[Animator], chunk[Pose]
    before, from_before = held.time.copy(), held.from_time.copy()
    held.time[:] += held.speed * dt
    held.from_time[:] += held.from_speed * dt
    held.faded[:] += dt
    over = (held.from_clip >= 0) & (held.faded >= held.fade)
    held.from_clip[over] = -1
    playing = np.flatnonzero(held.clip >= 0)
    if not len(playing):
        return
    moves = RootMotion in chunk and Transform in chunk
    positions, rotations, step = _sampled(
        clips, held.clip, held.time, before, held.loop, playing, pose, moves
    )
    fading = np.flatnonzero((held.from_clip >= 0) & (held.clip >= 0))
    if len(fading):
        other = _sampled(
            clips, held.from_clip, held.from_time, from_before, held.from_loop, fading, pose, moves
        )
        place = np.searchsorted(playing, fading)
        share = _smooth(held.faded[fading] / held.fade[fading])
        rest = (1 - share)[:, None, None]
        positions[place] += (other[0] - positions[place]) * rest
        rotations[place] = rotation.nlerp(other[1], rotations[place], share[:, None])
        step[place] += (other[2] - step[place]) * rest[..., 0]
    if Inertia in chunk:
        inertia = chunk[Inertia]
        jumped = playing[held.jumped[playing] & inertia.started[playing]]
        if len(jumped):
            began = _sampled(clips, held.clip, before, before, held.loop, jumped, pose, moves)
            place = np.searchsorted(playing, jumped)
            _jump(inertia, jumped, began, (positions[place], rotations[place]), dt)
        _inertialise(inertia, playing, positions, rotations, dt)
    held.jumped[playing] = False
    pose.positions[playing], pose.rotations[playing] = positions, rotations
    if moves:
        _carry(chunk[Transform], playing, step * chunk[RootMotion].weight[playing, None])


def _smooth(share: Array) -> Array:
    """Ease in and out, so that a fade begins and ends without a jolt."""
    held = np.clip(share, 0.0, 1.0)
    eased: Array = held * held * (3 - 2 * held)
    return eased


def _sampled(clips: list[Clip], number: Array, time: Array, before: Array, loop: Array, rows: Array,
             pose: Pose, moves: bool) -> tuple[Array, Array, Array]:  # fmt: skip
    """Return positions, rotations and the root's step (forward frame: x, z, yaw) of `rows`."""
    joints = pose.positions.shape[1]
    positions = np.empty((len(rows), joints, 3))
    rotations = np.empty((len(rows), joints, 4))
    step = np.zeros((len(rows), 3))
    for index in np.unique(number[rows]):
        if index >= len(clips):
            raise ValidationError(f"clip {index} is not in the library, which holds {len(clips)}")
        clip = clips[int(index)]
        if clip.positions.shape[1] != joints:
            raise ValidationError(f"clip {index} moves {clip.positions.shape[1]} joints, a pose has {joints}")
        here = np.flatnonzero(number[rows] == index)
        who = rows[here]
        inside, rounds = clip.wrapped(time[who], loop[who])
        p, q = clip.sample(inside)
        if moves:
            stand = clip.root_at(inside)
            p[:, 0], q[:, 0] = _in_place(p[:, 0], q[:, 0], stand)
            then, rounds_then = clip.wrapped(before[who], loop[who])
            step[here] = _root_step(clip, clip.root_at(then), stand, rounds - rounds_then)
        positions[here], rotations[here] = p, q
    return positions, rotations, step


def _turned(x: Array, z: Array, yaw: Array) -> tuple[Array, Array]:
    c, s = np.cos(yaw), np.sin(yaw)
    return c * x + s * z, c * z - s * x


def _in_place(p: Array, q: Array, stand: Array) -> tuple[Array, Array]:
    x, z = _turned(p[:, 0] - stand[:, 0], p[:, 2] - stand[:, 1], -stand[:, 2])
    return np.stack([x, p[:, 1], z], axis=-1), rotation.multiply(rotation.from_yaw(-stand[:, 2]), q)


def _root_step(clip: Clip, then: Array, now: Array, rounds: Array) -> Array:
    """Return the way from where the root stood to where it stands, seen from the former."""
    x, z = _turned(now[:, 0] - then[:, 0], now[:, 1] - then[:, 1], -then[:, 2])
    step = np.stack([x, z, now[:, 2] - then[:, 2]], axis=-1)
    for i in np.flatnonzero(rounds):
        step[i] = _looped(clip, then[i], now[i], int(rounds[i]))
    return step


def _looped(clip: Clip, then: Array, now: Array, rounds: int) -> Array:
    """The same across the clip's ends: to its end, whole rounds, and on from its beginning."""
    first, last = (clip.root[0], clip.root[-1]) if rounds > 0 else (clip.root[-1], clip.root[0])
    step = _between(then, last)
    once = _between(first, last)
    for _ in range(abs(rounds) - 1):
        step = _joined(step, once)
    return _joined(step, _between(first, now))


def _between(a: Array, b: Array) -> Array:
    x, z = _turned(b[0] - a[0], b[1] - a[1], -a[2])
    return np.array([x, z, b[2] - a[2]])


def _joined(a: Array, b: Array) -> Array:
    x, z = _turned(b[0], b[1], a[2])
    return np.array([a[0] + x, a[1] + z, a[2] + b[2]])


def _carry(held: Any, rows: Array, step: Array) -> None:
    move = np.stack([step[:, 0], np.zeros(len(step)), step[:, 1]], axis=-1)
    held.position[rows] += rotation.rotate(held.rotation[rows], held.scale[rows, None] * move)
    held.rotation[rows] = rotation.normalize(
        rotation.multiply(held.rotation[rows], rotation.from_yaw(step[:, 2]))
    )


def _rates(then: tuple[Array, Array], now: tuple[Array, Array], dt: float) -> tuple[Array, Array]:
    """Return velocities m/s and spins rad/s `[n, J, 3]` between two poses; 0 where no time passed."""
    if dt <= 0:
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


def _inertialise(held: Inertia, rows: Array, positions: Array, rotations: Array, dt: float) -> None:
    """Add what is left of the motion before to `positions` and `rotations`, in place."""
    halflife = held.halflife[rows, None, None]
    for x, v in ((held.offset, held.offset_velocity), (held.turn, held.turn_velocity)):
        x[rows], v[rows] = damp(x[rows], v[rows], 0.0, halflife, dt)
    positions += held.offset[rows]
    rotations[:] = rotation.multiply(rotation.from_rotation_vector(held.turn[rows]), rotations)
    if dt > 0:
        began = held.started[rows, None, None]
        rates = _rates((held.positions[rows], held.rotations[rows]), (positions, rotations), dt)
        held.velocities[rows] = np.where(began, rates[0], 0.0)
        held.spins[rows] = np.where(began, rates[1], 0.0)
    held.positions[rows], held.rotations[rows], held.started[rows] = positions, rotations, True
