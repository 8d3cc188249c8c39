"""`kinetoscope view`: motions and characters on a page in the browser."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinetoscope_spec import Asset, Motion
    from kinetoscope_viser._track import Track

__all__ = ["command"]

_GAP_M: Final = 0.6
"""Between characters that stand side by side."""


@click.command("view")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--motion",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Which of a file's motions, or of a dataset's clips.",
)
@click.option("--in-place", is_flag=True, help="Several files stand where they say, not side by side.")
@click.option("--camera", default="orbit", show_default=True, type=click.Choice(["orbit", "follow", "fixed"]))
@click.option("--skeleton", is_flag=True, help="Show skeletons, and bodies pale.")
@click.option("--host", default="127.0.0.1", metavar="IP", help="Listen there; this machine alone.")
@click.option("--port", type=click.IntRange(0, 65535), default=8766, help="0: any that is free.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A name by which the page is reached.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, with the page's url, and nothing else."
)
@click.pass_context
def command(ctx: click.Context, /, files: tuple[Path, ...], as_json: bool, **given: Any) -> None:
    """Play motions and characters in the browser: a timeline, cameras, skeletons, several side by side.

    A file without meshes gets a body built on its skeleton. Ctrl-C ends it. Beyond this machine --name
    is needed, and whoever reaches the page sees and steers it: there is no token.
    """
    from kinetoscope_viser._wire import is_loopback
    from kinetoscope_viser.viewer import Viewer

    if not is_loopback(given["host"]) and not given["names"]:
        raise click.UsageError(
            f"{given['host']} can be reached by others, who would see and steer the page, as it has no token: "
            "say by which names it is reached, --name HOST"
        )
    obj = ctx.find_root().obj
    host = obj.resolve() if hasattr(obj, "resolve") else obj
    tracks = _tracks(host, files, given["motion"])
    if not given["in_place"]:
        _side_by_side(tracks)
    features = {
        info.name: functools.partial(host.provider, "feature", info.name)
        for info in host.providers("feature", load=False)
    }
    with Viewer(address=given["host"], port=given["port"], names=given["names"], features=features) as viewer:
        for track in tracks:
            viewer.add(track)
        viewer.shown.skeleton = given["skeleton"]
        viewer.look(given["camera"])
        viewer.refresh()
        told = {"url": viewer.url, "files": [_told(f, t) for f, t in zip(files, tracks, strict=True)]}
        click.echo(json.dumps(told) if as_json else _said(told))
        if not given["no_open"]:
            _open(viewer.url)
        with contextlib.suppress(KeyboardInterrupt):
            viewer.wait()
    click.echo("ended", err=True)


def _tracks(host: Any, files: tuple[Path, ...], number: int) -> list[Track]:
    """Read all files before any page is there: one that can't be read leaves nothing behind."""
    from kinetoscope_spec.body import capsule_character
    from kinetoscope_spec.motion import rest_motion
    from kinetoscope_viser._track import Track

    tracks: list[Track] = []
    for file in files:
        asset, motions = _opened(host, file)
        if number >= max(len(motions), 1):
            raise click.UsageError(f"{file} has {len(motions)} motions, --motion counts from 0")
        for warning in asset.warnings:
            click.echo(f"{file}: {warning}", err=True)
        motion = motions[number] if len(motions) else rest_motion(asset.skeleton)
        made_up = not asset.meshes
        character = capsule_character(motion.skeleton, motion=motion) if made_up else asset.character()
        name = file.name if asset.motions or not len(motions) else f"{file.name}: {motion.name}"
        tracks.append(Track(name, character, motion, motions=asset.motions, made_up=made_up))
    return tracks


def _opened(host: Any, file: Path) -> tuple[Asset, Sequence[Motion]]:
    """Read a file, or open a dataset, whose clips are read when they are asked for."""
    from kinetoscope_spec import Asset
    from kinetoscope_spec.errors import ProviderNotFound

    # Without datasets, the importers say what they think of a folder.
    with contextlib.suppress(ProviderNotFound):
        if file.is_dir() and (datasets := host.provider("dataset")).is_dataset(str(file)):
            clips: Sequence[Motion] = datasets.open(str(file))
            if not len(clips):
                raise click.ClickException(f"{file}: the dataset holds no clip")
            return Asset(file.name, clips[0].skeleton), clips
    asset: Asset = host.open(file)
    return asset, asset.motions


def _side_by_side(tracks: list[Track]) -> None:
    """Put tracks beside each other along X, each with its first frame where the first one has it."""
    if not tracks:
        return
    start = tracks[0].subject(0)
    right = 0.0
    for i, track in enumerate(tracks):
        (low, _, _), (high, _, _) = track.bounds - track.subject(0)
        if i:
            place = start - track.subject(0)
            place[0] += right + _GAP_M - low
            track.place = place * (1, 0, 1)
            right += _GAP_M - low + high
        else:
            right = high


def _told(file: Path, track: Track) -> dict[str, Any]:
    off, motion = track.deviation, track.motion
    return {
        "path": str(file),
        "motion": motion.name,
        "frames": motion.frame_count,
        "framerate": motion.framerate,
        "duration": motion.duration,
        "joints": len(motion.skeleton),
        "body": "made" if track.made_up else "file",
        "offset_m": track.place.tolist(),
        "influences": off.influences,
        "deviation": {
            "max_mm": off.max_mm,
            "p99_mm": off.p99_mm,
            "frames": off.frames,
            "vertices_cut": off.cut,
        },
        "not_shown": track.omitted,
    }


def _said(told: dict[str, Any]) -> str:
    lines = [
        f"{file['path']}: {file['frames']} frames, {file['duration']:.2f} s, {file['joints']} joints; "
        f"vertices off by {max(file['deviation']['max_mm'], 1e-3):.2g} mm at most"
        + "".join(f"\n  {omitted}" for omitted in file["not_shown"])
        for file in told["files"]
    ]
    return "\n".join((*lines, f"on {told['url']}", "Ctrl-C ends it"))


def _open(url: str) -> None:
    """Open a browser, where there is a screen: on others Python would start one that fills the terminal."""
    import webbrowser

    screen = sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if screen:
        webbrowser.open(url)
