"""Bad input of every kind ends in an error that names the file, soon, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path

import pytest

from kinetoscope_bvh.importer import BvhImporter
from kinetoscope_spec import FormatError

GOOD = (
    b"HIERARCHY\nROOT Hips\n{\n\tOFFSET 0 90 0\n\tCHANNELS 3 Xposition Yposition Zposition\n"
    b"\tEnd Site\n\t{\n\t\tOFFSET 0 80 0\n\t}\n}\nMOTION\nFrames: 2\nFrame Time: 0.04\n1 2 3\n4 5 6\n"
)


def test_a_directory_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        BvhImporter().read(tmp_path)
    with pytest.raises(FileNotFoundError):
        BvhImporter().read(tmp_path / "no.bvh")


def test_bytes_at_hand_are_what_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    for data in (GOOD, GOOD.replace(b"4 5 6", b"4 oh 6"), b"x" + GOOD, b"", GOOD[:100]):
        path.write_bytes(data)
        told = []
        for read in (BvhImporter().read, lambda path: BvhImporter().read_bytes(path.read_bytes(), path)):
            try:
                asset = read(path)
                told.append((asset.name, asset.motions, asset.warnings, dict(asset.metadata)))
            except FormatError as error:
                told.append(str(error))
        assert told[0] == told[1]
    path.unlink()
    assert BvhImporter().read_bytes(GOOD, path, unit=1.0).skeleton.rest_positions[0, 1] == 90


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.bvh"
    os.mkfifo(pipe)
    with pytest.raises(FormatError, match="regular file"):
        BvhImporter().read(pipe)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \n\n",
        b"\xef\xbb\xbf",
        b"\0" * 5000,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10,
        GOOD.decode().encode("utf-16"),
        b"{" * 1_000_000,
        b"HIERARCHY " + b"{" * 1_000_000,
        b"HIERARCHY\nROOT a\n" + b"{" * 1_000_000,
        b"HIERARCHY\nROOT a {OFFSET 0 0 0" + b" JOINT b {" * 1_000_000,
        b"HIERARCHY\nROOT a {OFFSET 0 0 0" + b" JOINT b {OFFSET 1 1 1}" * 100_000 + b"}",
        b"HIERARCHY\nROOT " + b"a" * 5_000_000,
        b"HIERARCHY\nROOT a {\nCHANNELS 99999999999 Xposition",
        b"HIERARCHY\nROOT a {\nOFFSET " + b"9" * 1_000_000,
        b" " * 200_000 + GOOD,
        b"HIERARCHY\nROOT a {\nOFFSET 0 0 0\nCHANNELS 1 Yrotation\n"
        + b"JOINT b {\nOFFSET 1 1 1\n}\n" * 10_000
        + b"}\nMOTION\nFrames: 9\nFrame Time: 1\n"
        + b"1\n" * 100_000,
        GOOD.replace(b"Frames: 2", b"Frames: " + b"9" * 5000),
        GOOD[:-6] + b"1" * 2_000_000 + b"x",
        GOOD[:-6] + b"4 5 \xff\xfe",
        GOOD[:-6] + b"4 5 " + bytes(1_000_000),
    ],
)
def test_bad_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.bvh"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        BvhImporter().read(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert [*tmp_path.iterdir()] == [path]


def sparse(path: Path, beginning: bytes = b"", size: int = 10 * 1024**3) -> Path:
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(size)
    return path


@pytest.mark.parametrize("beginning", [b"", GOOD], ids=["zeros", "good beginning"])
def test_ten_sparse_gigabytes_are_refused_without_reading_them(tmp_path: Path, beginning: bytes) -> None:
    path = sparse(tmp_path / "big.bvh", beginning)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError, match=r"big\.bvh"):
        BvhImporter().read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_the_cap_is_the_callers(tmp_path: Path) -> None:
    path = tmp_path / "clip.bvh"
    path.write_bytes(GOOD)
    with pytest.raises(FormatError, match="max_bytes"):
        BvhImporter().read(path, max_bytes=len(GOOD) - 1)
    assert BvhImporter().read(path, max_bytes=len(GOOD)).motions[0].frame_count == 2


def test_a_billion_frames_declared_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clip.bvh"
    path.write_bytes(GOOD.replace(b"Frames: 2", b"Frames: 1000000000"))
    assert BvhImporter().read(path).motions[0].frame_count == 2


def test_truncation_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "clip.bvh"
    ends = {"asset": 0, "error": 0}
    for size in range(len(GOOD) + 1):
        path.write_bytes(GOOD[:size])
        try:
            asset = BvhImporter().read(path)
            assert asset.motions[0].frame_count in (1, 2)
            ends["asset"] += 1
        except FormatError as error:
            ends["error"] += error.line is not None
    assert sum(ends.values()) == len(GOOD) + 1
    assert ends["error"] >= GOOD.index(b"1 2 3") + 5


def test_threads_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "clip.bvh"
    path.write_bytes(GOOD)
    importer, assets = BvhImporter(), []
    threads = [threading.Thread(target=lambda: assets.append(importer.read(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(assets) == 8
    assert all(asset == assets[0] for asset in assets)
