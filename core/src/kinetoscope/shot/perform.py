"""Letting a trained model walk along a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope.shot import measure
from kinetoscope.shot.inserts import Insert, blended, joined, put
from kinetoscope.shot.learn import Learned
from kinetoscope.shot.pace import Pace
from kinetoscope_spec import Control, Locomotion, Motion, Path
from kinetoscope_spec.errors import Cancelled, ConfigError, nearest
from kinetoscope_spec.protocols import Progress

__all__ = ["crowd", "named_clips", "perform", "pick_start"]

HORIZON_S = 2.0
"""How far ahead the control tells where to go; features take from it what they were trained on."""
SEED_S = 1.5
"""How much of the starting clip a performance grows out of."""
ARRIVED_M = 0.05
LONGEST_S = 3600.0
"""An hour: what a performance may take whatever its path and speed."""


def pick_start(motions: Sequence[Motion], name: str | None, speed_m_s: float) -> Motion:
    """Return the seconds of a clip that a performance begins with.

    The clip called `name`, or the one whose pelvis moves most nearly at `speed_m_s`; of it the
    stretch that does so best.

    Raises:
        ConfigError: no clip has that name.
    """
    motions = named_clips(motions, name)
    best: tuple[float, Motion] | None = None
    for motion in motions:
        count = max(int(SEED_S * motion.framerate), 2)
        if motion.frame_count < count:
            continue
        step = np.linalg.norm(np.diff(measure.pelvis(motion), axis=0), axis=1) * motion.framerate
        means = np.convolve(step, np.ones(count - 1) / (count - 1), "valid")
        first = int(np.argmin(np.abs(means - speed_m_s)))
        score = abs(float(means[first]) - speed_m_s)
        if best is None or score < best[0]:
            best = score, motion.slice(first, first + count)
    if best is None:
        raise ConfigError(f"no clip is {SEED_S} s long, expected one that long to begin with")
    return best[1]


def named_clips(motions: Sequence[Motion], name: str | None) -> Sequence[Motion]:
    """Return the clips called `name`, all of them for None.

    Raises:
        ConfigError: no clip has that name; names the nearest.
    """
    if name is None:
        return motions
    names = [motion.name for motion in motions]
    if name not in names:
        raise ConfigError(f"performer.start is {name!r}, expected the name of a clip{nearest(name, names)}")
    return [motion for motion in motions if motion.name == name]


def _check_skeleton(learned: Learned, start: Motion) -> None:
    known = learned.record["joints"]
    if list(start.skeleton.names) != known:
        odd = sorted(set(start.skeleton.names).symmetric_difference(known))[:6]
        raise ConfigError(
            f"{start.name!r} has other joints than the model was trained on"
            + (f": {', '.join(odd)}" if odd else ": the same in another order")
        )


def perform(
    learned: Learned,
    start: Motion,
    path: Path,
    *,
    pace: Pace,
    seed: int,
    clips: Sequence[Insert] = (),
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> Motion:
    """Return the motion of a character that walks along `path` as it has learned, and does as `pace` asks.

    It ends where the path ends, or after `max_seconds` (when None, twice the time that the path
    should take, an hour at most: a character that is stuck must not walk for ever).

    Raises:
        ConfigError: `start`, or a clip, moves another skeleton than the model was trained on.
        Cancelled: `progress` returned False.
    """
    (motion,) = crowd(
        learned,
        [(start, path)],
        pace=pace,
        seed=seed,
        clips=clips,
        max_seconds=max_seconds,
        progress=progress,
    )
    return motion


def crowd(
    learned: Learned,
    walks: Sequence[tuple[Motion, Path]],
    *,
    pace: Pace,
    seed: int,
    clips: Sequence[Insert] = (),
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> list[Motion]:
    """Return the motions of characters that walk side by side, each from its start along its path.

    The model is asked once a step for all. What it draws for one depends on the seed and its place, and
    stays its own from step to step: what were drawn anew each time would average out to one gait for
    all. See `perform`.

    Raises:
        ConfigError: a start or a clip moves another skeleton than the model was trained on.
        Cancelled: `progress` returned False.
    """
    walkers = [_Walker.of(learned, start, path, pace, clips, max_seconds) for start, path in walks]
    while walking := [walker for walker in walkers if walker.is_on_its_way()]:
        slowest = min(walking, key=lambda walker: walker.distance / walker.path.length)
        reached = int(slowest.distance * 100), int(slowest.path.length * 100)
        if progress and progress(*reached, "generating") is False:
            raise Cancelled(f"cancelled after {slowest.played()} frames")
        # Those who have arrived are asked for too, so that the others keep their places.
        rows = np.concatenate([walker.inputs() for walker in walkers])
        outputs = learned.fitted.predict(rows, seed=seed)
        for walker, row in zip(walkers, outputs, strict=True):
            if any(walker is other for other in walking):
                walker.state = walker.feature.advance(walker.state, row[None])
    return [walker.motion() for walker in walkers]


@attrs.define
class _Walker:
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

    @classmethod
    def of(
        cls,
        learned: Learned,
        start: Motion,
        path: Path,
        pace: Pace,
        clips: Sequence[Insert],
        max_seconds: float | None,
    ) -> _Walker:
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

    def is_on_its_way(self) -> bool:
        """Find out how far it is, and tell whether it has time and path left; play a clip that is due."""
        if self.clips and self.played() >= self.clips[0].at * self.framerate:
            self._play(self.clips.pop(0).motion)
        if self.played() >= self.frames:
            return False
        position, _ = self.feature.root(self.state)
        self.distance = max(self.distance, self.path.nearest(position, near=self.distance, window=1.0))
        return self.path.length - self.distance >= ARRIVED_M

    def inputs(self) -> np.ndarray:
        """Return the model's input `[1, X]`."""
        now = self.played() / self.framerate
        position, _ = self.feature.root(self.state)
        if self.seen is None:
            speed = float(self.pace.speeds[0])
        else:
            speed = float(np.linalg.norm(position - self.seen[1])) / max(now - self.seen[0], 1e-6)
        self.seen = now, position
        wanted = self.pace.ahead(now, _TIMES, speed)
        control = self.path.control(position, self.distance, wanted, _TIMES)
        face = self.pace.face_at(now)
        if face is not None:
            control = attrs.evolve(control, directions=_towards(face, control))
        return self.feature.inputs(self.state, attrs.evolve(control, style=self.pace.style_at(now)))

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


_TIMES = np.arange(1, int(HORIZON_S * 30) + 1) / 30.0
_THERE_M = 0.1
