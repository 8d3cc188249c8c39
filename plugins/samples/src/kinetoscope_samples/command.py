"""`kinetoscope sample`: a folder with everything that a first shot needs."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]


@click.command("sample")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write into a folder that has something in it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def command(folder: Path, force: bool, as_json: bool) -> None:
    """Write the sample into FOLDER: recipes of procedural mocap, and a shot file."""
    from kinetoscope_samples.shot import write_sample

    if not force and folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; name another folder, or add --force")
    shot = write_sample(folder)
    if as_json:
        click.echo(json.dumps({"path": str(shot)}))
    else:
        click.echo(f"wrote {shot}\nshoot it with: kinetoscope shoot {shot}")
