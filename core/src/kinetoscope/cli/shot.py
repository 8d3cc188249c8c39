"""`kinetoscope shot`: shot files begun, checked and planned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, json_stream, pass_host, table
from kinetoscope.cli.shoot import chosen

if TYPE_CHECKING:
    from kinetoscope import Host

_PROVIDER = click.option(
    "--provider", "providers", multiple=True, metavar="STAGE=NAME", help="As `shoot` takes it."
)


@click.group("shot")
def command() -> None:
    """Begin, check and plan shots; `kinetoscope shoot` shoots them."""


@command.command("init")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="shot.toml")
@click.option("--mocap", multiple=True, metavar="PATTERN", help="Clips to learn from; may be repeated.")
@click.option("--character", metavar="FILE", help="A skinned character; a body is built without one.")
@click.option("--plate", metavar="FILE", help="The film that the performer is put into.")
@click.option("--mask", metavar="FILE", help="A film that is bright on what is taken out of the plate.")
@click.option("--point", metavar="X,Y", help="A place on what is taken out, px in the plate's first frame.")
@click.option("--height", type=float, help="How high the plate's camera stood, m.")
@click.option("--pitch", type=float, help="How far the plate's camera looked down, degrees.")
@click.option("--text", metavar="WORDS", help="What the performer says.")
@click.option("--script", metavar="FILE", help="What the performer says, as a script.")
@click.option("--yes", is_flag=True, help="Ask nothing; what no option says stays as it is by default.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def init(file: Path, *, yes: bool, force: bool, **given: Any) -> None:
    """Write a shot file to begin with: what you say, and all other keys as comments with their meaning.

    At a terminal it asks for what no option says.
    """
    from kinetoscope.cli._asking import answers, at_terminal
    from kinetoscope.shot.schema import begin
    from kinetoscope_spec.files import write_text

    if file.exists() and not force:
        raise click.UsageError(f"{file} is there; name another file, or add --force")
    told = {key: value for key, value in given.items() if value not in (None, ())}
    if not yes and json_stream(click.get_current_context()) is None and at_terminal():
        told = answers(told)
    text = begin(_begun(file, told))
    write_text(file, text)
    emit(
        click.get_current_context(),
        {"path": str(file)},
        f"wrote {file}\ncheck it with: kinetoscope shot check {file}",
    )


def _begun(file: Path, told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the values of a shot file by table, from options and answers.

    Raises:
        UsageError: two that exclude each other, or one that goes with another that is not there.
    """
    for key in ("mask", "point", "height", "pitch"):
        if key in told and "plate" not in told:
            raise click.UsageError(f"--{key} goes with --plate")
    for one, other in (("mask", "point"), ("text", "script")):
        if one in told and other in told:
            raise click.UsageError(f"--{one} and --{other} exclude each other")
    mocap = told.get("mocap", "mocap")
    values: dict[str, dict[str, Any]] = {
        "": {"name": file.stem},
        "performer": {
            "mocap": (mocap,) if isinstance(mocap, str) else mocap,
            "path": ((0.0, 0.0), (0.5, 2.5), (2.0, 5.0)),
        },
        "performer.training": {"steps": 2400},
        "camera": {key: _number(told[key], key) for key in ("height", "pitch") if key in told},
        "light": {},
        "output": {"file": f"{file.stem}.mp4"},
    }
    if "character" in told:
        values["performer"]["character"] = told["character"]
    if "plate" in told:
        values["plate"] = {"video": told["plate"]}
        values["performer"]["path"] = ((1.0, 6.0), (0.0, 5.0), (-1.5, 4.5))
    if "mask" in told:
        values["plate.remove"] = {"mask": told["mask"]}
    if "point" in told:
        values["plate.remove"] = {"points": (_point(told["point"]),)}
    for key in ("text", "script"):
        if key in told:
            values["voice"] = {key: told[key]}
    return values


def _number(given: Any, key: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise click.UsageError(f"--{key} is {given!r}, expected a number") from None


def _point(given: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in given.split(","))
    except ValueError:
        raise click.UsageError(f"--point is {given!r}, expected X,Y such as 320,200") from None
    return x, y


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@_PROVIDER
@json_option
@pass_host
def check(host: Host, file: Path, providers: tuple[str, ...]) -> int:
    """Say all that would keep FILE from being shot, without any work. Exit status 1 if there is something."""
    problems = host.check_shot(file, providers=chosen(providers))
    text = "\n".join(problems) if problems else f"{file} can be shot"
    emit(click.get_current_context(), {"ok": not problems, "problems": problems}, text)
    return 1 if problems else 0


@command.command("plan")
@click.argument("file", type=click.Path(path_type=Path))
@_PROVIDER
@json_option
@pass_host
def plan(host: Host, file: Path, providers: tuple[str, ...]) -> None:
    """Say how FILE would be shot: stages, providers and why, time and memory, and what is missing."""
    import attrs

    from kinetoscope.shot.plan import plan as planned
    from kinetoscope.shot.run import open_store
    from kinetoscope.shot.settings import read_shot

    stages = planned(host, read_shot(file), open_store(host), chosen(providers))
    data = {
        "stages": [attrs.asdict(stage) for stage in stages],
        "seconds": round(sum(stage.seconds for stage in stages), 1),
        "memory_mb": max(stage.memory_mb for stage in stages),
        "missing": [f"{stage.name}: {stage.missing}" for stage in stages if stage.missing],
    }
    emit(click.get_current_context(), data, _plan)


def _plan(data: dict[str, Any]) -> str:
    rows = [
        (
            row["name"],
            row["provider"] or ("-" if row["missing"] else ""),
            f"{row['seconds']:.0f} s" if row["seconds"] >= 0.5 else "",
            f"{row['memory_mb']:.0f} MB",
            "here" if row["measured"] else "",
            row["why"],
        )
        for row in data["stages"]
    ]
    lines = [table(("stage", "provider", "time", "memory", "measured", "why"), rows), ""]
    lines.append(
        f"about {data['seconds']:.0f} s and {data['memory_mb']:.0f} MB where nothing is kept from before"
    )
    return "\n".join([*lines, *(f"missing: {text}" for text in data["missing"])])


@command.command("schema")
@click.argument("out", required=False, type=click.Path(dir_okay=False, path_type=Path))
def schema(out: Path | None) -> None:
    """Print the JSON Schema of shot files, or write it to OUT, for editors that check TOML."""
    from kinetoscope.shot.schema import json_schema
    from kinetoscope_spec.files import write_text

    text = json.dumps(json_schema(), indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(out, text)
