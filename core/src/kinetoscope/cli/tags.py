"""`kinetoscope tags`: the audio tags that scripts may hold, and what each provider does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec.script import Tag


@click.command("tags")
@click.argument("names", metavar="[TAG]...", nargs=-1)
@click.option("--category", metavar="NAME", help="Those of this category: emotion, pace, sound, ...")
@click.option("--provider", metavar="NAME", help="What this voice provider does with them.")
@json_option
@pass_host
def command(host: Host, names: tuple[str, ...], category: str | None, provider: str | None) -> None:
    """List audio tags with their meaning in numbers, and what voices make of each.

    TAG may be anything that can stand between brackets in a script, such as 'pause 1.5s'.
    """
    from kinetoscope.cli.voices import usable
    from kinetoscope_spec.errors import ValidationError, nearest
    from kinetoscope_spec.script import CATEGORIES, catalogue, find_tag

    if category is not None and category not in CATEGORIES:
        raise click.BadParameter(
            f"no category {category!r}{nearest(category, CATEGORIES)}; there are {', '.join(CATEGORIES)}"
        )
    try:
        tags = [find_tag(name.strip("[]")) for name in names] or list(catalogue().values())
    except ValidationError as error:
        raise click.BadParameter(str(error)) from None
    voices = {name: host.voice(name) for name in ([provider] if provider else usable(host, []))}
    rows = [_row(tag, voices) for tag in tags if category in (None, tag.category)]
    emit(click.get_current_context(), {"tags": rows}, _human)


def _row(tag: Tag, voices: dict[str, Any]) -> dict[str, Any]:
    import attrs

    from kinetoscope.speech.report import treatment_of
    from kinetoscope_spec.script import Effect, sources

    plain = attrs.asdict(Effect())
    effect = {key: value for key, value in attrs.asdict(tag.effect).items() if value != plain[key]}
    told = {name: treatment_of(voice, tag) for name, voice in voices.items()}
    return {
        "name": tag.name,
        "category": tag.category,
        "same": tag.same,
        "effect": effect,
        "source": sources()[tag.source],
        "providers": {
            name: {"how": held.how, "note": held.note} if held else None for name, held in told.items()
        },
    }


def _human(data: dict[str, Any]) -> str:
    voices = list(data["tags"][0]["providers"]) if data["tags"] else []
    rows = [
        (
            row["name"],
            row["category"],
            f"same as {row['same']}" if row["same"] else _effect(row["effect"]),
            *((row["providers"][name] or {"how": "taken"})["how"] for name in voices),
        )
        for row in data["tags"]
    ]
    return table(("tag", "category", "effect", *voices), rows)


def _effect(effect: dict[str, Any]) -> str:
    units = {"volume": "{:+g} dB", "pause": "{:g} s", "rate": "x{:g}", "pitch": "x{:g}", "range": "x{:g}"}
    return ", ".join(f"{key} {units.get(key, '{}').format(value)}" for key, value in effect.items())
