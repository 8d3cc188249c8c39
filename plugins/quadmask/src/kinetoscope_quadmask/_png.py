"""PNG files (ISO/IEC 15948) of pictures, as a browser takes them: no more than that needs."""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np

from kinetoscope_quadmask._grid import Array

__all__ = ["png", "shrunk"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES: Final = {3: 2, 4: 6}


def png(picture: Array) -> bytes:
    """Return `uint8 [H, W, 3|4]` as PNG."""
    high, wide, channels = picture.shape
    rows = np.zeros((high, 1 + wide * channels), np.uint8)  # a zero before each row: no filter
    rows[:, 1:] = picture.reshape(high, -1)
    header = struct.pack(">IIBBBBB", wide, high, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 1)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def shrunk(picture: Array, most: int) -> Array:
    """Return every n-th pixel of `[H, W, ...]`, so that no side is longer than `most`."""
    step = -(-max(picture.shape[:2]) // most)
    return (
        picture[step // 2 :: step, step // 2 :: step]
        if min(picture.shape[:2]) > step // 2
        else picture[::step, ::step]
    )
