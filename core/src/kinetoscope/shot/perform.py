"""Letting a trained model walk along a path, or as it is steered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinetoscope.shot import crowds, measure
from kinetoscope.shot.inserts import Insert
from kinetoscope.shot.learn import Learned
from kinetoscope.shot.pace import Pace
from kinetoscope.shot.steering import Velocities
from kinetoscope.shot.walkers import SEED_S, Steered, Walker
from kinetoscope_spec import Motion, Path
from kinetoscope_spec.errors import Cancelled, ConfigError, nearest
from kinetoscope_spec.protocols import Progress

__all__ = ["crowd", "named_clips", "perform", "pick_start"]

LEASH_M = 0.2
"""How far from its path a character may be led by what it draws."""


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


def perform(
    learned: Learned,
    start: Motion,
    path: Path | Velocities,
    *,
    pace: Pace,
    seed: int,
    clips: Sequence[Insert] = (),
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> Motion:
    """Return the motion of a character that walks along `path` as it has learned, and does as `pace` asks.

    It ends where the path ends, or after `max_seconds` (when None, twice the time that the path
    should take, an hour at most: a character that is stuck must not walk for ever). Who is told
    velocities instead goes on until then and begins at the origin; of `pace` only the style counts then, and
    no clips are played.

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
    walks: Sequence[tuple[Motion, Path | Velocities]],
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
    all. Whoever is further than `LEASH_M` from the path takes the likeliest instead, until it is back: a
    model draws without knowing how far it has strayed already. See `perform`.

    Raises:
        ConfigError: a start or a clip moves another skeleton than the model was trained on.
        Cancelled: `progress` returned False.
    """
    walkers = [
        Steered.of(learned, start, way, pace, max_seconds)
        if isinstance(way, Velocities)
        else Walker.of(learned, start, way, pace, clips, max_seconds)
        for start, way in walks
    ]
    while walking := [walker for walker in walkers if walker.is_on_its_way()]:
        slowest = min(walking, key=lambda walker: walker.done())
        if progress and progress(int(1000 * slowest.done()), 1000, "generating") is False:
            raise Cancelled(f"cancelled after {slowest.played()} frames")
        # Those who have arrived are asked for too, so that the others keep their places.
        feature, controls = learned.feature, [walker.control() for walker in walkers]
        rows = crowds.inputs(feature, [walker.state for walker in walkers], controls)
        outputs = learned.fitted.predict(rows, seed=seed)
        strays = [i for i, walker in enumerate(walkers) if walker.aside_m > LEASH_M]
        if strays:
            outputs[strays] = learned.fitted.predict(rows[strays])
        places = [i for i, walker in enumerate(walkers) if any(walker is other for other in walking)]
        states = crowds.advance(feature, [walkers[i].state for i in places], outputs[places])
        for i, state in zip(places, states, strict=True):
            walkers[i].state = state
    return [walker.motion() for walker in walkers]
