"""A builder of glTF files for tests. It shares no code with the importer, and checks nothing."""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset

TYPES = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Gltf:
    """A document and its buffer; `json` may be changed at will before it is written."""

    def __init__(self) -> None:
        self.json: dict[str, Any] = {"asset": {"version": "2.0"}}
        self.data = bytearray()

    def push(self, key: str, item: dict[str, Any]) -> int:
        self.json.setdefault(key, []).append(item)
        return len(self.json[key]) - 1

    def view(self, data: bytes, **extra: Any) -> int:
        self.data += bytes(-len(self.data) % 4)
        at = len(self.data)
        self.data += data
        return self.push("bufferViews", {"buffer": 0, "byteOffset": at, "byteLength": len(data), **extra})

    def array(self, values: Any, dtype: str = "f4", *, stride: int = 0, offset: int = 0, **extra: Any) -> int:
        """Add an accessor; with a stride the elements lie that far apart, rubbish between them."""
        held = np.asarray(values, f"<{dtype}")
        held = held.reshape(len(held), -1)
        if stride:
            size = held.dtype.itemsize * held.shape[1]
            rows = np.full((len(held), stride), 0xA5, np.uint8)
            rows[:, offset : offset + size] = (
                np.ascontiguousarray(held).view(np.uint8).reshape(len(held), size)
            )
            view = self.view(rows.tobytes(), byteStride=stride)
        else:
            view = self.view(bytes(offset) + held.tobytes())
        item = {"bufferView": view, "byteOffset": offset, "componentType": TYPES[dtype]}
        return self.push("accessors", {**item, "count": len(held), "type": KINDS[held.shape[1]], **extra})

    def node(self, **fields: Any) -> int:
        return self.push("nodes", fields)

    def triangles(
        self, points: Any, indices: Sequence[int] | None = None, **attributes: int
    ) -> dict[str, Any]:
        """Return a primitive."""
        found: dict[str, Any] = {"attributes": {"POSITION": self.array(points), **attributes}}
        if indices is not None:
            found["indices"] = self.array(indices, "u2")
        return found

    def shown(self, *primitives: dict[str, Any], **fields: Any) -> int:
        """Add a mesh and a node that shows it; return the node."""
        return self.node(mesh=self.push("meshes", {"primitives": list(primitives)}), **fields)

    def animate(self, *channels: tuple[int, str, Any, Any, str], **fields: Any) -> None:
        """Add an animation of (node, path, times, values, interpolation)."""
        samplers, targets = [], []
        for number, (node, path, times, values, kind) in enumerate(channels):
            flat = np.asarray(values, np.float32)
            flat = (
                flat.reshape(-1, 1) if path == "weights" else flat.reshape(-1, 4 if path == "rotation" else 3)
            )
            samplers.append({"input": self.array(times), "output": self.array(flat), "interpolation": kind})
            targets.append({"sampler": number, "target": {"node": node, "path": path}})
        self.push("animations", {"samplers": samplers, "channels": targets, **fields})

    def glb(self) -> bytes:
        held = dict(self.json)
        if self.data:
            held.setdefault("buffers", [{"byteLength": len(self.data)}])
        text = json.dumps(held).encode()
        text += b" " * (-len(text) % 4)
        body = bytes(self.data) + bytes(-len(self.data) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        if body:
            chunks += struct.pack("<I4s", len(body), b"BIN\0") + body
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def gltf(self, uri: str | None = None) -> bytes:
        """JSON with the buffer at `uri`, or in it."""
        held = dict(self.json)
        inside = "data:application/octet-stream;base64," + base64.b64encode(bytes(self.data)).decode()
        held["buffers"] = [{"byteLength": len(self.data), "uri": uri or inside}]
        return json.dumps(held).encode()


@pytest.fixture(scope="session")
def make() -> type[Gltf]:
    return Gltf


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Asset]:
    """Write a document (or bytes) to a file and read it."""

    def reader(held: Gltf | bytes, **options: Any) -> Asset:
        path = tmp_path / "file.glb"
        path.write_bytes(held if isinstance(held, bytes) else held.glb())
        return GlbImporter().read(path, **options)

    return reader


@pytest.fixture
def characters() -> Path:
    folder = os.environ.get("KINETOSCOPE_DATA")
    if not folder:
        pytest.skip("KINETOSCOPE_DATA is not set")
    return Path(folder) / "characters"
