"""Bad input of every kind ends in an error that names the file and the place, soon, in bounded memory."""

from __future__ import annotations

import os
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from fbx_scenes import LINEAR, Key, Scene, numbers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec import Asset, ConfigError, FormatError, kinematics

MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"


def binary(*records: bytes, version: int = 7400) -> bytes:
    return MAGIC + struct.pack("<I", version) + b"".join(records)


def arm() -> Scene:
    """A skinned, animated scene with every kind of object the reader knows."""
    scene = Scene()
    root = scene.node("root")
    bone = scene.node("bone", root, Lcl_Translation=(0.0, 100.0, 0.0), InheritType=2)
    geometry = scene.mesh(scene.node("mesh", root, subtype="Mesh"), np.eye(3) * 100, [[0, 1, 2]])
    scene.skin(geometry, [(bone, [0, 1, 2], [1.0, 0.5, 0.25], np.eye(4)), (root, [1], [0.5], np.eye(4))])
    layer = scene.layer(scene.stack("clip", 0, 0.2))
    scene.curve(scene.channel(layer, bone, "Lcl Rotation"), "X", [Key(0, 0, LINEAR), Key(0.2, 90, LINEAR)])
    return scene


def read(tmp_path: Path, data: bytes, **options: float) -> Asset:
    path = tmp_path / "bad.fbx"
    path.write_bytes(data)
    return FbxImporter().read(path, **options)


def attempt(tmp_path: Path, data: bytes) -> Asset | FormatError:
    try:
        return read(tmp_path, data)
    except FormatError as error:
        return error


TEXT = arm().text()
BINARY = arm().binary()
BINARY_WIDE = arm().binary(7500, big_endian=True, deflate=False)


@pytest.mark.parametrize("data", [BINARY, BINARY_WIDE, TEXT], ids=["binary", "wide, big-endian", "text"])
def test_a_file_cut_off_anywhere_is_told_or_whole(tmp_path: Path, data: bytes) -> None:
    whole = read(tmp_path, data)
    for cut in range(0, len(data), 1 if len(data) < 4000 else 3):
        held = attempt(tmp_path, data[:cut])
        if isinstance(held, FormatError):
            assert held.path == tmp_path / "bad.fbx"
        else:
            assert set(held.skeleton.names) <= set(whole.skeleton.names)


@given(data=st.sampled_from([BINARY, BINARY_WIDE, TEXT]), changes=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_are_told_or_read(tmp_path: Path, data: bytes, changes: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(changes.draw(st.integers(1, 4))):
        at = changes.draw(st.integers(0, len(damaged) - 1))
        value = changes.draw(st.one_of(st.integers(0, 255), st.sampled_from([0, 0x7F, 0x80, 0xFF])))
        damaged[at] = value
    held = attempt(tmp_path, bytes(damaged))
    if isinstance(held, FormatError):
        assert held.path == tmp_path / "bad.fbx"
    else:
        for i in range(len(held.meshes)):
            assert np.isfinite(kinematics.skinned_vertices(held, i, None)).all()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"nothing of the kind", "begins with"),
        (MAGIC, "ends in its header"),
        (binary(version=77), "version 77"),
        (binary(version=7400), "no objects"),
        (binary(struct.pack("<IIIB", 0xFFFFFFFF, 1, 0, 1) + b"a"), "ends at byte"),
        (binary(struct.pack("<IIIB", 60, 0xFFFFFFFF, 5, 1) + b"aY" + bytes(40)), "4,294,967,295 values"),
        (
            binary(
                struct.pack("<IIIB", 80, 1, 13, 1) + b"ad" + struct.pack("<III", 0xFFFFFFFF, 0, 8) + bytes(40)
            ),
            "takes",
        ),
        (
            binary(struct.pack("<IIIB", 80, 1, 13, 1) + b"aS" + struct.pack("<I", 0xFFFFFFFF) + bytes(40)),
            "end early",
        ),
        (b"; FBX 7.4.0 project file\n" + b"a: {\n" * 1000, "nests too deep"),
        (b"; FBX 7.4.0 project file\n}", "closes nothing"),
        (b'; FBX 7.4.0 project file\nObjects: { Model: 1, "Model::a', "nothing an FBX"),
        (b"; FBX 7.4.0 project file\nObjects: { }", "no node"),
        (b"; FBX 99.4.0 project file\nObjects: { }", "version 99400"),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said) as caught:
        read(tmp_path, data)
    assert "bad.fbx" in str(caught.value)


def test_records_nest_no_deeper_than_is_safe(tmp_path: Path) -> None:
    inner = b""
    for depth in range(500):  # innermost first, ends given from the file's beginning
        size = 27 + 13 * (500 - depth) + (500 - depth)
        inner = struct.pack("<IIIB", size + len(inner), 0, 0, 1) + b"a" + inner
    with pytest.raises(FormatError, match="deeper"):
        read(tmp_path, binary(inner))


def test_nodes_that_are_their_own_ancestors(tmp_path: Path) -> None:
    scene = Scene()
    a = scene.node("a", 0)
    b, c = scene.node("b", 2), scene.node("c", 2)
    scene.connections.clear()
    for source, target in ((a, 0), (b, c), (c, b)):
        scene.connect(source, target)
    with pytest.raises(FormatError, match="own ancestor"):
        read(tmp_path, scene.text())


def test_a_node_that_hangs_from_itself(tmp_path: Path) -> None:
    scene = Scene()
    scene.node("a", 1)
    with pytest.raises(FormatError, match="own ancestor"):
        read(tmp_path, scene.text())


def test_ten_thousand_nodes_below_one_another(tmp_path: Path) -> None:
    scene, above = Scene(), 0
    for i in range(10_000):
        above = scene.node(f"n{i}", above)
    began = time.monotonic()
    assert len(read(tmp_path, scene.text()).skeleton) == 10_000
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("text", ["1.#INF", "nan", "1e999", "-1.#IND", '"a"'])
def test_numbers_that_are_none(tmp_path: Path, text: str) -> None:
    scene = Scene()
    scene.mesh(scene.node("mesh", subtype="Mesh"), np.eye(3), [[0, 1, 2]])
    with pytest.raises(FormatError, match=r"bad\.fbx"):
        read(tmp_path, scene.text().replace(b"1.0,0.0", text.encode() + b",0.0"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"PolygonVertexIndex: *3 { a: 0,1,-3 }", b"PolygonVertexIndex: *3 { a: 0,1,-9 }"),
        (b"PolygonVertexIndex: *3 { a: 0,1,-3 }", b"PolygonVertexIndex: *3 { a: 0,1,2 }"),
        (b"Indexes: *3 { a: 0,1,2 }", b"Indexes: *3 { a: 0,1,7 }"),
        (b"Indexes: *3 { a: 0,1,2 }", b"Indexes: *3 { a: 0,1,-2 }"),
        (b"Indexes: *3 { a: 0,1,2 }", b"Indexes: *2 { a: 0,1 }"),
        (b"KeyAttrRefCount: *2 { a: 1,1 }", b"KeyAttrRefCount: *2 { a: 1,9 }"),
        (b"KeyAttrRefCount: *2 { a: 1,1 }", b"KeyAttrRefCount: *2 { a: 1,-1 }"),
        (b"KeyTime: *2 { a: 0,", b"KeyTime: *2 { a: 99999999999999,"),
        (b"KeyValueFloat: *2 { a: 0.0,90.0 }", b"KeyValueFloat: *1 { a: 0.0 }"),
    ],
    ids=range(9),
)
def test_arrays_that_do_not_fit_each_other(tmp_path: Path, old: bytes, new: bytes) -> None:
    assert old in TEXT
    with pytest.raises(FormatError, match=r"bad\.fbx"):
        read(tmp_path, TEXT.replace(old, new))


def test_zero_scales_and_flat_bind_matrices_are_no_reason_to_fail(tmp_path: Path) -> None:
    scene = Scene()
    root = scene.node("root", Lcl_Scaling=(0.0, 1.0, 1.0), InheritType=1)
    flat = scene.node(
        "flat", root, Lcl_Scaling=(0.0, 0.0, 0.0), Lcl_Rotation=(10.0, 20.0, 30.0), InheritType=0
    )
    leaf = scene.node("leaf", flat, Lcl_Translation=(1.0, 2.0, 3.0), InheritType=2)
    geometry = scene.mesh(scene.node("mesh", root, subtype="Mesh"), np.eye(3) * 100, [[0, 1, 2]])
    body = f"Indexes: {numbers([0])} Weights: {numbers([1.0])} Transform: {numbers([0.0] * 16)}"
    skin = scene.add("Deformer", "Deformer::skin", "Skin", to=geometry)
    scene.connect(leaf, scene.add("Deformer", "SubDeformer::cluster", "Cluster", body, to=skin))
    asset = read(tmp_path, scene.text())
    assert np.isfinite(asset.skeleton.rest_matrices()).all()
    assert np.isfinite(kinematics.skinned_vertices(asset, 0, None)).all()


def test_names_are_only_names(tmp_path: Path) -> None:
    scene = Scene()
    above = scene.node("../../etc/passwd")
    for name in ("twin", "twin", "twin", "", "näme ✓"):
        scene.node(name, above)
    asset = read(tmp_path, scene.text())
    assert asset.skeleton.names[:4] == ("../../etc/passwd", "twin", "twin_1", "twin_2")
    assert len(set(asset.skeleton.names)) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.fbx"]


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.fbx"
    os.mkfifo(pipe)
    with pytest.raises(FormatError, match="regular file"):
        FbxImporter().read(pipe)
    with pytest.raises(IsADirectoryError):
        FbxImporter().read(tmp_path)
    with pytest.raises(FileNotFoundError):
        FbxImporter().read(tmp_path / "none.fbx")


def test_options_are_checked(tmp_path: Path) -> None:
    for framerate in (0, -1, float("nan"), float("inf"), 1e9):
        with pytest.raises(ConfigError, match="framerate"):
            read(tmp_path, TEXT, framerate=framerate)
    with pytest.raises(ConfigError, match=r"'walk'.*\['clip'\]"):
        FbxImporter().read(tmp_path / "bad.fbx", stacks=["walk"])
    with pytest.raises(FormatError, match="max_bytes"):
        read(tmp_path, TEXT, max_bytes=100)


def peak(tmp_path: Path, data: bytes) -> int:
    """Return the bytes that Python and NumPy hold at most while a file is read or refused."""
    path = tmp_path / "bad.fbx"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        FbxImporter().read(path)
    except FormatError:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


def packed_array(count: int, packed: bytes) -> bytes:
    """Return a file whose mesh has an array of `count` doubles in `packed` bytes."""
    scene = Scene()
    scene.mesh(scene.node("mesh", subtype="Mesh"), np.eye(3), [[0, 1, 2]])
    data = scene.binary(deflate=False)
    plain = np.eye(3).tobytes()
    at = data.index(b"Vertices") + len("Vertices")
    assert data[at : at + 1] == b"d"
    assert data[at + 13 : at + 13 + len(plain)] == plain
    changed = (
        data[: at + 1] + struct.pack("<III", count, 1, len(packed)) + packed + data[at + 13 + len(plain) :]
    )
    grown = len(packed) - len(plain)
    result = bytearray(changed)

    def fix(start: int, end: int) -> None:
        """Move the ends of records that hold the array, or come after it."""
        while start < end and (stop := struct.unpack_from("<I", data, start)[0]):
            _, values, name = struct.unpack_from("<IIB", data, start + 4)
            shift = grown if start > at else 0
            struct.pack_into("<I", result, start + shift, stop + (grown if stop > at else 0))
            if start < at < stop and start + 13 + name + values >= at:
                struct.pack_into("<I", result, start + 8, values + grown)
            else:
                fix(start + 13 + name + values, stop)
            start = stop

    fix(27, len(data))
    return bytes(result)


def test_the_bomb_builder_builds_readable_files(tmp_path: Path) -> None:
    asset = read(tmp_path, packed_array(9, zlib.compress(np.eye(3).tobytes())))
    np.testing.assert_allclose(asset.meshes[0].vertices, np.eye(3) / 100)


def test_bombs_do_not_go_off(tmp_path: Path) -> None:
    zeros = zlib.compress(bytes(64 << 20), 9)
    for data, most in (
        (packed_array(0xFFFFFFFF, zlib.compress(bytes(100))), 2 << 20),  # states 32 GiB
        (packed_array(12, zeros), 2 << 20),  # holds more than it states
        (packed_array((8 << 20) // 8, zeros), 12 << 20),  # unpacks no more than it states
    ):
        assert peak(tmp_path, data) < most + 100 * len(data)


def test_long_clips_of_small_files_are_refused(tmp_path: Path) -> None:
    scene = Scene()
    scene.node("node")
    stack = scene.stack("for ever", 0, 1e8)
    scene.curve(scene.channel(scene.layer(stack), 1, "Lcl Translation"), "X", [Key(0, 0), Key(1, 1)])
    assert peak(tmp_path, scene.text()) < 4 << 20
    with pytest.raises(FormatError, match="for ever"):
        read(tmp_path, scene.text())


def test_many_shapes_of_a_small_file_are_refused(tmp_path: Path) -> None:
    scene = Scene()
    geometry = scene.mesh(scene.node("mesh", subtype="Mesh"), np.zeros((20_000, 3)), [[0, 1, 2]])
    held = scene.add("Deformer", "Deformer::blend", "BlendShape", to=geometry)
    for i in range(4000):
        channel = scene.add("Deformer", f"SubDeformer::{i}", "BlendShapeChannel", "", to=held)
        scene.add(
            "Geometry", "Geometry::s", "Shape", "Indexes: *1 {a: 0} Vertices: *3 {a: 0,0,1}", to=channel
        )
    with pytest.raises(FormatError, match="4000 shapes"):
        read(tmp_path, scene.text())
