"""TOML files read with bounds, checked against attrs classes, and errors that name the line."""

from __future__ import annotations

import math
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, BaseValidationError, IterableValidationNote

from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["Document", "WrongValue", "read_document"]

T = TypeVar("T")
MAX_BYTES = 1 << 20
"""A configuration is written by hand; what is larger is some other file."""

_KEY = re.compile(r"""\s*(?:"(?P<quoted>[^"]+)"|'(?P<single>[^']+)'|(?P<bare>[A-Za-z0-9_.-]+))\s*=""")
_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\]]+?)\s*\]\]?")


class WrongValue(ValueError):
    """A value that an attrs class refuses; `key` is the attribute, so that the error finds its line."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@attrs.frozen
class Document:
    """A parsed TOML file that remembers where its keys stand."""

    path: Path
    text: str = attrs.field(repr=False)
    data: Mapping[str, Any]

    def place(self, keys: Sequence[str | int]) -> str:
        """Return `file:line: dotted.key`, without the line where it can't be found."""
        names = [str(key) for key in keys]
        line = self._line(names)
        return f"{self.path}:{line}: {'.'.join(names)}" if line else f"{self.path}: {'.'.join(names)}"

    def _line(self, names: Sequence[str]) -> int | None:
        table: list[str] = []
        best: tuple[int, int] | None = None
        listed: dict[str, int] = {}
        for number, text in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(text):
                table = [part.strip(" \"'") for part in header["name"].split(".")]
                if text.lstrip().startswith("[["):
                    listed[header["name"]] = listed.get(header["name"], -1) + 1
                    if table == list(names) and (best is None or len(table) > best[0]):
                        best = len(table), number
                    table = [*table, str(listed[header["name"]])]
                here = table
            elif key := _KEY.match(text):
                here = [*table, *(key["quoted"] or key["single"] or key["bare"]).split(".")]
            else:
                continue
            depth = len(here)
            if here == list(names[:depth]) and (best is None or depth > best[0]):
                best = depth, number
        return best[1] if best else None

    def structure(self, cls: type[T], keys: Sequence[str] = ()) -> T:
        """Return the table at `keys` as an instance of the attrs class `cls`.

        Raises:
            ConfigError: an unknown key (naming the nearest), a missing one, a wrong type or value.
        """
        data: Any = self.data
        for key in keys:
            data = data.get(key, {})
        return structure(data, cls, keys, self.place)


def structure(data: Any, cls: type[T], keys: Sequence[str | int], place: Any) -> T:
    """Return `data` as an instance of `cls`; `place(keys)` names a position for errors."""
    _refuse_unknown(data, cls, list(keys), place)
    try:
        return _CONVERTER.structure(data, cls)
    except BaseValidationError as error:
        where, cause = _leaf(error, list(keys))
        if isinstance(cause, WrongValue):
            where.append(cause.key)
        raise ConfigError(_say(cause), place=place(where)) from None
    except (TypeError, ValueError, KeyError) as error:
        raise ConfigError(_say(error), place=place(keys)) from None


def read_document(path: str | Path) -> Document:
    """Read a TOML file of at most 1 MiB.

    Raises:
        ConfigError: it is missing, a folder, too large, not UTF-8 or not TOML; names the line.
    """
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError("is not a file, expected a TOML file", place=str(path))
        if status.st_size > MAX_BYTES:
            raise ConfigError(
                f"has {status.st_size:,} bytes, expected a TOML file of at most {MAX_BYTES:,}",
                place=str(path),
            )
        text = path.read_bytes().decode("utf-8-sig")
        return Document(path, text, tomllib.loads(text))
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", place=str(path)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"is not UTF-8 text at byte {error.start}, expected TOML", place=str(path)
        ) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else str(path)
        raise ConfigError(f"is not TOML: {error}", place=place) from None
    except RecursionError:
        raise ConfigError("is nested too deeply, expected TOML", place=str(path)) from None


def _refuse_unknown(data: Any, cls: Any, keys: list[str | int], place: Any) -> None:
    if not attrs.has(cls):
        return
    if not isinstance(data, Mapping):
        raise ConfigError(f"is {data!r}, expected a table", place=place(keys))
    fields = {field.name: field for field in attrs.fields(attrs.resolve_types(cls))}
    for key, value in data.items():
        if key not in fields:
            known = ", ".join(fields)
            hint = nearest(key, list(fields)) or f"; known are {known}"
            raise ConfigError(f"unknown key{hint}", place=place([*keys, key]))
        if isinstance(value, str) and _is_list(fields[key].type):  # would be taken letter by letter
            raise ConfigError(f"is {value!r}, expected a list", place=place([*keys, key]))
        inner, many = _table_of(fields[key].type)
        if inner is not None and not many:
            _refuse_unknown(value, inner, [*keys, key], place)
        elif inner is not None:
            for i, entry in enumerate(_listed(value, [*keys, key], place)):
                _refuse_unknown(entry, inner, [*keys, key, i], place)


def _listed(value: Any, keys: list[str | int], place: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"is {value!r}, expected a list of tables", place=place(keys))
    return value


def _is_list(kind: Any) -> bool:
    return any(get_origin(part) is tuple for part in (kind, *get_args(kind)))


def _table_of(kind: Any) -> tuple[Any, bool]:
    """Return the attrs class that a field holds, be it optional, or None; and whether it holds many."""
    held = [part for part in (kind, *get_args(kind)) if isinstance(part, type) and attrs.has(part)]
    return (held[0] if held else None), get_origin(kind) is tuple


def _leaf(error: BaseException, keys: list[str | int]) -> tuple[list[str | int], BaseException]:
    """Follow cattrs' tree of errors to its first leaf, collecting the keys on the way."""
    while isinstance(error, BaseValidationError):
        error = error.exceptions[0]
        for note in getattr(error, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                keys.append(note.name)
            elif isinstance(note, IterableValidationNote):
                keys.append(note.index)
    return keys, error


def _say(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"key {error} is missing"
    text = str(error.args[0]) if error.args else type(error).__name__
    if "missing" in text and "argument" in text:
        missing = re.findall(r"'(\w+)'", text)
        return f"missing {', '.join(repr(name) for name in missing)}"
    return text


def _strict(*accepted: type, name: str) -> Any:
    def check(value: Any, target: Any) -> Any:
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
            raise TypeError(f"is {value!r}, expected {name}")
        return target(value)

    return check


def _finite(value: Any, _target: Any) -> float:
    number: float = _strict(int, float, name="a number")(value, float)
    if not math.isfinite(number):
        raise ValueError(f"is {number}, expected a finite number")
    return number


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, _strict(str, name="a string"))
    converter.register_structure_hook(bool, _strict(bool, name="true or false"))
    converter.register_structure_hook(int, _strict(int, name="a whole number"))
    converter.register_structure_hook(float, _finite)
    return converter


_CONVERTER = _converter()
