"""The text part of a BVH file: joints, their offsets and channels, frame count and frame time.

There is no standard; this follows what BioVision's description ("Motion Capture File Formats
Explained", Lander 1998; Meredith and Maddock 2001) and the files of common tools agree on.
"""

from __future__ import annotations

import re
from functools import lru_cache

import attrs

from kinetoscope_bvh._cursor import Cursor, number, shown
from kinetoscope_spec import FormatError

CHANNELS = {
    f"{axis}{kind}".lower(): f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation", "scale")
}
"""Channel names as written, by their lower-case form."""

MAX_NODES = 16_384
"""More joints and end sites than this are refused; the richest rigs have a few thousand."""

_FRAMES = re.compile(rb"[ \t\v\f\r\n]*(?i:Frames)[ \t]*:[ \t]*([^ \t\v\f\r\n]*)")
_FRAME_TIME = re.compile(rb"[ \t\v\f\r\n]*(?i:Frame[ \t]+Time)[ \t]*:[ \t]*([^ \t\v\f\r\n]*)")
_END = re.compile(rb"\}[ \t\v\f\r\n]*(?i:MOTION)[ \t\v\f\r\n]")
_SMALL = 64 * 1024
"""Bytes of text up to which a hierarchy may be kept."""

_BOM = b"\xef\xbb\xbf"
_LINE_REST = re.compile(rb"[ \t\v\f]*([^ \t\v\f\r\n]*)")


@attrs.define
class Node:
    """A joint or end site as the file states it.

    Attributes:
        name: the bytes of its name; empty for an end site.
        parent: index of the node above, -1 for the root.
        offset: x, y, z in file units, or None until OFFSET has been read.
        channels: the names of its channels, in the order of the file's columns.
        column: the column of its first channel.
        is_end: whether it is an end site.
    """

    name: bytes
    parent: int
    offset: tuple[float, float, float] | None = None
    channels: tuple[str, ...] = ()
    column: int = 0
    is_end: bool = False
    has_channels: bool = False


@attrs.frozen(eq=False)
class Hierarchy:
    """The joints of a file: equal to itself alone, so that what follows from it can be kept by it.

    Attributes:
        nodes: joints and end sites, parents first, in the order of the file.
        columns: how many numbers a frame has.
        size: how many bytes of text it took, from the file's start.
    """

    nodes: tuple[Node, ...]
    columns: int
    size: int

    @property
    def is_small(self) -> bool:
        """Whether it may be kept after its file has been read."""
        return self.size <= _SMALL


@attrs.frozen
class Header:
    """Everything before the numbers.

    Attributes:
        hierarchy: the joints.
        frames: how many frames the file declares.
        frame_time: seconds between two frames, as written.
        body: the byte at which the numbers begin.
    """

    hierarchy: Hierarchy
    frames: int
    frame_time: str
    body: int


def read_header(data: bytes, path: object) -> Header:
    """Read `data` up to the first frame.

    Raises:
        FormatError: naming the line and what was expected there.
    """
    hierarchy = _known(data) or _hierarchy(data, path)
    cursor = Cursor(data, path, hierarchy.size)
    found = cursor.word()
    if found.upper() == b"ROOT":
        cursor.fail(f"a second ROOT {shown(cursor.name())}: a BVH file holds one", "MOTION")
    if found.upper() != b"MOTION":
        cursor.fail(f"{cursor.found(found)} after the hierarchy", "MOTION")
    frames = _labelled(cursor, _FRAMES, "Frames:")
    if not re.fullmatch(rb"[0-9]{1,18}", frames):
        cursor.fail(f"{cursor.found(frames)} as the number of frames", "a whole number")
    frame_time = _frame_time(cursor)
    return Header(hierarchy, int(frames), frame_time, cursor.position)


def _known(data: bytes) -> Hierarchy | None:
    """Return the joints of a file whose text up to MOTION is one of the last few that were read.

    The clips of a take, and often of a whole folder, have the same skeleton to the letter.
    """
    end = _END.search(data, 0, _SMALL)
    if end is None:
        return None
    try:
        return _remembered(data[: end.start() + 1])
    except FormatError:  # the whole file tells what is wrong, and a name may look like an end
        return None


@lru_cache(maxsize=16)
def _remembered(text: bytes) -> Hierarchy:
    return _hierarchy(text, None)


def _hierarchy(data: bytes, path: object) -> Hierarchy:
    cursor = Cursor(data, path, len(_BOM) if data.startswith(_BOM) else 0)
    cursor.expect(b"HIERARCHY", "at the start")
    cursor.expect(b"ROOT", "after HIERARCHY")
    nodes, columns = _read_nodes(cursor)
    return Hierarchy(tuple(nodes), columns, cursor.position)


def _labelled(cursor: Cursor, pattern: re.Pattern[bytes], label: str) -> bytes:
    match = pattern.match(cursor.data, cursor.position)
    if match is None:
        found = cursor.word()
        cursor.fail(f"{cursor.found(found)} where {label!r} should stand", f"{label!r} and a number")
    cursor.begin, cursor.position = match.span(1)
    rest = _LINE_REST.match(cursor.data, cursor.position)
    assert rest is not None, "the pattern also matches nothing"
    if rest.group(1):
        cursor.begin = rest.start(1)
        cursor.fail(f"{shown(rest.group(1))} after {label!r} and its number", "the end of the line")
    return match.group(1)


def _frame_time(cursor: Cursor) -> str:
    word = _labelled(cursor, _FRAME_TIME, "Frame Time:")
    seconds = number(word)
    if seconds is None or not 1e-9 <= seconds <= 1e9:
        cursor.fail(f"{shown(word)} as the frame time", "seconds above 0")
    return word.decode()


def _read_nodes(cursor: Cursor) -> tuple[list[Node], int]:
    """Read everything from the root's name to its closing brace, without recursion."""
    nodes = [Node(_joint_name(cursor), -1)]
    _open(cursor)
    open_nodes, columns = [0], 0
    while open_nodes:
        top = open_nodes[-1]
        found = cursor.word()
        keyword = found.upper()
        if keyword == b"}":
            _check_complete(cursor, nodes[open_nodes.pop()])
        elif keyword == b"OFFSET":
            _read_offset(cursor, nodes[top])
        elif keyword == b"CHANNELS":
            columns += _read_channels(cursor, nodes[top], columns)
        elif keyword in (b"JOINT", b"END") and not nodes[top].is_end:
            nodes.append(_begin_node(cursor, keyword, top))
            open_nodes.append(len(nodes) - 1)
            if len(nodes) > MAX_NODES:
                cursor.fail(f"more than {MAX_NODES:,} joints", "a skeleton")
        elif keyword == b"ROOT":
            cursor.fail("a ROOT inside another", "JOINT")
        else:
            expected = "OFFSET or }" if nodes[top].is_end else "OFFSET, CHANNELS, JOINT, End Site or }"
            cursor.fail(f"{cursor.found(found)} in {_called(nodes[top])}", expected)
    return nodes, columns


def _joint_name(cursor: Cursor) -> bytes:
    name = cursor.name()
    if not name:
        cursor.fail("a joint without a name", "a name on the same line")
    if b"\0" in name:
        cursor.fail(f"a zero byte in the name {shown(name)}", "text")
    return name


def _begin_node(cursor: Cursor, keyword: bytes, parent: int) -> Node:
    if keyword == b"END":
        cursor.name()  # usually "Site"; some tools write a name or nothing
        node = Node(b"", parent, is_end=True)
    else:
        node = Node(_joint_name(cursor), parent)
    _open(cursor)
    return node


def _open(cursor: Cursor) -> None:
    cursor.expect(b"{", "after the joint's name")


def _called(node: Node) -> str:
    return "an end site" if node.is_end else f"joint {shown(node.name)}"


def _check_complete(cursor: Cursor, node: Node) -> None:
    if node.offset is None:
        cursor.fail(f"{_called(node)} closes without an OFFSET", "OFFSET and three numbers")


def _read_offset(cursor: Cursor, node: Node) -> None:
    if node.offset is not None:
        cursor.fail(f"a second OFFSET in {_called(node)}", "one")
    x, y, z = (cursor.number(f"the {axis} of OFFSET") for axis in "xyz")
    node.offset = (x, y, z)


def _read_channels(cursor: Cursor, node: Node, column: int) -> int:
    """Read a CHANNELS statement; return how many columns it takes."""
    if node.has_channels:
        cursor.fail(f"a second CHANNELS in {_called(node)}", "one")
    count = cursor.word()
    if not re.fullmatch(rb"[0-9]{1,2}", count):
        cursor.fail(f"{cursor.found(count)} as the number of channels", "a whole number from 0 to 99")
    names = [_channel(cursor) for _ in range(int(count))]
    if node.is_end and names:
        cursor.fail("an end site with channels", "OFFSET alone")
    for name in names:
        if not name.endswith("rotation") and names.count(name) > 1:
            cursor.fail(f"{name} twice in {_called(node)}", "each position and scale channel once")
    node.channels, node.column, node.has_channels = tuple(names), column, True
    return len(names)


def _channel(cursor: Cursor) -> str:
    word = cursor.word()
    name = CHANNELS.get(word.decode("ascii", "replace").lower())
    if name is None:
        cursor.fail(f"{cursor.found(word)} as a channel", "one of " + ", ".join(CHANNELS.values()))
    return name
