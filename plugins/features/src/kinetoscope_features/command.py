"""`kinetoscope dataset build`: a dataset of clips, or a folder of files, into a training set."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
import click

__all__ = ["command"]


@click.group("dataset")
def command() -> None:
    """Training sets made of clips."""


@command.command("build")
@click.argument("dataset")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--spec",
    "recipe_path",
    required=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file that says what windows are made of.",
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes to work in.")
@click.option("--executor", metavar="NAME[://ADDRESS]", help="Where to work, such as dask://host:8786.")
@click.option(
    "--report",
    "picture",
    metavar="PNG",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw counts by label and histograms of the columns.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def build_command(
    ctx: click.Context,
    dataset: str,
    out: Path,
    recipe_path: Path,
    jobs: int,
    executor: str | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Make a training set in the folder OUT of DATASET: a dataset, a file, or a folder of files.

    What an earlier run has made of the same clips is kept, so a run that was stopped is gone on with
    by repeating it. The result is the same however many processes work on it.
    """
    from kinetoscope_features.build import build
    from kinetoscope_features.recipe import read_recipe
    from kinetoscope_features.sources import source_of

    root: Any = ctx.find_root().obj
    options = getattr(root, "options", {})
    host = root.resolve() if hasattr(root, "resolve") else root
    start = perf_counter()
    with redirect_stdout(sys.stderr):
        recipe = read_recipe(recipe_path)
        source = source_of(dataset, host, options)
        with _executor(host, executor, jobs) as pool:
            report = build(
                source,
                out,
                recipe,
                host.feature,
                executor=pool,
                workers=getattr(pool, "workers", jobs),
                progress=None if as_json else _told,
            )
        if picture is not None:
            from kinetoscope_features.picture import written
            from kinetoscope_features.report import drawn_set
            from kinetoscope_features.store import TrainingStore

            written(drawn_set(TrainingStore(out)), picture)
    data = attrs.asdict(report) | {"seconds": round(perf_counter() - start, 3), "output": str(out)}
    data["failed"] = [{"path": clip, "reason": reason} for clip, reason in report.failed]
    click.echo(json.dumps(data) if as_json else _human(data))
    if report.failed:
        ctx.exit(1)


def _executor(host: Any, wanted: str | None, jobs: int) -> Any:
    """Return a context that gives an executor, or None for this process."""
    if wanted is None and jobs == 1:
        return nullcontext()
    name, _, address = (wanted or "processes").partition("://")
    if not name:
        raise click.UsageError(f"--executor {wanted}: expected NAME or NAME://ADDRESS")
    return host.provider("executor", name).open(address, workers=jobs)


def _told(done: int, total: int, message: str) -> None:
    click.echo(f"\r{done} of {total} {message}", err=True, nl=done == total)


def _human(data: dict[str, Any]) -> str:
    lines = [f"{item['path']}: {item['reason']}" for item in data["failed"]]
    if data["dead"]:
        few = ", ".join(data["dead"][:5]) + (", …" if len(data["dead"]) > 5 else "")
        lines.append(f"{len(data['dead'])} columns never change: {few}")
    if data["short"]:
        lines.append(f"{data['short']} clips are too short for a window")
    inputs, outputs = data["columns"]
    lines.append(
        f"{data['windows']} windows ({data['validation']} for validation) of {inputs} inputs and {outputs} outputs, "
        f"of {data['clips']} clips with {data['frames']} frames, in {data['seconds']:.1f} s: {data['output']}"
    )
    return "\n".join(lines)
