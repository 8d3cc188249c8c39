"""`kinetoscope detect`: what files are, from their bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Detection

FIELDS = ("path", "label", "mime", "group", "score", "decided_by", "alarms", "error")
MODES = ("best-guess", "medium-confidence", "high-confidence")


@click.command("detect")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mode", type=click.Choice(MODES), default=MODES[2], show_default=True, help="How sure to be.")
@click.option("--provider", metavar="NAME", help="Ask this detector.")
@json_option
@pass_host
def command(host: Host, paths: tuple[Path, ...], mode: str, provider: str | None) -> None:
    """Tell what each PATH is, from its bytes and never from its name."""
    ctx = click.get_current_context()
    found = [_row(path, item) for path, item in zip(paths, _detect(host, paths, mode, provider), strict=True)]
    emit(ctx, {"files": found}, _human)
    if any(row["error"] for row in found):
        ctx.exit(1)


def _detect(host: Host, paths: tuple[Path, ...], mode: str, provider: str | None) -> list[Detection]:
    if provider is None and not any(
        info.state in ("available", "loaded") for info in host.providers("detector")
    ):
        return [_by_signature(host, path) for path in paths]
    return host.detector(provider).detect_many(paths, mode=mode)


def _by_signature(host: Host, path: Path) -> Detection:
    from kinetoscope_spec import Detection, FormatError

    try:
        return host.detect(path)
    except FormatError as error:
        return Detection("unknown", score=0.0, error=str(error), path=str(path), decided_by="filesystem")


def _row(path: Path, detection: Detection) -> dict[str, Any]:
    held = {name: getattr(detection, name) for name in FIELDS}
    return held | {"path": str(path), "alarms": list(detection.alarms)}


def _human(data: dict[str, Any]) -> str:
    rows = [
        (
            row["path"],
            row["label"],
            f"{row['score']:.2f}",
            row["decided_by"],
            row["error"] or "; ".join(row["alarms"]),
        )
        for row in data["files"]
    ]
    return table(("path", "label", "score", "by", "remarks"), rows)
