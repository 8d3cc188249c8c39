"""Layers of raw settings into one `Config`: keys checked and named, values structured by cattrs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cattrs
from cattrs.errors import ClassValidationError, IterableValidationError

from kinetoscope._layers import KEYS, Layer
from kinetoscope.config import Choice, Config
from kinetoscope.gate import Gate
from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["structure"]

_WORDS = tuple[str, ...]
_TABLE = dict[str, Any]
_CHECKS: dict[str, Any] = {
    "autoload": bool,
    "block": _WORDS,
    "allow": _WORDS,
    "trace": bool,
    "providers": dict[str, Choice],
    "plugins": dict[str, _TABLE],
    "gate": Gate,
    "cache_bytes": int,
}
_EXPECTED = {
    "autoload": "true or false",
    "block": "a list of names",
    "allow": "a list of names",
    "trace": "true or false",
    "providers": 'a table such as importer = "bvh", or importer.bvh = "distribution"',
    "plugins": "a table of tables, one a plugin",
    "gate": 'a table such as policy = "strict"',
    "cache_bytes": "a whole number of bytes above 0",
}


def _strict(kind: type) -> Any:
    def check(value: Any, _type: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"got {value!r}")
        return value

    return check


def _words(value: Any, _type: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        raise ValueError(f"got {value!r}")
    if not all(isinstance(word, str) for word in value):
        raise ValueError(f"got {value!r}")
    return tuple(sorted(value) if isinstance(value, set | frozenset) else value)


def _choice(value: Any, _type: Any) -> Choice:
    if isinstance(value, Choice):
        return value
    if isinstance(value, str):
        return Choice(default=value)
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError(f"got {value!r}")
    owners = dict(value)
    return Choice(default=owners.pop("default", None), owners=owners)


def _table(value: Any, _type: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"got {value!r}")
    return dict(value)


def _count(value: Any, _type: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"got {value!r}")
    return value


def _gate(value: Any, _type: Any) -> Any:
    """Check a table of the gate; it stays a table, so that layers join key by key."""
    if not isinstance(value, Mapping | Gate):
        raise ValueError(f"got {value!r}")
    held = Gate.of(value)
    return held if isinstance(value, Gate) else dict(value)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook(bool, _strict(bool))
    converter.register_structure_hook(str, _strict(str))
    converter.register_structure_hook(int, _count)
    converter.register_structure_hook(Choice, _choice)
    converter.register_structure_hook(Gate, _gate)
    converter.register_structure_hook_func(lambda kind: kind == _WORDS, _words)
    converter.register_structure_hook_func(lambda kind: kind == _TABLE, _table)
    return converter


def structure(layers: Sequence[Layer]) -> Config:
    """Merge `layers`, the weakest first: tables join, everything else is replaced.

    Raises:
        ConfigError: names the source, the key, and the nearest known one or what was expected.
    """
    converter = _converter()
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, table in layers:
        for key, raw in table.items():
            value = _checked(converter, source, key, raw)
            values[key] = _merged(values.get(key), value)
            sources.update((dotted, source) for dotted in _dotted(key, raw))
    return Config(**values, sources=sources)


def _checked(converter: cattrs.Converter, source: str, key: str, raw: Any) -> Any:
    if key not in KEYS:
        hint = nearest(key, KEYS) or f"; known are {', '.join(KEYS)}"
        raise ConfigError(f"unknown key {key!r}{hint}", place=source)
    if key in ("providers", "plugins") and not isinstance(raw, Mapping):
        raise ConfigError(f"{key} is {raw!r}, expected {_EXPECTED[key]}", place=source)
    try:
        return converter.structure(raw, _CHECKS[key])
    except (ClassValidationError, IterableValidationError, ValueError, TypeError) as error:
        got = str(error)
        if isinstance(error, ExceptionGroup):
            got = "; ".join(
                cattrs.transform_error(error, path=key, format_exception=lambda held, _: str(held))
            )
        raise ConfigError(f"{key} is wrong ({got}), expected {_EXPECTED[key]}", place=source) from error


def _merged(weak: Any, strong: Any) -> Any:
    """Join two values of one key; the second wins where both say something."""
    if isinstance(weak, Choice) and isinstance(strong, Choice):
        return Choice(strong.default or weak.default, {**weak.owners, **strong.owners})
    if isinstance(weak, Mapping) and isinstance(strong, Mapping):
        joined = {key: _merged(weak.get(key), value) for key, value in strong.items()}
        return {**weak, **joined}
    return strong


def _dotted(key: str, value: Any) -> list[str]:
    if isinstance(value, Mapping) and value:
        return [f"{key}.{rest}" for inner in value for rest in _dotted(str(inner), value[inner])]
    return [key]
