"""Binary FBX: a header of 27 bytes, then nested records; versions before 7500 have 32-bit lengths.

The layout as Blender's developers wrote it down ("FBX binary file format specification", 2013).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from kinetoscope_fbx._node import (
    MAX_DEPTH,
    NEWEST,
    OLDEST,
    Node,
    Properties,
    Property,
    property_of,
)
from kinetoscope_fbx._place import PackedArray, Place
from kinetoscope_spec import FormatError

__all__ = ["MAGIC", "parse_binary"]

MAGIC: Final = b"Kaydara FBX Binary  \x00"
_HEADER = 27
_SCALARS: Final = {
    "Y": ("h", 2), "I": ("i", 4), "L": ("q", 8), "F": ("f", 4), "D": ("d", 8), "C": ("B", 1), "B": ("B", 1), "Z": ("b", 1)
}  # fmt: skip
_TEXT, _LONG = ord("S"), ord("L")
_UNREAD: Final = frozenset(
    (b"NodeAttribute", b"Pose", b"Thumbnail", b"UserData", b"Shading", b"Culling", b"TypeFlags", b"Version")
)
"""A third of all records; nothing here asks for them, and they are passed over whole."""
_BLOCKS: Final = frozenset((b"Properties70", b"Properties60", b"Connections"))
"""Most records stand in these, in a row and with none below them: they are read with their block, or never."""
_ARRAYS: Final = {"f": "f4", "d": "f8", "l": "i8", "i": "i4", "b": "i1", "c": "u1"}


def parse_binary(data: bytes, path: Path) -> tuple[Node, int]:
    """Return the root record of a binary file and the version it states.

    Arrays are left packed.

    Raises:
        FormatError: naming the byte where the file is not what it should be.
    """
    if len(data) < _HEADER:
        raise Place(path, len(data)).error("the file ends in its header", f"{_HEADER} bytes")
    order = ">" if data[22] == 1 else "<"
    (version,) = struct.unpack_from(f"{order}I", data, 23)
    if not OLDEST <= version < NEWEST:
        raise Place(path, 23).error(f"states version {version}", "a version such as 7400")
    return _Records(data, path, order, wide=version >= 7500).root(), version


class _Records:
    """The records of a binary file; each knows the byte where it begins, and reads its values from there."""

    def __init__(self, data: bytes, path: Path, order: str, *, wide: bool) -> None:
        self.data = data
        self.path = path
        self.head = struct.Struct(f"{order}QQQB" if wide else f"{order}IIIB")
        self.array = struct.Struct(f"{order}III")
        self.length = struct.Struct(f"{order}I").unpack_from
        self.scalars = {
            ord(code): (struct.Struct(order + kind).unpack_from, 1 + size)
            for code, (kind, size) in _SCALARS.items()
        }
        self.dtypes = {code: np.dtype(order + kind) for code, kind in _ARRAYS.items()}
        self.link = b"S" + struct.pack(f"{order}I", 2) + b"OOL", struct.Struct(f"{order}qxq")
        self.names: dict[bytes, str] = {}  # a file has some dozens, tens of thousands of times
        self.known: dict[int, dict[bytes, Property | None]] = {}

    def root(self) -> Node:
        """Return the record that all others stand below."""
        top = Node("", self, 0)
        top.values, top.children = [], self._below(_HEADER, len(self.data), 0)
        for node in top.children:
            node.values  # noqa: B018 - few stand at the top, and what is wrong there is told at once
        return top

    def place(self, at: int) -> Place:
        """Return where a record begins."""
        return Place(self.path, at)

    def values(self, at: int) -> list[Any]:
        """Return the values of the record at a byte."""
        _, count, size, name_size = self.head.unpack_from(self.data, at)
        start = at + self.head.size + name_size
        return self._values(at, start, start + size, count) if count else []

    def children(self, at: int) -> list[Node]:
        """Return the records below one that was passed over."""
        stop, _, size, name_size = self.head.unpack_from(self.data, at)
        return self._below(at + self.head.size + name_size + size, stop, 1)

    def properties(self, at: int, first: int) -> Properties:
        """Return the properties of a block; many are written alike in many blocks, and read once."""
        data, found = self.data, Properties()
        known = self.known.setdefault(first, {})
        for record, start, end, count in self._row(at):
            raw = data[start:end]
            try:
                held = known[raw]
            except KeyError:
                held = known[raw] = property_of(self._values(record, start, end, count), first)
            if held is not None:
                found[held[0]] = held[1]
        return found

    def row(self, at: int, first: int) -> Property | None:
        """Return what `Node.row` does."""
        return property_of(self.values(at), first)

    def by_name(self, at: int) -> dict[str, int]:
        """Return what `Node.by_name` does."""
        data, found = self.data, {}
        for record, start, end, _ in self._row(at):
            if end - start > 4 and data[start] == _TEXT:
                last = start + 5 + self.length(data, start + 1)[0]
                found[data[start + 5 : min(last, end)].decode("utf-8", "replace")] = record
        return found

    def links(self, at: int) -> list[list[Any]]:
        """Return what `Node.links` does; most are two numbers, and lie alike."""
        data, head, numbers, found = self.data, self.link[0], self.link[1].unpack_from, []
        for record, start, end, count in self._row(at):
            if (
                count == 3
                and end - start == 25
                and data.startswith(head, start)
                and data[start + 16] == _LONG
            ):
                found.append(["OO", *numbers(data, start + 8)])
            elif self._name(record) in ("C", "Connect"):
                found.append(self._values(record, start, end, count))
        return found

    def _row(self, at: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield of each record right below one where it, its values, and those end, and how many there are."""
        data, head, head_size = self.data, self.head.unpack_from, self.head.size
        end, _, size, name_size = head(data, at)
        at += head_size + name_size + size
        while at + head_size <= end:
            stop, count, size, name_size = head(data, at)
            if stop == 0:
                return
            start = at + head_size + name_size
            if not start + size <= stop <= end:
                raise self._misplaced(at, start + size, stop, size, end)
            yield at, start, start + size, count
            at = stop
        if at < end:
            raise Place(self.path, at).error("the file ends within a record", "the head of a record")

    def _below(self, at: int, end: int, depth: int) -> list[Node]:
        """Read the heads of all records from a byte to an end, children after their parents.

        Without recursion; blocks of properties and connections are passed over whole.
        """
        data, head, head_size, names = self.data, self.head.unpack_from, self.head.size, self.names
        top: list[Node] = []
        children, open_ = top, [(top, end)]
        while True:
            if end - at < head_size:
                if at < end and (depth or len(open_) > 1):
                    raise Place(self.path, at).error("the file ends within a record", "the head of a record")
                stop = 0  # at the top the footer was cut off; all records stand before it
            else:
                stop, _, size, name_size = head(data, at)
            if stop == 0:  # the null record: no more children; at the top the footer follows
                at = end
                open_.pop()
                if not open_:
                    return top
                children, end = open_[-1]
                continue
            start = at + head_size
            values = start + name_size
            if not values + size <= stop <= end:
                raise self._misplaced(at, values + size, stop, size, end)
            raw = data[start:values]
            if raw in _UNREAD:
                at = stop
                continue
            name = names.get(raw) or names.setdefault(raw, raw.decode("utf-8", "replace"))
            node = Node(name, self, at)
            children.append(node)
            at = values + size
            if raw in _BLOCKS:
                at = stop
            elif at < stop:
                if depth + len(open_) > MAX_DEPTH:
                    raise node.place.error(f"records nest deeper than {MAX_DEPTH}")
                node.children = children = []
                end = stop
                open_.append((children, end))

    def _misplaced(self, at: int, least: int, stop: int, size: int, end: int) -> FormatError:
        return Place(self.path, at).error(
            f"a record that ends at byte {stop:,} with {size:,} bytes of values",
            f"an end between byte {least:,} and {end:,}",
        )

    def _values(self, record: int, at: int, end: int, count: int) -> list[Any]:
        """Read `count` values from a byte to an end, those of the record at another."""
        if count > end - at:
            raise Place(self.path, record).error(
                f"{self._name(record)} states {count:,} values in {end - at:,} bytes"
            )
        data, scalars, length = self.data, self.scalars, self.length
        values: list[Any] = []
        try:
            for _ in range(count):
                code = data[at]
                if code == _TEXT:
                    (size,) = length(data, at + 1)
                    at += 5 + size
                    values.append(data[at - size : at].decode("utf-8", "replace"))
                elif scalar := scalars.get(code):
                    values.append(scalar[0](data, at + 1)[0])
                    at += scalar[1]
                else:
                    held, size = self._large(record, chr(code), at + 1, end)
                    at += 1 + size
                    values.append(held)
                if at > end:
                    break
        except (IndexError, struct.error) as error:
            raise self._short(record, f"{count} values") from error
        if at > end:
            raise self._short(record, f"{count} values in its {end} bytes")
        return values

    def _name(self, record: int) -> str:
        start = record + self.head.size
        size = self.head.unpack_from(self.data, record)[3]
        return self.data[start : start + size].decode("utf-8", "replace")

    def _short(self, record: int, expected: str) -> FormatError:
        return Place(self.path, record).error(f"the values of {self._name(record)} end early", expected)

    def _large(self, record: int, code: str, at: int, end: int) -> tuple[Any, int]:
        """Return bytes or an array, and how many bytes it takes after the letter that tells its kind."""
        if code == "R":
            (size,) = self.length(self.data, at)
            self._room(record, at + 4, size, end)
            return memoryview(self.data)[at + 4 : at + 4 + size], 4 + size
        if code not in self.dtypes:
            raise Place(self.path, at - 1).error(
                f"a value of kind {code!r} in {self._name(record)}", "one of YIFLDCBZSRfdlibc"
            )
        count, encoding, size = self.array.unpack_from(self.data, at)
        dtype = self.dtypes[code]
        if encoding not in (0, 1):
            raise Place(self.path, at).error(f"an array packed in way {encoding}", "0 (plain) or 1 (deflate)")
        size = size if encoding else count * dtype.itemsize
        self._room(record, at + 12, size, end)
        packed = memoryview(self.data)[at + 12 : at + 12 + size]
        return PackedArray(packed, dtype, count, bool(encoding), Place(self.path, at)), 12 + size

    def _room(self, record: int, at: int, size: int, end: int) -> None:
        if size > end - at:
            raise Place(self.path, at).error(
                f"a value of {self._name(record)} takes {size:,} bytes", f"at most {max(end - at, 0):,}"
            )
