"""`kinetoscope features`: looking at what features say of a clip."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

__all__ = ["command"]


@click.group("features")
def command() -> None:
    """What features say of clips."""


@command.command("plot")
@click.argument("clip", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The picture; the clip's name with .png if not given.",
)
@click.option(
    "--index", type=click.IntRange(0), default=0, show_default=True, help="Which motion of the file."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def plot_command(ctx: click.Context, clip: Path, out: Path | None, index: int, as_json: bool) -> None:
    """Draw contacts, speeds, trajectory and phases of CLIP over time, as PNG.

    Thick lines and bars say when a foot is held to be in contact; the dots on the way are where it stood.
    """
    from kinetoscope_features.picture import drawn, written
    from kinetoscope_spec.errors import ConfigError

    host: Any = ctx.find_root().obj
    out = Path(f"{clip.stem}.png") if out is None else out
    if out.exists() and out.samefile(clip):
        raise click.UsageError(f"{out} is the clip itself; name another picture")
    if out.suffix.lower() != ".png":
        raise click.UsageError(f"{out} is to be a picture in PNG; name it .png")
    with redirect_stdout(sys.stderr):
        motions = host.open(clip).motions
        if index >= len(motions):
            raise ConfigError(f"{clip} holds {len(motions)} motions, there is no number {index}")
        written(drawn(motions[index]), out)
    data = {"motion": motions[index].name, "frames": motions[index].frame_count, "output": str(out)}
    click.echo(json.dumps(data) if as_json else f"{data['motion']}, {data['frames']} frames: {out}")
