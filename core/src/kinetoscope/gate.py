"""The gate before the importers: what may come in, and what is said about what looks wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from kinetoscope_spec.errors import nearest

if TYPE_CHECKING:
    from kinetoscope_spec.detection import Detection
    from kinetoscope_spec.provider import Signature

__all__ = ["POLICIES", "Gate", "extensions_of", "mismatch"]

POLICIES = ("strict", "warn", "off")

_UNDECIDED = ("txt", "unknown")
"""What a detector says when it is not sure: no contradiction to a name."""


def _labels(value: Iterable[str]) -> tuple[str, ...] | str:
    return value if isinstance(value, str) else tuple(value)  # a string is refused, not spelled out


def _sizes(value: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(dict(value)) if isinstance(value, Mapping) else value


@attrs.frozen
class Gate:
    """What `Host.open` lets in, from the table `[gate]` of the configuration.

    Attributes:
        policy: `strict` refuses a file that raises an alarm or whose name says something else;
            `warn` reads it and says so in the asset's warnings and in the log; `off` does not look.
            What follows is kept under both `strict` and `warn`.
        allow_labels, allow_groups: content types and groups that alone may come in; None: all.
        block_labels, block_groups: those that may not.
        max_bytes: how large a file may be; None: any size.
        max_bytes_of: by label, how large a file of that type may be.

    Raises:
        ValueError: a value is wrong: a misspelled policy would otherwise let in what it should keep out.
    """

    policy: str = "warn"
    allow_labels: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_labels)
    )
    block_labels: tuple[str, ...] = attrs.field(default=(), converter=_labels)
    allow_groups: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_labels)
    )
    block_groups: tuple[str, ...] = attrs.field(default=(), converter=_labels)
    max_bytes: int | None = None
    max_bytes_of: Mapping[str, int] = attrs.field(factory=dict, converter=_sizes)

    def __attrs_post_init__(self) -> None:
        for key in _CHECKS:
            value = getattr(self, key)
            if value is not None or key not in _OPTIONAL:
                _check(key, value)

    @classmethod
    def of(cls, table: Gate | Mapping[str, Any]) -> Gate:
        """Return the gate that a table of the configuration describes.

        Raises:
            ValueError: a key is unknown (the nearest known one is named), or a value is wrong.
        """
        if isinstance(table, Gate):
            return table
        if not isinstance(table, Mapping):
            raise ValueError(f"is {table!r}, expected a table with any of {', '.join(_CHECKS)}")
        for key, value in table.items():
            if key not in _CHECKS:
                raise ValueError(f"unknown key {key!r}{nearest(str(key), tuple(_CHECKS))}")
            _check(key, value)
        return cls(**table)

    def refusal(self, detection: Detection, size: int) -> str | None:
        """Return why a file may not come in whatever else it is, or None."""
        if self.policy == "off":
            return None
        label, group = detection.label, detection.group
        for kind, value, allowed, blocked in (
            ("label", label, self.allow_labels, self.block_labels),
            ("group", group, self.allow_groups, self.block_groups),
        ):
            if value in blocked:
                return f"the {kind} {value!r} is blocked by gate.block_{kind}s"
            if allowed is not None and value not in allowed:
                return (
                    f"the {kind} {value!r} is not among gate.allow_{kind}s ({', '.join(allowed) or 'none'})"
                )
        for key, most in (
            ("max_bytes", self.max_bytes),
            (f"max_bytes_of.{label}", self.max_bytes_of.get(label)),
        ):
            if most is not None and size > most:
                return f"it has {size:,} bytes, more than gate.{key} = {most:,}"
        return None

    def doubts(
        self, detection: Detection, path: object, table: Mapping[str, frozenset[str]]
    ) -> Iterator[str]:
        """Yield what looks wrong about a file: the name that says something else, and alarms.

        `table` tells which labels an extension stands for, as `Host.extensions` does.
        """
        if self.policy == "off":
            return
        other = mismatch(detection, path, table)
        if other is not None:
            yield other
        yield from detection.alarms


def _words(value: object) -> bool:
    return (
        isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(v, str) for v in value)
    )


def _count(value: object) -> bool:
    return type(value) is int and value >= 0


def _counts(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_count, value.values()))


_CHECKS: Mapping[str, tuple[str, Any]] = {
    "policy": ("one of strict, warn, off", POLICIES.__contains__),
    "allow_labels": ("a list of labels", _words),
    "block_labels": ("a list of labels", _words),
    "allow_groups": ("a list of groups", _words),
    "block_groups": ("a list of groups", _words),
    "max_bytes": ("a number of bytes", _count),
    "max_bytes_of": ("a table of labels and numbers of bytes", _counts),
}

_OPTIONAL = ("allow_labels", "allow_groups", "max_bytes")
"""Those that may be None in Python; a table leaves them out."""


def _check(key: str, value: object) -> None:
    wanted, fits = _CHECKS[key]
    if not fits(value):
        raise ValueError(f"{key} is {value!r}, expected {wanted}")


def extensions_of(signatures: Iterable[Signature]) -> dict[str, frozenset[str]]:
    """Return the labels that a name's extension (in small letters, without dot) stands for."""
    found: dict[str, frozenset[str]] = {}
    for signature in signatures:
        for extension in signature.extensions:
            key = extension.lower().lstrip(".")
            found[key] = found.get(key, frozenset()) | {signature.label}
    return found


def mismatch(detection: Detection, path: object, table: Mapping[str, frozenset[str]]) -> str | None:
    """Return how a file's name contradicts its content, or None; `table` is that of `extensions_of`.

    A name never decides what a file is. An answer that is not sure contradicts nothing, nor does
    what is no file with content.
    """
    # All that follows any of the last dots: `walk.sample.toml` may be two things, and is one of them.
    parts = PurePath(str(path)).name.lower().lstrip(".").split(".")[1:][-3:]
    wanted = {label for i in range(len(parts)) for label in table.get(".".join(parts[i:]), ())}
    if not wanted or detection.error or detection.group == "inode":
        return None
    if detection.label in wanted or detection.label in _UNDECIDED:
        return None
    return (
        f"is named .{parts[-1]} but is {detection.label} ({detection.score:.2f}, by {detection.decided_by})"
    )
