"""Accessors: typed arrays over buffer views, with stride, sparse changes and normalised integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb._budget import Budget
from kinetoscope_glb._buffers import Buffers, typed
from kinetoscope_glb._json import MOST, Item

COMPONENTS = {
    5120: np.dtype("<i1"),
    5121: np.dtype("<u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
"""Component types by their number in the file (glTF 2.0, 3.6.2.2)."""

WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
"""Components of an element. MAT2 and MAT3, with their padded columns, are of no use to us."""

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]


@attrs.frozen
class _Layout:
    item: Item
    dtype: Any
    width: int
    count: int
    normalized: bool


class Accessors:
    """Reads the accessors of a document; arrays are copied out of the buffers, and writeable."""

    def __init__(self, document: Item, buffers: Buffers, budget: Budget) -> None:
        self._items = document.items("accessors")
        self._buffers = buffers
        self._budget = budget

    def __len__(self) -> int:
        return len(self._items)

    def count(self, index: int) -> int:
        """Return how many elements the accessor declares."""
        return self._items[index].whole("count")

    def has_data(self, index: int) -> bool:
        """Tell whether the accessor has a buffer view, or else stands for zeros or compressed data."""
        return "bufferView" in self._items[index]

    def floats(
        self, index: int, kinds: Sequence[str], *, what: str, instead: NDArray[Any] | None = None
    ) -> Floats:
        """Return an accessor's numbers, float32 `[N, K]`; normalised integers as fractions (3.6.2.2).

        `instead [N, K]` takes the place of the accessor's own data: a decompressed attribute.

        Raises:
            FormatError: it is not one of `kinds`, leaves its view, or holds a number that is not finite.
        """
        layout = self._layout(index, kinds, what)
        raw = self._raw(layout, what) if instead is None else self._fitting(layout, instead, what)
        found = raw.astype(np.float32)
        if layout.normalized and raw.dtype.kind != "f":
            found /= np.float32(np.iinfo(raw.dtype).max)
            if raw.dtype.kind == "i":
                np.maximum(found, np.float32(-1), out=found)
        if found.size and not np.abs(found).max() <= MOST:
            bad = np.argwhere(~(np.abs(found) <= MOST))[0]
            layout.item.refuse(
                f"({what}) holds {found[tuple(bad)]} at element {bad[0]}", f"numbers of at most {MOST:g}"
            )
        return found

    def whole(
        self, index: int, kinds: Sequence[str], *, what: str, instead: NDArray[Any] | None = None
    ) -> Whole:
        """Return an accessor's unsigned integers, int64 `[N, K]`."""
        layout = self._layout(index, kinds, what)
        if layout.dtype.kind != "u":
            layout.item.fail("componentType", f"5121, 5123 or 5125, for {what}")
        raw = self._raw(layout, what) if instead is None else self._fitting(layout, instead, what)
        return raw.astype(np.int64)

    def _fitting(self, layout: _Layout, instead: NDArray[Any], what: str) -> NDArray[Any]:
        if instead.shape[1] != layout.width or (instead.dtype.kind == "f") != (layout.dtype.kind == "f"):
            layout.item.refuse(
                f"({what}) is {instead.dtype} of {instead.shape[1]} when decompressed",
                f"{layout.dtype} of {layout.width}",
            )
        self._budget.take(instead.size * 12, f"{layout.item.where} ({what})")
        return instead

    def _layout(self, index: int, kinds: Sequence[str], what: str) -> _Layout:
        item = self._items[index]
        kind, component = item.text("type"), item.whole("componentType")
        if kind not in kinds:
            item.fail("type", f"{' or '.join(kinds)}, for {what}")
        if component not in COMPONENTS:
            item.fail("componentType", f"one of {', '.join(map(str, COMPONENTS))}")
        dtype, width, count = COMPONENTS[component], WIDTHS[kind], item.whole("count")
        return _Layout(item, dtype, width, count, item.flag("normalized"))

    def _raw(self, layout: _Layout, what: str) -> NDArray[Any]:
        """Return `[N, K]` in the file's own type: a view of the file, or of zeros, or a sparse copy."""
        item = layout.item
        # Two arrays at most: as it stands and as float32 or int64.
        self._budget.take(layout.count * layout.width * (8 + layout.dtype.itemsize), f"{item.where} ({what})")
        view = item.index("bufferView", len(self._buffers), "buffer views")
        if view is None:
            found = np.zeros((layout.count, layout.width), layout.dtype)
        else:
            found = self._elements(item, view, layout.dtype, layout.count, layout.width)
        return self._with_sparse(layout, found) if "sparse" in item else found

    def _elements(self, item: Item, view: int, dtype: Any, count: int, width: int) -> NDArray[Any]:
        data, stride = self._buffers.view(view)
        start, size = item.whole("byteOffset", 0), dtype.itemsize * width
        stride = stride or size
        if stride < size:
            item.refuse(f"has elements of {size} bytes in a view with a stride of {stride}", "no overlap")
        if count and start + stride * (count - 1) + size > len(data):
            item.refuse(
                f"needs {start + stride * (count - 1) + size:,} bytes of bufferViews[{view}], which has "
                f"{len(data):,}",
                "an accessor within its view",
            )
        return typed(data, dtype, (count, width), start if count else 0, stride)

    def _with_sparse(self, layout: _Layout, base: NDArray[Any]) -> NDArray[Any]:
        """Replace some elements (3.6.2.3)."""
        sparse = layout.item.child("sparse")
        count = sparse.whole("count", low=0, high=layout.count)
        at, values = sparse.child("indices"), sparse.child("values")
        component = at.whole("componentType")
        if component not in (5121, 5123, 5125):
            at.fail("componentType", "5121, 5123 or 5125")
        views = [part.index("bufferView", len(self._buffers), "buffer views") for part in (at, values)]
        if views[0] is None or views[1] is None:
            sparse.refuse("lacks a buffer view", "one for indices and one for values")
        places = self._elements(at, views[0], COMPONENTS[component], count, 1)[:, 0].astype(np.int64)
        if count and places.max() >= layout.count:
            at.refuse(f"names element {places.max()} of {layout.count}", "indices of the accessor's elements")
        found = base.copy()
        found[places] = self._elements(values, views[1], layout.dtype, count, layout.width)
        return found
