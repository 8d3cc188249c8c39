"""The shot file described for editors (JSON Schema) and as a file to begin with, both from its attrs classes."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import attrs

from kinetoscope.shot.settings import Shot

__all__ = ["begin", "json_schema"]

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of shot files.

    It knows keys, types, ranges and words. What depends on several keys at once the host checks.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:kinetoscope:shot",
        "title": "Kinetoscope shot file",
        **_table(Shot),
    }


def _table(cls: Any) -> dict[str, Any]:
    told = _told(cls)
    fields = attrs.fields(attrs.resolve_types(cls))
    properties = {field.name: _field(field, told.get(field.name, "")) for field in fields}
    required = [field.name for field in fields if field.default is attrs.NOTHING]
    table: dict[str, Any] = {"type": "object", "description": _summary(cls), "properties": properties}
    return table | {"additionalProperties": False} | ({"required": required} if required else {})


def _field(field: Any, told: str) -> dict[str, Any]:
    schema = _type(field.type)
    if told:
        schema["description"] = told
    if not isinstance(field.default, attrs.Factory) and field.default not in (attrs.NOTHING, None, ()):  # type: ignore[arg-type]
        schema["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    for check in _checks(field.validator):
        low, high = getattr(check, "limits", (None, None))
        if low is not None:
            schema |= {"minimum": low, "maximum": high}
        if hasattr(check, "words"):
            schema["enum"] = list(check.words)
        if hasattr(check, "each"):
            schema["items"] = {**schema["items"], "enum": list(check.each)}
        if hasattr(check, "each_limits"):
            low, high = check.each_limits
            schema["items"] = {**schema["items"], "minimum": low, "maximum": high}
        if hasattr(check, "above"):
            schema["exclusiveMinimum"] = check.above
    return schema


def _checks(validator: Any) -> list[Any]:
    """Return a validator, and the one inside an optional one."""
    return [check for check in (validator, getattr(validator, "validator", None)) if check is not None]


def _type(kind: Any) -> dict[str, Any]:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _type(next(part for part in inner if part is not type(None)))
    if attrs.has(kind):
        return _table(kind)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return {"type": "array", "items": _type(inner[0])}
        return {"type": "array", "items": _type(inner[0]), "minItems": len(inner), "maxItems": len(inner)}
    if kind in _TYPES:
        return {"type": _TYPES[kind]}
    return {"type": "object"}


def _summary(cls: Any) -> str:
    return str(cls.__doc__).strip().split("\n", 1)[0]


def _told(cls: Any) -> dict[str, str]:
    """Return what a class's docstring says of each attribute."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in str(cls.__doc__).partition("Attributes:")[2].splitlines():
        if entry := re.match(r" {8}([\w, ]+): (.*)", line):
            names = [name.strip() for name in entry[1].split(",")]
            found |= dict.fromkeys(names, entry[2])
        elif line.startswith(" " * 12):
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return {name: text.replace("`", "") for name, text in found.items()}


def begin(values: dict[str, dict[str, Any]]) -> str:
    """Return a shot file with these values by table, and every other key there is as a comment.

    Args:
        values: by dotted table; a table that is not among them is a comment as a whole.
    """
    return "\n".join(_lines(Shot, "", values)).strip() + "\n"


def _lines(cls: Any, name: str, values: dict[str, dict[str, Any]], many: bool = False) -> Iterator[str]:
    told, given = _told(cls), values.get(name, {})
    fields = attrs.fields(attrs.resolve_types(cls))
    plain = [field for field in fields if _inner(field) is None]
    off = "" if name in values or not name else "# "
    if name:
        yield f"\n# {_summary(cls)}"
        yield f"{off}[[{name}]]" if many else f"{off}[{name}]"
    for field in plain:
        words = told.get(field.name, "")
        value = given.get(field.name, field.default)
        note = f"  # {words}" if words else ""
        if field.name in given:
            yield f"{field.name} = {_toml(value)}{note}"
        elif name or field.name == "name":
            empty = value is None or value is attrs.NOTHING or isinstance(value, attrs.Factory)  # type: ignore[arg-type]
            yield f"# {field.name} = {'...' if empty else _toml(value)}{note}"
    for field in fields:
        if (inner := _inner(field)) is not None:
            inside = f"{name}.{field.name}" if name else field.name
            yield from _lines(inner, inside, values, get_origin(field.type) is tuple)


def _inner(field: Any) -> Any:
    held = [
        part for part in (field.type, *get_args(field.type)) if isinstance(part, type) and attrs.has(part)
    ]
    return held[0] if held else None


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for the one control character that JSON lets stand.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
