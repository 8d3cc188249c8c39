"""A look at a file's first and last bytes, before a process is made to read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kinetoscope_spec import FormatError
from kinetoscope_usd.signature import is_usdc, kind_of

__all__ = ["look"]

_END = 4096
_ENDINGS = b"})];"
"""With what a layer's text can end: a prim, the layer's own metadata, an order of prims."""

_ZIP_END = b"PK\x05\x06"


def look(path: Path, max_bytes: int) -> tuple[int, str]:
    """Return the size of the file at `path`, and `usda`, `usdc` or `usdz`.

    Files that were cut short end here already, almost always: a text does not close what it
    opened, a crate's table of contents lies beyond the end, a package lacks its directory.

    Raises:
        FormatError: it is none of the three, is larger than `max_bytes`, or was cut short.
        OSError: it can't be read.
    """
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FormatError("a device, pipe or socket", path=path, expected="a regular file")
    with path.open("rb") as file:
        head = file.read(_END)
        kind = kind_of(head)
        if kind is None:
            found = f"the file begins with {head[:8]!r}" if head else "the file is empty"
            raise FormatError(found, path=path, offset=0, expected="'#usda', 'PXR-USDC' or a usdz package")
        size = status.st_size
        if size > max_bytes:
            raise FormatError(
                f"the file has {size:,} bytes", path=path, expected=f"at most max_bytes={max_bytes:,}"
            )
        file.seek(max(size - _END, 0), os.SEEK_SET)
        tail = file.read(_END)
    if not _closes(kind, head, tail, size):
        raise FormatError("the file breaks off: its end is not there", path=path, offset=size)
    return size, kind


def _closes(kind: str, head: bytes, tail: bytes, size: int) -> bool:
    if kind == "usdc":
        return is_usdc(head, tail, size)
    if kind == "usdz":
        # A zip may have a comment after its directory; one that long is no usdz.
        return _ZIP_END in tail
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return not lines or lines[-1].startswith(b"#") or b"#" in lines[-1] or lines[-1][-1] in _ENDINGS
