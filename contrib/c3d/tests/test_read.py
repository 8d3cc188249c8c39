"""Gaps, labels, units, events, frame counts, and bytes that make no sense."""

from __future__ import annotations

import struct
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kinetoscope_c3d
from kinetoscope_c3d._frames import read_points
from kinetoscope_c3d._markers import axes, fill, gaps
from kinetoscope_c3d._parameters import Document, Numbers, Parameter, read_document
from kinetoscope_c3d.contract import made
from kinetoscope_c3d.importer import C3dImporter
from kinetoscope_c3d.signature import is_c3d
from kinetoscope_spec import Asset, FormatError

INTEL = Numbers(84)


def read(tmp_path: Path, data: bytes, **options: int) -> Asset:
    path = tmp_path / "a.c3d"
    path.write_bytes(data)
    return C3dImporter().read(path, **options)


def test_gaps_are_filled_by_straight_lines_and_told(tmp_path: Path) -> None:
    x = [(1, 0), (9, -1), (9, -1), (4, 0), (9, -1)]
    data = made([[(v, 0, 0, r), (v, 0, 0, -1)] for v, r in x], ["A", "never"], units="m", screen=("+X", "+Y"))
    asset = read(tmp_path, data)
    assert asset.skeleton.names == ("markers", "A")
    np.testing.assert_allclose(asset.motions[0].positions[:, 1, 0], [1, 2, 3, 4, 4])
    assert asset.metadata["gaps"] == {"A": ((1, 3), (4, 5))}
    assert "never seen" in " ".join(asset.warnings)
    assert asset.motions[0].framerate == 100


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_gaps_tell_which_frames_are_missing(seen: list[bool]) -> None:
    held = np.array(seen)
    missing = [frame for start, stop in gaps(held) for frame in range(start, stop)]
    assert missing == np.flatnonzero(~held).tolist()
    assert all(stop < start for (_, stop), (start, _) in zip(gaps(held), gaps(held)[1:], strict=False))


@given(st.lists(st.booleans(), min_size=2, max_size=20).filter(any), st.integers(0, 2**32 - 1))
def test_filling_keeps_what_was_seen_and_stays_between(seen: list[bool], seed: int) -> None:
    held = np.array(seen)
    values = np.random.default_rng(seed).normal(size=(len(held), 1, 3)).astype(np.float32)
    filled = fill(values, held[:, None])
    np.testing.assert_array_equal(filled[held], values[held])
    known = values[held][:, 0]
    assert (filled[:, 0] >= known.min(axis=0) - 1e-6).all()
    assert (filled[:, 0] <= known.max(axis=0) + 1e-6).all()


def test_labels_that_lack_or_double(tmp_path: Path) -> None:
    data = made([[(0, 0, 0, 0)] * 4], ["A", "A", "markers", "A_2"])
    assert read(tmp_path, data).skeleton.names == ("markers", "A", "A_2", "markers_2", "A_2_2")
    unnamed = data.replace(b"LABELS", b"LABELX")
    asset = read(tmp_path, unnamed)
    assert asset.skeleton.names == ("markers", *(f"point_{i}" for i in range(1, 5)))
    assert "4 points and 0 labels" in " ".join(asset.warnings)


def texts(*held: str) -> Parameter:
    width = max(map(len, held))
    return Parameter(-1, (width, len(held)), "".join(text.ljust(width) for text in held).encode(), INTEL)


def document(**parameters: Parameter) -> Document:
    named = {name.replace("__", ":"): value for name, value in parameters.items()}
    return Document(np.zeros(256, np.uint16), (-1.0, 50.0), named, INTEL)


@pytest.mark.parametrize(
    ("right", "up", "wanted"),
    [
        ("+X", "+Z", "+X+Z-Y"),
        ("X", "Y", "+X+Y+Z"),
        ("-Y", "+Z", "-Y+Z-X"),
        ("+X", "-X", "+X+Z-Y"),
        ("", "", "+X+Z-Y"),
    ],
)
def test_axes(right: str, up: str, wanted: str) -> None:
    warnings: list[str] = []
    held = {"POINT__X_SCREEN": texts(right or " "), "POINT__Y_SCREEN": texts(up or " ")}
    assert axes(document(**held), warnings) == wanted
    assert bool(warnings) == (right[-1:] == up[-1:])


def test_long_trials_count_in_several_ways() -> None:
    def words(*held: int) -> Parameter:
        return Parameter(2, (len(held),), struct.pack(f"<{len(held)}H", *held), INTEL)

    def declared(**parameters: Parameter) -> tuple[int, int]:
        points = read_points(bytes(1024), document(POINT__USED=words(0), **parameters), "x")
        return points.first, points.declared

    from kinetoscope_c3d._frames import _frame_range

    long = {"TRIAL__ACTUAL_START_FIELD": words(1, 0), "TRIAL__ACTUAL_END_FIELD": words(34_464, 1)}
    assert _frame_range(document(**long)) == (1, 100_000)
    frames = Parameter(4, (), struct.pack("<f", 100_000), INTEL)
    assert _frame_range(document(POINT__LONG_FRAMES=frames))[1] == 100_000
    assert _frame_range(document(POINT__FRAMES=words(40_000)))[1] == 40_000
    assert declared() == (0, 0)


def test_results_of_a_model_are_no_places_and_events_are_told(tmp_path: Path) -> None:
    data = made([[(1, 2, 3, 0)] * 2], ["HIP", "LKneeAngles"])
    document_ = read_document(data, "x")
    assert document_.texts("POINT:LABELS") == ["HIP", "LKneeAngles"]
    section = bytearray(data[512:1024])
    end = (
        section.rindex(b"Y_SCREEN") + 8 + 2 + 2 + 1 + 2 + 1
    )  # name, offset, kind, dimensions, text, description

    def entry(name: bytes, group: int, body: bytes) -> bytes:
        return struct.pack("<bb", len(name), group) + name + struct.pack("<h", len(body) + 2) + body

    more = entry(b"ANGLES", 1, b"\xff\x02\x0b\x01LKneeAngles\0") + entry(b"EVENT", -2, b"\0")
    more += entry(b"USED", 2, b"\x02\0" + struct.pack("<H", 1) + b"\0")
    more += entry(b"LABELS", 2, b"\xff\x02\x0b\x01Foot Strike\0")
    more += entry(b"CONTEXTS", 2, b"\xff\x02\x04\x01Left\0")
    more += entry(b"TIMES", 2, b"\x04\x02\x02\x01" + struct.pack("<2f", 1, 2.5) + b"\0")
    section[end : end + len(more)] = more
    asset = read(tmp_path, data[:512] + bytes(section[:512]) + data[1024:])
    assert asset.skeleton.names == ("markers", "HIP")
    assert asset.metadata["events"] == ({"label": "Foot Strike", "context": "Left", "time_s": 62.5},)
    assert "angles" in " ".join(asset.warnings)


GOOD = made([[(1, 2, 3, 0)]], ["A"])


@pytest.mark.parametrize(
    ("at", "new", "word"),
    [
        (1, b"\x51", "begins with"),
        (0, b"\x01", "begins with"),
        (0, b"\xff", "not there"),
        (515, b"\x57", "processor 87"),
        (1024, b"\0\0\xc0\x7f", None),
        (523, b"\xff\xff", "-1 bytes on"),
    ],
)
def test_bytes_that_make_no_sense(tmp_path: Path, at: int, new: bytes, word: str | None) -> None:
    data = GOOD[:at] + new + GOOD[at + len(new) :]
    if word is None:
        assert read(tmp_path, data).skeleton.names == ("markers",)  # not a number: never seen
        return
    with pytest.raises(FormatError, match=word) as caught:
        read(tmp_path, data)
    assert str(tmp_path / "a.c3d") in str(caught.value)
    assert "byte" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"RATE", b"\0\0\0\0"),
        (b"RATE", b"\0\0\xc0\x7f"),
        (b"SCALE", b"\0\0\0\0"),
        (b"DATA_START", b"\xff\xff"),
    ],
)
def test_parameters_that_make_no_sense(tmp_path: Path, name: bytes, value: bytes) -> None:
    data = bytearray(GOOD)
    at = GOOD.index(name) + len(name) + 4
    data[at : at + len(value)] = value
    if (name == b"RATE" and value[3]) or name == b"SCALE":
        data[12:24] = bytes(12)  # the header must not stand in
    with pytest.raises(FormatError):
        read(tmp_path, bytes(data))


def test_frames_that_are_declared_and_not_there_cost_nothing(tmp_path: Path) -> None:
    data = bytearray(GOOD)
    data[8:10] = b"\xff\xff"
    asset = read(tmp_path, bytes(data))
    assert asset.motions[0].frame_count == 1
    assert "65535 frames are declared and 1" in " ".join(asset.warnings)
    with pytest.raises(FormatError, match="max_bytes"):
        read(tmp_path, GOOD, max_bytes=100)


def test_the_signature() -> None:
    assert is_c3d(GOOD, GOOD, len(GOOD))
    assert not is_c3d(GOOD[:400], b"", 400)
    assert not is_c3d(b"\x02P" + bytes(2000), b"", 2002)
    assert not is_c3d(b"", b"", 0)
    (provider,) = kinetoscope_c3d.providers()
    assert (provider.name, provider.reads, provider.writes) == ("c3d", ("c3d",), ())


def test_threads_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.c3d"
    path.write_bytes(GOOD)
    assets: list[Asset] = []
    threads = [threading.Thread(target=lambda: assets.append(C3dImporter().read(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(assets) == 8
    assert all(asset == assets[0] for asset in assets)
