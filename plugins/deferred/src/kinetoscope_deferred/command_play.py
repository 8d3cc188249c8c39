"""`kinetoscope play`: motions and characters in a window."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kinetoscope_deferred.render_pass import RenderPass
    from kinetoscope_deferred.window.clips import Clip

__all__ = ["command"]

_APART_M = 1.6
"""Between clips that are shown beside each other."""


@click.command("play")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--motion", default=0, show_default=True, type=click.IntRange(0), help="Which of each file's motions."
)
@click.option(
    "--delay",
    "delays",
    multiple=True,
    type=click.FloatRange(0),
    help="Seconds by which a file begins later; once for each, in their order.",
)
@click.option(
    "--apart", default=_APART_M, show_default=True, type=click.FloatRange(0), help="Metres between files."
)
@click.option("--split", is_flag=True, help="A part of the window, with a camera of its own, for each file.")
@click.option(
    "--camera",
    default="follow",
    show_default=True,
    type=click.Choice(["orbit", "follow", "third-person", "fixed", "fly"]),
)
@click.option("--size", default="1280x720", show_default=True, help="WIDTHxHEIGHT in pixels.")
@click.option(
    "--quality", default="medium", show_default=True, type=click.Choice(["draft", "medium", "high"])
)
@click.option(
    "--pass",
    "passes",
    multiple=True,
    metavar="NAME",
    help="Switch a pass on, or off with a - before it: --pass outline --pass=-ssao.",
)
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    motion: int,
    delays: tuple[float, ...],
    apart: float,
    split: bool,
    camera: str,
    size: str,
    quality: str,
    passes: tuple[str, ...],
) -> None:
    """Play FILES in a window, beside each other: h shows the keys.

    Cameras orbit, follow, stay behind, stand or fly. A click names what is under the pointer and goes over to
    it; keys switch passes and show bones, axes, names, trajectories, contacts, velocities and ghosts. A
    file without meshes gets a body. Without a display, `kinetoscope view` and `kinetoscope render` do.
    """
    missing = [name for name in ("glfw", "PIL") if find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"{' and '.join(missing)} not found; pip install 'kinetoscope-deferred[window]'"
        )
    if len(delays) > len(files):
        raise click.UsageError(f"--delay is given {len(delays)} times for {len(files)} files")
    from kinetoscope_deferred.window.player import Player

    obj = ctx.find_root().obj
    host = obj.resolve() if hasattr(obj, "resolve") else obj
    own, guests = _passes(host, passes)
    clips = _clips(host, files, motion, delays, apart)
    player = Player(clips, _size(size), mode=camera, split=split, passes=_switches(guests))
    _show(player, quality, own, guests)


def _clips(
    host: Any, files: tuple[Path, ...], motion: int, delays: tuple[float, ...], apart: float
) -> list[Clip]:
    from kinetoscope_deferred.window.clips import clip_of

    middle = 0.5 * (len(files) - 1)
    return [
        clip_of(host.open(file), file.name, motion=motion, aside=(middle - i) * apart, delay=delay)
        for i, (file, delay) in enumerate(zip_longest(files, delays, fillvalue=0.0))
    ]


def _passes(host: Any, given: tuple[str, ...]) -> tuple[dict[str, bool], list[RenderPass]]:
    """Return switches of the renderer's own passes, and those of others that are asked for."""
    from kinetoscope_deferred.quality import PASSES

    switches = {name.removeprefix("-"): not name.startswith("-") for name in given}
    own = {name: on for name, on in switches.items() if name in PASSES}
    others = [(host.provider("render_pass", name), on) for name, on in switches.items() if name not in own]
    return own, [guest for guest, on in others if on]


def _switches(guests: list[RenderPass]) -> tuple[str, ...]:
    from kinetoscope_deferred.quality import PASSES

    own = [getattr(guest, "replaces", None) or guest.name for guest in guests]
    return (*own, *(name for name in PASSES if name not in own))


def _show(player: Any, preset: str, own: dict[str, bool], guests: list[RenderPass]) -> None:
    from kinetoscope_deferred.window.shell import Shell

    with Shell(player, preset=preset, passes=own, added=guests) as shell:
        click.echo(f"on {shell.why}", err=True)
        shell.run()


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (
        cross
        and width.isdigit()
        and height.isdigit()
        and 64 <= int(width) <= 16384
        and 64 <= int(height) <= 16384
    ):
        raise click.BadParameter(
            f"{text!r} is not a size, expected WIDTHxHEIGHT such as 1280x720", param_hint="--size"
        )
    return int(width), int(height)
