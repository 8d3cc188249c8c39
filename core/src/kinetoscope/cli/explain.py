"""`kinetoscope explain`: which provider would be chosen, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from kinetoscope.cli._common import emit, json_option, pass_host

if TYPE_CHECKING:
    from kinetoscope import Host


@click.command("explain")
@click.argument("hook")
@click.argument("path", required=False)
@json_option
@pass_host
def command(host: Host, hook: str, path: str | None) -> None:
    """Say which provider of HOOK would be chosen, why, and why not the others.

    PATH is a file (its bytes decide, not its name) or a content label, language or device.
    """
    explanation = host.explain(hook, path)
    data = attrs.asdict(explanation, recurse=False) | {
        "candidates": [
            item.info.as_dict() | {"chosen": item.chosen, "why": item.reason}
            for item in explanation.candidates
        ]
    }
    emit(click.get_current_context(), data, str(explanation))
