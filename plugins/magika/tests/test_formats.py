"""Our own table: what is whole is known, what lies about itself is not."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_magika import formats
from kinetoscope_magika.detect import MagikaDetector

DETECTOR = MagikaDetector()


def glb(length: int | None = None, version: int = 2, kind: bytes = b"JSON") -> bytes:
    body = b'{"asset":{"version":"2.0"}}   '
    whole = 20 + len(body) if length is None else length
    return b"glTF" + struct.pack("<III", version, whole, len(body)) + kind + body


def vrm() -> bytes:
    """A VRM 1.0 is a GLB with an extension, whatever its name ends in."""
    text = json.dumps({"asset": {"version": "2.0"}, "extensionsUsed": ["VRMC_vrm"], "nodes": []}).encode()
    text += b" " * (-len(text) % 4)
    return b"glTF" + struct.pack("<IIII", 2, 20 + len(text), len(text), 0x4E4F534A) + text


def fbx(version: int = 7400, big: bool = False) -> bytes:
    head = b"Kaydara FBX Binary  \0\x1a" + (b"\1" if big else b"\0")
    return head + struct.pack(">I" if big else "<I", version) + bytes(200)


def safetensors(length: int | None = None) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes(8)


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.arange(3))
    return stream.getvalue()


def packed(name: str, data: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def program() -> bytes:
    head = bytearray(b"MZ" + bytes(126))
    struct.pack_into("<I", head, 60, 128)
    return bytes(head) + b"PE\0\0" + bytes(300)


def c3d() -> bytes:
    return b"\x02\x50" + bytes(510) + b"\1\x50\x02\x54" + bytes(600)


WHOLE = {
    "glb": [glb(), glb(version=1, kind=bytes(4)), vrm()],
    "fbx": [
        fbx(),
        fbx(7500, big=True),
        b"; FBX 7.4.0 project file\n; ----\n\nFBXHeaderExtension:  {\n}\n",
        b"; Made by hand\nFBXHeaderExtension:  {\n\tFBXHeaderVersion: 1003\n}\n",
    ],
    "safetensors": [safetensors()],
    "npy": [npy()],
    "npz": [packed("a.npy", npy())],
    "usdz": [packed("scene.usdc", b"PXR-USDC" + bytes(80))],
    "usdc": [b"PXR-USDC\0\x08\0\0\0\0\0\0" + struct.pack("<Q", 60) + bytes(200)],
    "usda": [b'#usda 1.0\n(\n    upAxis = "Y"\n)\n'],
    "gltf": [b'{\n "asset": {"generator": "x", "version": "2.0"},\n "scenes": [], "nodes": []\n}\n'],
    "obj": [
        b"# cube\nmtllib cube.mtl\no Cube\nv 1 1 1\nv 1.0 -1 1e-3\nv 0 0 0\nvn 0 1 0\nf 1//1 2//1 3//1\n"
    ],
    "ply": [b"ply\nformat ascii 1.0\ncomment x\nelement vertex 0\nend_header\n"],
    "c3d": [c3d()],
    "exr": [b"\x76\x2f\x31\x01\x02\0\0\0channels\0chlist\0"],
    "hdr": [b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\0\0\0\0"],
    "pebin": [program()],
    "wav": [b"RIFX" + struct.pack(">I", 36) + b"WAVEfmt " + bytes(60)],
    "avi": [b"RIFF" + struct.pack("<I", 400) + b"AVI LIST" + bytes(400)],
    "blend": [b"BLENDER-v304REND" + bytes(100), b"BLENDER17-01v0500" + bytes(100)],
    "abc": [b"Ogawa\xff\0\1" + bytes(90)],
    "zstd": [b"\x28\xb5\x2f\xfd\x04\x58\x31\0\0words\n" + bytes(20)],
    "acclaim-asf": [b":version 1.10\n:name VICON\n:units\n  mass 1.0\n:root\n   order TX TY TZ\n"],
    "acclaim-amc": [b"#!OML:ASF x\n:FULLY-SPECIFIED\n:DEGREES\n1\nroot 1 2 3 4 5 6\n"],
    "git-lfs-pointer": [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
    ],
}

LIES = {
    "glb": [glb(length=1 << 31), glb(length=3), glb(version=9), glb(kind=b"JSOX"), b"glTF and some words"],
    "fbx": [fbx(0), fbx()[:22] + b"\7" + bytes(99), fbx()[:23] + bytes(99), b"; a comment\nx=1\n"],
    "safetensors": [safetensors(1 << 62), safetensors(1), struct.pack("<Q", 4) + b"{a:1" + bytes(8)],
    "npy": [b"\x93NUMPY\x09\0" + bytes(90), b"\x93NUMPY\x01\0\xff\xff{'descr'"],
    "npz": [packed("a.txt", b"words"), b"PK\x03\x04"],
    "usdz": [packed("scene.usda", b"#usda 1.0\n" * 40, zipfile.ZIP_DEFLATED), packed("scene.txt", b"x")],
    "gltf": [b'{"asset": {"name": "x"}, "nodes": []}\n', b'{"nodes": [1, 2, 3]}\n'],
    "obj": [b"v 1 1 1\nv 1 1 1\nv 0 0 0\nimport os\n", b"v 1\nv 2\n"],
    "pebin": [b"MZ" + b"words " * 40],
    "wav": [b"RIFX" + bytes(8) + b"other" * 9],
    "ply": [b"ply and chips\n" * 9, b"ply\nformat ascii 2.0\n" * 3],
    "usdc": [b"PXR-USDC\x01" + bytes(99), b"PXR-USDC\0\x08\0\0\0\0\0\0" + struct.pack("<Q", 1 << 40) + bytes(99)],
    "usda": [b"#usda is a text\n" * 9, b"# usda 1.0\n" * 9],
    "c3d": [c3d()[:513] + bytes(600), b"\x02\x51" + c3d()[2:], c3d()[:300]],
    "exr": [
        b"\x76\x2f\x31\x01\x03\0\0\0channels\0chlist\0",
        b"\x76\x2f\x31\x01\x02\0\0\1channels\0chlist\0",
        b"\x76\x2f\x31\x01\x02\0\0\0" + bytes(99),
    ],
    "hdr": [b"#?RADIANCE\n" + b"words\n" * 20, b"#?RADIANT\nFORMAT=32-bit_rle_rgbe\n"],
    "avi": [b"RIFF" + bytes(4) + b"AVI words" + bytes(99), b"RIFX" + bytes(4) + b"AVI LIST" + bytes(99)],
    "blend": [b"BLENDER is a program\n" * 9, b"BLENDER-v3" + bytes(99)],
    "abc": [b"Ogawa\0\0\1" + bytes(99), b"Ogawa is a river\n" * 9],
    "zstd": [b"\x28\xb5\x2f\xfd\x0c" + bytes(30), b"\x28\xb5\x2f\xfd"],
    "acclaim-asf": [b":version 1.10\n" * 9, b":name VICON\nwords\n" * 9],
    "acclaim-amc": [b":FULLY-SPECIFIED\n:DEGREES\n" * 9, b"1\nroot 1 2 3 4 5 6\n" * 9],
    "git-lfs-pointer": [
        b"version https://git-lfs.github.com/spec/v1\n" * 9,
        WHOLE["git-lfs-pointer"][0] + b"x" * 2000,
    ],
}  # fmt: skip


def test_every_format_of_the_table_has_both() -> None:
    labels = {signature.label for signature in formats.FORMATS}
    assert labels == set(WHOLE) - {"wav"} == set(LIES) - {"wav"}


@pytest.mark.parametrize(("label", "data"), [(k, d) for k, v in WHOLE.items() for d in v])
def test_whole_files_are_known(label: str, data: bytes) -> None:
    found = DETECTOR.detect(data)
    assert found.label == label
    assert found.decided_by in ("signature", "rule")
    assert found.score == 1
    assert found.alarms == ()


@pytest.mark.parametrize(("label", "data"), [(k, d) for k, v in LIES.items() for d in v])
def test_lies_are_not_believed(label: str, data: bytes) -> None:
    found = DETECTOR.detect(data)
    assert not (found.label == label and found.decided_by in ("signature", "rule"))


RULES = [getattr(formats, name) for name in dir(formats) if name.startswith("is_")]


@given(head=st.binary(max_size=60), tail=st.binary(max_size=30), size=st.integers(0, 1 << 63))
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rules_are_total(rule: object, head: bytes, tail: bytes, size: int) -> None:
    assert rule(head, tail, size) in (True, False)  # type: ignore[operator]


@given(tail=st.binary(max_size=9000))
@pytest.mark.parametrize("label", ["glb", "fbx", "npy", "exr", "c3d", "usdc"])
def test_any_tail_leaves_the_label(label: str, tail: bytes) -> None:
    assert DETECTOR.detect(WHOLE[label][0] + tail).label == label


def test_every_rule_of_the_table_is_there() -> None:
    for signature in formats.FORMATS:
        if isinstance(signature.rule, str):
            module, name = signature.rule.split(":")
            assert module == "kinetoscope_magika.formats"
            assert getattr(formats, name) in RULES
