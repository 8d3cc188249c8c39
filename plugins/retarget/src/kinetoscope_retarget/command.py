"""`kinetoscope retarget`: a motion from one file on the character of another."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from kinetoscope_retarget.protocol import Match
    from kinetoscope_spec import Asset, Motion

__all__ = ["command"]


@click.command("retarget")
@click.argument("motion", type=click.Path(path_type=Path))
@click.argument("character", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--motion",
    "index",
    metavar="N",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Which of MOTION's clips.",
)
@click.option(
    "--pair",
    "given",
    metavar="TARGET=SOURCE",
    multiple=True,
    help="A joint of CHARACTER and the joint of MOTION that moves it; may be repeated.",
)
@click.option(
    "--reference",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A clip of MOTION's skeleton that shows how its joints are turned, such as a T pose.",
)
@click.option("--metres", is_flag=True, help="Walk as far as the source did, instead of as many leg lengths.")
@click.option("--no-contacts", is_flag=True, help="Leave feet as they come.")
@click.option("--to", "label", metavar="LABEL", help="The format to write; else the suffix of OUT says.")
@click.option("--provider", metavar="NAME", help="Provider of the retargeter hook.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(
    ctx: click.Context,
    motion: Path,
    character: Path,
    out: Path,
    index: int,
    given: tuple[str, ...],
    reference: Path | None,
    metres: bool,
    no_contacts: bool,
    label: str | None,
    provider: str | None,
    as_json: bool,
) -> None:
    """Put a clip of MOTION on the skeleton of CHARACTER and write it to OUT, with its meshes.

    Prints which joints were matched and which were left out.
    """
    names = _pairs(given)
    written = label or out.suffix[1:].lower()
    if not written:
        raise click.UsageError(f"{out} has no suffix that says the format; add one, or --to LABEL")
    if any(out.exists() and out.samefile(path) for path in (motion, character) if path.exists()):
        raise click.UsageError(f"{out} is one of the files that are read; name another")
    host: Any = ctx.find_root().obj
    start = perf_counter()
    with redirect_stdout(sys.stderr):
        writer = host.writer(written)
        retargeter = host.provider("retargeter", provider)
        source, clip = _clip(host, motion, index)
        target = host.open(character)
        match = retargeter.match(clip.skeleton, target.skeleton, names=names)
        moved = retargeter.retarget(
            clip,
            target,
            match=match,
            contacts=False if no_contacts else None,
            path="metres" if metres else "scaled",
            reference=None if reference is None else _clip(host, reference, 0)[1],
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        writer.write(_asset(source, target, moved), out)
    if as_json:
        click.echo(json.dumps(_data(out, moved, match, perf_counter() - start)))
        return
    click.echo(str(match))
    click.echo(f"{moved.frame_count} frames on {len(moved.skeleton)} joints: {out}")


def _pairs(given: tuple[str, ...]) -> dict[str, str] | None:
    names = {}
    for text in given:
        theirs, sign, ours = text.partition("=")
        if not (theirs and sign and ours):
            raise click.BadParameter(f"--pair {text!r}: expected TARGET=SOURCE")
        names[theirs] = ours
    return names or None


def _clip(host: Any, path: Path, index: int) -> tuple[Asset, Motion]:
    asset: Asset = host.open(path)
    if index >= len(asset.motions):
        raise click.UsageError(f"{path} has {len(asset.motions)} motions, counted from 0; asked for {index}")
    return asset, asset.motions[index]


def _asset(source: Asset, target: Asset, moved: Motion) -> Asset:
    """Return the target's asset with the new clip alone, and the licences of both files."""
    stated = [asset.metadata["licence"] for asset in (target, source) if asset.metadata.get("licence")]
    licence = {"licence": "; ".join(dict.fromkeys(stated))} if stated else {}
    return attrs.evolve(target, motions=(moved,), metadata={**target.metadata, **licence}, warnings=())


def _data(out: Path, moved: Motion, match: Match, seconds: float) -> dict[str, Any]:
    return {
        "output": str(out),
        "frames": moved.frame_count,
        "joints": len(moved.skeleton),
        "pairs": [attrs.asdict(pair) for pair in match.pairs],
        "left_out": {
            "source": [attrs.asdict(item) for item in match.left_out_source],
            "target": [attrs.asdict(item) for item in match.left_out_target],
        },
        "notes": list(match.notes),
        "seconds": round(seconds, 3),
    }
