"""Reads a file whole, after a look at its beginning."""

from __future__ import annotations

import stat
from pathlib import Path

from kinetoscope_bvh.signature import starts_as_bvh
from kinetoscope_spec import FormatError

HEAD = 64 * 1024
"""HIERARCHY must stand within so many bytes; nothing more is read of a file where it does not."""

MAX_BYTES = 4 * 1024**3
"""The largest file that is read unless the caller allows more."""


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of the BVH file at `path`.

    Raises:
        FormatError: it is no regular file, does not begin as a BVH file does, or is larger than
            `max_bytes`.
        OSError: it can't be read.
    """
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FormatError("a device, pipe or socket", path=path, expected="a regular file")
    with path.open("rb") as file:
        check_head(file.read(HEAD), path)
        if status.st_size > max_bytes:
            raise FormatError(
                f"the file has {status.st_size:,} bytes",
                path=path,
                expected=f"at most max_bytes={max_bytes:,}",
            )
        file.seek(0)
        # As much memory as there is file: a reader makes room for all that it is asked for.
        data = file.read(status.st_size + 1)
    if len(data) > status.st_size:
        raise FormatError("the file grows while it is read", path=path, expected=f"{status.st_size:,} bytes")
    return data


def check_head(head: bytes, path: Path) -> None:
    """Make sure that the first bytes of a file (`HEAD` of them are enough) are a BVH file's.

    Raises:
        FormatError: they are not.
    """
    if not starts_as_bvh(head):
        raise FormatError(_beginning(head), path=path, line=1, expected="HIERARCHY as the first word")


def _beginning(head: bytes) -> str:
    if not head.strip():
        return "the file is empty" if not head else "the file begins with blanks only"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the file is UTF-16 text; save it as UTF-8"
    return f"the file begins with {head.lstrip()[:20]!r}"
