"""`kinetoscope sample`: a folder with everything that a first shot needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

__all__ = ["command"]


@click.command("sample")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--each-hook", is_flag=True, help="Write a shot for each hook that shots use, too.")
@click.option("--force", is_flag=True, help="Write into a folder that has something in it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(ctx: click.Context, folder: Path, each_hook: bool, force: bool, as_json: bool) -> None:
    """Write the sample into FOLDER: recipes of procedural mocap, a plate, and a shot file.

    Plate and voice are left out where nothing here can use them. With --each-hook there is a shot file for
    each hook besides, with one thing in it that is that hook's: another model, a box around the ball.
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
    others = _each_hook(host, shot) if each_hook else {}
    if as_json:
        click.echo(json.dumps({"path": str(shot)} | ({"hooks": others} if each_hook else {})))
        return
    for hook, file in others.items():
        click.echo(f"wrote {file}, for the hook {hook}")
    click.echo(f"wrote {shot}\nshoot it with: kinetoscope shoot {shot}")


def _each_hook(host: Any, shot: Path) -> dict[str, str]:
    """Write the shots of the hooks; return their files by hook."""
    from kinetoscope_samples.by_hook import write_hook_shots
    from kinetoscope_spec import KinetoscopeError

    try:
        writer = host.writer("glb") if "retargeter" in host.hooks() else None
    except KinetoscopeError:
        writer = None
    return {file.stem: str(file) for file in write_hook_shots(shot, writer=writer)}


def _usable(host: Any, hook: str) -> Any:
    """Return the provider that the host would choose, or None."""
    from kinetoscope_spec import KinetoscopeError

    try:
        return host.provider(hook)
    except KinetoscopeError:
        return None
