"""Who is seen: a body for the clips' skeleton, or a character, on whose skeleton the motion is put."""

from __future__ import annotations

from typing import Any

import attrs

from kinetoscope.shot.job import Job
from kinetoscope.shot.mocap import hash_file
from kinetoscope.shot.packing import load_motion, save_motion
from kinetoscope_spec import Asset, Character, Motion
from kinetoscope_spec.errors import ConfigError, KinetoscopeError, ValidationError

__all__ = ["Cast", "cast", "check_cast"]


@attrs.frozen
class Cast:
    """Who is seen.

    Attributes:
        character: meshes and skeleton.
        motion: of that skeleton.
        key: of all that decides both.
    """

    character: Character
    motion: Motion
    key: list[Any]


def check_cast(job: Job, clip: Motion) -> None:
    """Find out before the training whether the shot's character can move as `clip` does.

    Raises:
        ConfigError: it has other joints, and nothing here puts a motion on them.
        FormatError, ProviderNotFound: the file can't be read.
    """
    asset = _asset(job)
    if asset is None or asset.skeleton.names == clip.skeleton.names:
        return
    try:
        retargeter = job.host.provider("retargeter", _named(job))
        retargeter.match(clip.skeleton, asset.skeleton)
    except (KinetoscopeError, ValidationError) as error:
        raise ConfigError(
            f"{job.shot.performer.character} has other joints than the clips: {error}",
            place=job.shot_file.place("performer", "character"),
        ) from error


def cast(job: Job, motion: Motion, made_of: str) -> Cast:
    """Return who is seen moving as `motion`, whose key is `made_of`.

    Its path stays as long in metres as it was: it is where the shot file says, whoever walks it.
    """
    given, asset = job.shot.performer.character, _asset(job)
    if given is None or asset is None:
        from kinetoscope_spec.body import capsule_character

        return Cast(capsule_character(motion.skeleton, motion=motion), motion, [made_of, "capsules"])
    character, body = asset.character(), hash_file(job.shot_file.folder / given)
    if character.skeleton.names == motion.skeleton.names:
        return Cast(character, motion, [made_of, body])
    with job.stage("retarget") as stage:
        retargeter = job.provider(stage, "retargeter", job.shot.performer.retargeter)
        moved, key = job.kept(
            stage,
            [made_of, body],
            lambda folder: save_motion(
                folder / "motion.npz", retargeter.retarget(motion, asset, path="metres")
            ),
            lambda folder: load_motion(folder / "motion.npz"),
        )
        stage.details["joints"] = len(moved.skeleton)
    return Cast(character, moved, [key, body])


def _asset(job: Job) -> Asset | None:
    """Return the file of the shot's character, or None where it names none."""
    given = job.shot.performer.character
    return None if given is None else job.host.open(job.shot_file.folder / given)


def _named(job: Job) -> str | None:
    return job.choices.get("retarget", job.shot.performer.retargeter)
