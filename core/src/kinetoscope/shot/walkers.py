"""Characters on their way: along a path with all that is asked of them on it, or as they are steered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope.shot.inserts import Insert, blended, joined, put
from kinetoscope.shot.learn import Learned
from kinetoscope.shot.pace import Pace
from kinetoscope.shot.steering import Velocities
from kinetoscope.shot.tracking import TRACKED, Targets, led
from kinetoscope_spec import Control, Locomotion, Motion, Path, anatomy, rotation
from kinetoscope_spec.errors import ConfigError

__all__ = ["SEED_S", "Steered", "Tracked", "Walker"]

HORIZON_S = 2.0
"""How far ahead the control tells where to go; features take from it what they were trained on."""
SEED_S = 1.5
"""How much of the starting clip a performance grows out of."""
ARRIVED_M = 0.05
LONGEST_S = 3600.0
"""An hour: what a performance may take whatever its path and speed."""
_TIMES = np.arange(1, int(HORIZON_S * 30) + 1) / 30.0
_THERE_M = 0.1
_TRIM_S = 0.5
"""Time in which a character aims as far to the other side of its path as it has been on one."""
_MOST_TRIM_M = 0.5


@attrs.define
class Walker:
    """A character on its way along a path.

    Attributes:
        state: what it did lately and is about to do, as its feature keeps it.
        pace: what is asked of it.
        framerate: frames per second.
        frames: as long as it may take.
        clips: those it has not played yet, by time.
        parts: what it did up to the end of the last clip, in pieces.
        distance: how far along the path it is, m; never less than before.
        seen: when it was last asked, s, and where it was, `[2]` m.
        trim_m: how far to the right of the path it aims, since it tends to the left of where it aims.
        aside_m: how far from the path it was when it was last asked.
    """

    feature: Locomotion
    path: Path
    state: Any
    pace: Pace
    framerate: float
    frames: int
    clips: list[Insert]
    parts: list[Motion] = attrs.field(factory=list)
    distance: float = 0.0
    seen: tuple[float, np.ndarray] | None = None
    trim_m: float = 0.0
    aside_m: float = 0.0

    @classmethod
    def of(
        cls,
        learned: Learned,
        start: Motion,
        path: Path,
        pace: Pace,
        clips: Sequence[Insert],
        max_seconds: float | None,
    ) -> Walker:
        """Return the character at the beginning of `path`, facing along it."""
        for motion in (start, *(insert.motion for insert in clips)):
            _check_skeleton(learned, motion)
        feature, rate = learned.feature, learned.framerate
        state = feature.start(put(feature, start, path.at(0.0), path.direction(0.0)))
        more = sum(insert.motion.duration for insert in clips)
        seconds = max_seconds or min(pace.longest(path.length) + more, LONGEST_S)
        return cls(feature, path, state, pace, rate, int(np.ceil(seconds * rate)), list(clips))

    def played(self) -> int:
        """Return how many frames there are."""
        return sum(part.frame_count for part in self.parts) + self.feature.frame_count(self.state)

    def done(self) -> float:
        """Tell which share of the path lies behind it."""
        return self.distance / self.path.length

    def is_on_its_way(self) -> bool:
        """Find out how far it is, and tell whether it has time and path left; play a clip that is due."""
        if self.clips and self.played() >= self.clips[0].at * self.framerate:
            self._play(self.clips.pop(0).motion)
        if self.played() >= self.frames:
            return False
        position, _ = self.feature.root(self.state)
        self.distance = max(self.distance, self.path.nearest(position, near=self.distance, window=1.0))
        return self.path.length - self.distance >= ARRIVED_M

    def control(self) -> Control:
        """Return where it is to go from where it is now."""
        now = self.played() / self.framerate
        position, _ = self.feature.root(self.state)
        since, speed = 0.0, float(self.pace.speeds[0])
        if self.seen is not None:
            since = max(now - self.seen[0], 1e-6)
            speed = float(np.linalg.norm(position - self.seen[1])) / since
        self.seen = now, position
        control = self.path.control(position, self.distance, self.pace.ahead(now, _TIMES, speed), _TIMES)
        left = np.stack([control.directions[:, 1], -control.directions[:, 0]], axis=1)
        self._trim(position, min(since, _TRIM_S))  # longer where a clip was played
        # What is wanted at once stays: a body can't leave its way within a step.
        shift = self.trim_m * (1.0 - np.exp(-_TIMES / _TRIM_S))[:, None] * left
        control = attrs.evolve(control, positions=control.positions - shift, style=self.pace.style_at(now))
        face = self.pace.face_at(now)
        if face is not None:
            control = attrs.evolve(control, directions=_towards(face, control))
        return control

    def _trim(self, position: np.ndarray, seconds: float) -> None:
        """Aim further to the other side the longer it has been on one side of the path.

        A model that always goes a little aside of where it is told to would stay a little aside: the
        integral part of a controller, bounded.
        """
        ahead = self.path.direction(self.distance)
        left = np.array([ahead[1], -ahead[0]])
        offset = position - self.path.at(self.distance)
        aimed = self.trim_m + float(offset @ left) * seconds / _TRIM_S
        self.trim_m = float(np.clip(aimed, -_MOST_TRIM_M, _MOST_TRIM_M))
        self.aside_m = float(np.linalg.norm(offset))

    def _play(self, clip: Motion) -> None:
        """Play a clip from where the character is and as it faces, and go on from its end."""
        if self.feature.frame_count(self.state):
            self.parts.append(self.feature.motion(self.state))
        clip = put(self.feature, clip.resample(self.framerate), *self.feature.root(self.state), end=False)
        clip = blended(self.parts[-1], clip) if self.parts else clip
        self.parts.append(clip)
        self.state = self.feature.start(clip.slice(-int(SEED_S * self.framerate)))

    def motion(self) -> Motion:
        """Return all that was done, at most as long as it may take."""
        last = [self.feature.motion(self.state)] if self.feature.frame_count(self.state) else []
        parts = [*self.parts, *last]
        return parts[0] if len(parts) == 1 else joined(parts).slice(0, self.frames)


def _towards(face: tuple[float, float], control: Control) -> np.ndarray:
    """Return unit vectors `[K, 2]` from where one is to be to a place; the path's own where one is there."""
    away = np.asarray(face) - control.positions
    far = np.linalg.norm(away, axis=1, keepdims=True)
    towards: np.ndarray = np.where(far > _THERE_M, away / np.maximum(far, _THERE_M), control.directions)
    return towards


class _Timed:
    """What is done when its time is over, however far it came."""

    __slots__ = ()

    feature: Locomotion
    state: Any
    frames: int

    def played(self) -> int:
        """Return how many frames there are."""
        return self.feature.frame_count(self.state)

    def done(self) -> float:
        """Tell which share of its time is over."""
        return self.played() / self.frames

    def is_on_its_way(self) -> bool:
        """Tell whether it has time left."""
        return self.done() < 1.0


@attrs.define
class Steered(_Timed):
    """A character that is told velocities, and goes from wherever it is.

    Attributes:
        state: as a walker's.
        frames: as long as it takes.
        framerate: frames per second.
        aside_m: there is no path to be aside of.
    """

    feature: Locomotion
    wanted: Velocities
    state: Any
    pace: Pace
    frames: int
    framerate: float
    aside_m: float = 0.0

    @classmethod
    def of(
        cls, learned: Learned, start: Motion, wanted: Velocities, pace: Pace, max_seconds: float | None
    ) -> Steered:
        """Return the character at the origin, facing where it is to go at first."""
        if max_seconds is None:
            raise ConfigError("velocities have no end, expected max_seconds")
        _check_skeleton(learned, start)
        ways = wanted.velocities[np.linalg.norm(wanted.velocities, axis=1) > 0]
        ahead = ways[0] if len(ways) else np.array([0.0, 1.0])
        state = learned.feature.start(put(learned.feature, start, np.zeros(2), ahead))
        frames = int(np.ceil(max_seconds * learned.framerate))
        return cls(learned.feature, wanted, state, pace, frames, learned.framerate)

    def control(self) -> Control:
        """Return where it is to go from where it is now."""
        position, facing = self.feature.root(self.state)
        now = self.played() / self.framerate
        control = self.wanted.control(now, position, facing, _TIMES)
        return attrs.evolve(control, style=self.pace.style_at(now))

    def motion(self) -> Motion:
        """Return all that was done."""
        return self.feature.motion(self.state)


@attrs.define
class Tracked(_Timed):
    """A character that goes where a head goes.

    Attributes:
        head, ground, facings: `[T, 2]` m and unit: above what its head is to be, where its root, and where it
            is to face, frame by frame.
        state, frames, framerate: as a walker's.
        aside_m: there is no path to be aside of.
    """

    feature: Locomotion
    head: np.ndarray
    ground: np.ndarray
    facings: np.ndarray
    state: Any
    pace: Pace
    frames: int
    framerate: float
    aside_m: float = 0.0

    @classmethod
    def of(
        cls, learned: Learned, start: Motion, targets: Targets, pace: Pace, max_seconds: float | None
    ) -> Tracked:
        """Return the character where the targets begin.

        The end of `start` tells how far its head is ahead of its root, and all of it how the head faces.

        Raises:
            ValidationError: the head is never known.
        """
        _check_skeleton(learned, start)
        feature, rate = learned.feature, learned.framerate
        head, facings = targets.resampled(rate).way(_ahead(feature, start))
        begin = put(feature, start, head[0], facings[0])
        joint = anatomy.roles(begin.skeleton)[TRACKED[0]]
        ahead = _seen(begin.global_transforms()[0][-1, joint, [0, 2]] - head[0], facings[0])
        ground = head - _turned(ahead, facings)
        state = feature.start(put(feature, start, ground[0], facings[0]))
        most = len(head) if max_seconds is None else int(np.ceil(max_seconds * rate))
        return cls(feature, head, ground, facings, state, pace, min(len(head), most), rate)

    def control(self) -> Control:
        """Return where it is to go from where it is now."""
        now = self.played()
        # The last frame that was played is one before `now`, the first of the targets is the first to come.
        at = np.minimum(now - 1 + np.round(_TIMES * self.framerate).astype(int), len(self.ground) - 1)
        style = self.pace.style_at(now / self.framerate)
        return Control(_TIMES, self.ground[at], self.facings[at], style)

    def motion(self) -> Motion:
        """Return all that was done, at most as long as the targets, moved to where the head is to be."""
        motion = self.feature.motion(self.state).slice(0, self.frames)
        return led(motion, self.head[: self.frames])


def _ahead(feature: Locomotion, start: Motion) -> np.ndarray:
    """Return the direction `[3]` in the head's frame that is the body's ahead, on average over `start`."""
    turns = start.global_transforms()[1][1:, anatomy.roles(start.skeleton)[TRACKED[0]]].astype(np.float64)
    facings = [feature.root(feature.start(start.slice(i, i + 2)))[1] for i in range(start.frame_count - 1)]
    ways = np.insert(np.array(facings), 1, 0.0, axis=1)
    mean: np.ndarray = rotation.rotate(rotation.inverse(turns), ways).mean(axis=0)
    return mean


def _seen(way: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """Return `way [2]` (x, z) as seen by who faces `facing [2]`."""
    return np.array([way[0] * facing[1] - way[1] * facing[0], way @ facing])


def _turned(way: np.ndarray, facings: np.ndarray) -> np.ndarray:
    """Return in the world what those who face `facings [T, 2]` see as `way [2]`."""
    x, z = facings[:, 0], facings[:, 1]
    return np.stack([way[0] * z + way[1] * x, way[1] * z - way[0] * x], axis=1)


def _check_skeleton(learned: Learned, start: Motion) -> None:
    known = learned.record["joints"]
    if list(start.skeleton.names) != known:
        odd = sorted(set(start.skeleton.names).symmetric_difference(known))[:6]
        raise ConfigError(
            f"{start.name!r} has other joints than the model was trained on"
            + (f": {', '.join(odd)}" if odd else ": the same in another order")
        )
    if start.frame_count < 2:
        raise ConfigError(f"{start.name!r} has 1 frame, expected at least 2: how a body moves is told by two")
