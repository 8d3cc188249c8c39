"""`kinetoscope shot`: shot files begun, checked and planned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, table
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
@click.option("--plate", metavar="FILE", help="The film that the performer is put into.")
@click.option("--mask", metavar="FILE", help="A film that is bright on what is taken out of the plate.")
@click.option("--text", metavar="WORDS", help="What the performer says.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def init(
    file: Path, mocap: tuple[str, ...], plate: str | None, mask: str | None, text: str | None, force: bool
) -> None:
    """Write a shot file to begin with: what you say, and all other keys as comments with their meaning."""
    from kinetoscope.shot.schema import begin
    from kinetoscope_spec.files import write_text

    if file.exists() and not force:
        raise click.UsageError(f"{file} is there; name another file, or add --force")
    if mask and not plate:
        raise click.UsageError("--mask goes with --plate")
    values: dict[str, dict[str, Any]] = {
        "": {"name": file.stem},
        "performer": {"mocap": mocap or ("mocap",), "path": ((0.0, 0.0), (0.5, 2.5), (2.0, 5.0))},
        "performer.training": {"steps": 2400},
        "camera": {},
        "light": {},
        "output": {"file": f"{file.stem}.mp4"},
    }
    if plate:
        values["plate"] = {"video": plate}
        values["performer"]["path"] = ((1.0, 6.0), (0.0, 5.0), (-1.5, 4.5))
    if mask:
        values["plate.remove"] = {"mask": mask}
    if text:
        values["voice"] = {"text": text}
    write_text(file, begin(values))
    emit(
        click.get_current_context(),
        {"path": str(file)},
        f"wrote {file}\ncheck it with: kinetoscope shot check {file}",
    )


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
