"""Binary FBX: a header of 27 bytes, then nested records; versions before 7500 have 32-bit lengths.

The layout as Blender's developers wrote it down ("FBX binary file format specification", 2013).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import numpy as np

from kinetoscope_fbx._node import MAX_DEPTH, NEWEST, OLDEST, Node, PackedArray, Place

__all__ = ["MAGIC", "parse_binary"]

MAGIC: Final = b"Kaydara FBX Binary  \x00"
_HEADER = 27
_SCALARS: Final = {
    "Y": ("h", 2), "I": ("i", 4), "L": ("q", 8), "F": ("f", 4), "D": ("d", 8), "C": ("B", 1), "B": ("B", 1), "Z": ("b", 1)
}  # fmt: skip
_TEXT: Final = ord("S")
_UNREAD: Final = frozenset(
    (b"NodeAttribute", b"Pose", b"Thumbnail", b"UserData", b"Shading", b"Culling", b"TypeFlags", b"Version")
)
"""A third of all records; nothing here asks for them, and they are passed over whole."""
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
    def __init__(self, data: bytes, path: Path, order: str, *, wide: bool) -> None:
        self.data = data
        self.view = memoryview(data)
        self.path = path
        self.order = order
        self.head = struct.Struct(f"{order}QQQB" if wide else f"{order}IIIB")
        self.array = struct.Struct(f"{order}III")
        self.length = struct.Struct(f"{order}I").unpack_from
        self.scalars = {
            ord(code): (struct.Struct(order + kind).unpack_from, size)
            for code, (kind, size) in _SCALARS.items()
        }
        self.names: dict[bytes, str] = {}  # a file has some dozens, tens of thousands of times
        self.dtypes = {code: np.dtype(order + kind) for code, kind in _ARRAYS.items()}

    def root(self) -> Node:
        """Read all records, children after their parents, without recursion."""
        data, path, head, head_size, names = (
            self.data,
            self.path,
            self.head.unpack_from,
            self.head.size,
            self.names,
        )
        top = Node("", path, 0, binary=True)
        open_: list[tuple[Node, int]] = [(top, len(data))]
        at = _HEADER
        while open_:
            above, end = open_[-1]
            if at >= end:
                at = end
                open_.pop()
                continue
            if end - at < head_size:
                if len(open_) == 1:  # the footer was cut off; all records stand before it
                    break
                raise Place(path, at).error("the file ends within a record", "the head of a record")
            stop, count, size, name_size = head(data, at)
            if stop == 0:  # the null record: no more children; at the top the footer follows
                if len(open_) == 1:
                    break
                at = end
                open_.pop()
                continue
            start = at + head_size
            values = start + name_size
            if not values + size <= stop <= end:
                raise Place(path, at).error(
                    f"a record that ends at byte {stop:,} with {size:,} bytes of values",
                    f"an end between byte {values + size:,} and {end:,}",
                )
            raw = data[start:values]
            if raw in _UNREAD:
                at = stop
                continue
            name = names.get(raw) or names.setdefault(raw, raw.decode("utf-8", "replace"))
            node = Node(name, path, at, binary=True)
            if count:
                self._values(node, values, values + size, count)
            above.children.append(node)
            at = values + size
            if at < stop:
                if len(open_) > MAX_DEPTH:
                    raise node.place.error(f"records nest deeper than {MAX_DEPTH}")
                open_.append((node, stop))
        return top

    def _values(self, node: Node, at: int, end: int, count: int) -> None:
        if count > end - at:
            raise node.place.error(f"{node.name} states {count:,} values in {end - at:,} bytes")
        data, scalars, length, values = self.data, self.scalars, self.length, node.values
        typed = node.name == "P"  # a property's words for its type, which nobody asks for
        try:
            for _ in range(count):
                code = data[at]
                if code == _TEXT:
                    (size,) = length(data, at + 1)
                    at += 5 + size
                    if typed and 1 <= len(values) <= 3:
                        values.append("")
                    else:
                        values.append(data[at - size : at].decode("utf-8", "replace"))
                elif code in scalars:
                    kind, size = scalars[code]
                    values.append(kind(data, at + 1)[0])
                    at += 1 + size
                else:
                    held, size = self._large(node, chr(code), at + 1, end)
                    at += 1 + size
                    values.append(held)
                if at > end:
                    break
        except (IndexError, struct.error) as error:
            raise node.place.error(f"the values of {node.name} end early", f"{count} values") from error
        if at > end:
            raise node.place.error(
                f"the values of {node.name} end early", f"{count} values in its {end} bytes"
            )

    def _large(self, node: Node, code: str, at: int, end: int) -> tuple[Any, int]:
        """Return bytes or an array, and how many bytes it takes after the letter that tells its kind."""
        if code == "R":
            (size,) = self.length(self.data, at)
            self._room(node, at + 4, size, end)
            return self.view[at + 4 : at + 4 + size], 4 + size
        if code not in self.dtypes:
            raise Place(self.path, at - 1).error(
                f"a value of kind {code!r} in {node.name}", "one of YIFLDCBZSRfdlibc"
            )
        count, encoding, size = self.array.unpack_from(self.data, at)
        dtype = self.dtypes[code]
        if encoding not in (0, 1):
            raise Place(self.path, at).error(f"an array packed in way {encoding}", "0 (plain) or 1 (deflate)")
        size = size if encoding else count * dtype.itemsize
        self._room(node, at + 12, size, end)
        packed = self.view[at + 12 : at + 12 + size]
        return PackedArray(packed, dtype, count, bool(encoding), Place(self.path, at)), 12 + size

    def _room(self, node: Node, at: int, size: int, end: int) -> None:
        if size > end - at:
            raise Place(self.path, at).error(
                f"a value of {node.name} takes {size:,} bytes", f"at most {max(end - at, 0):,}"
            )
