"""Shooting a shot: every stage, one film, one report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.home import home
from kinetoscope.shot import film, measure, perform, settings
from kinetoscope.shot.learn import Learned, learn
from kinetoscope.shot.mocap import Clips, read_clips
from kinetoscope.shot.outputs import Outputs, check_providers
from kinetoscope.shot.stages import Stages, Timed
from kinetoscope_spec import Asset, Character, Motion
from kinetoscope_spec import Path as GroundPath
from kinetoscope_spec.errors import ConfigError, ValidationError
from kinetoscope_spec.files import replacing, write_text
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
        ConfigError: the shot file is wrong, or the film would be written over what it is made from.
        FormatError: a clip can't be read.
        ProviderNotFound, ProviderUnavailable: a stage has no provider.
        Cancelled: `progress` returned False.
    """
    if not isinstance(shot_file, settings.ShotFile):
        shot_file = settings.read_shot(shot_file)
    shot, stages = shot_file.shot, Stages(host)
    if out is not None:
        shot_file = attrs.evolve(shot_file, shot=attrs.evolve(shot, output=_named(shot.output, out)))
        shot = shot_file.shot
    outputs = Outputs.beside(shot_file.folder / shot.output.file)
    path, listing = _preflight(host, shot_file, outputs)
    clips = _import(stages, shot_file, listing, progress)
    learned = _learn(stages, shot, clips, progress)
    generated = _generate(stages, shot, clips, learned, path, progress)
    planted = _plant(stages, shot, generated, learned)
    figures = measure.judge(
        generated, planted, path=path, limits=learned.limits, rest_m=learned.rest_m, training=learned.gaits
    )
    character = _character(host, shot_file, planted)
    with replacing(outputs.film) as film_file:
        _film(stages, shot, planted, character, path, film_file, progress)
        _write_motions(stages, outputs, planted, generated)
        facts = _report(shot_file, clips, learned, figures, stages, outputs)
        write_text(outputs.report, json.dumps(facts, indent=2))
    return Film(outputs.film, outputs.report, outputs.motion, outputs.unplanted, figures, facts["stages"])


def _named(output: settings.Output, out: str | Path) -> settings.Output:
    return attrs.evolve(output, file=str(Path(out).absolute()))


def _preflight(
    host: Host, shot_file: settings.ShotFile, outputs: Outputs
) -> tuple[GroundPath, settings.Listing]:
    """Find out before the work whatever can be found out before it."""
    path, listing = _path(shot_file), shot_file.clips()
    inputs = [*listing.files, shot_file.document.path]
    if shot_file.shot.performer.character:
        character = shot_file.folder / shot_file.shot.performer.character
        if not character.is_file():
            raise ConfigError(f"{character} is no file", place=shot_file.place("performer", "character"))
        inputs.append(character)
    outputs.check(inputs, shot_file.place("output", "file"))
    check_providers(host, shot_file)
    return path, listing


def _path(shot_file: settings.ShotFile) -> GroundPath:
    try:
        return GroundPath(np.asarray(shot_file.shot.performer.path))
    except ValidationError as error:
        raise ConfigError(str(error), place=shot_file.place("performer", "path")) from None


def _import(
    stages: Stages, shot_file: settings.ShotFile, listing: settings.Listing, progress: Progress | None
) -> Clips:
    with stages.stage("import") as stage:
        clips = read_clips(stages.host, listing, progress)
        stages.note_importer(stage, Path(clips.sources[0]["path"]))
        stage.details |= {"files": len(clips.sources), "motions": len(clips.motions)}
    try:
        perform.named_clips(clips.motions, shot_file.shot.performer.start)
    except ConfigError as error:
        raise ConfigError(str(error), place=shot_file.place("performer", "start")) from None
    return clips


def _learn(stages: Stages, shot: settings.Shot, clips: Clips, progress: Progress | None) -> Learned:
    performer = shot.performer
    return learn(
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


def _generate(
    stages: Stages,
    shot: settings.Shot,
    clips: Clips,
    learned: Learned,
    path: GroundPath,
    progress: Progress | None,
) -> Motion:
    performer = shot.performer
    speed = performer.speed or float(np.median([gait.speed_m_s for gait in learned.gaits]))
    with stages.stage("generate") as stage:
        start = perform.pick_start(clips.motions, performer.start, speed)
        motion = perform.perform(
            learned,
            start,
            path,
            speed_m_s=speed,
            seed=performer.seed,
            style=performer.style,
            max_seconds=performer.seconds,
            progress=progress,
        )
        stage.provider, stage.why = learned.record["model"], "the model that was trained"
        stage.details |= {"start": start.name, "speed_m_s": speed, "frames": motion.frame_count}
    return attrs.evolve(motion, rotations=learned.limits.clamp(motion.rotations))


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
        renderer = stages.renderer(stage, output.renderer)
        views = film.cameras(shot.camera, shown, path)
        stage.details |= {"frames": len(views), "size": list(output.size), "quality": output.quality}
    with stages.stage("encode") as encoding:
        media = stages.provider(encoding, "media", output.media)
        frames = film.draw(
            renderer, output, shot.light, character, shown, views, path=path, progress=progress
        )
        timed = Timed(frames)
        media.write(target, timed, rate=output.framerate, metadata={"title": shot.name})
    # Frames are drawn while they are encoded: each stage gets its own share of that time.
    stage.seconds = round(stage.seconds + timed.seconds, 3)
    encoding.seconds = round(max(encoding.seconds - timed.seconds, 0.0), 3)


def _write_motions(stages: Stages, outputs: Outputs, planted: Motion, generated: Motion) -> None:
    with stages.stage("write motion") as stage:
        importer = stages.writer(stage, "bvh")
        for motion, path in ((planted, outputs.motion), (generated, outputs.unplanted)):
            importer.write(Asset(path.stem, motion.skeleton, (motion,)), path, unit=1.0)


def _report(
    shot_file: settings.ShotFile,
    clips: Clips,
    learned: Learned,
    figures: dict[str, Any],
    stages: Stages,
    outputs: Outputs,
) -> dict[str, Any]:
    licences = sorted({source["licence"] for source in clips.sources if source["licence"]})
    return {
        "film": outputs.film.name,
        "motion": outputs.motion.name,
        "unplanted": outputs.unplanted.name,
        "shot": attrs.asdict(shot_file.shot),
        "stages": stages.to_json(),
        "figures": figures,
        "losses": learned.record["losses"],
        "perplexity": learned.record["perplexity"],
        "inputs": list(clips.sources),
        "licences": licences,
        "warnings": list(clips.warnings),
    }
