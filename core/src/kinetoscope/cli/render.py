"""`kinetoscope render`: a motion in, a film or a picture out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar
from kinetoscope.cli._workers import workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinetoscope import Host
    from kinetoscope.shot.crew import Crew
    from kinetoscope.shot.drawing import Alone
    from kinetoscope.shot.settings import Output
    from kinetoscope.shot.stages import Stage
    from kinetoscope_spec import Character, Frame, Motion
    from kinetoscope_spec.protocols import Progress

_PICTURES = (".png", ".jpg", ".jpeg", ".exr")


@click.command("render")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--motion", default=0, show_default=True, type=click.IntRange(0), help="Which of the file's motions."
)
@click.option("--size", default="1280x720", show_default=True, help="WIDTHxHEIGHT in pixels.")
@click.option("--framerate", default=30.0, show_default=True, type=click.FloatRange(1, 240))
@click.option(
    "--quality", default="medium", show_default=True, type=click.Choice(["draft", "medium", "high"])
)
@click.option(
    "--frame", type=click.IntRange(0), help="For a picture: which frame of the film; the middle if not given."
)
@click.option(
    "--camera",
    default="follow",
    show_default=True,
    type=click.Choice(["follow", "orbit", "third-person"]),
    help="Go along, go along and around, or stay behind.",
)
@click.option(
    "--pass",
    "passes",
    multiple=True,
    metavar="NAME",
    help="Switch a pass of the renderer on, or off with a - before it: --pass outline --pass=-ssao.",
)
@click.option(
    "--tone",
    default="aces",
    show_default=True,
    type=click.Choice(["aces", "neutral"]),
    help="The curve from light to the picture; neutral keeps the colours of materials.",
)
@click.option(
    "--ghosts", default=0, show_default=True, type=click.IntRange(0, 100), help="Past poses to show beside."
)
@click.option(
    "--ghosts-ahead", default=0, show_default=True, type=click.IntRange(0, 100), help="Future poses to show."
)
@click.option(
    "--ghost-spacing",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0.001, 3600),
    help="Seconds from one ghost to the next.",
)
@click.option(
    "--skinning",
    type=click.Choice(["linear", "dual-quaternion"]),
    help="How bones share a vertex; as the file says if not given.",
)
@click.option("--device", metavar="NAME", help="What the renderer draws on: gpu, cpu, osmesa, egl:0, ...")
@click.option("--provider", help="Provider of the renderer hook.")
@click.option("--jobs", type=click.IntRange(1), help="Ranges of a film's frames that are drawn at once.")
@click.option("--executor", metavar="NAME[://ADDRESS]", help="Where to draw them, such as dask://host:8786.")
@json_option
@pass_host
def command(
    host: Host,
    file: Path,
    out: Path,
    motion: int,
    size: str,
    framerate: float,
    quality: str,
    frame: int | None,
    camera: str,
    passes: tuple[str, ...],
    tone: str,
    ghosts: int,
    ghosts_ahead: int,
    ghost_spacing: float,
    skinning: str | None,
    device: str | None,
    provider: str | None,
    jobs: int | None,
    executor: str | None,
) -> None:
    """Render FILE's motion to OUT: a film, or one picture for .png, .jpg and .exr.

    An .exr holds linear light and, in layers, depth, normals, albedo, material, motion and ids; with a
    run of # in its name (walk.####.exr) every frame is written, numbered in their place. A file without
    meshes gets a body built on its skeleton.
    """
    from kinetoscope import exr
    from kinetoscope.shot import film, settings
    from kinetoscope.shot.drawing import Alone
    from kinetoscope.shot.job import identity
    from kinetoscope.shot.outputs import refuse_overwriting
    from kinetoscope.shot.stages import Stages
    from kinetoscope_spec.ghosts import Ghosts

    output = _output(out, size, framerate, quality, passes=passes, device=device)
    refuse_overwriting(out, [file])
    layered = out.suffix.lower() == ".exr"
    picture = out.suffix.lower() in _PICTURES and not (layered and "#" in out.name)
    if layered:
        exr.need_openexr()
    with progress_bar("rendering") as progress, Stages(host).stage("render") as stage:
        renderer = Stages(host).renderer(stage, provider, device=device)
        media = host.provider("media")
        shown, character = _figure(host, file, motion, skinning)
        shown = shown.resample(framerate)
        width, height = output.size
        views = film.cameras(settings.Camera(kind=camera), shown, None, aspect=width / height)
        others = Ghosts(ghosts, ahead=ghosts_ahead, spacing_s=ghost_spacing)
        frames, part = len(views), (0, len(views))
        if picture:
            i = _frame(frame, len(views))
            frames, part = 1, (i, i + 1)
        if picture or layered:
            drawn = film.frames(
                renderer,
                output,
                settings.Light(tone=tone),
                character,
                shown,
                views,
                buffers=exr.BUFFERS if layered else (),
                progress=progress,
                start=part[0],
                stop=part[1],
                ghosts=others,
            )
            _write(media, out, drawn)
        else:
            by = {"renderer": (str(stage.provider), identity(stage))}
            drawing = Alone(by, output, settings.Light(tone=tone), character, (shown,), views, ghosts=others)
            with workers(host, executor, jobs) as crew:
                _write_film(host, out, drawing, crew, progress)
    _report(out, frames, stage)


def _figure(host: Host, file: Path, motion: int, skinning: str | None) -> tuple[Motion, Character]:
    """Return the motion that is asked for, and who shows it, skinned as is asked for."""
    from kinetoscope.shot import film

    asset = host.open(file)
    if motion >= max(len(asset.motions), 1):
        raise click.UsageError(f"{file} has {len(asset.motions)} motions, --motion counts from 0")
    shown, character = film.stand_in(asset, motion)
    return shown, character.blended(skinning.replace("-", "_")) if skinning else character


def _report(out: Path, frames: int, stage: Stage) -> None:
    data = {
        "output": str(out),
        "frames": frames,
        "seconds": stage.seconds,
        "provider": stage.provider,
        "why": stage.why,
    }
    emit(
        click.get_current_context(),
        data,
        f"{frames} frames by {stage.provider} ({stage.why}) in {stage.seconds:.1f} s: {out}",
    )


def _write_film(host: Host, out: Path, drawing: Alone, crew: Crew, progress: Progress) -> None:
    """Write a film, drawn by whoever helps; a killed run goes on with the ranges that it has drawn."""
    from kinetoscope.shot.parts import Drawn, digest_of, film_frames
    from kinetoscope.shot.ranges import ranges
    from kinetoscope.shot.run import open_store
    from kinetoscope_spec.files import replacing

    here = drawing.open(host, progress)
    drawn = Drawn(open_store(host), digest_of(drawing))
    with crew.drawing(len(ranges(drawing.count))) as executor, replacing(out) as building:
        frames = film_frames(drawing, here, host, drawn, crew, executor, progress)
        host.provider("media").write(building, frames, rate=drawing.output.framerate)
    drawn.drop()


def _write(media: Any, out: Path, drawn: Iterator[Frame]) -> None:
    """Write pictures to `out`: one, or numbered ones of layers."""
    from kinetoscope import exr
    from kinetoscope_spec.files import replacing

    if out.suffix.lower() == ".exr":
        for number, each in enumerate(drawn):
            exr.write_exr(_numbered(out, number), each)
        return
    (only,) = drawn
    with replacing(out) as building:
        media.write_image(building, only.color[..., :3])


def _output(out: Path, size: str, framerate: float, quality: str, **drawing: Any) -> Output:
    """Return the options as a shot's output.

    Raises:
        BadParameter: one of them can't be.
    """
    from kinetoscope.shot import settings
    from kinetoscope.toml import WrongValue

    try:
        return settings.Output(
            file=out.name, size=_size(size), framerate=framerate, quality=quality, **drawing
        )
    except WrongValue as error:
        raise click.BadParameter(f"{error.key} {error}") from None


def _numbered(out: Path, number: int) -> Path:
    """Return `out` with the number in place of its run of #, if it has one."""
    return out.with_name(re.sub("#+", lambda run: str(number).zfill(len(run.group())), out.name, count=1))


def _frame(asked: int | None, count: int) -> int:
    if asked is not None and asked >= count:
        raise click.UsageError(f"--frame is {asked}, expected 0 to {count - 1}")
    return count // 2 if asked is None else asked


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise click.BadParameter(f"{text!r} is not a size, expected WIDTHxHEIGHT such as 1280x720")
    return int(width), int(height)
