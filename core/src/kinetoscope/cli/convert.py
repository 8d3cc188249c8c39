"""`kinetoscope convert`: files of one format into another, one at a time or by the folder."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host


@click.command("convert")
@click.argument("sources", metavar="SRC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--to", "label", metavar="LABEL", help="The format to write; else the suffix of OUT says.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes to work in.")
@json_option
@pass_host
def command(host: Host, sources: tuple[Path, ...], out: Path, label: str | None, jobs: int) -> None:
    """Convert SRC... to OUT: a file, or a folder for several files or a folder of them.

    What a file is, its bytes say. Files of a folder that no importer reads are skipped. Every file
    is written whole or not at all, and one that fails does not stop the others.
    """
    from kinetoscope.convert import convert_all, plan

    ctx = click.get_current_context()
    try:
        tasks = plan(sources, out, label)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if tasks:
        host.writer(tasks[0].label)  # before any work: is there anybody who writes it?
    options = getattr(ctx.find_root().obj, "options", {})
    start = perf_counter()
    with progress_bar("converting") as progress:
        done = convert_all(host, tasks, jobs=jobs, options=options, progress=progress)
    data = {
        "converted": sum(result.state == "converted" for result in done),
        "skipped": sum(result.state == "skipped" for result in done),
        "failed": [{"path": r.path, "reason": r.reason} for r in done if r.state == "failed"],
        "frames": sum(result.frames for result in done),
        "seconds": round(perf_counter() - start, 3),
    }
    emit(ctx, data, _human)
    if data["failed"]:
        ctx.exit(1)


def _human(data: dict[str, Any]) -> str:
    for item in data["failed"]:
        click.echo(f"failed: {item['path']}: {item['reason']}", err=True)
    return (
        f"{data['converted']} converted, {data['skipped']} skipped, {len(data['failed'])} failed; "
        f"{data['frames']} frames in {data['seconds']:.2f} s"
    )
