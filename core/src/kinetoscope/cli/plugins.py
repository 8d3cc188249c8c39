"""`kinetoscope plugins`: what is installed, without importing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, table

if TYPE_CHECKING:
    from kinetoscope import Host


@click.command("plugins")
@click.option("--load", is_flag=True, help="Import every plugin and what it provides; renew the record.")
@click.option("--hook", metavar="HOOK", help="Only the providers of this hook.")
@json_option
@pass_host
def command(host: Host, load: bool, hook: str | None) -> None:
    """List every provider: its hook, distribution and version, its state and the reason for it.

    Nothing is imported: what failed is told from the record of when it was last loaded. --load
    imports everything, says what fails now, and renews that record.
    """
    if load:
        host.load_all()
    found = [info.as_dict() for info in host.providers(load=False)]
    if hook is not None:
        _check(hook, [*host.hooks(), *(row["hook"] for row in found)])
        found = [row for row in found if row["hook"] == hook]
    named = {(row["name"], row["hook"]) for row in found}
    notes = [str(note) for note in host.diagnostics() if load and (note.plugin, note.hook) not in named]
    emit(click.get_current_context(), {"providers": found, "notes": notes}, _human)


def _check(hook: str, known: list[str]) -> None:
    if hook not in known:
        from kinetoscope_spec.errors import nearest

        raise click.UsageError(f"no hook {hook!r}{nearest(hook, sorted(set(known)))}")


def _human(data: dict[str, Any]) -> str:
    if not data["providers"]:
        return "no plugins are installed; pip install kinetoscope-all brings everything"
    headers = ("hook", "name", "distribution", "version", "state", "reason")
    rows = [tuple(str(row[field]) for field in headers) for row in data["providers"]]
    return "\n".join([table(headers, rows), *data["notes"]])
