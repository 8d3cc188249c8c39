"""Primitives compressed by Draco: `KHR_draco_mesh_compression`, with DracoPy."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb._budget import Budget
from kinetoscope_glb._json import Item
from kinetoscope_spec import FormatError

NAME = "KHR_draco_mesh_compression"

FACES_PER_BYTE = 64
"""A stream of a regular grid takes about a tenth of a byte a triangle; more than six times that is a bomb."""

_FACE_BYTES, _VERTEX_BYTES = 80, 200
"""What a face and a vertex take while a stream is decoded, its attributes and tables and our copies."""


@attrs.frozen
class Unpacked:
    """What a stream holds: `faces [F, 3]` and its attributes `[V, K]` by their id in the stream."""

    faces: NDArray[np.int64]
    attributes: dict[int, NDArray[Any]]


def installed() -> bool:
    """Tell whether the library is there."""
    return importlib.util.find_spec("DracoPy") is not None


def decode(item: Item, data: bytes, budget: Budget, *, vertices: int, faces: int) -> Unpacked:
    """Return what the stream `data` of the extension object `item` holds.

    `vertices` and `faces` are the accessors' counts. The stream's own are read from its first bytes
    and must not exceed them: the decoder makes room for whatever a stream declares.

    Raises:
        FormatError: the stream is damaged or declares too much, or the library is not installed.
    """
    if not installed():
        raise FormatError(
            f"{item.where} is compressed by the extension {NAME}",
            path=item.path,
            expected="the library that decodes it: pip install kinetoscope-glb[draco]",
        )
    declared = declared_counts(data)
    if declared is None:
        item.refuse("holds a stream that is no triangle mesh of Draco 2.x without metadata", "DRACO, 2, 1")
    most = min(faces, 1024 + FACES_PER_BYTE * len(data))
    if declared[0] > most or declared[1] > max(vertices, 3 * most):
        item.refuse(
            f"declares {declared[0]:,} triangles and {declared[1]:,} vertices in {len(data):,} bytes",
            f"at most {most:,} triangles, as its accessors and size have it",
        )
    budget.take(_FACE_BYTES * declared[0] + _VERTEX_BYTES * declared[1], item.where)
    try:
        mesh = importlib.import_module("DracoPy").decode(data)
        found = {int(a["unique_id"]): np.asarray(a["data"]) for a in mesh.attributes}
        triangles = np.asarray(mesh.faces).astype(np.int64).reshape(-1, 3)
    except Exception as error:  # noqa: BLE001  # whatever the decoder says, the stream is to blame
        raise FormatError(
            f"{item.where} holds a damaged stream: {str(error)[:100]}", path=item.path, expected="Draco"
        ) from None
    return Unpacked(triangles, {key: a.reshape(len(a), -1) for key, a in found.items()})


def declared_counts(data: bytes) -> tuple[int, int] | None:
    """Return the (triangles, vertices) that a Draco stream declares, or None if it is no plain mesh.

    Draco bitstream 2.x: the header (section 4.1) is `DRACO`, version, geometry type, method, flags; a
    sequential mesh (method 0) goes on with its faces and points, an edge-breaker mesh (method 1) with
    the kind of traversal, its vertices and faces, as variable-length integers.
    """
    if len(data) < 14 or data[:5] != b"DRACO" or data[5] != 2 or data[7] != 1:
        return None
    method, flags = data[8], int.from_bytes(data[9:11], "little")
    if flags & 0x8000 or method > 1 or data[6] < 2:
        return None
    first, at = _varint(data, 11 + method)
    second, _ = _varint(data, at)
    return (first, second) if method == 0 else (second, first)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for byte in data[at : at + 5]:
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return value, at
