"""How a C3D file is known by its first bytes. Imports nothing heavy: detectors call it often."""

from __future__ import annotations

__all__ = ["BLOCK", "is_c3d", "parameter_start"]

BLOCK = 512
"""C3D counts in blocks of so many bytes, from 1."""

_PROCESSORS = (84, 85, 86)


def parameter_start(head: bytes) -> int | None:
    """Return the byte at which the parameter section begins, None if this is no C3D header."""
    if len(head) < 2 or head[1] != 0x50 or head[0] < 2:
        return None
    return (head[0] - 1) * BLOCK


def is_c3d(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file with these first bytes is a C3D (see `Signature.rule`).

    The second byte must be 0x50, and the first point to a parameter section inside the file which
    names one of the three processors ("The C3D File Format", c3d.org, chapters 2 and 3). Where the
    section begins beyond the bytes given, a frame range that makes sense must do.
    """
    start = parameter_start(head)
    if start is None or start + 4 > size or len(head) < BLOCK:
        return False
    if start + 4 <= len(head):
        return head[start + 3] in _PROCESSORS
    return int.from_bytes(head[6:8], "little") <= int.from_bytes(head[8:10], "little")
