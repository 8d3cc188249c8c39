"""Scripts as TOML: any script, exactly."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from kinetoscope_spec.errors import FormatError, ValidationError, nearest
from kinetoscope_spec.voice import Line, Script

__all__ = ["parse_toml", "write_toml"]

_TOP = {"language": str, "voices": dict, "lexicon": dict, "line": list}
_LINE = {"text": str, "speaker": str, "language": str}
_KINDS: dict[type, str] = {str: "a string", dict: "a table of strings", list: "tables [[line]]"}


def parse_toml(text: str, *, path: object = None) -> Script:
    """Read a script from TOML.

        language = "en-GB"
        voices = { Ann = "f2" }
        lexicon = { tomato = "/təˈmɑːtəʊ/" }

        [[line]]
        speaker = "Ann"
        text = "[whispers] Is *anybody* there?"

    Raises:
        FormatError: no TOML, an unknown key, a value of another kind, or no words; names the place.
    """
    try:
        held = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError(f"no TOML: {error}", path=path) from None
    _check(held, _TOP, "the script", path)
    lines = []
    for number, row in enumerate(held.get("line", ()), 1):
        what = f"[[line]] {number}"
        if not isinstance(row, dict) or "text" not in row:
            raise FormatError(f"{what} has no text", path=path, expected='text = "..."')
        _check(row, _LINE, what, path)
        lines.append(Line(row["text"], row.get("speaker", "narrator"), row.get("language")))
    try:
        return Script(lines, held.get("voices", {}), held.get("language", "en"), held.get("lexicon", {}))
    except ValidationError as error:
        raise FormatError(str(error), path=path) from None


def _check(held: Mapping[str, Any], kinds: Mapping[str, type], what: str, path: object) -> None:
    for key, value in held.items():
        if key not in kinds:
            known = nearest(key, list(kinds)) or f"; there are {', '.join(kinds)}"
            raise FormatError(f"{what} has the unknown key {key!r}{known}", path=path)
        right = isinstance(value, kinds[key])
        if right and isinstance(value, dict):
            right = all(isinstance(item, str) for item in value.values())
        if not right:
            raise FormatError(f"{what}: {key} is {value!r:.60}", path=path, expected=_KINDS[kinds[key]])


def write_toml(script: Script) -> str:
    """Return a script as TOML; reading it gives an equal script."""
    parts = [f"language = {_string(script.language)}"]
    for name, held in (("voices", script.voices), ("lexicon", script.lexicon)):
        if held:
            parts += ["", f"[{name}]", *(f"{_string(key)} = {_string(value)}" for key, value in held.items())]
    for line in script.lines:
        parts += ["", "[[line]]"]
        if line.speaker != "narrator":
            parts.append(f"speaker = {_string(line.speaker)}")
        if line.language is not None:
            parts.append(f"language = {_string(line.language)}")
        parts.append(f"text = {_string(line.text)}")
    return "\n".join(parts) + "\n"


def _string(text: str) -> str:
    # Strings of JSON are those of TOML, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
