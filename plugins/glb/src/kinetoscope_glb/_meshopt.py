"""Buffer views compressed by meshoptimizer: `EXT_meshopt_compression`, with the library of that name."""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb._json import Item
from kinetoscope_spec import FormatError

NAMES = ("EXT_meshopt_compression", "KHR_meshopt_compression")
"""The extension, and the name it was ratified under: the older streams are valid in both."""

_FILTERS = {"OCTAHEDRAL": "Oct", "QUATERNION": "Quat", "EXPONENTIAL": "Exp"}


def decode(item: Item, data: NDArray[np.uint8], count: int, stride: int) -> NDArray[np.uint8]:
    """Return the bytes `[count * stride]` of a compressed buffer view described by `item`.

    Raises:
        FormatError: the stream is damaged, the mode or filter unknown, or the library not installed.
    """
    library = _library(item)
    mode, chosen = item.text("mode"), item.text("filter", "NONE")
    out = np.zeros(count * stride, np.uint8)
    given = np.ascontiguousarray(data)
    arguments = (
        out.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_size_t(count),
        ctypes.c_size_t(stride),
        given.ctypes.data_as(ctypes.POINTER(ctypes.c_ubyte)),
        ctypes.c_size_t(len(given)),
    )
    _check(item, mode, count, stride)
    names = {"ATTRIBUTES": "VertexBuffer", "TRIANGLES": "IndexBuffer", "INDICES": "IndexSequence"}
    status = getattr(library, f"meshopt_decode{names[mode]}")(*arguments)
    if status != 0:
        raise FormatError(
            f"{item.where} holds a damaged stream (meshoptimizer says {status})",
            path=item.path,
            expected=f"{count} {mode.lower()} of {stride} bytes",
        )
    if chosen != "NONE":
        _filter(library, item, mode, chosen, out, count, stride)
    return out


def _check(item: Item, mode: str, count: int, stride: int) -> None:
    if mode == "ATTRIBUTES":
        if stride % 4:
            item.fail("byteStride", "a multiple of 4")
    elif mode in {"TRIANGLES", "INDICES"}:
        if stride not in (2, 4):
            item.fail("byteStride", "2 or 4")
        if mode == "TRIANGLES" and count % 3:
            item.fail("count", "a multiple of 3")
    else:
        item.fail("mode", "ATTRIBUTES, TRIANGLES or INDICES")


def _filter(
    library: Any, item: Item, mode: str, chosen: str, out: NDArray[np.uint8], count: int, stride: int
) -> None:
    fits = {"OCTAHEDRAL": stride in (4, 8), "QUATERNION": stride == 8, "EXPONENTIAL": True}
    if mode != "ATTRIBUTES" or not fits.get(chosen, False):
        item.fail("filter", "NONE, OCTAHEDRAL (stride 4, 8), QUATERNION (8) or EXPONENTIAL, on attributes")
    function = getattr(library, f"meshopt_decodeFilter{_FILTERS[chosen]}")
    function(out.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(count), ctypes.c_size_t(stride))


def _library(item: Item) -> Any:
    # Its functions are called through ctypes: the wrappers of 0.2.30a0 take 16-bit indices for 32-bit ones.
    try:
        return importlib.import_module("meshoptimizer._loader").lib
    except ImportError:
        raise FormatError(
            f"{item.where} is compressed by the extension {item.where.rpartition('.')[2]}",
            path=item.path,
            expected="the library that decodes it: pip install kinetoscope-glb[meshopt]",
        ) from None
