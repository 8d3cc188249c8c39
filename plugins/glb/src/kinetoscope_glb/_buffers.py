"""Buffers and views of them, loaded when something in them is first asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _meshopt
from kinetoscope_glb._budget import Budget
from kinetoscope_glb._container import Parts
from kinetoscope_glb._json import Item
from kinetoscope_glb._uri import Files, Missing
from kinetoscope_spec import FormatError

Bytes = NDArray[np.uint8]


class Buffers:
    """The bytes that a document's buffer views stand for (glTF 2.0, 3.6.1)."""

    def __init__(self, document: Item, parts: Parts, files: Files, budget: Budget) -> None:
        self._buffers = document.items("buffers")
        self._views = document.items("bufferViews")
        self._parts = parts
        self._files = files
        self._budget = budget
        self._loaded: dict[int, Bytes] = {}
        self._unpacked: dict[int, Bytes] = {}

    def __len__(self) -> int:
        return len(self._views)

    def view(self, index: int) -> tuple[Bytes, int]:
        """Return the bytes `[N]` of a buffer view, uncompressed, and its stride (0: closely packed)."""
        item = self._views[index]
        packed = next((name for name in _meshopt.NAMES if name in item.child("extensions")), None)
        if packed is None:
            stride = item.whole("byteStride", 0, high=65535)
            return self._slice(item), stride
        extension = item.child("extensions").child(packed)
        if index not in self._unpacked:
            count, stride = extension.whole("count"), extension.whole("byteStride", low=1, high=256)
            self._budget.compressed = True
            self._budget.take(2 * count * stride, f"{extension.where}")
            data = self._slice(extension)
            self._unpacked[index] = _meshopt.decode(extension, data, count, stride)
        return self._unpacked[index], extension.whole("byteStride", low=1, high=256)

    def _slice(self, item: Item) -> Bytes:
        number = item.index("buffer", len(self._buffers), "buffers")
        if number is None:
            item.fail("buffer", "the number of a buffer")
        data = self._buffer(number)
        start, length = item.whole("byteOffset", 0), item.whole("byteLength")
        if start + length > len(data):
            raise FormatError(
                f"{item.where} ends at byte {start + length:,} of a buffer of {len(data):,}",
                path=item.path,
                expected="a view within its buffer",
            )
        return data[start : start + length]

    def _buffer(self, index: int) -> Bytes:
        if index not in self._loaded:
            item = self._buffers[index]
            length = item.whole("byteLength")
            data = self._bytes(item, index)
            if len(data) < length:
                raise FormatError(
                    f"{item.where} has {len(data):,} bytes", path=item.path, expected=f"byteLength {length:,}"
                )
            self._loaded[index] = np.frombuffer(data, np.uint8)[:length]
        return self._loaded[index]

    def _bytes(self, item: Item, index: int) -> bytes | memoryview:
        if "uri" not in item:
            if index == 0 and self._parts.binary is not None:
                return self._parts.binary
            item.fail("uri", "a URI: there is no binary chunk that could stand in")
        try:
            return self._files.load(item.text("uri"), item.place("uri"))
        except Missing as error:
            raise FormatError(
                f"{item.place('uri')} can't be read: {error}", path=item.path, expected="the buffer's file"
            ) from None


def typed(
    data: Bytes, dtype: np.dtype, shape: Sequence[int], offset: int, stride: int
) -> NDArray[np.generic]:
    """Return `shape [N, K]` numbers in `data`, rows `stride` bytes apart, without copying them."""
    return np.ndarray(tuple(shape), dtype, data.data, offset, (stride, dtype.itemsize))
