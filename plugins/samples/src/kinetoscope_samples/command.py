"""`kinetoscope sample`: a folder with everything that a first shot needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

__all__ = ["command"]


@click.command("sample")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write into a folder that has something in it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(ctx: click.Context, folder: Path, force: bool, as_json: bool) -> None:
    """Write the sample into FOLDER: recipes of procedural mocap, a plate, and a shot file.

    Plate and voice are left out where nothing here can use them.
    """
    from kinetoscope_samples.shot import write_sample

    if not force and folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; name another folder, or add --force")
    host = ctx.find_root().obj
    media = _usable(host, "media")
    # The mask is a film: nobody has to find the ball, but what reads masks must be there.
    masks = "segmenter" in host.hooks()
    plate = masks and all(_usable(host, hook) for hook in ("inpainter", "compositor"))
    voice = all(_usable(host, hook) for hook in ("voice", "watermarker"))
    shot = write_sample(folder, media=media if plate else None, voice=voice)
    if as_json:
        click.echo(json.dumps({"path": str(shot)}))
    else:
        click.echo(f"wrote {shot}\nshoot it with: kinetoscope shoot {shot}")


def _usable(host: Any, hook: str) -> Any:
    """Return the provider that the host would choose, or None."""
    from kinetoscope_spec import KinetoscopeError

    try:
        return host.provider(hook)
    except KinetoscopeError:
        return None
