"""Characters that a trained model moves: where they are to go in, what their bodies do out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_spec import Motion, ValidationError, rotation
from kinetoscope_spec.protocols import Control, Fitted, Locomotion
from kinetoscope_stage._component import Array, Numbers, column, component
from kinetoscope_stage._digest import State
from kinetoscope_stage.clips import Clip, Moments
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Pose
from kinetoscope_stage.systems.animation import carry
from kinetoscope_stage.transforms import Transform
from kinetoscope_stage.trees import VALUES
from kinetoscope_stage.view import View

__all__ = ["Controlled", "ControllerSystem", "Models"]

_AHEAD_S: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
"""When a wish says where to be."""

_RETURN_S: Final = 0.5
"""Time in which a character that left its path comes back to it."""


@component
class Controlled:
    """Who is moved by a model, and where to: along a path, or as fast as `velocity` says."""

    model: Numbers = column(dtype=np.int32, default=-1)  # number in `Models`; -1: none
    seed: Numbers = column(dtype=np.int32, default=-1)  # number of the clip whose end it goes on from
    velocity: Numbers = column(2, default=0)  # m/s, world x and z
    facing: Numbers = column(2, default=0)  # world x and z; 0, 0: the way it goes
    path: Numbers = column(dtype=np.int32, default=-1)  # number in the Library, gone along at `speed`
    speed: Numbers = column(default=1.0)  # m/s
    distance: Numbers = column(default=0)  # m along the path


@attrs.define(eq=False)
class _Mind:
    """One character's state: what the feature knows of it, and the frames that it plays now."""

    state: Any
    frames: Clip
    time: float = 0.0
    played: int = 0


class Models:
    """Trained models and their features, by number; and the minds of those whom they move."""

    def __init__(self) -> None:
        self.models: list[tuple[Locomotion, Fitted]] = []
        self.minds: dict[int, _Mind] = {}

    def add(self, feature: Locomotion, fitted: Fitted) -> int:
        """Take in a model with the feature that it was trained on, and return its number."""
        self.models.append((feature, fitted))
        return len(self.models) - 1

    def state(self) -> Iterable[State]:
        """Return what the world's future depends on, for its digest."""
        for entity in sorted(self.minds):
            held = self.minds[entity]
            yield entity, held.time, held.played, held.state, held.frames.positions, held.frames.rotations


class ControllerSystem:
    """Moves every `Controlled` character by its model; those who need new frames are asked for in one batch.

    A character's `Transform` goes where the frames of its model take their root, from wherever it
    is, and its `Pose` stays above it, as with `RootMotion`. The model is told where to be in the
    next second, seen from where the character stands. A feature that can forget what it has played
    (`forgotten(state)`) keeps memory bounded.
    """

    name = "controller"
    reads = (Controlled, Transform)
    writes = (Controlled, Pose, Transform)

    def step(self, world: View, dt: float) -> None:
        """Move on by `dt` s.

        Raises:
            ValidationError: a model, seed or path that is not there; a seed of other joints.
        """
        models, library = world.resource(Models), world.resource(Library)
        gone = [
            entity
            for entity, alive in zip(models.minds, world.alive(list(models.minds)), strict=True)
            if not alive
        ]
        for entity in gone:
            del models.minds[entity]
        for chunk in world.query(Controlled, Pose, Transform):
            held, at, pose = chunk[Controlled], chunk[Transform], chunk[Pose]
            moved = np.flatnonzero(held.model >= 0)
            ids = chunk.entities[moved].tolist()
            for entity, row in zip(ids, moved.tolist(), strict=True):
                if entity not in models.minds:
                    models.minds[entity] = _born(models, library, held, row, pose.positions.shape[1])
            _think(models, library, held, at, dict(zip(ids, moved.tolist(), strict=True)), dt)
            _move(models, pose, at, ids, moved, dt)


def _born(models: Models, library: Library, held: Controlled, row: int, joints: int) -> _Mind:
    model, seed = int(held.model[row]), int(held.seed[row])
    if model >= len(models.models):
        raise ValidationError(f"model {model} is not there, of {len(models.models)}")
    clip = library.clips[seed] if 0 <= seed < len(library.clips) else None
    if not isinstance(clip, Clip) or clip.joints != joints:
        raise ValidationError(f"Controlled.seed is {seed}, expected a clip of {joints} joints in the library")
    last = clip.motion.slice(-1)
    return _Mind(models.models[model][0].start(clip.motion), Clip.of(last))


def _think(
    models: Models, library: Library, held: Controlled, at: Transform, rows: dict[int, int], dt: float
) -> None:
    """Give new frames to all whose frames end before `dt` s have passed."""
    while True:
        due: dict[int, list[int]] = {}
        for entity, row in rows.items():
            mind = models.minds[entity]
            # Half a nanosecond: the sum of steps that make up the frames exactly is not a need for more.
            if mind.time + dt > mind.frames.duration + 5e-10:
                due.setdefault(int(held.model[row]), []).append(entity)
        if not due:
            return
        for model, entities in sorted(due.items()):
            feature, fitted = models.models[model]
            inputs = [
                feature.inputs(models.minds[e].state, _wish(models.minds[e], library, held, at, rows[e]))
                for e in entities
            ]
            outputs = fitted.predict(np.concatenate(inputs))
            for i, entity in enumerate(entities):
                _continue(models.minds[entity], feature, outputs[i : i + 1])


def _continue(mind: _Mind, feature: Locomotion, outputs: Array) -> None:
    """Play on with what the model said."""
    before = feature.frame_count(mind.state)
    state = feature.advance(mind.state, outputs)
    motion = feature.motion(state)
    new = motion.slice(before - motion.frame_count) if before else motion
    # What of the old frames is still to be played stays, so that no part of a step is lost.
    played = int(min(mind.time, mind.frames.duration) * mind.frames.motion.framerate)
    rest = mind.frames.motion.slice(min(played, mind.frames.motion.frame_count - 1))
    frames = Motion(
        rest.skeleton,
        np.concatenate([rest.positions, new.positions]),
        np.concatenate([rest.rotations, new.rotations]),
        new.framerate,
    )
    mind.time -= played / mind.frames.motion.framerate
    mind.frames = Clip.of(frames)
    mind.played += new.frame_count
    forget = getattr(feature, "forgotten", None)
    mind.state = state if forget is None else forget(state)


def _wish(mind: _Mind, library: Library, held: Controlled, at: Transform, row: int) -> Control:
    """Return where to be after the mind's frames, in the mind's own space."""
    times = np.array(_AHEAD_S)
    ahead = rotation.rotate(at.rotation[row], np.array([0.0, 0.0, 1.0]))
    now, end = mind.frames.root_at(np.array([min(mind.time, mind.frames.duration), mind.frames.duration]))
    # The character stands where its frames are now; by their end it will have gone on a little.
    yaw = now[2] - np.arctan2(ahead[0], ahead[2])
    place = at.position[row, [0, 2]] + _turned(end[None, :2] - now[:2], -yaw)[0]
    path = int(held.path[row])
    if path < 0:
        facing = held.facing[row] if np.any(held.facing[row]) else held.velocity[row]
        length = float(np.linalg.norm(facing))
        way = facing / length if length > 1e-6 else ahead[[0, 2]] / np.hypot(ahead[0], ahead[2])
        points, facings = (
            place + held.velocity[row] * times[:, None],
            np.repeat(way[None], len(times), axis=0),
        )
    elif path < len(library.paths):
        line = library.paths[path]
        held.distance[row] = line.nearest(place, near=float(held.distance[row]))
        gone, speed = float(held.distance[row]), float(held.speed[row])
        wish = line.control(place, gone, speed, times, return_s=_RETURN_S)
        points, facings = wish.positions, wish.directions
    else:
        raise ValidationError(f"path {path} is not in the library, which holds {len(library.paths)}")
    return Control(times, end[:2] + _turned(points - place, yaw), _turned(facings, yaw))


def _turned(points: Array, yaw: float) -> Array:
    """Return ground points `[K, 2]` (x, z) turned by `yaw` rad from +Z to +X."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([c * points[:, 0] + s * points[:, 1], c * points[:, 1] - s * points[:, 0]], axis=-1)


def _move(models: Models, pose: Pose, at: Transform, ids: list[int], rows: Array, dt: float) -> None:
    steps = np.zeros((len(ids), 3))
    out = pose.positions, pose.rotations
    for i, entity in enumerate(ids):
        mind = models.minds[entity]
        before, mind.time = mind.time, mind.time + dt
        time, then = np.array([mind.time]), np.array([before])
        moments = Moments(time, then, np.array([False]), np.zeros((1, VALUES)))
        steps[i] = mind.frames.play(moments, rows[i : i + 1], out, moves=True)[0]
    carry(at, rows, steps)
