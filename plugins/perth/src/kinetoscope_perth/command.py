"""`kinetoscope verify`: whether a file's sound is marked, and what it says of its origin."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kinetoscope_perth.protocol import Verdict

__all__ = ["command"]

SIDECAR = ".provenance.json"
RECORD_BYTES = 1 << 20
"""A record is small; a larger file beside the sound is none."""

UNMARKED = 1


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--provider", metavar="NAME", help="Ask this watermarker.")
@click.option("--no-search", is_flag=True, help="Look at the file's own speed alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(ctx: click.Context, file: Path, provider: str | None, no_search: bool, as_json: bool) -> None:
    """Look for the watermark in the sound of FILE, a recording or a film, and for what is signed into it.

    The exit status is 0 where the mark was found, 1 where it was not or nothing can be said. What the file
    says of itself is printed beside it, where a plugin here reads such statements (content credentials).
    """
    from kinetoscope_spec import FormatError

    host = ctx.find_root().obj
    media = host.provider("media")
    audio = media.read_audio(file)
    statement = _statement(host, file)
    if audio is None and statement is not None:
        told = {**_SILENT, "provenance": None, "sidecar": None, "credentials": statement}
        click.echo(json.dumps(told) if as_json else _human(file, told))
        ctx.exit(UNMARKED)
    if audio is None:
        raise FormatError("has no sound", path=file, expected="a recording or a film with sound")
    verdict = host.provider("watermarker", provider).verify(audio, search=not no_search)
    told = _told(verdict) | {
        "seconds": audio.duration,
        "provenance": _embedded(media.metadata(file)),
        "sidecar": _sidecar(file),
        "credentials": statement,
    }
    click.echo(json.dumps(told) if as_json else _human(file, told))
    ctx.exit(0 if verdict.marked else UNMARKED)


_SILENT = {
    "marked": False,
    "score": None,
    "speed": None,
    "abstained": "it has no sound",
    "windows": [],
    "seconds": 0.0,
}


def _statement(host: Any, file: Path) -> dict[str, Any] | None:
    """Return what is signed into a file, if a plugin here reads such statements and there is one."""
    import attrs

    from kinetoscope_spec import KinetoscopeError

    try:
        told = host.provider("credentials").read(file)
    except KinetoscopeError:
        return None
    return None if told is None else attrs.asdict(told)


def _told(verdict: Verdict) -> dict[str, Any]:
    windows = [
        {"start": w.start, "end": w.end, "score": w.score, "abstained": w.abstained or None}
        for w in verdict.windows
    ]
    return {
        "marked": verdict.marked,
        "score": verdict.score,
        "speed": verdict.speed,
        "abstained": verdict.abstained or None,
        "windows": windows,
    }


def _embedded(metadata: Any) -> Any:
    """Return the record in a file's comment, or None. Anyone can write one: it proves nothing."""
    try:
        held = json.loads(metadata.get("comment", ""))
    except (ValueError, RecursionError):
        return None
    return held.get("provenance") if isinstance(held, dict) else None


def _sidecar(file: Path) -> dict[str, Any] | None:
    """Return what the record beside a file says, and whether it is this file's."""
    path = file.with_name(file.name + SIDECAR)
    try:
        if not path.is_file() or path.stat().st_size > RECORD_BYTES:
            return None
        held = json.loads(path.read_text(encoding="utf-8"))
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(held, dict):
        return None
    return {"provenance": held.get("provenance"), "matches": held.get("sha256") == digest}


def _human(file: Path, told: dict[str, Any]) -> str:
    if told["marked"]:
        first = f"{file}: marked, score {told['score']:.2f}"
        first += f", played at {told['speed']:.0%} of its speed" if told["speed"] != 1 else ""
    elif told["abstained"]:
        first = f"{file}: can't be told: {told['abstained']}"
    else:
        first = f"{file}: not marked, score {told['score']:.2f}"
    lines = [first]
    for window in told["windows"]:
        said = window["abstained"] or f"{window['score']:.2f}"
        lines.append(f"  {window['start']:8.2f} to {window['end']:8.2f} s  {said}")
    made = told["provenance"] or (told["sidecar"] or {}).get("provenance")
    if isinstance(made, dict):
        says = ", ".join(
            f"{key} {made[key]}" for key in ("provider", "model", "voice", "created") if made.get(key)
        )
        lines.append(f"  says it was made by {says}" if says else "  does not say by whom it was made")
    if told["sidecar"] and not told["sidecar"]["matches"]:
        lines.append("  the record beside it is of another file")
    lines += _signed(told["credentials"])
    return "\n".join(lines)


def _signed(told: dict[str, Any] | None) -> list[str]:
    """Return lines on what is signed into a file."""
    if told is None:
        return []
    state = "changed since" if not told["intact"] else "unchanged since"
    trust = "" if told["trusted"] else ", for whom nobody vouches here"
    lines = [
        f"  says of itself, {state} it was signed by {told['signer'] or 'nobody'}{trust}: {told['source']}"
    ]
    for step in told["steps"]:
        kind = f" ({step['source']})" if step["source"] else ""
        lines.append(f"    {step['what']}{kind}{', by ' if step['by'] else ''}{step['by']}")
    return lines + [f"    made from {name}" for name in told["ingredients"]]
