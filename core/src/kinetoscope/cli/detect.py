"""`kinetoscope detect`: what files are, from their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import json_option, json_stream, pass_host, progress_bar
from kinetoscope.gate import mismatch

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Detection

FIELDS = ("path", "label", "mime", "group", "score", "mode", "decided_by", "alarms", "error")
MODES = ("best-guess", "medium-confidence", "high-confidence")

_CHUNK = 1024
"""Paths that a detector is handed at a time: its threads have enough to do, and memory stays small."""


@click.command("detect")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-r", "--recursive", is_flag=True, help="Go into folders; what .gitignore excludes is left out."
)
@click.option("--ignored", is_flag=True, help="With --recursive: what .gitignore excludes too.")
@click.option("--mode", type=click.Choice(MODES), default=MODES[2], show_default=True, help="How sure to be.")
@click.option("--provider", metavar="NAME", help="Ask this detector.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Threads to work in; else one a processor.")
@click.option("--audit", is_flag=True, help="Ask the network about every file; show those that raise alarms.")
@click.option("--mismatches", is_flag=True, help="Show only files whose name says something else.")
@click.option("--jsonl", "form", flag_value="jsonl", help="Print one JSON object a line.")
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values, with a line of names.")
@json_option
@pass_host
def command(
    host: Host,
    paths: tuple[Path, ...],
    recursive: bool,
    ignored: bool,
    mode: str,
    provider: str | None,
    jobs: int | None,
    audit: bool,
    mismatches: bool,
    form: str | None,
) -> None:
    """Tell what each PATH is, from its bytes and never from its name.

    Answers come in the order of the paths, in a folder by name, as soon as they are there; memory
    stays the same for any number of files. The status is 1 if a file can't be read, and with --audit
    or --mismatches also if any file is shown.
    """
    from kinetoscope.cli._printers import printer
    from kinetoscope.cli._walk import walk

    ctx = click.get_current_context()
    stream = json_stream(ctx)
    if stream is not None and form is not None:
        raise click.UsageError(f"--json and --{form} exclude each other")
    sources = walk(paths, ignored=ignored) if recursive else iter(paths)
    found = _detect(host, sources, provider, {"mode": mode, "audit": audit, "jobs": jobs})
    names = host.extensions(provider) if mismatches else {}
    fields = (*FIELDS, "mismatch") if mismatches else FIELDS
    failed = shown = 0
    with printer("json" if stream else form or "text", fields, stream) as show, progress_bar() as progress:
        for done, (path, detection) in enumerate(found, 1):
            progress(done, 0, f"{done} files")
            row = _row(path, detection, recursive)
            failed += row["error"] is not None
            if mismatches:
                row["mismatch"] = mismatch(detection, path, names)
            if row["error"] or _wanted(row, audit=audit, mismatches=mismatches):
                shown += 1
                show(row)
    if failed or (shown and (audit or mismatches)):
        ctx.exit(1)


def _wanted(row: dict[str, Any], *, audit: bool, mismatches: bool) -> bool:
    """Tell whether a row is to be shown: every one, or those that were asked for."""
    found = (audit and row["alarms"]) or (mismatches and row["mismatch"])
    return bool(found) if audit or mismatches else True


def _detect(
    host: Host, paths: Iterator[Path], provider: str | None, options: dict[str, Any]
) -> Iterator[tuple[Path, Detection]]:
    """Yield each path with what it is."""
    if provider is None and not any(
        info.state in ("available", "loaded") for info in host.providers("detector")
    ):
        yield from ((path, _by_signature(host, path)) for path in paths)
        return
    detector = host.detector(provider)
    # The contract asks for `detect_many(paths, mode)` alone; what a detector does not know, it is not asked.
    many = getattr(detector, "detect_each", detector.detect_many)
    known = signature(many).parameters
    if options["audit"] and "audit" not in known:
        raise click.UsageError("this detector has no audit mode; --provider names another")
    given = {key: value for key, value in options.items() if key in known}
    while chunk := list(islice(paths, _CHUNK)):
        yield from zip(chunk, many(chunk, **given), strict=True)


def _by_signature(host: Host, path: Path) -> Detection:
    from kinetoscope_spec import Detection, FormatError

    try:
        return host.detect(path)
    except FormatError as error:
        return Detection("unknown", score=0.0, error=str(error), path=str(path), decided_by="filesystem")


def _row(path: Path, detection: Detection, recursive: bool) -> dict[str, Any]:
    held = {name: getattr(detection, name) for name in FIELDS}
    if recursive and detection.label == "directory" and not path.is_symlink():
        held["error"] = "can't be listed"  # of a folder that can, the files are there instead
    return held | {"path": str(path), "alarms": list(detection.alarms)}
