"""`kinetoscope cache`: what shots have made and keep for the next run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope.shot.store import Entry


@click.group("cache")
def command() -> None:
    """List and clear what the stages of shots have made and keep, below KINETOSCOPE_HOME.

    `cache_bytes` of the settings limits its size; what was not used for longest goes first.
    """


@command.command("list")
@json_option
@pass_host
def list_(host: Host) -> None:
    """List what is kept, the longest unused first."""
    from kinetoscope.shot.run import open_store

    store = open_store(host)
    data = _told(store.entries()) | {"folder": str(store.folder), "limit": store.max_bytes}
    emit(click.get_current_context(), data, _human)


@command.command("clear")
@click.option("--stage", metavar="NAME", help="Clear this stage's alone.")
@json_option
@pass_host
def clear(host: Host, stage: str | None) -> None:
    """Take away what is kept."""
    from kinetoscope.shot.run import open_store
    from kinetoscope.shot.steps import check_stage

    store = open_store(host)
    if stage is not None and stage not in {entry.stage for entry in store.entries()}:
        check_stage(stage, "--stage")
    data = _told(store.clear(stage))
    text = f"took away {len(data['entries'])} entries, {_size(data['bytes'])}"
    emit(click.get_current_context(), data, text)


def _told(entries: list[Entry]) -> dict[str, Any]:
    import attrs

    return {"entries": [attrs.asdict(entry) for entry in entries], "bytes": sum(e.bytes for e in entries)}


def _human(data: dict[str, Any]) -> str:
    rows = [
        (row["stage"], row["key"][:12], _size(row["bytes"]), _ago(time.time() - row["used"]))
        for row in data["entries"]
    ]
    lines = [table(("stage", "key", "size", "used"), rows)] if rows else []
    return "\n".join([*lines, f"{_size(data['bytes'])} of {_size(data['limit'])} in {data['folder']}"])


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return "now"
