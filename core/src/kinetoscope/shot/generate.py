"""From a checkpoint to motions along a path, planted, filmed and measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.shot import film as filming
from kinetoscope.shot import futures, measure, settings
from kinetoscope.shot.learn import Learned, load_checkpoint
from kinetoscope.shot.mocap import read_clips
from kinetoscope.shot.pace import Pace
from kinetoscope.shot.perform import perform, pick_start
from kinetoscope.shot.steering import Velocities
from kinetoscope.shot.tracking import Targets, follow
from kinetoscope_spec import Asset, Motion
from kinetoscope_spec import Path as GroundPath
from kinetoscope_spec.files import replacing
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Walks", "Wish", "generate"]

_FILM_SIZE = (960, 540)
"""Small and at draft quality: several figures for half a minute are many pictures without a GPU."""
_SPARE = 1.25
"""How much longer an endless path is than one can get in the time."""


@attrs.frozen
class Wish:
    """What is to be generated.

    Attributes:
        path: points on the ground, m, `figure-eight`, velocities over time, or targets of head and hands.
        speed_m_s: None is the clips' median.
        style: a label that the clips carry, or None.
        seeds: one motion for each.
        seconds: the longest that a motion may take, or None.
        plant: whether feet are kept still on the ground.
    """

    path: str | Sequence[Sequence[float]] | Velocities | Targets
    speed_m_s: float | None
    style: str | None
    seeds: tuple[int, ...]
    seconds: float | None
    plant: bool


@attrs.frozen
class Walks:
    """What was generated.

    Attributes:
        path: where it was to go, or how fast, or what it followed.
        unplanted, motions: for each seed, as the model made it and as it is shown.
        learned: what made it.
    """

    path: GroundPath | Velocities | Targets
    unplanted: tuple[Motion, ...]
    motions: tuple[Motion, ...]
    learned: Learned

    def figures(self) -> dict[str, Any]:
        """Return `walks`, a judgement of each motion, and `diversity` if there are several, ready for JSON."""
        known = self.learned
        walks = [
            measure.judge(
                before,
                after,
                path=self.path,
                limits=known.limits,
                rest_m=known.rest_m,
                training=known.gaits,
            )
            for before, after in zip(self.unplanted, self.motions, strict=True)
        ]
        return {"walks": walks, "diversity": self._diversity() if len(self.motions) > 1 else None}

    def _diversity(self) -> dict[str, Any]:
        distances = futures.apart(self.motions)
        return {
            "window_s": futures.WINDOW_S,
            "shift_s": futures.SHIFT_S,
            "visible_m": futures.VISIBLE_M,
            "apart_m": float(distances[np.triu_indices(len(distances), 1)].mean()),
            "different": list(futures.different(distances)),
        }


def generate(
    host: Host,
    checkpoint: Path,
    start: Path,
    wish: Wish,
    files: Sequence[Path],
    *,
    film: Path | None = None,
    progress: Progress | None = None,
) -> Walks:
    """Let the model in the folder `checkpoint` walk as is wished; write a file for each seed, and a film.

    Raises:
        FormatError: it is no checkpoint, or `start` no clip.
        ConfigError: `start` moves another skeleton than the model was trained on.
        Cancelled: `progress` returned False.
    """
    # What can be found out before the work is found out before it.
    writer = host.writer(files[0].suffix.removeprefix("."))
    way = _way(wish)
    if film is not None and isinstance(way, Targets):
        way.path()
    learned = load_checkpoint(host, checkpoint).ready()
    speed = wish.speed_m_s or float(np.median([gait.speed_m_s for gait in learned.gaits]))
    if way is None:
        way = GroundPath.figure_eight(_SPARE * speed * (wish.seconds or 0.0))
    clips = read_clips(host, settings.Listing((start,), frozenset({start})))
    begin = pick_start(clips.motions, None, speed)
    walks = [
        _walk(host, learned, begin, way, wish, speed, seed, file.stem, progress)
        for seed, file in zip(wish.seeds, files, strict=True)
    ]
    unplanted, motions = zip(*walks, strict=True)
    for motion, file in zip(motions, files, strict=True):
        with replacing(file) as building:
            writer.write(Asset(file.stem, motion.skeleton, (motion,)), building, unit=1.0)
    if film is not None:
        seconds = max(motion.frame_count / motion.framerate for motion in motions)
        seen = way.path(seconds) if isinstance(way, Velocities) else way
        seen = seen.path() if isinstance(seen, Targets) else seen
        _write_film(host, motions, seen, film, progress)
    return Walks(way, unplanted, motions, learned)


def _way(wish: Wish) -> GroundPath | Velocities | Targets | None:
    """Return what is to be followed, None for a path that depends on the speed."""
    if isinstance(wish.path, Velocities | Targets):
        return wish.path
    return None if isinstance(wish.path, str) else GroundPath(np.asarray(wish.path))


def _walk(
    host: Host,
    learned: Learned,
    start: Motion,
    way: GroundPath | Velocities | Targets,
    wish: Wish,
    speed_m_s: float,
    seed: int,
    name: str,
    progress: Progress | None,
) -> tuple[Motion, Motion]:
    """Return one motion, as the model made it and as it is shown."""
    motion = perform(
        learned,
        start,
        way,
        pace=Pace.of(speed_m_s, wish.style),
        seed=seed,
        max_seconds=wish.seconds,
        progress=progress,
    )
    motion = attrs.evolve(motion, rotations=learned.limits.clamp(motion.rotations), name=name)
    shown = motion
    if wish.plant:
        contacts = measure.contact_frames(motion, learned.rest_m)
        solver = host.provider("solver")
        shown = solver.plant(motion, contacts=contacts, ground_m=learned.rest_m, limits=learned.limits).motion
    return motion, follow(host.provider("solver"), shown, way) if isinstance(way, Targets) else shown


def _write_film(
    host: Host, motions: Sequence[Motion], way: GroundPath, out: Path, progress: Progress | None
) -> None:
    """Film all figures at once: a camera follows one alone, and sees the whole path of several."""
    from kinetoscope_spec.body import capsule_character

    output = settings.Output(file=out.name, size=_FILM_SIZE, quality="draft")
    shown = [motion.resample(output.framerate) for motion in motions]
    longest = max(shown, key=lambda motion: motion.frame_count)
    views = filming.cameras(settings.Camera() if len(shown) == 1 else _overview(way), longest, way)
    frames = filming.draw(
        host.provider("renderer"),
        output,
        settings.Light(),
        capsule_character(motions[0].skeleton, motion=motions[0]),
        shown,
        views,
        path=way,
        progress=progress,
    )
    with replacing(out) as building:
        host.provider("media").write(building, frames, rate=output.framerate)


def _overview(way: GroundPath) -> settings.Camera:
    """Return a camera that sees all of a path from aside and above."""
    points = way.at(np.linspace(0.0, way.length, 500))
    low, high = points.min(axis=0), points.max(axis=0)
    x, z = 0.5 * (low + high)
    far = 1.1 * float(np.linalg.norm(high - low)) + 2.0
    return settings.Camera(kind="fixed", position=(x, 0.6 * far, z - 0.8 * far), target=(x, 0.5, z))
