"""Where in a file something stands, and arrays that are left there until somebody asks for them."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import FormatError

__all__ = ["PackedArray", "Place"]

Array = NDArray[Any]

_DEFLATE_MOST: Final = 1100
"""Deflate makes at most 1,032 bytes of one (zlib's technical details); more is a lie about the size."""


@attrs.frozen
class Place:
    """Where in a file something stands, for what is said about it."""

    path: Path
    offset: int | None = None
    line: int | None = None

    def error(self, message: str, expected: str | None = None) -> FormatError:
        """Return the error to raise about this place."""
        return FormatError(message, path=self.path, offset=self.offset, line=self.line, expected=expected)


@attrs.frozen
class PackedArray:
    """An array as it lies in a binary file; unpacked when somebody asks for it, and not before."""

    data: memoryview
    dtype: np.dtype[Any]
    count: int
    deflated: bool
    place: Place

    def unpack(self) -> Array:
        """Return the numbers `[count]`.

        Raises:
            FormatError: the packed bytes are damaged, or hold another number of bytes.
        """
        size = self.count * self.dtype.itemsize
        if not self.deflated:
            return np.frombuffer(self.data, self.dtype, self.count)
        if size > _DEFLATE_MOST * len(self.data):
            raise self.place.error(
                f"an array of {self.count:,} numbers packed into {len(self.data):,} bytes",
                "no more than deflate can pack",
            )
        try:
            plain = zlib.decompressobj().decompress(self.data, size + 1)
        except zlib.error as error:
            raise self.place.error(f"a packed array is damaged: {error}") from error
        if len(plain) != size:
            raise self.place.error(
                f"a packed array holds {len(plain):,} bytes or more", f"{size:,} for {self.count:,} numbers"
            )
        return np.frombuffer(plain, self.dtype)
