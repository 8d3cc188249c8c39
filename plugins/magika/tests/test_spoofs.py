"""What pretends to be something else, written from the formats' specifications: never taken for it."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_magika.detect import MagikaDetector
from kinetoscope_spec import Signature


def is_bvh(head: bytes, tail: bytes, size: int) -> bool:
    return (
        head[:9].upper() == b"HIERARCHY" and head[9:].upper().split()[:1] == [b"ROOT"] and b"OFFSET" in head
    )


class Importers:
    def signatures(self) -> tuple[Signature, ...]:
        return (Signature("bvh", "model/x-bvh", "animation", rule=is_bvh, is_text=True, extensions=("bvh",)),)


DETECTOR = MagikaDetector(Importers())  # type: ignore[arg-type]  # all that is asked of it
ANIMATION = {"bvh", "fbx", "glb", "gltf", "npy", "npz", "usda", "usdc", "usdz", "safetensors", "obj", "c3d"}
BVH = b"HIERARCHY\nROOT Hips\n{\n\tOFFSET 0 0 0\n\tCHANNELS 3 Zrotation Xrotation Yrotation\n}\nMOTION\nFrames: 1\n"
ELF = Path(sys.executable).resolve().read_bytes()[:40_000]
HTML = b"<!DOCTYPE html>\n<html><head><title>x</title></head><body><p>words</p></body></html>\n" * 3
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"


def zipped(name: str, content: bytes = b"words\n") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def portable(machine: int) -> bytes:
    """A Windows program's headers (PE format, section 3), 32 or 64 bits."""
    return (b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", machine)).ljust(
        4096, b"\0"
    )


def array(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


FALSE = {
    "PE32": portable(0x14C),
    "PE64": portable(0x8664),
    "ELF": ELF,
    "HTML": HTML,
    "pickle": pickle.dumps({"positions": list(range(400))}),
    "zip of text": zipped("readme.txt"),
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:"
    + b"0" * 64
    + b"\nsize 99\n",
    "glTF and words": b"glTF is a format " * 90,
    "GLB of 2 GiB": b"glTF" + struct.pack("<III", 2, 1 << 31, 8) + b"JSON" + b"{}      ",
    "safetensors of 2 ** 62": struct.pack("<Q", 1 << 62) + b'{"a":{"data_offsets":[0,4]}}',
    "FBX and zeros": b"Kaydara FBX Binary  \0\x1a\0" + bytes(5000),
    "RIFF of no form": b"RIFF" + struct.pack("<I", 40) + b"NONE" + bytes(60),
    "ftyp of no brand": b"\0\0\0\x18ftypnone" + bytes(60),
    "1 KiB of NUL": bytes(1024),
    "10 KiB of blanks": b" " * 10_240,
}


@pytest.mark.parametrize("name", FALSE)
@pytest.mark.parametrize("suffix", ["bvh", "fbx", "npz", "gltf"])
def test_what_only_has_the_name_is_no_animation(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"walk.{suffix}"
    path.write_bytes(FALSE[name])
    assert DETECTOR.detect(path).label not in ANIMATION


@pytest.mark.parametrize(
    ("name", "label"),
    [("PE32", "pebin"), ("PE64", "pebin"), ("ELF", "elf"), ("HTML", "html"), ("pickle", "pickle")],
)
@pytest.mark.parametrize("blanks", [0, 100, 4088, 4089, 4095, 4096, 5000, 60_000])
def test_what_runs_is_known_for_it(name: str, label: str, blanks: int) -> None:
    """Behind 4,089 blanks and more the package calls anything text, with the score 1."""
    found = DETECTOR.detect(b" " * blanks + FALSE[name])
    if not blanks:
        assert found.label == label
    else:
        assert found.label not in ANIMATION
        assert any("blank" in alarm for alarm in found.alarms) == (blanks > 4088)
    if name in ("ELF", "HTML"):
        assert found.label == label


@pytest.mark.parametrize("front", [b"\xef\xbb\xbf", b"\n" * 5000, b"\r\n\t "])
def test_motion_is_known_behind_marks_and_blanks(front: bytes) -> None:
    for content in (BVH, BVH.replace(b"\n", b"\r\n"), BVH.lower().replace(b"offset", b"OFFSET")):
        assert DETECTOR.detect(front + content).label == "bvh"


@pytest.mark.parametrize(
    "front", [BVH, PNG + bytes(500), b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n" * 90, ELF]
)
def test_a_zip_behind_anything_alarms(front: bytes) -> None:
    label = DETECTOR.detect(front).label
    found = DETECTOR.detect(front + zipped("payload.sh"))
    assert any("zip" in alarm for alarm in found.alarms), (label, found)


@pytest.mark.parametrize(
    ("content", "label", "word"),
    [
        (array(np.array([{}, 1], object)), "npy", "Python objects"),
        (zipped("a.npy", array(np.zeros(2)))[:-22] + zipped("a.npy", array(np.zeros(2)))[-22:], "npz", None),
        (zipped("../../pose.npy", array(np.zeros(2))), "npz", "outside"),
        (zipped("C:\\pose.npy", array(np.zeros(2))), "npz", "outside"),
    ],
)
def test_arrays_that_are_not_only_arrays_alarm(content: bytes, label: str, word: str | None) -> None:
    found = DETECTOR.detect(content)
    assert found.label == label
    assert bool(found.alarms) == (word is not None)
    assert word is None or any(word in alarm for alarm in found.alarms)


def test_audit_doubts_a_signature_over_code() -> None:
    """Text that begins as motion and goes on as a shell script: only the whole parse can refuse it."""
    script = (
        b"HIERARCHY\nROOT x\nOFFSET\n"
        + b'#!/bin/bash\nset -e\nfor f in *; do rm -f "$f"; done\nexport X=1\n' * 80
    )
    assert DETECTOR.detect(script).label == "bvh"
    assert any("shell" in alarm for alarm in DETECTOR.detect(script, audit=True).alarms)


def test_utf_16_motion_is_text_at_most() -> None:
    found = DETECTOR.detect(BVH.decode().encode("utf-16"))
    assert found.label not in ANIMATION
    assert found.error is None
