"""Builds the buffer of a glTF: arrays in, accessors and views out; equal arrays are kept once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import ValidationError

MOST = 2**32 - 2**20
"""Bytes that a binary file can hold, with room for its JSON: lengths are 32-bit numbers."""

VERTICES, INDICES = 34962, 34963
"""What a view is for: the targets of glTF 2.0, 5.11.5."""

_NUMBERS = {"<u1": 5121, "<u2": 5123, "<u4": 5125, "<f4": 5126}
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Pack:
    """A buffer that grows."""

    def __init__(self) -> None:
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.length = 0
        self._parts: list[bytes] = []
        self._known: dict[bytes, int] = {}

    def add_bytes(self, data: bytes, **extra: Any) -> int:
        """Append `data` as a buffer view, aligned to 4 bytes; return its number."""
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": len(data), **extra})
        padding = -len(data) % 4
        self._parts += [data, bytes(padding)]
        self.length += len(data) + padding
        if self.length > MOST:
            raise ValidationError(
                f"the file would hold more than {MOST:,} bytes, which is all that glTF can count"
            )
        return len(self.views) - 1

    def add(self, array: NDArray[Any], dtype: str, *, target: int | None = None, bounds: bool = False) -> int:
        """Append `array [N]` or `[N, K]` as `dtype`; return the number of its accessor.

        Args:
            array: what to write.
            dtype: `<u1`, `<u2`, `<u4` or `<f4`.
            target: what the view is for, VERTICES or INDICES.
            bounds: note minimum and maximum, as positions and key times need.

        Raises:
            ValidationError: a number is too large for float32.
        """
        rows = array.reshape(len(array), -1)
        with np.errstate(over="ignore"):
            held = np.ascontiguousarray(rows, np.dtype(dtype))
        if not np.isfinite(held).all():
            raise ValidationError("a number is too large for float32, the largest type that glTF has")
        data = held.tobytes()
        wanted = {"target": target} if target is not None else {}
        accessor: dict[str, Any] = {
            "componentType": _NUMBERS[dtype],
            "count": len(held),
            "type": _KINDS[held.shape[1]],
        }
        if bounds:
            accessor |= {"min": held.min(axis=0).tolist(), "max": held.max(axis=0).tolist()}
        key = hashlib.blake2b(data).digest() + repr((accessor, wanted)).encode()
        if key not in self._known:
            self._known[key] = len(self.accessors)
            self.accessors.append({"bufferView": self.add_bytes(data, **wanted), **accessor})
        return self._known[key]

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes of the buffer."""
        yield from self._parts

    def fields(self) -> dict[str, Sequence[Any]]:
        """Return the views and accessors, for the document."""
        return {"bufferViews": self.views, "accessors": self.accessors}
