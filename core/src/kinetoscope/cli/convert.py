"""`kinetoscope convert`: files of one format into another, or any number of them into one dataset."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar, table

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kinetoscope import Host


@click.command("convert")
@click.argument("sources", metavar="SRC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.argument("out")
@click.option(
    "--to", "label", metavar="LABEL", help="The format to write (zarr: a dataset); else OUT's name says."
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes to work in.")
@click.option("--executor", metavar="NAME[://ADDRESS]", help="Where to work, such as dask://host:8786.")
@click.option("--prune", is_flag=True, help="Remove from a dataset what came from files that are gone.")
@click.option(
    "--licence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The terms of all clips of a dataset; else those that lie beside each file.",
)
@json_option
@pass_host
def command(
    host: Host,
    sources: tuple[Path, ...],
    out: str,
    label: str | None,
    jobs: int,
    executor: str | None,
    prune: bool,
    licence: Path | None,
) -> None:
    """Convert SRC... to OUT: a file, a folder of files (--to says their format), or a dataset.

    OUT is a dataset if it is one, is a URL (s3://…, memory://…), ends in .zarr, or has no suffix and
    is to take several files or a folder of them. What a dataset has and has not changed is not read
    again, so a run that was stopped is gone on with by repeating it.

    What a file is, its bytes say. Files of a folder that no importer reads are skipped. Every file
    is written whole or not at all, and one that fails does not stop the others.
    """
    from kinetoscope.convert import means_dataset

    ctx = click.get_current_context()
    try:
        into_dataset = means_dataset(sources, out, label)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not into_dataset and (prune or licence):
        raise click.UsageError("--prune and --licence are for datasets; OUT is none")
    options = getattr(ctx.find_root().obj, "options", {})
    start = perf_counter()
    if into_dataset:
        data = _dataset(host, sources, out, _Way(jobs, executor, options), prune=prune, licence=licence)
    else:
        data = _files(host, sources, Path(out), label, _Way(jobs, executor, options))
    data["seconds"] = round(perf_counter() - start, 3)
    emit(ctx, data, _human)
    if data["failed"]:
        ctx.exit(1)


class _Way:
    """How the work is to be done: where, in how many processes, with which options for their hosts."""

    def __init__(self, jobs: int, executor: str | None, options: dict[str, Any]) -> None:
        self.jobs, self.executor, self.options = jobs, executor, options

    def open(self, host: Host) -> Any:
        """Return a context that gives an executor, or None for this process."""
        from kinetoscope.convert import open_executor

        held: Executor | None = open_executor(host, self.executor, self.jobs)
        return nullcontext() if held is None else held


def _files(host: Host, sources: tuple[Path, ...], out: Path, label: str | None, way: _Way) -> dict[str, Any]:
    from kinetoscope.convert import convert_all, plan

    try:
        tasks = plan(sources, out, label)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    host.writer(tasks[0].label)  # before any work: is there anybody who writes it?
    way.jobs = min(way.jobs, len(tasks))
    with way.open(host) as executor, progress_bar("converting") as progress:
        done = convert_all(host, tasks, executor=executor, options=way.options, progress=progress)
    return {
        "converted": sum(result.state == "converted" for result in done),
        "skipped": sum(result.state == "skipped" for result in done),
        "failed": [{"path": r.path, "reason": r.reason} for r in done if r.state == "failed"],
        "frames": sum(result.frames for result in done),
    }


def _dataset(
    host: Host, sources: tuple[Path, ...], out: str, way: _Way, *, prune: bool, licence: Path | None
) -> dict[str, Any]:
    from kinetoscope.convert import FileReader

    keeper = host.provider("dataset")
    text = licence.read_text(encoding="utf-8", errors="replace").strip() if licence else ""
    with way.open(host) as executor, progress_bar("converting") as progress:
        report = keeper.convert(
            sources,
            out,
            read=FileReader(host, way.options),
            executor=executor,
            workers=getattr(executor, "workers", 1),
            licence=text,
            prune=prune,
            progress=progress,
        )
    return {
        "converted": report.converted,
        "skipped": report.skipped + report.unchanged,
        "unchanged": report.unchanged,
        "failed": [{"path": path, "reason": reason} for path, reason in report.failed],
        "clips": report.clips,
        "frames": report.frames,
        "vanished": list(report.vanished),
        "pruned": report.pruned,
    }


def _human(data: dict[str, Any]) -> str:
    if data["failed"]:
        rows = [_row(str(item["path"]), str(item["reason"])) for item in data["failed"]]
        click.echo(table(("failed", "why"), rows), err=True)
    gone = data.get("vanished", ())
    if gone and not data["pruned"]:
        few = ", ".join(gone[:3]) + (", …" if len(gone) > 3 else "")
        click.echo(f"no longer there: {few} ({len(gone)} files); --prune removes their clips", err=True)
    unchanged = f" ({data['unchanged']} unchanged)" if data.get("unchanged") else ""
    pruned = f", {data['pruned']} removed" if data.get("pruned") else ""
    return (
        f"{data['converted']} converted, {data['skipped']} skipped{unchanged}, {len(data['failed'])} failed"
        f"{pruned}; {data['frames']} frames in {data['seconds']:.2f} s"
    )


def _row(path: str, reason: str) -> tuple[str, str]:
    """Return where and why; most reasons begin with the path, and go on with the line."""
    if not reason.startswith(path):
        return path, reason
    place, _, why = reason[len(path) :].partition(": ")
    return path + place, why
