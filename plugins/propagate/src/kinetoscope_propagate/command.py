"""`kinetoscope inpaint`: take what a mask covers out of a film."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import attrs
import click
import numpy as np

from kinetoscope_quadmask.hooks import BoxType, PointType, gathered

if TYPE_CHECKING:
    from kinetoscope_quadmask.hooks import Masked
    from kinetoscope_spec import Mask, Progress, Video

__all__ = ["command"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_MOST_PROMPT_BYTES = 1 << 20
_MUCH = 0.05
"""Share of all that is guessed which a place has to have to be told of."""
_GUESSED = {
    "smooth": " of smooth colours",
    "exemplar": " of patches of what is around",
    "both": " of patches of what is around, in part of smooth colours",
}


@click.command("inpaint")
@click.argument("video", type=_FILE)
@click.argument("out", type=_OUT)
@click.option("--point", multiple=True, type=PointType(), help="A place on what is to be taken out.")
@click.option("--not", "negative", multiple=True, type=PointType(), help="A place that is not on it.")
@click.option("--box", multiple=True, type=BoxType(), help="A box around it.")
@click.option("--segmenter", metavar="NAME", help="Follow what is pointed at with this segmenter.")
@click.option("--reasoner", metavar="NAME", help="Ask this reasoner what changes with it.")
@click.option("--mask", type=_FILE, help="A film that is bright on what is to be taken out.")
@click.option("--quadmask", type=_FILE, help="A quadmask, as `kinetoscope mask` makes one.")
@click.option("--dark", is_flag=True, help="The mask is dark on it.")
@click.option(
    "--grow",
    type=click.IntRange(0, 200),
    default=0,
    metavar="PX",
    help="Let the mask reach so many pixels further, where something of the thing is left beside it.",
)
@click.option(
    "--prompt", help="What remains: 'an empty table'. Unless given, what a reasoner said, beside --quadmask."
)
@click.option("--seed", default=0, show_default=True, help="Of inpainters that draw by lot.")
@click.option("--provider", metavar="NAME", help="Ask this inpainter.")
@click.option("--compare", type=_OUT, metavar="FILE", help="Write a film of before and after, side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(ctx: click.Context, /, video: Path, out: Path, **options: Any) -> None:
    """Take something out of VIDEO, and write the film without it to OUT.

    Say what by points and boxes, or by a mask. `kinetoscope mask` makes one that can be corrected first.
    """
    from kinetoscope_quadmask.hooks import check_writing, grown

    _check(video, out, options)
    started = perf_counter()
    host = ctx.find_root().obj
    media = host.provider("media")
    film = media.open(video)
    check_writing(media, film, out, options["compare"])
    inpainter = host.provider("inpainter", options["provider"])
    chosen = options["provider"] or host.explain("inpainter").chosen
    with ExitStack() as stack:
        listen = stack.enter_context(_progress())
        data: dict[str, Any] = {"output": str(out), "provider": chosen}
        if _pointed(options):
            folder = stack.enter_context(
                TemporaryDirectory(prefix="kinetoscope-", ignore_cleanup_errors=True)
            )
            masked, names = _masked(host, film, Path(folder), options, inpainter, listen)
            mask, said = grown(masked.quadmask, options["grow"]), masked.reasoning.scene or None
            data["mask"] = _how(masked, names)
        else:
            mask, said = _mask(media, film, options), _told(options["quadmask"])
        prompt = options["prompt"] or said
        made = inpainter.inpaint(film, mask, prompt=prompt, seed=options["seed"], progress=listen)
        written = media.write(out, made)
        report = getattr(made.source, "report", None)
        data["frames"] = written.frames
        if report is not None:
            data["report"] = attrs.asdict(report)
        if options["compare"]:
            media.write(options["compare"], _beside(film, media.open(out, audio=False)))
    data["seconds"] = round(perf_counter() - started, 3)
    click.echo(json.dumps(data) if options["as_json"] else _human(data))


def _check(video: Path, out: Path, options: dict[str, Any]) -> None:
    ways = (_pointed(options), options["mask"] is not None, options["quadmask"] is not None)
    if sum(ways) != 1:
        raise click.UsageError(
            "say what is to be taken out, in one way: by --point and --box, by --mask or by --quadmask"
        )
    for name in ("segmenter", "reasoner"):
        if options[name] and not ways[0]:
            raise click.UsageError(f"--{name} goes with --point and --box")
    if options["dark"] and options["mask"] is None:
        raise click.UsageError("--dark goes with --mask")
    read = [path for path in (video, options["mask"], options["quadmask"]) if path]
    for path in (out, options["compare"]):
        if path and path.exists() and any(path.samefile(other) for other in read):
            raise click.UsageError(f"{path} is read from, it can't be written to")
    if options["compare"] and options["compare"].absolute() == out.absolute():
        raise click.UsageError(f"{out} is to be both the film and the comparison")


def _pointed(options: dict[str, Any]) -> bool:
    return any(options[name] for name in ("point", "negative", "box"))


def _masked(
    host: Any, film: Video, folder: Path, options: dict[str, Any], inpainter: Any, listen: Progress | None
) -> tuple[Masked, dict[str, str]]:
    """Return the quadmask of what is pointed at, kept in `folder`, and the names of who made it."""
    from kinetoscope_quadmask.hooks import MaskPipeline

    objects = gathered(options["point"], options["negative"], options["box"], ())
    providers = {hook: host.provider(hook, options[hook]) for hook in ("segmenter", "reasoner")}
    names = {hook: options[hook] or host.explain(hook).chosen for hook in providers}
    pipeline = MaskPipeline(
        host.provider("media"), **providers, names=(names["segmenter"], names["reasoner"])
    )
    # A shadow falls in the first frame, too; only some models want that one free of what changes.
    alone = not getattr(inpainter, "whole_first_frame", True)
    made = pipeline.run(film, objects, folder=folder, first_frame=alone, progress=listen)
    return made, names


def _how(made: Masked, names: dict[str, str]) -> dict[str, Any]:
    return {
        **names,
        "affected": [held.noun for held in made.reasoning.affected],
        "doubts": [{"object": d.index + 1, "frame": d.frame, "reason": d.reason} for d in made.doubts],
        "warnings": list(made.warnings),
    }


def _mask(media: Any, film: Video, options: dict[str, Any]) -> Mask:
    from kinetoscope_quadmask.hooks import check_background, grown, read_mask, read_quadmask

    if options["quadmask"]:
        made: Mask = grown(read_quadmask(media, options["quadmask"], like=film), options["grow"])
        check_background(made, options["quadmask"])
        return made
    read = read_mask(media, options["mask"], like=film, kind="dark" if options["dark"] else "bright")
    made = grown(read, options["grow"])
    check_background(made, options["mask"], bright=not options["dark"])
    return made


def _told(quadmask: Path | None) -> str | None:
    """Return what the reasoner said of the scene, if `kinetoscope mask` left it beside the quadmask.

    Raises:
        FormatError: the file holds something else.
    """
    from kinetoscope_spec import FormatError

    path = quadmask.with_name("prompt.json") if quadmask else None
    if path is None or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            held = json.loads(file.read(_MOST_PROMPT_BYTES))
    except ValueError as error:
        raise FormatError(f"is no JSON: {error}", path=path) from error
    said = held.get("bg") if isinstance(held, dict) else None
    if not isinstance(said, str):
        raise FormatError("says nothing of the scene", path=path, expected='{"bg": "an empty table"}')
    return said


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show a bar where somebody looks, on standard error."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="inpainting", file=sys.stderr) as bar:

        def listen(done: int, total: int, message: str) -> None:
            bar.length = max(total, done, 1)
            bar.update(done - bar.pos)

        yield listen


def _beside(before: Video, after: Video) -> Video:
    """Return both films next to each other."""

    def source(start: int, stop: int | None) -> Iterator[Any]:
        for one, other in zip(before.frames(start, stop), after.frames(start, stop), strict=True):
            yield np.concatenate([one[..., :3], other[..., :3]], axis=1)

    return attrs.evolve(before, width=2 * before.width, source=source, audio=None)


def _places(holes: Sequence[dict[str, Any]], guessed: int) -> str:
    """Say where the places are of which most of a guess is made, and how each is, if there are several of them."""
    large = [hole for hole in holes if hole["pixels"] >= _MUCH * guessed]
    if len(large) < 2:
        return ""
    said = ""
    for hole in large:
        left, top, right, bottom = hole["box"]
        way = _GUESSED.get(hole["guess"], "")
        said += f"\n  frames {hole['first']} to {hole['last']}, {left},{top},{right},{bottom}: "
        said += f"a guess{way}" if way else "carried on from frames before"
    return said


def _human(data: dict[str, Any]) -> str:
    said = f"{data['frames']} frames by {data['provider']} in {data['seconds']:.1f} s: {data['output']}"
    report = data.get("report")
    if report and not report["hidden"]:
        said += "\nthe mask covers nothing: the film is as it was"
    if report and report["guessed"]:
        share = report["guessed"] / report["hidden"]
        much = f"{share:.1%}" if share >= 0.0005 else "less than 0.1%"
        said += f"\n{much} of what was hidden is seen in no frame within reach: it is a guess"
        said += _GUESSED.get(report.get("guess", ""), "")
        said += _places(report.get("holes", ()), report["guessed"])
    for doubt in data.get("mask", {}).get("doubts", ()):
        said += f"\nframe {doubt['frame']}: {doubt['reason']}"
    return said
