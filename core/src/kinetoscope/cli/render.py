"""`kinetoscope render`: a motion in, a film or a picture out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host

_PICTURES = (".png", ".jpg", ".jpeg")


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
@click.option("--provider", help="Provider of the renderer hook.")
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
    provider: str | None,
) -> None:
    """Render FILE's motion to OUT: a film, or one picture for .png and .jpg.

    A file without meshes gets a body built on its skeleton.
    """
    from kinetoscope.shot import film, settings
    from kinetoscope.shot.outputs import refuse_overwriting
    from kinetoscope.shot.stages import Stages
    from kinetoscope.toml import WrongValue
    from kinetoscope_spec.files import replacing

    try:
        output = settings.Output(file=out.name, size=_size(size), framerate=framerate, quality=quality)
    except WrongValue as error:
        raise click.BadParameter(f"{error.key} {error}") from None
    refuse_overwriting(out, [file])
    picture = out.suffix.lower() in _PICTURES
    with progress_bar("rendering") as progress, Stages(host).stage("render") as stage:
        renderer = Stages(host).renderer(stage, provider)
        media = host.provider("media")
        asset = host.open(file)
        if motion >= max(len(asset.motions), 1):
            raise click.UsageError(f"{file} has {len(asset.motions)} motions, --motion counts from 0")
        shown, character = film.stand_in(asset, motion)
        shown = shown.resample(framerate)
        views = film.cameras(settings.Camera(), shown, None)
        if picture:
            i = _frame(frame, len(views))
            shown, views = shown.slice(i, i + 1), views[i : i + 1]
        frames = film.draw(renderer, output, settings.Light(), character, shown, views, progress=progress)
        with replacing(out) as building:
            if picture:
                (drawn,) = frames
                media.write_image(building, drawn)
            else:
                media.write(building, frames, rate=framerate)
    data = {
        "output": str(out),
        "frames": len(views),
        "seconds": stage.seconds,
        "provider": stage.provider,
        "why": stage.why,
    }
    emit(
        click.get_current_context(),
        data,
        f"{len(views)} frames by {stage.provider} ({stage.why}) in {stage.seconds:.1f} s: {out}",
    )


def _frame(asked: int | None, count: int) -> int:
    if asked is not None and asked >= count:
        raise click.UsageError(f"--frame is {asked}, expected 0 to {count - 1}")
    return count // 2 if asked is None else asked


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise click.BadParameter(f"{text!r} is not a size, expected WIDTHxHEIGHT such as 1280x720")
    return int(width), int(height)
