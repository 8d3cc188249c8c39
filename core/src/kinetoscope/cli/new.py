"""`kinetoscope new`: a plugin's first distribution."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Hook


@click.command("new")
@click.argument("kind", metavar="HOOK")
@click.argument("name", metavar="NAME")
@click.option(
    "--in",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Make its folder in DIR, not here.",
)
@json_option
@pass_host
def command(host: Host, kind: str, name: str, folder: Path) -> None:
    """Write the distribution NAME, a plugin with a provider of HOOK, ready to publish.

    It has a working provider, its contract as a test, and what a package index and a CI ask for.
    HOOK is importer, feature, model, renderer, detector, voice or inpainter; a hook that an
    installed plugin brings, for a skeleton of its protocol; or `hook`, for a hook of your own.
    """
    from kinetoscope.scaffold import scaffold

    record = _checked(host, kind, name)
    made = scaffold(kind, name, folder, hook=record)
    data = {
        "path": str(made.path.absolute()),
        "hook": made.hook,
        "name": name,
        "package": made.words.package,
        "files": made.files,
        "next": [
            f"cd {shlex.quote(str(made.path))}",
            'pip install -e ".[test]"',
            "pytest",
            f"kinetoscope check {made.hook}:{name}",
        ],
    }
    emit(click.get_current_context(), data, lambda told: _human(told, working=made.works))


def _checked(host: Host, kind: str, name: str) -> Hook | None:
    """Return the hook that the provider is for, None for one that the plugin is to bring.

    Raises:
        click.UsageError: there is no such hook, or the name is taken.
    """
    from kinetoscope.scaffold import OWN, kinds
    from kinetoscope_spec.errors import ProviderNotFound, nearest

    wanted = name.replace("-", "_") if kind == OWN else kind
    try:
        record = host.hook(wanted)
    except ProviderNotFound:
        if kind == OWN:
            return None
        known = [*host.hooks(), OWN]
        text = f"no hook {kind!r}{nearest(kind, known)}; there are templates for {', '.join(kinds())}"
        raise click.UsageError(text) from None
    if kind == OWN:
        raise click.UsageError(
            f"there is a hook {wanted!r} already; `kinetoscope new {wanted} NAME` fills it"
        )
    for info in host.providers(kind, load=False):
        if info.name == name:
            raise click.UsageError(
                f"{info.distribution} {info.version} has the {kind} {name!r} already, choose another name"
            )
    return record


def _human(data: dict[str, Any], *, working: bool) -> str:
    told = "it works as it stands" if working else "its methods are to be filled in"
    lines = [f"wrote {data['path']}: {told}, begin in src/{data['package']}/provider.py. Next:", ""]
    return "\n".join([*lines, *(f"    {line}" for line in data["next"])])
