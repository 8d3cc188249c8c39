"""The records that an FBX file is made of, the same for binary and ASCII files."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import FormatError

__all__ = ["LARGEST", "MAX_DEPTH", "NEWEST", "OLDEST", "Node", "PackedArray", "Place"]

MAX_DEPTH = 64
"""Records nest no deeper: the deepest that exporters write is about ten."""

OLDEST, NEWEST = 5000, 9000
"""Versions from `OLDEST` on and before `NEWEST` are read."""

LARGEST = 1e30
"""Larger numbers are damage: nothing could be computed from them."""

DEFLATE_MOST = 1100
"""Deflate makes at most 1,032 bytes of one (zlib's technical details); more is a lie about the size."""

Array = NDArray[Any]


@attrs.frozen
class Place:
    """Where in a file something stands, for what is said about it."""

    path: Path
    offset: int | None = None
    line: int | None = None

    def error(self, message: str, expected: str | None = None) -> FormatError:
        """Return the error to raise about this place."""
        return FormatError(message, path=self.path, offset=self.offset, line=self.line, expected=expected)


@attrs.frozen
class PackedArray:
    """An array as it lies in a binary file; unpacked when somebody asks for it, and not before."""

    data: memoryview
    dtype: np.dtype[Any]
    count: int
    deflated: bool
    place: Place

    def unpack(self) -> Array:
        """Return the numbers `[count]`.

        Raises:
            FormatError: the packed bytes are damaged, or hold another number of bytes.
        """
        size = self.count * self.dtype.itemsize
        if not self.deflated:
            return np.frombuffer(self.data, self.dtype, self.count)
        if size > DEFLATE_MOST * len(self.data):
            raise self.place.error(
                f"an array of {self.count:,} numbers packed into {len(self.data):,} bytes",
                "no more than deflate can pack",
            )
        try:
            plain = zlib.decompressobj().decompress(self.data, size + 1)
        except zlib.error as error:
            raise self.place.error(f"a packed array is damaged: {error}") from error
        if len(plain) != size:
            raise self.place.error(
                f"a packed array holds {len(plain):,} bytes or more", f"{size:,} for {self.count:,} numbers"
            )
        return np.frombuffer(plain, self.dtype)


class Node:
    """One record: a name, values, and records below it.

    Files have tens of thousands: a plain class with slots takes half the time that attrs would.
    """

    __slots__ = ("_at", "_binary", "_path", "children", "name", "values")

    def __init__(self, name: str, path: Path, at: int, *, binary: bool) -> None:
        self.name = name
        self.values: list[Any] = []
        self.children: list[Node] = []
        self._path = path
        self._at = at
        self._binary = binary

    @property
    def place(self) -> Place:
        """Where the record begins."""
        return Place(self._path, self._at) if self._binary else Place(self._path, line=self._at)

    def beside(self, name: str) -> Node:
        """Return a new record that counts as standing where this one does."""
        return Node(name, self._path, self._at, binary=self._binary)

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
        parts = [held.unpack() if isinstance(held, PackedArray) else held for held in self.values]
        try:
            found = (
                np.concatenate([np.atleast_1d(np.asarray(part)) for part in parts]) if parts else np.empty(0)
            )
            if found.dtype.kind not in "biuf":
                raise ValueError(f"{found.dtype} is no kind of number")
        except ValueError as error:
            raise self.place.error(f"{self.name} holds what is no number", "numbers") from error
        if len(found) % columns:
            raise self.place.error(f"{self.name} holds {len(found)} numbers", f"a multiple of {columns}")
        kind = np.dtype(dtype).kind
        if kind == "f" and not any_bits and len(found) and not np.abs(found).max() <= LARGEST:
            at = int(np.flatnonzero(~(np.abs(found) <= LARGEST))[0])
            raise self.place.error(
                f"{self.name} holds {found[at]} at index {at}", f"numbers up to {LARGEST:g}"
            )
        fraction = kind == "i" and found.dtype.kind == "f"
        if fraction and not (np.isfinite(found).all() and np.abs(found).max(initial=0) < 2**53):
            raise self.place.error(f"{self.name} holds numbers that are not whole", "whole numbers")
        given: Array = found.astype(dtype, copy=False)
        return given.reshape(-1, columns) if columns > 1 else given
