"""What proves the importer `glb`: the contract of its hook, told what a glTF can hold."""

from __future__ import annotations

import base64
import json
import struct

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec.contracts import ImporterContract, Sample

__all__ = ["GlbContract"]


def _arm() -> tuple[dict[str, object], bytes]:
    """An arm whose child comes first: raised by a quarter turn about Z, the elbow turned by one about Y."""
    turn = 0.5**0.5
    data = struct.pack("<f4f4f", 0.5, 0.0, 0.0, turn, turn, 0.0, turn, 0.0, turn)
    views = [(0, 4), (4, 16), (20, 16)]
    scalar = {"componentType": 5126, "count": 1}
    document: dict[str, object] = {
        "asset": {"version": "2.0"},
        "nodes": [
            {"name": "Wrist", "translation": [0.2, 0, 0]},
            {"name": "Shoulder", "translation": [0, 1.4, 0.1], "children": [2]},
            {"name": "Elbow", "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0.3, 0, 0, 1], "children": [0]},
        ],
        "scenes": [{"nodes": [1]}],
        "animations": [
            {
                "samplers": [{"input": 0, "output": 1}, {"input": 0, "output": 2}],
                "channels": [
                    {"sampler": 0, "target": {"node": 1, "path": "rotation"}},
                    {"sampler": 1, "target": {"node": 2, "path": "rotation"}},
                ],
            }
        ],
        "accessors": [
            {**scalar, "bufferView": 0, "type": "SCALAR", "min": [0.5], "max": [0.5]},
            {**scalar, "bufferView": 1, "type": "VEC4"},
            {**scalar, "bufferView": 2, "type": "VEC4"},
        ],
        "bufferViews": [{"buffer": 0, "byteOffset": at, "byteLength": size} for at, size in views],
        "buffers": [{"byteLength": len(data)}],
    }
    return document, data


def _glb() -> bytes:
    document, data = _arm()
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = (
        struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
    )
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _gltf() -> tuple[bytes, bytes]:
    """The same as JSON: with the data in it, and with the data beside it in `arm.bin`."""
    document, data = _arm()
    inside = f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}"
    texts = [
        json.dumps({**document, "buffers": [{"byteLength": len(data), "uri": uri}]}).encode()
        for uri in (inside, "arm.bin")
    ]
    return texts[0], texts[1]


_STANDS = {"Shoulder": (0, 1.4, 0.1), "Elbow": (0, 1.7, 0.1), "Wrist": (0, 1.7, -0.1)}


class GlbContract(ImporterContract):
    """A glTF holds the rest pose beside the motions, any number of roots, any names."""

    provider = GlbImporter
    name = "glb"
    suffix = ".glb"
    keeps_rest = True
    samples = (
        Sample(_glb(), _STANDS),
        Sample(_gltf()[0], _STANDS, ".gltf"),
        Sample(_gltf()[1], _STANDS, ".gltf", {"arm.bin": _arm()[1]}),
    )
