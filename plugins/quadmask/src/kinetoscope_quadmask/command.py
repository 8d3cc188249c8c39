"""`kinetoscope mask`: from a video and clicks to a quadmask."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import attrs
import click

from kinetoscope_quadmask._options import SUFFIXES, BoxType, GridType, PointType, gathered
from kinetoscope_quadmask._telling import human, progress, told

if TYPE_CHECKING:
    from kinetoscope_quadmask.pipeline import Masked
    from kinetoscope_quadmask.prompts import Prompts
    from kinetoscope_spec import Mask, Video

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_OFF = "off"


def _prompting(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is to be taken out."""
    options = (
        click.option("--point", multiple=True, type=PointType(), help="A place on it; 2: in front: on the second object."),
        click.option("--not", "negative", multiple=True, type=PointType(), help="A place that is not on it."),
        click.option("--box", multiple=True, type=BoxType(), help="A box around it."),
        click.option("--noun", multiple=True, help="What it is called, for segmenters that take text."),
        click.option("--prompts", type=_PATH, metavar="FILE", help="Prompts in JSON, such as a segmentation_info.json."),
        click.option("--mask", type=_PATH, metavar="FILE", help="A film of a mask, bright on it, instead of prompts."),
        click.option("--dark", is_flag=True, help="The mask is dark on it."),
    )  # fmt: skip
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


@click.command("mask")
@click.argument("video", type=_PATH)
@click.argument("out", type=_PATH)
@_prompting
@click.option("--segmenter", "--provider", metavar="NAME", help="Follow it with this segmenter.")
@click.option("--reasoner", metavar="NAME", help="Ask this reasoner what changes; 'off': nothing does.")
@click.option("--instruction", default="", help="What is to be done, for the reasoner.")
@click.option("--grid", type=GridType(), help="Mark what changes in these cells.")
@click.option("--affect-first-frame", is_flag=True, help="Let things change in the first frame, too.")
@click.option(
    "--stages", type=_PATH, metavar="DIR", help="Keep what each stage makes here, not in OUT.stages."
)
@click.option("--fresh", is_flag=True, help="Make every stage again.")
@click.option("--preview", type=_PATH, metavar="FILE", help="Write a film of the mask over the video.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(ctx: click.Context, /, video: Path, out: Path, **options: Any) -> None:
    """Make a quadmask OUT of what is to be taken out of VIDEO, and of what changes with it.

    Say what by points, boxes, prompts in a file, or a mask. Stages that an earlier run has finished are
    not done again; their files may be edited in between. OUT is a film: .mp4, .mkv or .mov.
    """
    from kinetoscope_quadmask._refusing import check_writing
    from kinetoscope_quadmask.overlay import overlay_video

    _check(video, out, options)
    started = perf_counter()
    host = ctx.find_root().obj
    media = host.provider("media")
    film = media.open(video)
    check_writing(media, film, out, options["preview"])
    objects, mask = _wanted(media, film, options)
    names = (
        "" if mask is not None and not options["segmenter"] else _named(host, "segmenter", options["segmenter"]),
        "" if options["reasoner"] == _OFF else _named(host, "reasoner", options["reasoner"]),
    )  # fmt: skip
    with progress() as listen:
        made = _run(host, media, film, objects, mask, names, video, out, options, listen)
        _deliver(media, made, out)
        if options["preview"]:
            media.write(options["preview"], overlay_video(film, made.quadmask))
    data = told(made, out, names, perf_counter() - started)
    click.echo(json.dumps(data) if options["as_json"] else human(data))


def _run(
    host: Any,
    media: Any,
    film: Video,
    objects: list[Prompts],
    mask: Mask | None,
    names: tuple[str, str],
    video: Path,
    out: Path,
    options: dict[str, Any],
    listen: Any,
) -> Masked:
    from kinetoscope_quadmask.pipeline import MaskPipeline

    segmenter, reasoner = (
        host.provider(hook, name) if name else None
        for hook, name in zip(("segmenter", "reasoner"), names, strict=True)
    )
    with video.open("rb") as stream:
        identity = hashlib.file_digest(stream, "sha256").hexdigest()
    return MaskPipeline(media, segmenter, reasoner, names=names).run(
        film,
        objects,
        folder=options["stages"] or out.with_name(f"{out.name}.stages"),
        mask=mask,
        instruction=options["instruction"],
        grid=options["grid"],
        first_frame=not options["affect_first_frame"],
        identity=identity,
        fresh=options["fresh"],
        progress=listen,
    )


def _deliver(media: Any, made: Masked, out: Path) -> None:
    """Write the quadmask to `out`; what is of the same kind already is copied."""
    from kinetoscope_quadmask.files import write_quadmask
    from kinetoscope_spec.files import replacing

    finished = made.folder / made.stages[-1].files[-1]
    if out.suffix.lower() != finished.suffix:
        write_quadmask(media, out, made.quadmask)
        return
    with replacing(out) as temporary:
        shutil.copyfile(finished, temporary)


def _check(video: Path, out: Path, options: dict[str, Any]) -> None:
    prompted = any(options[name] for name in ("point", "negative", "box", "noun", "prompts"))
    if prompted == bool(options["mask"]):
        raise click.UsageError(
            "say what is to be taken out: by --point, --box, --noun and --prompts, or by --mask"
        )
    if options["dark"] and not options["mask"]:
        raise click.UsageError("--dark goes with --mask")
    if out.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{out}: expected a name that ends in {', '.join(SUFFIXES)}")
    read = [path for path in (video, options["mask"], options["prompts"]) if path]
    for path in (out, options["preview"]):
        if path and path.exists() and any(other.exists() and path.samefile(other) for other in read):
            raise click.BadParameter(f"{path} is read from, it can't be written to")


def _wanted(media: Any, film: Video, options: dict[str, Any]) -> tuple[list[Prompts], Mask | None]:
    from kinetoscope_quadmask._refusing import check_background
    from kinetoscope_quadmask.files import read_mask
    from kinetoscope_quadmask.prompting import read_prompts

    if options["mask"]:
        mask = read_mask(media, options["mask"], like=film, kind="dark" if options["dark"] else "bright")
        check_background(mask, options["mask"], bright=not options["dark"])
        return [], mask
    objects = gathered(options["point"], options["negative"], options["box"], options["noun"])
    if not options["prompts"]:
        return objects, None
    read = read_prompts(options["prompts"], film)
    if not objects:
        return read, None
    # What is said on the command line adds to the first object of the file, and so on.
    both = [
        attrs.evolve(one, points=one.points + other.points, boxes=one.boxes + other.boxes)
        for one, other in zip(read, objects, strict=False)
    ]
    return [*both, *read[len(both) :], *objects[len(both) :]], None


def _named(host: Any, hook: str, name: str | None) -> str:
    """Return the name of the provider that will be used; none is needed of reasoners."""
    from kinetoscope_spec import ProviderNotFound

    if name:
        return name
    try:
        chosen: str | None = host.explain(hook).chosen
    except ProviderNotFound:
        chosen = None
    if chosen is None and hook == "segmenter":
        host.provider(hook)  # says why there is none
    return chosen or ""
