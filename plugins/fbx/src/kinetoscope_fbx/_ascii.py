"""ASCII FBX: the same records as text, `Name: value, value { children }`."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from kinetoscope_fbx._node import MAX_DEPTH, NEWEST, OLDEST, Node, Place

__all__ = ["parse_ascii", "states_version"]

# One match is a whole run of numbers: what makes files large is then parsed by NumPy at once.
_TOKEN: Final = re.compile(
    rb"""[ \t\r\n,]*(?:
        (?P<comment>;[^\n]*)
      | (?P<text>"[^"]*")
      | (?P<open>\{) | (?P<close>\})
      | (?P<star>\*[ ]*\d+)
      | (?P<name>[A-Za-z_][\w|\-.]*[ \t]*:)
      | (?P<numbers>[-+]?[0-9.][0-9eE+\-.]*(?:\#\w+)?(?:\s*,\s*[-+]?[0-9.][0-9eE+\-.]*(?:\#\w+)?)*)
      | (?P<word>[A-Za-z_][\w+\-.]*)
    )""",
    re.VERBOSE,
)
_VERSION: Final = re.compile(rb"^; FBX (\d+)\.(\d+)\.(\d+)|FBXVersion: *(\d+)", re.MULTILINE)
_FEW = 24
"""Runs of so many numbers or fewer become Python numbers: exact ones, whatever their size."""


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
    return _Tokens(data, path).root(), version


class _Tokens:
    def __init__(self, data: bytes, path: Path) -> None:
        self.data = data
        self.path = path
        self.counted = (0, 1)  # a byte, and the line it stands in

    def root(self) -> Node:
        """Read all records, without recursion."""
        top = Node("", self.path, 1, binary=False)
        open_ = [top]
        node: Node | None = None
        at, match = 0, _TOKEN.match
        while found := match(self.data, at):
            kind, at = found.lastgroup, found.end()
            if kind == "comment":
                continue
            raw = found[kind] if kind else b""
            if kind == "name":
                line = self._place(found.start(kind)).line or 1
                node = Node(raw[:-1].rstrip().decode("utf-8", "replace"), self.path, line, binary=False)
                open_[-1].children.append(node)
            elif kind == "open":
                if node is None or len(open_) > MAX_DEPTH:
                    raise self._place(at).error("a '{' that follows no name, or nests too deep")
                open_.append(node)
                node = None
            elif kind == "close":
                if len(open_) == 1:
                    raise self._place(at).error("a '}' that closes nothing")
                _join(open_.pop())
                node = None
            elif node is None:
                raise self._place(found.start(kind or 0)).error(
                    f"{raw[:20]!r} belongs to no record", "'Name:'"
                )
            else:
                self._value(node, str(kind), raw)
        rest = self.data[at:].strip(b" \t\r\n,\x00\x1a")
        if rest:
            raise self._place(at).error(f"{rest[:20]!r} is nothing an FBX file holds", "a record or a value")
        if len(open_) > 1:
            raise self._place(len(self.data)).error(f"the file ends within {open_[-1].name}", "'}'")
        return top

    def _place(self, at: int) -> Place:
        before, line = self.counted
        line += self.data.count(b"\n", before, at)
        self.counted = (at, line)
        return Place(self.path, line=line)

    def _value(self, node: Node, kind: str, raw: bytes) -> None:
        if kind == "numbers":
            node.values += _numbers(raw, node)
        elif kind == "text":
            node.values.append(raw[1:-1].decode("utf-8", "replace").replace("&quot;", '"'))
        elif kind == "word":
            node.values.append(raw.decode("ascii", "replace"))


def _numbers(raw: bytes, node: Node) -> list[Any]:
    words = raw.replace(b"\n", b"").rstrip(b", \t\r")
    if words.count(b",") < _FEW:
        try:
            return [_number(word) for word in words.split(b",")]
        except ValueError as error:
            raise node.place.error(f"{raw[:30]!r} in {node.name} is no list of numbers") from error
    # A list of 64-bit numbers must not pass through floating point.
    dtype = np.float64 if re.search(rb"[.eE#]", words) else np.int64
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return [np.fromstring(words.decode("ascii"), dtype, sep=",")]
        except (ValueError, DeprecationWarning) as error:
            raise node.place.error(
                f"{node.name} holds what is no number", "numbers with commas between"
            ) from error


def _number(word: bytes) -> int | float:
    text = word.strip()
    if b"#" in text:  # what Microsoft's printf made of infinity and NaN
        return float("nan")
    try:
        return int(text)
    except ValueError:
        return float(text)


def _join(node: Node) -> None:
    """Take the numbers of `Vertices: *24 { a: ... }` up into the record itself, as binary files have them."""
    if len(node.children) == 1 and node.children[0].name == "a" and not node.values:
        node.values = node.children[0].values
        node.children = []
