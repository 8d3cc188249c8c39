"""ASCII FBX: the same records as text, `Name: value, value { children }`."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any, Final

from kinetoscope_fbx._node import MAX_DEPTH, NEWEST, OLDEST, Node, Properties, Property, property_of
from kinetoscope_fbx._place import Place
from kinetoscope_fbx._words import begins_as_value, quick_property, values_of

__all__ = ["parse_ascii", "states_version"]

# One match is a whole record up to what it opens, a '}', or all that is left where neither stands. What makes
# files large are runs of numbers, which one repetition of one set passes over; nothing is ever tried twice.
_RECORD: Final = re.compile(
    rb"""[ \t\r\n,]*+ (?:;[^\n]*+[ \t\r\n,]*+)*+
    (?: ([A-Za-z_][\w|\-.]*+) [ \t]*+ :
        ((?: [ \t\r\n,]++
           | "[^"]*+"
           | [-+0-9.][-+0-9., \t\r\n]*+ (?:(?<=[0-9.])(?:[eE]|\#\w++)[-+0-9., \t\r\n]*+)*+
           | \*[ ]*+\d++
           | ;[^\n]*+
           | (?![A-Za-z_][\w|\-.]*+[ \t]*+:) [A-Za-z_][\w+\-.]*+
        )*+)
        (\{?+)
      | (\} | .++)
    )""",
    re.VERBOSE | re.DOTALL,
)
_END: Final = (b"", b"", b"", b"")
"""What stands twice after the last match, so that none has to ask whether another two follow."""
_NO_VALUE: Final = re.compile(rb"[ \t\r\n,]*+(?:(?:\*[ ]*+\d++|;[^\n]*+)[ \t\r\n,]*+)*+")
_BLOCKS: Final = frozenset((b"Properties70", b"Properties60", b"Connections"))
"""Most records stand in these, in a row and with none below them: they are read with their block, or never."""
_VERSION: Final = re.compile(rb"^; FBX (\d+)\.(\d+)\.(\d+)|FBXVersion: *(\d+)", re.MULTILINE)


def states_version(head: bytes) -> int | None:
    """Return the version that the beginning of an ASCII file states, such as 7400."""
    found = _VERSION.search(head)
    if found is None:
        return None
    if found[4]:
        return int(found[4][:6])
    major, minor, patch = (int(found[i][:2]) for i in (1, 2, 3))
    return major * 1000 + minor * 100 + patch * 10


def parse_ascii(data: bytes, path: Path) -> tuple[Node, int]:
    """Return the root record of an ASCII file and the version it states.

    Raises:
        FormatError: naming the line where the file is not what it should be.
    """
    version = states_version(data[: 1 << 14])
    if version is None:
        raise Place(path, line=1).error(
            "states no version", "'; FBX 7.4.0 project file' or 'FBXVersion: 7400'"
        )
    if not OLDEST <= version < NEWEST:
        raise Place(path, line=1).error(f"states version {version}", "a version such as 7400")
    return _Records(data, path).root(), version


class _Records:
    """The records of a text; each knows its number, and reads its values from what was found there."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data = data
        self.path = path
        self.found = [*_RECORD.findall(data), _END, _END]
        self.arrays: set[int] = set()
        self.names: dict[bytes, str] = {}
        self.known: dict[int, dict[bytes, Property | None]] = {}

    def root(self) -> Node:
        """Return the record that all others stand below."""
        top = Node("", self, 0)
        top.values, top.children = [], self._below(0, len(self.found) - 2)
        return top

    def place(self, at: int) -> Place:
        """Return where a record begins: the line is counted only now."""
        held = next(islice(_RECORD.finditer(self.data), at, None), None)
        start = len(self.data) if held is None else max(held.start(1), held.start(4))
        return Place(self.path, line=self.data.count(b"\n", 0, start) + 1)

    def values(self, at: int) -> list[Any]:
        """Return the values of a record."""
        at += at in self.arrays
        try:
            return values_of(self.found[at][1])
        except ValueError as error:
            name, raw = (held.decode("utf-8", "replace") for held in self.found[at][:2])
            raise self.place(at).error(
                f"{raw.strip()[:30]!r} in {name} is no list of numbers", "numbers with commas between"
            ) from error

    def children(self, at: int) -> list[Node]:
        """Return the records below one that was passed over, or that has none."""
        if not self.found[at][2] or at in self.arrays:
            return []
        return self._below(at + 1, self._end(at))

    def links(self, at: int) -> list[list[Any]]:
        """Return what `Node.links` does."""
        return [
            self.values(i) for i in range(at + 1, self._end(at)) if self.found[i][0] in (b"C", b"Connect")
        ]

    def properties(self, at: int, first: int) -> Properties:
        """Return the properties of a block; many are written alike in many blocks, and read once."""
        known, found = self.known.setdefault(first, {}), Properties()
        for i in range(at + 1, self._end(at)):
            raw = self.found[i][1]
            try:
                held = known[raw]
            except KeyError:
                held = known[raw] = self.row(i, first)
            if held is not None:
                found[held[0]] = held[1]
        return found

    def row(self, at: int, first: int) -> Property | None:
        """Return what `Node.row` does."""
        return quick_property(self.found[at][1], first) or property_of(self.values(at), first)

    def by_name(self, at: int) -> dict[str, int]:
        """Return what `Node.by_name` does."""
        found = {}
        for i in range(at + 1, self._end(at)):
            parts = self.found[i][1].split(b'"', 2)
            if len(parts) == 3:
                found[parts[1].decode("utf-8", "replace")] = i
        return found

    def _holds_array(self, at: int) -> bool:
        """Tell whether a record is one like `Vertices: *24 { a: ... }`: binary files hold its numbers themselves."""
        inner = self.found[at + 1]
        if inner[0] != b"a" or inner[2] or self.found[at + 2][3] != b"}":
            return False
        return _NO_VALUE.fullmatch(self.found[at][1]) is not None

    def _end(self, at: int) -> int:
        """Return the number of what ends a row of records with none below them."""
        found, i = self.found, at + 1
        while found[i][0] and not found[i][2]:
            i += 1
        return i

    def _below(self, at: int, end: int) -> list[Node]:
        """Make the records from one number to another, without recursion."""
        found, names = self.found, self.names
        children: list[Node] = []
        open_: list[tuple[Node, list[Node]]] = []
        while at < end:
            raw, _, opens, other = found[at]
            if raw:
                name = names.get(raw) or names.setdefault(raw, raw.decode("utf-8", "replace"))
                node = Node(name, self, at)
                children.append(node)
                at += 1
                if not opens:
                    continue
                if self._holds_array(at - 1):
                    self.arrays.add(at - 1)
                    at += 2
                    continue
                if raw in _BLOCKS and (last := self._end(at - 1)) < end and found[last][3] == b"}":
                    at = last + 1  # what stands in it is read when somebody asks
                    continue
                if len(open_) >= MAX_DEPTH:
                    raise self.place(at - 1).error("a '{' that nests too deep")
                open_.append((node, children))
                node.children = children = []
            elif other == b"}":
                if not open_:
                    raise self.place(at).error("a '}' that closes nothing")
                children = open_.pop()[1]  # those that its own record stands among
                at += 1
            else:
                self._refuse(at, other)
                at += 1
        if open_:
            raise Place(self.path, line=self.data.count(b"\n") + 1).error(
                f"the file ends within {open_[-1][0].name}", "'}'"
            )
        return children

    def _refuse(self, at: int, rest: bytes) -> None:
        """Raise the error about what is neither a record nor the end of one, if there is anything."""
        rest = rest.strip(b" \t\r\n,\x00\x1a")
        if rest.startswith(b"{"):
            raise self.place(at).error("a '{' that follows no name")
        if begins_as_value(rest):
            raise self.place(at).error(f"{rest[:20]!r} belongs to no record", "'Name:'")
        if rest:
            raise self.place(at).error(f"{rest[:20]!r} is nothing an FBX file holds", "a record or a value")
