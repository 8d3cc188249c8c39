"""The records that an FBX file is made of, the same for binary and ASCII files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._place import PackedArray, Place

__all__ = [
    "LARGEST",
    "MAX_DEPTH",
    "NEWEST",
    "OLDEST",
    "Node",
    "Properties",
    "Property",
    "Source",
    "joined",
    "property_of",
]

MAX_DEPTH = 64
"""Records nest no deeper: the deepest that exporters write is about ten."""

OLDEST, NEWEST = 5000, 9000
"""Versions from `OLDEST` on and before `NEWEST` are read."""

LARGEST = 1e30
"""Larger numbers are damage: nothing could be computed from them."""

Array = NDArray[Any]

_PLAIN = {int, float}

Property = tuple[str, tuple[Any, ...]]
Properties = dict[str, tuple[Any, ...]]


class Source(Protocol):
    """A file that tells of a record what stands in it, when somebody asks.

    `at` is what the source gave the record to know it by.
    """

    def values(self, at: int) -> list[Any]:
        """Return a record's values."""

    def children(self, at: int) -> list[Node]:
        """Return the records below a record that was made without them."""

    def properties(self, at: int, first: int) -> Properties:
        """Return what `Node.properties` does of a record that was made without children."""

    def by_name(self, at: int) -> dict[str, int]:
        """Return what `Node.by_name` does."""

    def row(self, at: int, first: int) -> Property | None:
        """Return what `Node.row` does."""

    def links(self, at: int) -> list[list[Any]]:
        """Return what `Node.links` does of a record that was made without children."""

    def place(self, at: int) -> Place:
        """Return where a record begins."""


class Node:
    """One record: a name, values, and records below it, read from the file when they are asked for.

    Files have tens of thousands, and most are never looked at: a plain class with slots takes half the time
    that attrs would.
    """

    __slots__ = ("_at", "_children", "_source", "_values", "name")

    def __init__(self, name: str, source: Source, at: int) -> None:
        self.name = name
        self._source = source
        self._at = at
        self._values: list[Any] | None = None
        self._children: list[Node] | None = None

    @property
    def values(self) -> list[Any]:
        """Numbers, texts, arrays and bytes."""
        held = self._values
        if held is None:
            held = self._values = self._source.values(self._at)
        return held

    @values.setter
    def values(self, values: list[Any]) -> None:
        self._values = values

    @property
    def children(self) -> list[Node]:
        """The records below this one, in the file's order."""
        held = self._children
        if held is None:
            held = self._children = self._source.children(self._at)
        return held

    @children.setter
    def children(self, children: list[Node]) -> None:
        self._children = children

    @property
    def place(self) -> Place:
        """Where the record begins."""
        return self._source.place(self._at)

    def properties(self, first: int) -> Properties:
        """Return of a block `Properties70` the values by name: those from number `first` on."""
        if self._children is None:
            return self._source.properties(self._at, first)
        rows = [child.values for child in self._children]
        return dict(held for row in rows if (held := property_of(row, first)) is not None)

    def by_name(self) -> dict[str, int]:
        """Return of a block of properties, read from a file, what `row` finds each by, by its name."""
        return self._source.by_name(self._at)

    def row(self, at: int, first: int) -> Property | None:
        """Return name and values of one property of a block, those from number `first` on."""
        return self._source.row(at, first)

    def links(self) -> list[list[Any]]:
        """Return of a block `Connections` the values of each connection."""
        if self._children is None:
            return self._source.links(self._at)
        return [child.values for child in self._children if child.name in ("C", "Connect")]

    def beside(self, name: str) -> Node:
        """Return a new record, with nothing in it, that counts as standing where this one does."""
        made = Node(name, self._source, self._at)
        made.values, made.children = [], []
        return made

    def find(self, name: str) -> Node | None:
        """Return the first child of that name."""
        for child in self.children:
            if child.name == name:
                return child
        return None

    def all(self, name: str) -> Iterator[Node]:
        """Yield the children of that name."""
        return (child for child in self.children if child.name == name)

    def text(self, name: str, default: str = "") -> str:
        """Return the first value of the child `name` as text."""
        child = self.find(name)
        held = child.values[0] if child is not None and child.values else default
        return held if isinstance(held, str) else str(held)

    def integer(self, name: str, default: int = 0) -> int:
        """Return the first value of the child `name` as a whole number."""
        child = self.find(name)
        held = child.values[0] if child is not None and child.values else default
        return int(held) if isinstance(held, int | float) and abs(held) < 2**63 else default

    def array(self, name: str, dtype: Any = np.float64, *, columns: int = 1) -> Array | None:
        """Return the numbers of the child `name`, `[N]` or `[N, columns]`; None without such a child.

        Raises:
            FormatError: there are values that are no numbers, or not a multiple of `columns`.
        """
        child = self.find(name)
        return None if child is None else child.numbers(dtype, columns=columns)

    def numbers(self, dtype: Any = np.float64, *, columns: int = 1, any_bits: bool = False) -> Array:
        """Return this record's values as numbers, `[N]` or `[N, columns]`.

        `any_bits` lets numbers through that are no numbers: floats in which something else is packed.

        Raises:
            FormatError: there are values that are no numbers, or not a multiple of `columns`.
        """
        try:
            found = _joined(self.values)
            if found.dtype.kind not in "biuf":
                raise ValueError(f"{found.dtype} is no kind of number")
        except (ValueError, OverflowError) as error:
            raise self.place.error(f"{self.name} holds what is no number", "numbers") from error
        if len(found) % columns:
            raise self.place.error(f"{self.name} holds {len(found)} numbers", f"a multiple of {columns}")
        kind = np.dtype(dtype).kind
        if kind == "f" and not any_bits and len(found) and not np.maximum.reduce(np.abs(found)) <= LARGEST:
            at = int(np.flatnonzero(~(np.abs(found) <= LARGEST))[0])
            raise self.place.error(
                f"{self.name} holds {found[at]} at index {at}", f"numbers up to {LARGEST:g}"
            )
        fraction = kind == "i" and found.dtype.kind == "f"
        if fraction and not (np.isfinite(found).all() and np.abs(found).max(initial=0) < 2**53):
            raise self.place.error(f"{self.name} holds numbers that are not whole", "whole numbers")
        given: Array = found.astype(dtype, copy=False)
        return given.reshape(-1, columns) if columns > 1 else given


def _joined(values: list[Any]) -> Array:
    """Return all values of a record as one array; raises ValueError where that can't be."""
    if set(map(type, values)) <= _PLAIN:
        return np.array(values) if values else np.empty(0)
    parts = [
        np.atleast_1d(held.unpack() if isinstance(held, PackedArray) else np.asarray(held)) for held in values
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def joined(nodes: Sequence[Node | None], dtype: Any) -> tuple[Array, Array]:
    """Return the numbers of many records one after another, `[N]`, and how many each has; None has none.

    Raises:
        FormatError: as `Node.numbers` does.
    """
    values = [node.values if node is not None else [] for node in nodes]
    plain = [held for row in values for held in row]
    if set(map(type, plain)) <= _PLAIN:
        found = np.array(plain) if plain else np.empty(0, dtype)
        fits = found.dtype.kind == "i" or (found.dtype.kind == np.dtype(dtype).kind == "f")
        if fits and (found.dtype.kind == "i" or (np.abs(found) <= LARGEST).all()):
            return found.astype(dtype, copy=False), np.array(list(map(len, values)), np.int64)
    parts = [np.empty(0, dtype) if node is None else node.numbers(dtype) for node in nodes]
    return np.concatenate([np.empty(0, dtype), *parts]), np.array(list(map(len, parts)), np.int64)


def property_of(row: list[Any], first: int) -> Property | None:
    """Return the name and values of one property, the values of its record being `row`; None if it has none."""
    if len(row) <= first or not isinstance(row[0], str):
        return None
    return row[0], tuple(_plain(held) for held in row[first:])


def _plain(held: Any) -> Any:
    return held.tolist()[0] if isinstance(held, np.ndarray) and held.size else held
