"""The stage `generate`: the performer goes along the path and does what the shot's actions say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np

from kinetoscope.shot import measure, perform
from kinetoscope.shot.inserts import Insert
from kinetoscope.shot.job import Job
from kinetoscope.shot.learn import Learned
from kinetoscope.shot.mocap import Clips, hash_file, same_body
from kinetoscope.shot.pace import Pace
from kinetoscope.shot.packing import load_motion, save_motion
from kinetoscope.shot.settings import Action, ShotFile
from kinetoscope_spec import Motion
from kinetoscope_spec import Path as GroundPath
from kinetoscope_spec.errors import ConfigError

__all__ = ["act", "action_files", "check_actions"]

SETTLED_S = 1.5
"""After which a performer goes at the speed that it was told."""
OFF_M_S, OFF_SHARE = 0.25, 0.2
"""By how much a speed may be missed before that is said."""


def action_files(shot_file: ShotFile) -> list[Path]:
    """Return the files of the clips that actions play.

    Raises:
        ConfigError: one is not there.
    """
    given = shot_file.shot.performer.action
    found = []
    for i, action in enumerate(given):
        if action.clip is not None:
            found.append(shot_file.path(action.clip, "performer", "action", str(i), "clip"))
    return found


def check_actions(job: Job, clips: Clips) -> None:
    """Find out before the training whether the performer can play the clips of its actions.

    Raises:
        ConfigError: one holds no motion, or moves another body than the clips that are learned from.
        FormatError, ProviderNotFound: one can't be read.
    """
    _inserts(job, clips)


def _inserts(job: Job, clips: Clips) -> tuple[list[Insert], list[str]]:
    """Return the clips of the shot's actions, and what decides them."""
    inserts, hashes = [], []
    for i, action in enumerate(job.shot.performer.action):
        if action.clip is None:
            continue
        path, place = job.shot_file.folder / action.clip, ("performer", "action", i, "clip")
        motions = job.host.open(path).motions
        if not motions or motions[0].frame_count < 2:
            raise ConfigError(f"{path} holds no motion to play", place=job.shot_file.place(*place))
        if not same_body(clips.motions[0], motions[0]):
            raise ConfigError(
                f"{path} moves another skeleton than the clips that are learned from",
                place=job.shot_file.place(*place),
            )
        inserts.append(Insert(action.at, motions[0]))
        hashes.append(hash_file(path))
    return inserts, hashes


def act(
    job: Job, clips: Clips, learned: Learned, recipe: str, path: GroundPath, longest: float | None
) -> tuple[Motion, str]:
    """Return the performance, made now or by an earlier run of the same, and its key.

    Args:
        job: has the shot.
        clips: one of them it begins with.
        learned: what makes it.
        recipe: the key of that.
        path: where it goes.
        longest: s, of the plate, or None.
    """
    performer = job.shot.performer
    speed = performer.speed or float(np.median([gait.speed_m_s for gait in learned.gaits]))
    seconds = min((limit for limit in (performer.seconds, longest) if limit is not None), default=None)
    with job.stage("generate") as stage:
        stage.provider, stage.why = learned.record["model"], "the model that was trained"
        pace = Pace.of(speed, performer.style, performer.action)
        start = perform.pick_start(clips.motions, performer.start, float(pace.speeds[0]))
        inserts, played = _inserts(job, clips)

        def make(folder: Path) -> None:
            motion = perform.perform(
                learned,
                start,
                path,
                pace=pace,
                seed=performer.seed,
                clips=inserts,
                max_seconds=seconds,
                progress=job.progress,
            )
            clamped = attrs.evolve(motion, rotations=learned.limits.clamp(motion.rotations))
            save_motion(folder / "motion.npz", clamped)

        told = [attrs.asdict(action) | {"clip": None} for action in performer.action]
        asked = [recipe, performer.path, speed, performer.seed, performer.style, seconds, performer.start]
        asked += [told, played] if told else []
        motion, key = job.kept(stage, asked, make, lambda folder: load_motion(folder / "motion.npz"))
        stage.details |= {"start": start.name, "speed_m_s": speed, "frames": motion.frame_count}
    job.warnings.extend(_undone(performer.action, pace, motion))
    return motion, key


def _undone(actions: Sequence[Action], pace: Pace, motion: Motion) -> list[str]:
    """Return what was asked for and did not come about: a model does what its clips have taught it."""
    told = []
    late = [action.at for action in actions if action.at >= motion.duration]
    if late:
        told.append(
            f"{len(late)} of {len(actions)} actions come after the performance, which takes "
            f"{motion.duration:.1f} s: the first at {late[0]:g} s"
        )
    gone = np.linalg.norm(np.diff(measure.pelvis(motion), axis=0), axis=1)
    for i, action in enumerate(actions):
        end = actions[i + 1].at if i + 1 < len(actions) else motion.duration
        start, stop = action.at + SETTLED_S, min(end, motion.duration)
        if action.speed is None or action.clip is not None or stop - start < 0.5:
            continue
        first, last = (round(at * motion.framerate) for at in (start, stop))
        went = float(gone[first:last].sum()) / (stop - start)
        asked = float(pace.travelled(stop) - pace.travelled(start)) / (stop - start)
        if abs(went - asked) > OFF_M_S + OFF_SHARE * asked:
            told.append(
                f"from {action.at:g} s on the performer was to go at {asked:.1f} m/s and went at {went:.1f}: "
                "the clips, or the training, do not teach it"
            )
    return told
