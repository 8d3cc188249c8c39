"""How USD files are known by their first bytes. Imports nothing heavy: detectors call it often."""

from __future__ import annotations

import struct

__all__ = ["is_usdc", "is_usdz", "kind_of"]

_CRATE_HEADER = 88
"""Bytes of a crate's bootstrap block: magic, version (8), offset of the table of contents, reserved."""


def is_usdc(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file with these first bytes is a crate: version 0, its table inside the file.

    The layout is that of `pxr/usd/sdf/crateFile.h`, `_BootStrap`.
    """
    if len(head) < _CRATE_HEADER or head[:8] != b"PXR-USDC" or head[8] != 0:
        return False
    (table,) = struct.unpack_from("<q", head, 16)
    return _CRATE_HEADER <= int(table) < size


def is_usdz(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file is a usdz package: a zip whose first member is a layer, stored plainly.

    The rules are those of the "usdz file format specification" (zip without compression, the first
    file is the default layer).
    """
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        return False
    (method,) = struct.unpack_from("<H", head, 8)
    (length,) = struct.unpack_from("<H", head, 26)
    name = head[30 : 30 + length].lower()
    return method == 0 and name.endswith((b".usd", b".usda", b".usdc"))


def kind_of(head: bytes) -> str | None:
    """Return `usda`, `usdc` or `usdz` by the magic bytes alone, None for anything else."""
    if head.startswith(b"#usda "):
        return "usda"
    if head.startswith(b"PXR-USDC"):
        return "usdc"
    return "usdz" if head.startswith(b"PK\x03\x04") else None
