"""What proves the importer `fbx`: the contract of its hook, with files in both encodings."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import numpy as np

from kinetoscope_fbx._ascii import parse_ascii
from kinetoscope_fbx._binary import MAGIC
from kinetoscope_fbx._node import Node
from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec.contracts import ImporterContract, Sample

__all__ = ["ARM", "FbxContract", "encode_binary"]

ARM: Final = b"""; FBX 7.4.0 project file
GlobalSettings:  {
 Properties70:  {
  P: "UpAxis", "int", "", "",2
  P: "FrontAxis", "int", "", "",1
  P: "FrontAxisSign", "int", "", "",-1
  P: "UnitScaleFactor", "double", "", "",1
  P: "TimeMode", "enum", "", "",11
 }
}
Objects:  {
 Model: 1, "Model::shoulder", "LimbNode" {
  Properties70:  { P: "Lcl Translation", "", "", "A",0,0,140 }
 }
 Model: 2, "Model::elbow", "LimbNode" {
  Properties70:  { P: "Lcl Translation", "", "", "A",30,0,0 }
 }
 AnimationStack: 3, "AnimStack::raise", "" {
  Properties70:  { P: "LocalStop", "KTime", "Time", "",46186158000 }
 }
 AnimationLayer: 4, "AnimLayer::base", "" { }
 AnimationCurveNode: 5, "AnimCurveNode::R", "" {
  Properties70:  { P: "d|Z", "", "", "A",90 }
 }
 AnimationCurve: 6, "AnimCurve::", "" {
  KeyTime: *2 { a: 0,46186158000 }
  KeyValueFloat: *2 { a: 90,0 }
  KeyAttrFlags: *1 { a: 4 }
  KeyAttrDataFloat: *4 { a: 0,0,0,0 }
  KeyAttrRefCount: *1 { a: 2 }
 }
}
Connections:  {
 C: "OO",1,0
 C: "OO",2,1
 C: "OO",4,3
 C: "OO",5,4
 C: "OP",5,1, "Lcl Rotation"
 C: "OP",6,5, "d|Z"
}
"""
"""An arm in centimetres, Z up, whose shoulder is turned by a quarter about the vertical at first."""

_STANDS: Final = {"shoulder": (0, 1.4, 0), "elbow": (0, 1.4, -0.3)}


def encode_binary(
    root: Node, version: int = 7400, *, big_endian: bool = False, deflate: bool = True
) -> bytes:
    """Return the records below `root` as a binary file."""
    order = ">" if big_endian else "<"
    wide = version >= 7500
    head = struct.Struct(f"{order}QQQB" if wide else f"{order}IIIB")
    data = bytearray(MAGIC + b"\x1a" + (b"\x01" if big_endian else b"\x00"))
    data += struct.pack(f"{order}I", version)

    def write(node: Node) -> None:
        start = len(data)
        name = node.name.encode()
        values = b"".join(_value(held, order, deflate=deflate) for held in node.values)
        data.extend(bytes(head.size) + name + values)
        for child in node.children:
            write(child)
        if node.children:
            data.extend(bytes(head.size))
        head.pack_into(data, start, len(data), len(node.values), len(values), len(name))

    for node in root.children:
        write(node)
    return bytes(data) + bytes(head.size)


def _value(held: Any, order: str, *, deflate: bool) -> bytes:
    import zlib

    if isinstance(held, str):
        raw = held.encode()
        if "::" in held:  # `Model::name` is `name\\0\\1Model` in binary files
            kind, name = held.split("::", 1)
            raw = name.encode() + b"\x00\x01" + kind.encode()
        return b"S" + struct.pack(f"{order}I", len(raw)) + raw
    if isinstance(held, np.uint8):  # a letter, such as that of an extrapolation
        return b"C" + bytes([held])
    if isinstance(held, int):
        return b"L" + struct.pack(f"{order}q", held)
    if isinstance(held, float):
        return b"D" + struct.pack(f"{order}d", held)
    if isinstance(held, bytes | memoryview):
        return b"R" + struct.pack(f"{order}I", len(held)) + bytes(held)
    code = {"f4": b"f", "f8": b"d", "i8": b"l", "i4": b"i"}[held.dtype.str[1:]]
    plain = held.astype(held.dtype.newbyteorder(order)).tobytes()
    packed = zlib.compress(plain) if deflate else plain
    return code + struct.pack(f"{order}III", len(held), int(deflate), len(packed)) + packed


def _binary_arm(version: int, *, big_endian: bool) -> bytes:
    root, _ = parse_ascii(ARM, Path("arm.fbx"))
    _as_arrays(root)
    return encode_binary(root, version, big_endian=big_endian)


def _as_arrays(node: Node) -> None:
    kinds = {"KeyTime": np.int64, "KeyAttrFlags": np.int32, "KeyAttrRefCount": np.int32}
    for child in node.children:
        if child.name.startswith("Key"):
            child.values = [np.array(child.values, kinds.get(child.name, np.float32))]
        _as_arrays(child)


class FbxContract(ImporterContract):
    """FBX is read only: its files are the same arm as text, and as little- and big-endian records."""

    provider = FbxImporter
    name = "fbx"
    suffix = ".fbx"
    samples = (
        Sample(ARM, _STANDS),
        Sample(_binary_arm(7400, big_endian=False), _STANDS),
        Sample(_binary_arm(7500, big_endian=True), _STANDS),
    )
