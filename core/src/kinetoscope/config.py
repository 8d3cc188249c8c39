"""Settings: `kinetoscope.toml`, `[tool.kinetoscope]`, `KINETOSCOPE_*`, arguments; weak to strong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from kinetoscope.gate import Gate

__all__ = ["Choice", "Config"]


CACHE_BYTES = 20_000_000_000


def _frozen_mapping(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


def _gate(value: Gate | Mapping[str, Any]) -> Gate:
    return Gate.of(value)


@attrs.frozen
class Choice:
    """What configuration says about one hook.

    Attributes:
        default: the provider to use where none is named.
        owners: by provider name, the distribution whose provider of that name is meant.
    """

    default: str | None = None
    owners: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen_mapping)


@attrs.frozen
class Config:
    """The settings in force.

    Attributes:
        autoload: whether installed plugins are used at all.
        block: names, `hook:name`s or distributions that are left out, before import.
        allow: those that alone are used; None allows all.
        trace: whether calls of providers are timed and told to plugins.
        providers: by hook, which provider to prefer: `importer = "bvh"`; or a table of the
            distribution that a name belongs to: `importer.bvh = "acme-bvh"` (and `importer.default`).
        plugins: by plugin, a table that is passed on to it and that core does not read.
        gate: what `Host.open` lets in.
        cache_bytes: size that what shots keep for later may have.
        sources: by dotted key, the file, variable or argument that set it.
    """

    autoload: bool = True
    block: tuple[str, ...] = ()
    allow: tuple[str, ...] | None = None
    trace: bool = False
    providers: Mapping[str, Choice] = attrs.field(factory=dict, converter=_frozen_mapping)
    plugins: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict, converter=_frozen_mapping)
    gate: Gate = attrs.field(factory=Gate, converter=_gate)
    cache_bytes: int = CACHE_BYTES
    sources: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen_mapping, eq=False)

    @classmethod
    def load(
        cls,
        arguments: Mapping[str, Any] | None = None,
        *,
        file: str | Path | None = None,
        folder: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Config:
        """Read the settings in force for `folder` (the current one).

        `kinetoscope.toml` and a `pyproject.toml` with `[tool.kinetoscope]` are taken from the nearest
        folder upward that has one; `file` is read instead of both. `arguments` are strongest.

        Raises:
            ConfigError: a file can't be read, a key is unknown (the nearest known one is named), or a
                value is of the wrong kind.
        """
        from kinetoscope._layers import layers

        found = layers(arguments or {}, file=file, folder=folder, environ=environ)
        if not found:
            return cls()
        from kinetoscope._structure import structure

        return structure(found)

    def settings(self, *names: str) -> dict[str, Any]:
        """Return the tables `[plugins.<name>]` of a plugin, known by several names, as one."""
        merged: dict[str, Any] = {}
        for name in names:
            merged.update(self.plugins.get(name, {}))
        return merged
