"""What the reading process says when a file is not what it should be."""

from __future__ import annotations

__all__ = ["Refused"]


class Refused(Exception):
    """The file can't be read; becomes a `FormatError` on the other side of the pipe."""

    def __init__(self, message: str, expected: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.line = line
