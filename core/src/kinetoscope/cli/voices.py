"""`kinetoscope voices`: which voices there are, and what they speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import VoiceInfo


@click.command("voices")
@click.option("--provider", metavar="NAME", help="Those of this provider.")
@click.option("--language", metavar="TAG", help="Those that speak this language (BCP 47).")
@json_option
@pass_host
def command(host: Host, provider: str | None, language: str | None) -> None:
    """List the voices of every usable provider, its default one first."""
    found: list[dict[str, Any]] = []
    reasons: list[dict[str, str]] = []
    for name in [provider] if provider else usable(host, reasons):
        found += [_row(name, info) for info in host.voice(name).voices() if speaks(info, language)]
    ctx = click.get_current_context()
    emit(ctx, {"voices": found, "unavailable": reasons}, _human)


def usable(host: Host, reasons: list[dict[str, str]]) -> list[str]:
    """Return the names of the voice providers that may be asked; say of the others why not."""
    rows = host.providers("voice")
    reasons += [
        {"provider": row.name, "reason": row.reason}
        for row in rows
        if row.state not in ("available", "loaded")
    ]
    return [row.name for row in rows if row.state in ("available", "loaded")]


def speaks(info: VoiceInfo, language: str | None) -> bool:
    """Tell whether a voice speaks a language, or a region's kind of it."""
    if language is None:
        return True
    wanted = language.casefold()
    return any(tag == wanted or tag.startswith(f"{wanted}-") for tag in map(str.casefold, info.languages))


def _row(provider: str, info: VoiceInfo) -> dict[str, Any]:
    return {
        "provider": provider,
        "name": info.name,
        "summary": info.summary,
        "languages": list(info.languages),
        "rate": info.rate,
        "tags": None if info.tags is None else len(info.tags),
        "deterministic": info.deterministic,
    }


def _human(data: dict[str, Any]) -> str:
    rows = [
        (row["provider"], row["name"], str(len(row["languages"])), f"{row['rate']} Hz", row["summary"])
        for row in data["voices"]
    ]
    lost = [f"{row['provider']}: {row['reason']}" for row in data["unavailable"]]
    return "\n".join([table(("provider", "voice", "languages", "rate", "summary"), rows), *lost])
