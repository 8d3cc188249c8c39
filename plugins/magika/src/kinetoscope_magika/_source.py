"""The two ends of a file, bytes or stream, read once and without ever blocking."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import attrs

__all__ = ["BLANKS", "SPECIAL_LABELS", "WINDOW", "Ends", "Source", "Special", "opened"]

WINDOW = 4096
"""Bytes that are looked at at each end."""

BLANKS = b" \t\n\r\v\f"

_SKIPPED = 65536
"""Blanks in front of a text that are skipped at most."""

_VIRTUAL = 65536
"""Bytes that are read of a file that claims to be empty, as those under /proc do."""

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

_KINDS = (
    (stat.S_ISDIR, "directory", "inode/directory"),
    (stat.S_ISFIFO, "fifo", "inode/fifo"),
    (stat.S_ISSOCK, "socket", "inode/socket"),
    (stat.S_ISCHR, "device", "inode/chardevice"),
    (stat.S_ISBLK, "device", "inode/blockdevice"),
)

SPECIAL_LABELS = frozenset(label for _, label, _ in _KINDS)
"""Of what is no ordinary file."""


@attrs.frozen
class Special:
    """Something in the file system that is no ordinary file."""

    label: str
    mime: str


@attrs.frozen
class Ends:
    """What is looked at.

    Attributes:
        head, tail: the first and last `WINDOW` bytes, fewer in a smaller file.
        size: bytes in all.
        text: up to `WINDOW` bytes from the first that is neither a byte order mark nor blank.
        blanks: how many bytes stand before them.
        changed: the file shrank while it was read.
    """

    head: bytes
    tail: bytes
    size: int
    text: bytes
    blanks: int
    changed: bool = False


@attrs.define
class Source:
    """Bytes with a size, read at places."""

    stream: Any
    size: int

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes from `offset`; fewer at the end."""
        self.stream.seek(offset)
        parts = []
        while count > 0:
            part = self.stream.read(count)
            if not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def ends(self) -> Ends:
        """Read both ends."""
        count = min(WINDOW, self.size)
        head = self.read_at(0, count)
        tail = head if self.size <= WINDOW else self.read_at(self.size - count, count)
        changed = len(head) < count or len(tail) < count
        size = self.size if not changed else (len(head) if len(head) < count else self.size)
        text, blanks = self._text(head)
        return Ends(head, tail, size, text, blanks, changed)

    def _text(self, head: bytes) -> tuple[bytes, int]:
        """Return what follows the byte order mark and the blanks, and how many bytes these are."""
        start = 0
        if head.startswith(_BOMS):
            start = 3 if head.startswith(_BOMS[0]) else 2
        blanks = start + _leading(head[start:])
        if blanks < len(head) or len(head) < WINDOW:
            more = self.read_at(len(head), blanks) if blanks and len(head) == WINDOW else b""
            return head[blanks:] + more, blanks
        further = self.read_at(len(head), _SKIPPED)
        more_blanks = _leading(further)
        text = further[more_blanks : more_blanks + WINDOW]
        if len(text) < WINDOW and more_blanks < len(further):
            text += self.read_at(len(head) + len(further), WINDOW - len(text))
        return text, blanks + more_blanks


def _leading(data: bytes) -> int:
    return len(data) - len(data.lstrip(BLANKS))


def _is_text(stream: object) -> bool:
    return isinstance(stream, io.TextIOBase)


@contextmanager
def opened(source: str | Path | bytes | bytearray | memoryview | BinaryIO) -> Iterator[Source | Special]:
    """Open a path, bytes or a stream (whose position is put back).

    Raises:
        OSError, ValueError: a path that can't be opened, a stream that can't be read or sought.
        TypeError: none of these.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        yield Source(io.BytesIO(data), len(data))
    elif isinstance(source, str | os.PathLike):
        with _opened_path(os.fspath(source)) as found:
            yield found
    elif hasattr(source, "read") and hasattr(source, "seek") and not _is_text(source):
        position = source.tell()
        try:
            yield Source(source, source.seek(0, os.SEEK_END))
        finally:
            source.seek(position)
    else:
        raise TypeError(
            f"a {type(source).__name__} can't be detected, expected a path, bytes or a binary stream"
        )


@contextmanager
def _opened_path(path: str) -> Iterator[Source | Special]:
    special = _special(os.stat(path))
    if special is not None:
        yield special
        return
    # Non-blocking, in case a pipe has taken the file's place since it was looked at.
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    with open(os.open(path, flags), "rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        special = _special(status)
        if special is not None:
            yield special
        elif status.st_size == 0:
            data = stream.read(_VIRTUAL) or b""
            yield Source(io.BytesIO(data), len(data))
        else:
            yield Source(stream, status.st_size)


def _special(status: os.stat_result) -> Special | None:
    if stat.S_ISREG(status.st_mode):
        return None
    for test, label, mime in _KINDS:
        if test(status.st_mode):
            return Special(label, mime)
    return Special("unknown", "application/octet-stream")
