"""`kinetoscope render`: a motion in, a film or a picture out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar
from kinetoscope.cli._workers import workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinetoscope import Host
    from kinetoscope.shot.crew import Crew
    from kinetoscope.shot.drawing import Alone, Drawing
    from kinetoscope.shot.settings import Light, Output
    from kinetoscope.shot.stages import Stage
    from kinetoscope_spec import Character, Motion
    from kinetoscope_spec.protocols import Progress

_PICTURES = (".png", ".jpg", ".jpeg", ".exr")
_LEAST_PX = 16
"""Width of a file's part of a picture."""


@click.command("render")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE...")
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
    "--show",
    multiple=True,
    type=click.Choice(["bones", "axes", "past", "ahead", "contacts", "velocities", "name"]),
    help="Draw beside the figure: its bones, the axes of its joints, its way so far or from now on, ...",
)
@click.option(
    "--span", type=click.FloatRange(0.001), help="Seconds of the ways that are shown; all if not given."
)
@click.option("--bare", is_flag=True, help="Leave the body out, which hides what is inside: bones, axes.")
@click.option("--split", is_flag=True, help="Show several files side by side, named, in step.")
@click.option(
    "--skinning",
    type=click.Choice(["linear", "dual-quaternion"]),
    help="How bones share a vertex; as the file says if not given.",
)
@click.option(
    "--environment",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Light from a picture of the surroundings instead of the sun: .hdr, .exr, or a PNG or JPEG.",
)
@click.option(
    "--environment-rotation",
    "rotation",
    default=0.0,
    show_default=True,
    type=click.FloatRange(-360, 360),
    help="Degrees by which it is turned about the vertical.",
)
@click.option(
    "--ambient",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Factor on the light of the sky, or of the environment.",
)
@click.option(
    "--background",
    default="stage",
    show_default=True,
    type=click.Choice(["stage", "environment"]),
    help="What stands behind everything.",
)
@click.option("--device", metavar="NAME", help="What the renderer draws on: gpu, cpu, osmesa, egl:0, ...")
@click.option("--provider", help="Provider of the renderer hook.")
@click.option("--jobs", type=click.IntRange(1), help="Ranges of a film's frames that are drawn at once.")
@click.option("--executor", metavar="NAME[://ADDRESS]", help="Where to draw them, such as dask://host:8786.")
@json_option
@pass_host
def command(
    host: Host,
    files: tuple[Path, ...],
    out: Path,
    motion: int,
    camera: str,
    frame: int | None,
    split: bool,
    provider: str | None,
    jobs: int | None,
    executor: str | None,
    **asked: Any,
) -> None:
    """Render FILE's motion to OUT: a film, or one picture for .png, .jpg and .exr.

    An .exr holds linear light and, in layers, depth, normals, albedo, material, motion and ids; with a
    run of # in its name (walk.####.exr) every frame is written, numbered in their place. A file without
    meshes gets a body built on its skeleton.
    """
    from kinetoscope.shot.outputs import refuse_overwriting
    from kinetoscope.shot.stages import Stages

    environment = asked.pop("environment")
    light, output = _settings(out, environment, split, **asked)
    refuse_overwriting(out, [*files, *filter(None, [environment])])
    layered = out.suffix.lower() == ".exr"
    _check_split(files, output.size[0], split, layered)
    if layered:
        from kinetoscope import exr

        exr.need_openexr()
    with progress_bar("rendering") as progress, Stages(host).stage("render") as stage:
        renderer = Stages(host).renderer(stage, provider, device=output.device)
        figures = [_figure(host, file, motion, output) for file in files]
        first = _first(host, stage, light, output, figures[0][1], environment)
        panes = _panes(first, [file.name for file in files], figures, camera)
        if layered:
            frames = _write_layers(out, panes[0], renderer, frame, progress)
        elif out.suffix.lower() in _PICTURES:
            frames = _write_picture(host, out, panes, frame, progress)
        else:
            frames = panes[0].count
            with workers(host, executor, jobs) as crew:
                _write_film(host, out, _joined(panes, output), crew, progress)
    _report(out, frames, stage)


def _first(
    host: Host,
    stage: Stage,
    light: Light,
    output: Output,
    character: Character,
    environment: Path | None,
) -> Alone:
    """Return what is drawn of each file, but for who moves how and from where that is seen."""
    from kinetoscope.shot.drawing import Alone
    from kinetoscope.shot.job import identity
    from kinetoscope.shot.marks import ghosts_of, marks_of
    from kinetoscope.shot.surroundings import dim, surroundings

    around = None
    if environment is not None:
        seen = output.background == "environment"
        around = surroundings(host.provider("media"), environment, light, seen=seen)
        if (said := dim(environment, around)) is not None:
            click.echo(f"warning: {said}", err=True)
    return Alone(
        {"renderer": (str(stage.provider), identity(stage))},
        output,
        light,
        character,
        (),
        [],
        ghosts=ghosts_of(output),
        marks=marks_of(output, ""),
        around=around,
    )


def _check_split(files: Sequence[Path], width: int, split: bool, layered: bool) -> None:
    """Refuse several files that can't be shown in one picture."""
    if len(files) > 1 and not split:
        raise click.UsageError(f"{len(files)} files, expected one, or --split to show them side by side")
    if len(files) > 1 and layered:
        raise click.UsageError("--split makes pictures and films, expected another suffix than .exr")
    if width // len(files) < _LEAST_PX:
        raise click.UsageError(
            f"{len(files)} files in {width} pixels, expected a --size of {_LEAST_PX} or more for each"
        )


def _panes(
    first: Alone, names: Sequence[str], figures: Sequence[tuple[Motion, Character]], camera: str
) -> list[Alone]:
    """Return what is drawn of each file, `first` with a part of its width; who is over waits for the others."""
    from kinetoscope.shot import film, settings
    from kinetoscope.shot.drawing import widths

    panes, (width, height) = [], first.output.size
    for name, (motion, character), wide in zip(names, figures, widths(width, len(names)), strict=True):
        shown = motion.resample(first.output.framerate)
        views = film.cameras(settings.Camera(kind=camera), shown, None, aspect=wide / height)
        panes.append(
            attrs.evolve(
                first,
                output=attrs.evolve(first.output, size=(wide, height)),
                character=character,
                motions=(shown,),
                views=views,
                marks=first.marks and attrs.evolve(first.marks, names=(name,), width=wide),
            )
        )
    count = max(pane.count for pane in panes)
    return [
        attrs.evolve(pane, views=[*pane.views, *[pane.views[-1]] * (count - pane.count)]) for pane in panes
    ]


def _joined(panes: Sequence[Alone], output: Output) -> Drawing:
    from kinetoscope.shot.drawing import Beside

    return panes[0] if len(panes) == 1 else Beside(tuple(panes), output)


def _figure(host: Host, file: Path, motion: int, output: Output) -> tuple[Motion, Character]:
    """Return the motion that is asked for, and who shows it, as `output` has it shown."""
    from kinetoscope.shot import film
    from kinetoscope.shot.marks import shown_as

    asset = host.open(file)
    if motion >= max(len(asset.motions), 1):
        raise click.UsageError(f"{file} has {len(asset.motions)} motions, --motion counts from 0")
    shown, character = film.stand_in(asset, motion)
    return shown, shown_as(character, output)


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


def _write_film(host: Host, out: Path, drawing: Drawing, crew: Crew, progress: Progress) -> None:
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


def _write_picture(
    host: Host, out: Path, panes: Sequence[Alone], frame: int | None, progress: Progress
) -> int:
    """Write one picture of a film; return how many."""
    import numpy as np

    from kinetoscope_spec.files import replacing

    i, pictures = _frame(frame, panes[0].count), []
    for pane in panes:
        (picture,) = pane.open(host, progress)(i, i + 1)
        pictures.append(picture)
    with replacing(out) as building:
        host.provider("media").write_image(building, np.concatenate(pictures, axis=1))
    return 1


def _write_layers(out: Path, pane: Alone, renderer: Any, frame: int | None, progress: Progress) -> int:
    """Write a frame with all its layers, or all frames where `out` has a place for numbers; return how many."""
    from kinetoscope import exr

    part = (0, pane.count)
    if "#" not in out.name:
        i = _frame(frame, pane.count)
        part = (i, i + 1)
    for number, each in enumerate(pane.frames(renderer, exr.BUFFERS, progress, *part)):
        exr.write_exr(_numbered(out, number), each)
    return part[1] - part[0]


def _settings(
    out: Path,
    environment: Path | None,
    split: bool,
    *,
    tone: str,
    ambient: float,
    rotation: float,
    size: str,
    show: tuple[str, ...],
    **drawing: Any,
) -> tuple[Light, Output]:
    """Return the options as a shot's light and output; files that are shown side by side have their names.

    Raises:
        BadParameter, UsageError: one of them can't be.
    """
    from kinetoscope.shot import settings
    from kinetoscope.toml import WrongValue

    if environment is None and (rotation or drawing["background"] == "environment"):
        raise click.UsageError("--environment-rotation and --background environment need an --environment")
    file = None if environment is None else str(environment)
    kinds = (*show, "name") if split else show
    try:
        light = settings.Light(tone=tone, ambient=ambient, environment=file, rotation=rotation)
        return light, settings.Output(file=out.name, size=_size(size), show=kinds, **drawing)
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
