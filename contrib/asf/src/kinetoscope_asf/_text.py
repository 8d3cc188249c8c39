"""Reads a text file into lines of words, and numbers out of them."""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator
from pathlib import Path

from kinetoscope_spec import FormatError

__all__ = ["LARGEST", "lines", "number", "read_text"]

LARGEST = 1e9
"""Numbers beyond are refused: products of them leave the range of float32."""

_LONGEST = 100


def read_text(path: Path, max_bytes: int) -> str:
    """Return the text of the file at `path`, its lines ended by line feeds.

    Raises:
        FormatError: it is no regular file, larger than `max_bytes`, or no text.
        OSError: it can't be read.
    """
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FormatError("a device, pipe or socket", path=path, expected="a regular file")
    with path.open("rb") as file:
        if status.st_size > max_bytes:
            raise FormatError(
                f"the file has {status.st_size:,} bytes",
                path=path,
                expected=f"at most max_bytes={max_bytes:,}",
            )
        data = file.read(status.st_size)
    if b"\0" in data:
        raise FormatError("a byte 0", path=path, offset=data.index(b"\0"), expected="text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) and words of every line that has any, without comments."""
    for line, content in enumerate(text.split("\n"), 1):
        words = content.partition("#")[0].split()
        if words:
            yield line, words


def number(word: str, path: object, line: int, what: str) -> float:
    """Return the number that `word` spells.

    Raises:
        FormatError: it spells none, or one beyond `LARGEST`.
    """
    try:
        value = float(word) if len(word) <= _LONGEST and "_" not in word else math.nan
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        raise FormatError(
            f"{word[:40]!r} as {what}", path=path, line=line, expected=f"a number within ±{LARGEST:g}"
        )
    return value
