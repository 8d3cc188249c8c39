"""Letting a trained model walk along a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope.shot import measure
from kinetoscope.shot.learn import Learned
from kinetoscope.shot.steering import Velocities
from kinetoscope_spec import Locomotion, Motion, Path, rotation
from kinetoscope_spec.errors import Cancelled, ConfigError, nearest
from kinetoscope_spec.protocols import Progress

__all__ = ["crowd", "named_clips", "perform", "pick_start", "placed"]

HORIZON_S = 2.0
"""How far ahead the control tells where to go; features take from it what they were trained on."""
SEED_S = 1.5
"""How much of the starting clip a performance grows out of."""
ARRIVED_M = 0.05
LEASH_M = 0.2
"""How far from its path a character may be led by what it draws."""
_TRIM_S = 0.5
"""Time in which a character aims as far to the other side of its path as it has been on one."""
_MOST_TRIM_M = 0.5
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
    path: Path | Velocities,
    *,
    speed_m_s: float,
    seed: int,
    style: str | None = None,
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> Motion:
    """Return the motion of a character that walks along `path` as it has learned.

    It ends where the path ends, or after `max_seconds` (when None, twice the time that the path
    should take, an hour at most: a character that is stuck must not walk for ever). Who is told
    velocities instead goes on until then, begins at the origin, and `speed_m_s` counts for nothing.

    Raises:
        ConfigError: `start` moves another skeleton than the model was trained on.
        Cancelled: `progress` returned False.
    """
    (motion,) = crowd(
        learned,
        [(start, path)],
        speed_m_s=speed_m_s,
        seed=seed,
        style=style,
        max_seconds=max_seconds,
        progress=progress,
    )
    return motion


def crowd(
    learned: Learned,
    walks: Sequence[tuple[Motion, Path | Velocities]],
    *,
    speed_m_s: float,
    seed: int,
    style: str | None = None,
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> list[Motion]:
    """Return the motions of characters that walk side by side, each from its start along its path.

    The model is asked once a step for all. What it draws for one depends on the seed and its place, and
    stays its own from step to step: what were drawn anew each time would average out to one gait for
    all. Whoever is further than `LEASH_M` from the path takes the likeliest instead, until it is back: a
    model draws without knowing how far it has strayed already. See `perform`.

    Raises:
        ConfigError: a start moves another skeleton than the model was trained on.
        Cancelled: `progress` returned False.
    """
    walkers = [
        _Steered.of(learned, start, way, max_seconds)
        if isinstance(way, Velocities)
        else _Walker.of(learned, start, way, speed_m_s, max_seconds)
        for start, way in walks
    ]
    while walking := [walker for walker in walkers if walker.is_on_its_way()]:
        slowest = min(walking, key=lambda walker: walker.done())
        if progress and progress(int(1000 * slowest.done()), 1000, "generating") is False:
            raise Cancelled(f"cancelled after {slowest.feature.frame_count(slowest.state)} frames")
        # Those who have arrived are asked for too, so that the others keep their places.
        rows = np.concatenate([walker.inputs(speed_m_s, style) for walker in walkers])
        outputs = learned.fitted.predict(rows, seed=seed)
        strays = [i for i, walker in enumerate(walkers) if walker.aside_m > LEASH_M]
        if strays:
            outputs[strays] = learned.fitted.predict(rows[strays])
        for walker, row in zip(walkers, outputs, strict=True):
            if any(walker is other for other in walking):
                walker.state = walker.feature.advance(walker.state, row[None])
    return [walker.feature.motion(walker.state) for walker in walkers]


@attrs.define
class _Walker:
    """A character on its way along a path.

    Attributes:
        state: what it did lately and is about to do, as its feature keeps it.
        distance: how far along the path it is, m; never less than before.
        frames: as long as it may take.
        framerate: frames a second.
        trim_m: how far to the right of the path it aims, since it tends to the left of where it aims.
        trimmed: the frames played when that was last found out.
        aside_m: how far it was from the path then.
    """

    feature: Locomotion
    path: Path
    state: Any
    frames: int
    framerate: float
    distance: float = 0.0
    trim_m: float = 0.0
    trimmed: int = 0
    aside_m: float = 0.0

    @classmethod
    def of(
        cls, learned: Learned, start: Motion, path: Path, speed_m_s: float, max_seconds: float | None
    ) -> _Walker:
        """Return the character at the beginning of `path`, facing along it."""
        feature, state = _begun(learned, start, path.at(0.0), path.direction(0.0))
        seconds = max_seconds or min(2.0 * path.length / speed_m_s + 2.0, LONGEST_S)
        return cls(feature, path, state, int(np.ceil(seconds * learned.framerate)), learned.framerate)

    def done(self) -> float:
        """Tell which share of the path lies behind it."""
        return self.distance / self.path.length

    def is_on_its_way(self) -> bool:
        """Find out how far it is, and tell whether it has time and path left."""
        if self.feature.frame_count(self.state) >= self.frames:
            return False
        position, _ = self.feature.root(self.state)
        self.distance = max(self.distance, self.path.nearest(position, near=self.distance, window=1.0))
        return self.path.length - self.distance >= ARRIVED_M

    def inputs(self, speed_m_s: float, style: str | None) -> np.ndarray:
        """Return the model's input `[1, X]`."""
        position, _ = self.feature.root(self.state)
        control = self.path.control(position, self.distance, speed_m_s, _TIMES)
        left = np.stack([control.directions[:, 1], -control.directions[:, 0]], axis=1)
        self._trim(position)
        # What is wanted at once stays: a body can't leave its way within a step.
        shift = self.trim_m * (1.0 - np.exp(-_TIMES / _TRIM_S))[:, None] * left
        return self.feature.inputs(
            self.state, attrs.evolve(control, positions=control.positions - shift, style=style)
        )

    def _trim(self, position: np.ndarray) -> None:
        """Aim further to the other side the longer it has been on one side of the path.

        A model that always goes a little aside of where it is told to would stay a little aside: the
        integral part of a controller, bounded.
        """
        ahead = self.path.direction(self.distance)
        left = np.array([ahead[1], -ahead[0]])
        frames = self.feature.frame_count(self.state)
        seconds = (frames - self.trimmed) / self.framerate
        offset = position - self.path.at(self.distance)
        aimed = self.trim_m + float(offset @ left) * seconds / _TRIM_S
        self.trim_m = float(np.clip(aimed, -_MOST_TRIM_M, _MOST_TRIM_M))
        self.aside_m = float(np.linalg.norm(offset))
        self.trimmed = frames


@attrs.define
class _Steered:
    """A character that is told velocities, and goes from wherever it is.

    Attributes:
        state: as a walker's.
        frames: as long as it takes.
        framerate: frames a second.
        aside_m: there is no path to be aside of.
    """

    feature: Locomotion
    wanted: Velocities
    state: Any
    frames: int
    framerate: float
    aside_m: float = 0.0

    @classmethod
    def of(cls, learned: Learned, start: Motion, wanted: Velocities, max_seconds: float | None) -> _Steered:
        """Return the character at the origin, facing where it is to go at first."""
        if max_seconds is None:
            raise ConfigError("velocities have no end, expected max_seconds")
        ways = wanted.velocities[np.linalg.norm(wanted.velocities, axis=1) > 0]
        ahead = ways[0] if len(ways) else np.array([0.0, 1.0])
        feature, state = _begun(learned, start, np.zeros(2), ahead)
        return cls(feature, wanted, state, int(np.ceil(max_seconds * learned.framerate)), learned.framerate)

    def done(self) -> float:
        """Tell which share of its time is over."""
        return self.feature.frame_count(self.state) / self.frames

    def is_on_its_way(self) -> bool:
        """Tell whether it has time left."""
        return self.done() < 1.0

    def inputs(self, speed_m_s: float, style: str | None) -> np.ndarray:
        """Return the model's input `[1, X]`."""
        position, facing = self.feature.root(self.state)
        now = self.feature.frame_count(self.state) / self.framerate
        control = self.wanted.control(now, position, facing, _TIMES)
        return self.feature.inputs(self.state, attrs.evolve(control, style=style))


def _begun(learned: Learned, start: Motion, ground: np.ndarray, ahead: np.ndarray) -> tuple[Locomotion, Any]:
    """Return the feature and a state at `ground [2]` m that faces `ahead [2]`, having moved as `start`."""
    _check_skeleton(learned, start)
    feature = learned.feature
    position, facing = feature.root(feature.start(start))
    turn = _heading(ahead) - _heading(facing)
    return feature, feature.start(placed(start, ground, turn, position))


_TIMES = np.arange(1, int(HORIZON_S * 30) + 1) / 30.0
