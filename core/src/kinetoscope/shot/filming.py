"""The last stages: the performer drawn, put over the plate, and encoded with the voice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope.executors.spreading import workers_of
from kinetoscope.shot import film, speech
from kinetoscope.shot.drawing import Alone, Drawing, Over
from kinetoscope.shot.job import Job, identity
from kinetoscope.shot.marks import ghosts_of, marks_of, shown_as
from kinetoscope.shot.mocap import hash_file
from kinetoscope.shot.parts import Drawn, film_frames
from kinetoscope.shot.plates import Backdrop
from kinetoscope.shot.ranges import ranges
from kinetoscope.shot.stages import Stage, Timed
from kinetoscope.shot.surroundings import Surroundings, dim, environment_file, surroundings
from kinetoscope.sound import check_marked, provenance_of
from kinetoscope_spec import Audio, Camera, Character, Motion, Video
from kinetoscope_spec import Path as GroundPath

__all__ = ["Kept", "film_kept"]


@attrs.frozen
class Kept:
    """A film in the store.

    Attributes:
        file: the film.
        pictures: of the contact sheet, and of the plate where there is one: JPEG.
        seconds, frames, rate, size: of the film.
    """

    file: Path
    pictures: tuple[Path, ...]
    seconds: float
    frames: int
    rate: float
    size: tuple[int, int]


SHEET = 8
"""Pictures in a report."""


@attrs.define(eq=False)
class _Sources:
    """Where the frames of a film come from, and what their making took."""

    frames: Iterable[Any]
    count: int
    rate: Any
    size: tuple[int, int]
    timed: list[tuple[Stage, Any]] = attrs.field(factory=list)


def film_kept(
    job: Job,
    motion: Motion,
    character: Character,
    path: GroundPath,
    backdrop: Backdrop | None,
    views: tuple[list[Camera], str] | None,
    spoken: speech.Spoken | None,
    made_of: list[Any],
) -> Kept:
    """Return the film, made now or by an earlier run of the same."""
    shot, output = job.shot, job.shot.output
    by = _providers(job, backdrop)
    inside: list[tuple[Stage, Any]] = []
    with job.stage("encode") as encoding:
        media = job.provider(encoding, "media", output.media)
        suffix = Path(output.file).suffix.lower()
        heard = [spoken.key, shot.voice.at] if spoken and shot.voice else None
        pictures = [*made_of, *_decided(job, by, backdrop, views)]
        drawn = Drawn(job.store, job.key("draw", pictures))
        around = _surroundings(job, media)

        def make(folder: Path) -> None:
            if job.fresh & {"render", "composite"}:
                drawn.drop()
            drawing = _drawing(job, by, motion, character, path, backdrop, views, around)
            with job.crew.drawing(len(ranges(drawing.count))) as executor:
                source = _source(job, by, drawing, drawn, executor, backdrop)
                _write(job, media, folder, source, backdrop, spoken)
            inside.extend(source.timed)

        asked = [*pictures, heard, shot.name, suffix]
        kept, _ = job.kept(encoding, asked, make, lambda folder: _read(folder, suffix))
        drawn.drop()
    _share_out(encoding, inside)
    for done in by.values():
        done.cached = encoding.cached
        done.details |= {"frames": kept.frames, "size": list(kept.size), "quality": output.quality}
    _warn_of_length(job, motion, backdrop, spoken, kept)
    return kept


def _providers(job: Job, backdrop: Backdrop | None) -> dict[str, Stage]:
    """Return the stages of those who make the pictures, by hook."""
    shot, output = job.shot, job.shot.output
    with job.stage("render") as rendering:
        chosen = job.choices.get("render", output.renderer)
        job.stages.renderer(rendering, chosen, device=output.device)
    if backdrop is None or shot.plate is None:
        return {"renderer": rendering}
    with job.stage("composite") as compositing:
        job.provider(compositing, "compositor", shot.plate.compositor)
    return {"renderer": rendering, "compositor": compositing}


def _decided(
    job: Job, by: dict[str, Stage], backdrop: Backdrop | None, views: tuple[list[Camera], str] | None
) -> list[Any]:
    """Return what decides the pictures, beside who is seen and how that moves."""
    shot = job.shot
    around = environment_file(job.shot_file)
    lit = [_told(shot.light), around and hash_file(around)]
    named = shot.name if "name" in shot.output.show else None
    seen = [attrs.asdict(shot.camera), lit, _told(shot.output), shot.performer.path, named]
    plate = [backdrop.key, _told(shot.plate)] if backdrop and shot.plate else None
    return [[identity(stage) for stage in by.values()], seen, plate, views and views[1]]


def _share_out(outer: Stage, inside: list[tuple[Stage, Any]]) -> None:
    """Give each stage its share: frames are drawn while they are composited, and that while they are encoded."""
    for stage, timed in reversed(inside):
        stage.seconds = round(stage.seconds + timed.seconds, 3)
        outer.seconds = round(max(outer.seconds - timed.seconds, 0.0), 3)
        outer = stage


_NAMES = ("file", "video", "remove", "media", "environment")


def _told(table: Any) -> dict[str, Any]:
    """Return a table of the shot file without the names of files: what they hold counts, not they."""
    held = attrs.asdict(table)
    return {key: value for key, value in held.items() if key not in _NAMES}


def _surroundings(job: Job, media: Any) -> Surroundings | None:
    """Return what lights the performer, read from the file that the shot names, if it does."""
    path = environment_file(job.shot_file)
    if path is None:
        return None
    found = surroundings(media, path, job.shot.light, seen=job.shot.output.background == "environment")
    if (said := dim(path, found)) is not None:
        job.warnings.append(said)
    return found


def _drawing(
    job: Job,
    by: dict[str, Stage],
    motion: Motion,
    character: Character,
    path: GroundPath,
    backdrop: Backdrop | None,
    views: tuple[list[Camera], str] | None,
    around: Surroundings | None,
) -> Drawing:
    """Return what is drawn: the performer over the plate, or alone where there is none."""
    if backdrop is None:
        return _alone(job, by, motion, character, path, around)
    return _over(job, by, motion, character, backdrop, views, around)


def _alone(
    job: Job,
    by: dict[str, Stage],
    motion: Motion,
    character: Character,
    path: GroundPath,
    around: Surroundings | None,
) -> Alone:
    output = job.shot.output
    shown = motion.resample(output.framerate)
    views = film.cameras(job.shot.camera, shown, path, aspect=output.size[0] / output.size[1])
    return Alone(
        _named(by),
        output,
        job.shot.light,
        shown_as(character, output),
        (shown,),
        views,
        path,
        ghosts=ghosts_of(output),
        marks=marks_of(output, job.shot.name),
        around=around,
    )


def _over(
    job: Job,
    by: dict[str, Stage],
    motion: Motion,
    character: Character,
    backdrop: Backdrop,
    views: tuple[list[Camera], str] | None,
    around: Surroundings | None,
) -> Over:
    given = job.shot.plate
    assert given is not None
    cameras = views[0] if views is not None else film.cameras(job.shot.camera, motion, None)[:1]
    cameras = list(cameras) if len(cameras) > 1 else list(cameras) * backdrop.frames
    plate = attrs.evolve(backdrop.video, audio=None)  # the film's sound is made elsewhere
    output, light = job.shot.output, job.shot.light
    return Over(_named(by), plate, given, output, light, shown_as(character, output), motion, cameras, around)


def _named(by: dict[str, Stage]) -> dict[str, tuple[str, str]]:
    """Return the provider of each hook, and who that is."""
    return {hook: (str(stage.provider), identity(stage)) for hook, stage in by.items()}


def _source(
    job: Job,
    by: dict[str, Stage],
    drawing: Drawing,
    drawn: Drawn,
    executor: Executor | None,
    backdrop: Backdrop | None,
) -> _Sources:
    """Return where the frames come from; what workers take for both is counted for those who draw."""
    layers: Any = None
    if isinstance(drawing, Over):
        here, layers = drawing.clocked(job.host, job.progress)
    else:
        here = drawing.open(job.host, job.progress)
    frames = Timed(film_frames(drawing, here, job.host, drawn, job.crew, executor, job.progress))
    timed: list[tuple[Stage, Any]] = [(by["renderer"], frames)]
    if layers is not None and executor is None:
        timed = [(by["renderer"], layers), (by["compositor"], frames)]
    if executor is not None:
        by["renderer"].details["workers"] = workers_of(executor)
    rate = job.shot.output.framerate if backdrop is None else backdrop.plate.rate
    return _Sources(frames, drawing.count, rate, drawing.size, timed)


def _write(
    job: Job,
    media: Any,
    folder: Path,
    source: _Sources,
    backdrop: Backdrop | None,
    spoken: speech.Spoken | None,
) -> None:
    """Write the film and the pictures of its report into a folder."""
    output, shot = job.shot.output, job.shot
    seconds = source.count / float(source.rate)
    words = {"title": shot.name}
    audio: Audio | None = backdrop.plate.audio if backdrop is not None else None
    if spoken is not None and shot.voice is not None:
        check_marked(job.host, spoken.audio)
        told = provenance_of(spoken.audio)
        # When it was spoken stands in the report: a run that was killed before makes the same film in the end.
        told["provenance"].pop("created", None)
        words["comment"] = json.dumps(told, separators=(",", ":"))
        audio, _ = speech.laid_over(spoken.audio, shot.voice.at, seconds, audio)
    sheet = _Sheet(source, backdrop, folder, media)
    target = folder / f"film{Path(output.file).suffix.lower()}"
    timestamps = None if backdrop is None else backdrop.plate.timestamps
    video = Video(*source.size, source.rate, sheet, source.count, timestamps)
    quality = "high" if output.quality == "high" else "medium"
    written = media.write(target, video, audio=audio, metadata=words, quality=quality)
    made = {"seconds": written.seconds, "frames": written.frames, "rate": float(source.rate)}
    (folder / "film.json").write_text(json.dumps(made | {"size": list(source.size)}), encoding="utf-8")


@attrs.define(eq=False)
class _Sheet:
    """Passes frames on, and keeps some of them as pictures on their way."""

    source: _Sources
    backdrop: Backdrop | None
    folder: Path
    media: Any

    def __call__(self, start: int, stop: int | None) -> Any:
        chosen = set(np.linspace(0, self.source.count - 1, SHEET).round().astype(int).tolist())
        for i, frame in enumerate(self.source.frames):
            if i in chosen:
                self.media.write_image(self.folder / f"after-{i:06d}.jpg", frame, quality=85)
                if self.backdrop is not None:
                    (was,) = self.backdrop.plate.frames(i, i + 1)
                    self.media.write_image(self.folder / f"before-{i:06d}.jpg", was[..., :3], quality=85)
            yield frame


def _read(folder: Path, suffix: str) -> Kept:
    told = json.loads((folder / "film.json").read_text(encoding="utf-8"))
    file = folder / f"film{suffix}"
    file.stat()  # raises where it is gone
    pictures = tuple(sorted(folder.glob("*.jpg")))
    return Kept(file, pictures, told["seconds"], told["frames"], told["rate"], tuple(told["size"]))


def _warn_of_length(
    job: Job, motion: Motion, backdrop: Backdrop | None, spoken: speech.Spoken | None, kept: Kept
) -> None:
    if backdrop is not None and (still := kept.seconds - motion.duration) > 1.5 / kept.rate + 0.1:
        job.warnings.append(
            f"the performer stands still for the last {still:.1f} s: path and speed end before the plate"
        )
    if spoken is not None and job.shot.voice is not None:
        lost = job.shot.voice.at + spoken.audio.duration - kept.seconds
        if lost > 0.05:
            job.warnings.append(f"the film ends {lost:.1f} s before the voice does")
