"""Shooting a shot: every stage, one film, one report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.files import write_text
from kinetoscope.home import home
from kinetoscope.shot import film, measure, perform, settings
from kinetoscope.shot.learn import Learned, learn
from kinetoscope.shot.mocap import Clips, read_clips
from kinetoscope.shot.stages import Stages
from kinetoscope_spec import Asset, Character, Motion
from kinetoscope_spec import Path as GroundPath
from kinetoscope_spec.errors import ConfigError, ValidationError
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Film", "shoot"]


@attrs.frozen
class Film:
    """What a shot leaves behind.

    Attributes:
        film: the MP4.
        report: the JSON report beside it.
        motion, unplanted: the performance as shown and as generated, as BVH files.
        figures: what the report says of the performance.
        stages: what was done, by whom, why, how long.
    """

    film: Path
    report: Path
    motion: Path
    unplanted: Path
    figures: dict[str, Any]
    stages: list[dict[str, Any]]


def shoot(
    host: Host,
    shot_file: settings.ShotFile | str | Path,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Film:
    """Train or reuse, generate, plant the feet, render, and write film, motion and report.

    Nothing is written where the film goes before all of it is there.

    Raises:
        ConfigError: the shot file is wrong.
        FormatError: a clip can't be read.
        ProviderNotFound, ProviderUnavailable: a stage has no provider.
        Cancelled: `progress` returned False.
    """
    if not isinstance(shot_file, settings.ShotFile):
        shot_file = settings.read_shot(shot_file)
    shot, stages = shot_file.shot, Stages(host)
    target = Path(out) if out is not None else shot_file.folder / shot.output.file
    path = _path(shot_file)
    clips, learned = _learn(stages, shot_file, host, progress)
    speed = shot.performer.speed or float(np.median([gait.speed_m_s for gait in learned.gaits]))
    with stages.stage("generate") as stage:
        start = perform.pick_start(clips.motions, shot.performer.start, speed)
        generated = perform.perform(
            learned,
            start,
            path,
            speed_m_s=speed,
            seed=shot.performer.seed,
            style=shot.performer.style,
            max_seconds=shot.performer.seconds,
            progress=progress,
        )
        generated = attrs.evolve(generated, rotations=learned.limits.clamp(generated.rotations))
        stage.provider, stage.why = learned.record["model"], "the model that was trained"
        stage.details |= {"start": start.name, "speed_m_s": speed, "frames": generated.frame_count}
    planted = _plant(stages, shot, generated, learned)
    figures = measure.judge(
        generated, planted, path=path, limits=learned.limits, rest_m=learned.rest_m, training=learned.gaits
    )
    character = _character(host, shot_file, planted)
    _film(stages, shot, planted, character, path, target, progress)
    files = _write_motions(stages, target, planted, generated)
    report = target.with_suffix(".report.json")
    facts = _report(shot_file, clips, learned, figures, stages, target, files)
    write_text(report, json.dumps(facts, indent=2))
    return Film(target, report, files["motion"], files["unplanted"], figures, facts["stages"])


def _path(shot_file: settings.ShotFile) -> GroundPath:
    try:
        return GroundPath(np.asarray(shot_file.shot.performer.path))
    except ValidationError as error:
        raise ConfigError(str(error), place=shot_file.place("performer", "path")) from None


def _learn(
    stages: Stages, shot_file: settings.ShotFile, host: Host, progress: Progress | None
) -> tuple[Clips, Learned]:
    performer = shot_file.shot.performer
    with stages.stage("import") as stage:
        clips = read_clips(host, shot_file.clips(), progress)
        stage.details |= {"files": len(clips.sources), "motions": len(clips.motions)}
    learned = learn(
        stages,
        clips,
        model=performer.model,
        feature=performer.feature,
        options=performer.options,
        seed=performer.seed,
        budget=performer.training.budget(),
        cache=home() / "cache",
        progress=progress,
    )
    return clips, learned


def _plant(stages: Stages, shot: settings.Shot, motion: Motion, learned: Learned) -> Motion:
    with stages.stage("plant") as stage:
        solver = stages.provider(stage, "solver", shot.performer.solver)
        contacts = measure.contact_frames(motion, learned.rest_m)
        planting = solver.plant(motion, contacts=contacts, ground_m=learned.rest_m, limits=learned.limits)
        return planting.motion  # type: ignore[no-any-return]


def _character(host: Host, shot_file: settings.ShotFile, motion: Motion) -> Character:
    given = shot_file.shot.performer.character
    if given is None:
        from kinetoscope_spec.body import capsule_character

        return capsule_character(motion.skeleton, motion=motion)
    character = host.open(shot_file.folder / given).character()
    if character.skeleton.names != motion.skeleton.names:
        raise ConfigError(
            f"{given} has other joints than the clips, expected the same names in the same order",
            place=shot_file.place("performer", "character"),
        )
    return character


def _film(
    stages: Stages,
    shot: settings.Shot,
    motion: Motion,
    character: Character,
    path: GroundPath,
    target: Path,
    progress: Progress | None,
) -> None:
    output = shot.output
    shown = motion.resample(output.framerate)
    with stages.stage("render") as stage:
        renderer = stages.provider(stage, "renderer", output.renderer)
        views = film.cameras(shot.camera, shown, path)
        frames = film.draw(
            renderer, output, shot.light, character, shown, views, path=path, progress=progress
        )
        with stages.stage("encode") as encoding:
            media = stages.provider(encoding, "media", output.media)
            target.parent.mkdir(parents=True, exist_ok=True)
            media.write(target, frames, rate=output.framerate)
        stage.details |= {"frames": len(views), "size": list(output.size), "quality": output.quality}


def _write_motions(stages: Stages, target: Path, planted: Motion, generated: Motion) -> dict[str, Path]:
    files = {"motion": target.with_suffix(".bvh"), "unplanted": target.with_suffix(".unplanted.bvh")}
    with stages.stage("write motion") as stage:
        importer = stages.writer(stage, "bvh")
        for motion, path in ((planted, files["motion"]), (generated, files["unplanted"])):
            importer.write(Asset(path.stem, motion.skeleton, (motion,)), path, unit=1.0)
    return files


def _report(
    shot_file: settings.ShotFile,
    clips: Clips,
    learned: Learned,
    figures: dict[str, Any],
    stages: Stages,
    target: Path,
    files: dict[str, Path],
) -> dict[str, Any]:
    licences = sorted({source["licence"] for source in clips.sources if source["licence"]})
    return {
        "film": target.name,
        "motion": files["motion"].name,
        "unplanted": files["unplanted"].name,
        "shot": attrs.asdict(shot_file.shot),
        "stages": stages.to_json(),
        "figures": figures,
        "losses": learned.record["losses"],
        "perplexity": learned.record["perplexity"],
        "inputs": list(clips.sources),
        "licences": licences,
        "warnings": list(clips.warnings),
    }
