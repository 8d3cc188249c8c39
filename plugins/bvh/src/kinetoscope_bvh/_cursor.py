"""Walks over the words of the text part of a BVH file, and names the line where one is wrong."""

from __future__ import annotations

import re
from typing import NoReturn

from kinetoscope_spec import FormatError

BLANKS = b" \t\v\f\r\n"
NUMBER = re.compile(rb"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
LONGEST = 1000
"""Numbers of more characters are refused: reading a million digits takes minutes."""

LARGEST = 1e30
"""Numbers beyond are refused: their sums and squares leave the range of float32."""

_WORD = re.compile(rb"[ \t\v\f\r\n]*([{}]|[^ \t\v\f\r\n{}]*)")
_NAME = re.compile(rb"[ \t\v\f]*([^\r\n{]*)")


def line_of(data: bytes, offset: int) -> int:
    """Return the line (from 1) of the byte at `offset`; lines end in LF, CRLF or CR."""
    feeds = data.count(b"\n", 0, offset)
    lone = data.count(b"\r", 0, offset) - data.count(b"\r\n", 0, offset + 1)
    return 1 + feeds + max(lone, 0)


def shown(word: bytes) -> str:
    """Return `word` for a message: quoted, printable, short."""
    text = word[:40].decode("utf-8", "backslashreplace")
    return repr(text + "…" if len(word) > 40 else text)


def number(word: bytes) -> float | None:
    """Return the finite decimal number that `word` spells, or None."""
    if len(word) > LONGEST or not NUMBER.fullmatch(word):
        return None
    value = float(word)
    return value if abs(value) <= LARGEST else None


class Cursor:
    """A place in the bytes of a file; every step moves forward."""

    def __init__(self, data: bytes, path: object, start: int = 0) -> None:
        self.data = data
        self.path = path
        self.position = start
        self.begin = start

    def word(self) -> bytes:
        """Return the next word or brace; empty at the end of the file."""
        match = _WORD.match(self.data, self.position)
        assert match is not None, "the pattern also matches nothing"
        self.begin, self.position = match.span(1)
        return match.group(1)

    def name(self) -> bytes:
        """Return what is left of the line, up to an opening brace, without blanks around it."""
        match = _NAME.match(self.data, self.position)
        assert match is not None, "the pattern also matches nothing"
        self.begin, self.position = match.span(1)
        return match.group(1).strip(BLANKS)

    def expect(self, wanted: bytes, where: str) -> None:
        """Step over the word `wanted`, in any case of letters."""
        found = self.word()
        if found.upper() != wanted.upper():
            self.fail(f"{self.found(found)} {where}", wanted.decode())

    def number(self, what: str) -> float:
        """Step over a number and return it."""
        found = self.word()
        value = number(found)
        if value is None:
            self.fail(f"{self.found(found)} as {what}", f"a finite number within ±{LARGEST:g}")
        return value

    def found(self, word: bytes) -> str:
        """Return words for what stands here."""
        return shown(word) if word else "the file ends"

    def fail(self, message: str, expected: str | None = None) -> NoReturn:
        """Raise the error that names the line of the word last read."""
        line = line_of(self.data, self.begin)
        raise FormatError(message, path=self.path, line=line, expected=expected)
