"""Where settings come from: files, variables, arguments; each layer a source and a raw table."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["KEYS", "Layer", "layers"]

KEYS = ("autoload", "block", "allow", "trace", "providers", "plugins", "gate", "cache_bytes")
VARIABLE = "KINETOSCOPE_"
ELSEWHERE = ("HOME", "DATA")  # read by others: the folder of caches and weights, the data of tests
MAX_BYTES = 1 << 20


class Layer(NamedTuple):
    """One source of settings and what it says."""

    source: str
    table: Mapping[str, Any]


def layers(
    arguments: Mapping[str, Any],
    *,
    file: str | Path | None = None,
    folder: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Layer]:
    """Return the layers that say anything, the weakest first."""
    found = _file_layers(Path(file) if file is not None else None, Path(folder or Path.cwd()))
    found.extend(_variables(os.environ if environ is None else environ))
    given = {key: value for key, value in arguments.items() if value is not None}
    found.append(Layer("argument", given))
    return [layer for layer in found if layer.table]


def _file_layers(file: Path | None, folder: Path) -> list[Layer]:
    if file is not None:
        table = _read(file)
        return [Layer(str(file), _tool_table(table) if file.name == "pyproject.toml" else table)]
    upward = (folder.absolute(), *folder.absolute().parents)
    own = _nearest_table(upward, "kinetoscope.toml", lambda table: table)
    project = _nearest_table(upward, "pyproject.toml", _tool_table)
    return [layer for layer in (own, project) if layer is not None]


def _nearest_table(
    folders: tuple[Path, ...], name: str, select: Callable[[dict[str, Any]], dict[str, Any]]
) -> Layer | None:
    for folder in folders:
        path = folder / name
        if path.is_file():
            # A pyproject of some other tool's, even a broken one, is none of our business.
            ours = name == "kinetoscope.toml" or b"kinetoscope" in _bytes(path)
            table = select(_read(path)) if ours else {}
            if table:
                return Layer(str(path), table)
    return None


def _tool_table(table: dict[str, Any]) -> dict[str, Any]:
    tool = table.get("tool")
    ours = tool.get("kinetoscope", {}) if isinstance(tool, dict) else {}
    return ours if isinstance(ours, dict) else {"": ours}


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            held = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", place=str(path)) from error
    if len(held) > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES} bytes; settings are a few lines", place=str(path))
    return held


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(_bytes(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"is not TOML: {error}", place=str(path)) from error
    except RecursionError as error:
        raise ConfigError("is nested too deeply", place=str(path)) from error


def _variables(environ: Mapping[str, str]) -> list[Layer]:
    """Read `KINETOSCOPE_BLOCK=a,b`, `KINETOSCOPE_PROVIDERS__IMPORTER=bvh`, ...: one layer each."""
    found = []
    for name in sorted(environ):
        if not name.startswith(VARIABLE):
            continue
        keys = name[len(VARIABLE) :].lower().split("__")
        if keys[0] in KEYS:
            found.append(Layer(name, _nested(keys, _value(name, keys, environ[name]))))
        elif keys[0].upper() not in ELSEWHERE and (hint := nearest(keys[0], KEYS)):
            # Plugins have variables of their own; only what looks like a slip of ours is an error.
            known = hint.replace("'" + keys[0], "'")
            raise ConfigError(f"unknown setting {keys[0]!r}{known}", place=name)
    return found


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    return dict(value)


def _value(name: str, keys: list[str], text: str) -> Any:
    """Read the text of a variable: a list for block and allow, a flag, a TOML value for the rest."""
    if keys[0] in ("block", "allow"):
        return [word.strip() for word in text.split(",") if word.strip()]
    if keys[0] in ("autoload", "trace"):
        return _flag(name, text)
    if keys[0] in ("plugins", "gate", "cache_bytes"):
        import tomllib

        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text


def _flag(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ConfigError(f"is {text!r}, expected 1 or 0", place=name)
