"""`kinetoscope config`: the settings in force, and where each came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from attrs import asdict

from kinetoscope.cli._common import emit, json_option, pass_host

if TYPE_CHECKING:
    from kinetoscope import Config, Host


@click.command("config")
@json_option
@pass_host
def command(host: Host) -> None:
    """Show the settings in force and where each came from.

    From weak to strong: kinetoscope.toml, [tool.kinetoscope] in pyproject.toml (the nearest upward),
    KINETOSCOPE_* variables, the options of this command line.
    """
    from kinetoscope.home import home

    data = {"settings": settings(host.config), "sources": dict(host.config.sources), "home": str(home())}
    emit(click.get_current_context(), data, _human)


def settings(config: Config) -> dict[str, Any]:
    """Return the settings as they would stand in a file."""
    providers: dict[str, Any] = {}
    for hook, choice in config.providers.items():
        owners = dict(choice.owners)
        providers[hook] = choice.default if not owners else {"default": choice.default, **owners}
    return {
        "autoload": config.autoload,
        "block": list(config.block),
        "allow": None if config.allow is None else list(config.allow),
        "trace": config.trace,
        "providers": providers,
        "gate": {
            key: list(value) if isinstance(value, tuple) else dict(value) if key == "max_bytes_of" else value
            for key, value in asdict(config.gate, recurse=False).items()
        },
        "plugins": {name: dict(table) for name, table in config.plugins.items()},
    }


def _human(data: dict[str, Any]) -> str:
    lines = [f"home = {data['home']}"]
    for key, value in data["settings"].items():
        origins = {source for dotted, source in data["sources"].items() if dotted.partition(".")[0] == key}
        lines.append(f"{key} = {value!r}  ({', '.join(sorted(origins)) or 'default'})")
    return "\n".join(lines)
