"""What pretends to be something else, written from the formats' specifications: never taken for it."""

from __future__ import annotations

import io
import os
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


def film() -> bytes:
    return struct.pack(">I", 24) + b"ftypisom" + bytes(4) + b"isommp42" + bytes(4) + b"moov" + bytes(90)


GLB = b"glTF" + struct.pack("<IIII", 2, 28, 8, 0x4E4F534A) + b'{"a":1} '


@pytest.mark.parametrize(
    ("name", "content", "label"),
    [("walk.bvh", GLB, "glb"), ("speech.wav", film(), "mp4"), ("hero.fbx", FALSE["Git LFS pointer"], None)],
)
def test_a_name_of_another_format_changes_nothing(
    tmp_path: Path, name: str, content: bytes, label: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert DETECTOR.detect(path).label == (label or "git-lfs-pointer")


@pytest.mark.parametrize(
    ("head", "label"), [(PNG.ljust(4096, b"\1"), "png"), (BVH.ljust(4096, b"\n"), "bvh")]
)
def test_only_the_ends_are_looked_at(head: bytes, label: str) -> None:
    """What lies between only the importer's own parse can see."""
    tail = head[-4096:]
    for middle in (ELF, FALSE["pickle"], bytes(range(256)) * 40):
        assert DETECTOR.detect(head + middle + tail) == DETECTOR.detect(head + bytes(len(middle)) + tail)
        assert DETECTOR.detect(head + middle + tail).label == label


@pytest.mark.parametrize(
    "front",
    [b"GIF89a\1\0\1\0\0\0\0," + bytes(400), portable(0x8664), b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(500)],
)
def test_a_zip_behind_pictures_and_programs_alarms(front: bytes) -> None:
    assert not DETECTOR.detect(front).alarms
    assert any("zip" in alarm for alarm in DETECTOR.detect(front + zipped("payload.sh")).alarms)


def test_a_footer_of_another_format_hides_no_program() -> None:
    """The network's score falls with a TGA's footer behind a program; its headers stay what they are."""
    for footer in (b"\0\0\0\0\0\0\0\0TRUEVISION-XFILE.\0", b"\xff\xd9", b"%%EOF\n"):
        found = DETECTOR.detect(ELF + footer)
        assert (found.label, found.decided_by) == ("elf", "signature")


def test_a_zip_behind_noise_is_told_whatever_the_label() -> None:
    noise = np.random.default_rng(0).bytes(3000)
    assert any(
        "zip" in alarm for alarm in DETECTOR.detect(noise + zipped("a.npy", array(np.zeros(3)))).alarms
    )


def test_a_script_behind_a_picture_alarms() -> None:
    found = DETECTOR.detect(PNG + bytes(3000) + b"\n#!/bin/sh\nrm -rf .\n")
    assert found.label == "png"
    assert any("script" in alarm for alarm in found.alarms)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_that_takes_a_files_place_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the path and the opening: what was opened is looked at again."""
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    os.mkfifo(pipe)
    file.write_bytes(BVH)
    looked_at = os.stat(file)
    monkeypatch.setattr(os, "stat", lambda path: looked_at)
    found = DETECTOR.detect(pipe)
    assert (found.label, found.error) == ("fifo", None)


@pytest.mark.parametrize("left", [0, 50, 3000, 6000])
def test_a_file_that_shrinks_between_size_and_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    path = tmp_path / "walk.bvh"
    path.write_bytes(BVH + b"0 0 0\n" * 4000)
    real = os.fstat

    def cut(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        os.truncate(path, left)
        return status

    monkeypatch.setattr(os, "fstat", cut)
    found = DETECTOR.detect(path)
    assert found.error is None
    assert any("shrank" in alarm for alarm in found.alarms)
    assert found.label == ("bvh" if left > len(BVH) else found.label)


def test_virtual_files_are_read() -> None:
    """The package raises: their size is 0, and they have no end to seek to."""
    paths = [p for p in ("/proc/self/maps", "/proc/cpuinfo", "/proc/self/status") if Path(p).is_file()]
    if not paths:
        pytest.skip("no /proc here")
    for found in DETECTOR.detect_many([*paths, "x" * 5000, *paths]):
        assert found.is_text or found.error
        assert (found.error is None) == (found.path in paths)
