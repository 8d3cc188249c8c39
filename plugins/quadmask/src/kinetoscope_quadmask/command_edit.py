"""`kinetoscope edit-mask`: a quadmask in the browser, over its video."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from kinetoscope_quadmask._options import SUFFIXES, GridType

if TYPE_CHECKING:
    from kinetoscope_quadmask._grid import Grid
    from kinetoscope_spec import Quadmask, Video

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_INTERRUPTED = 130
"""The status of a process that Ctrl-C ends, as shells count it: 128 and the signal's number."""


@click.command("edit-mask")
@click.argument("video", type=_PATH)
@click.argument("mask", type=_PATH)
@click.option("--out", type=_PATH, metavar="FILE", help="Save here, not to MASK; needed for another --kind.")
@click.option(
    "--kind",
    type=click.Choice(["quadmask", "trimask", "dark", "bright"]),
    default="quadmask",
    help="What MASK's values mean.",
)
@click.option("--grid", type=GridType(), help="Toggle these cells.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Serve the page there; 0: any that is free."
)
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is printed.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, with the page's url, and nothing else."
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    video: Path,
    mask: Path,
    out: Path | None,
    kind: Any,
    grid: Grid | None,
    port: int,
    no_browser: bool,
    as_json: bool,
) -> None:
    """Edit the quadmask MASK over VIDEO on a page in the browser: cells, brush, frame before, undo.

    Where there is no MASK it begins empty. The page is served to this machine alone, until it is closed or
    the command is interrupted.
    """
    from kinetoscope_quadmask.editing import MaskEditor
    from kinetoscope_quadmask.files import write_quadmask
    from kinetoscope_quadmask.server import EditorServer

    if kind != "quadmask" and (out is None or out.resolve() == mask.resolve()):
        raise click.UsageError(f"a {kind} MASK is not written over with a quadmask: say where to save, --out")
    target = out or mask
    if target.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{target}: expected a name that ends in {', '.join(SUFFIXES)}")
    if target.exists() and video.exists() and target.samefile(video):
        raise click.BadParameter(f"{target} is read from, it can't be written to")
    media = ctx.find_root().obj.provider("media")
    film = media.open(video)
    editor = MaskEditor(_begun(media, mask, film, kind), grid)

    def save(quadmask: Quadmask) -> None:
        write_quadmask(media, target, quadmask)

    interrupted = False
    with EditorServer(film, editor, save, port=port) as server, TemporaryDirectory() as folder:
        click.echo(json.dumps({"url": server.url}) if as_json else f"edit on {server.url}\nCtrl-C ends it")
        if not no_browser:
            click.launch(_redirect(Path(folder), server.url).as_uri())
        try:
            server.wait()
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:  # said once a save that was going on is done
        lost = f"; edits that were not saved to {target} are lost" if server.changed else ""
        click.echo(f"ended{lost}", err=True)
        ctx.exit(_INTERRUPTED)


def _redirect(folder: Path, url: str) -> Path:
    """Write a page that leads to `url`, for the user alone: a browser's arguments are read by all users."""
    path = folder / "edit-mask.html"
    path.touch(mode=0o600)
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={url}">\n',
        encoding="utf-8",
    )
    return path


def _begun(media: Any, mask: Path, film: Video, kind: Any) -> Quadmask:
    """Return the mask that is there, or one that keeps everything."""
    from kinetoscope_quadmask.files import read_quadmask
    from kinetoscope_quadmask.streams import blank

    return read_quadmask(media, mask, like=film, kind=kind) if mask.exists() else blank(film)
