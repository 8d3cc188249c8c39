"""`kinetoscope doctor`: what is there, what is missing, what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from kinetoscope.cli._common import emit, json_option, pass_host

if TYPE_CHECKING:
    from kinetoscope import Host


@click.command("doctor")
@json_option
@pass_host
def command(host: Host) -> None:
    """Check drivers, weights, keys and system libraries, and say what to do about what is missing."""
    from kinetoscope.doctor import examine

    checks = [attrs.asdict(check) for check in examine(host)]
    emit(click.get_current_context(), {"checks": checks}, _human)


def _human(data: dict[str, Any]) -> str:
    width = max(len(check["name"]) for check in data["checks"])
    lines = []
    for check in data["checks"]:
        lines.append(
            f"{'ok     ' if check['ok'] else 'missing'}  {check['name']:<{width}}  {check['found']}".rstrip()
        )
        if check["advice"]:
            lines.append(f"{'':9}{'':<{width}}  -> {check['advice']}")
    wrong = sum(not check["ok"] for check in data["checks"])
    return "\n".join([*lines, f"{len(data['checks']) - wrong} well, {wrong} missing"])
