"""Bad input of every kind ends in an error that names the file, soon, and leaves nothing behind."""

from __future__ import annotations

import base64
import json
import os
import resource
import struct
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_glb._budget import BYTES_PER_BYTE, FEW_BYTES
from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, FormatError

Read = Callable[..., Asset]
V2 = {"asset": {"version": "2.0"}}


def glb(text: bytes, *, version: int = 2, length: int | None = None, chunk: int | None = None) -> bytes:
    body = struct.pack("<I4s", len(text) if chunk is None else chunk, b"JSON") + text
    return struct.pack("<4sII", b"glTF", version, 12 + len(body) if length is None else length) + body


BAD = {
    "empty": b"",
    "blanks": b"  \n ",
    "zeros": bytes(5000),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "magic alone": b"glTF",
    "header alone": struct.pack("<4sII", b"glTF", 2, 12),
    "glTF 1.0": glb(b"{}", version=1),
    "glTF 3.0": glb(b"{}", version=3),
    "4 GB declared": glb(b"{}", length=2**32 - 1) + bytes(80),
    "4 GB chunk": glb(b"{}", chunk=2**32 - 1),
    "binary first": struct.pack("<4sIII4s", b"glTF", 2, 20, 0, b"BIN\0"),
    "no object": b"[]" * 10,
    "bare brace": b"{",
    "text after": json.dumps(V2).encode() + b"x",
    "utf-16": json.dumps(V2).encode("utf-16"),
    "latin-1": b'{"asset": {"version": "2.0"}, "x": "\xe9"}',
    "no asset": b'{"a": 1}',
    "asset is a list": b'{"asset": []}',
    "version is a number": b'{"asset": {"version": 2.0}}',
    "version 1.1": b'{"asset": {"version": "1.1"}}',
    "version 3": b'{"asset": {"version": "3.0"}}',
    "minVersion 2.1": b'{"asset": {"version": "2.1", "minVersion": "2.1"}}',
    "nan": b'{"asset": {"version": "2.0"}, "nodes": [{"scale": [NaN, 1, 1]}]}',
    "infinity": b'{"asset": {"version": "2.0"}, "nodes": [{"scale": [1e999, 1, 1]}]}',
    "huge whole number": b'{"asset": {"version": "2.0"}, "scene": ' + b"9" * 5000 + b"}",
    "key twice": b'{"asset": {"version": "2.0"}, "nodes": [], "nodes": [{}]}',
    "deep arrays": b'{"a": ' + b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "required": json.dumps({**V2, "extensionsRequired": ["ACME_warp"]}).encode(),
    "required is text": json.dumps({**V2, "extensionsRequired": "ACME_warp"}).encode(),
}


@pytest.mark.parametrize("more", [1, 2**31])
@pytest.mark.parametrize("which", [0, 1])
def test_chunks_end_within_the_file(make: Any, read: Read, which: int, more: int) -> None:
    held = make()
    held.shown(held.triangles(np.eye(3)))
    data = bytearray(held.glb())
    (text,) = struct.unpack_from("<I", data, 12)
    at = 12 + which * (8 + text)
    (length,) = struct.unpack_from("<I", data, at)
    left = len(data) - at - 8
    struct.pack_into("<I", data, at, left + more)
    with pytest.raises(
        FormatError, match=f"at byte {at}.*a chunk of {left + more:,} bytes.*{left:,} are left"
    ):
        read(bytes(data))
    assert length <= left


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_bad_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.glb"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        GlbImporter().read(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert [*tmp_path.iterdir()] == [path]


def test_errors_say_where(tmp_path: Path) -> None:
    path = tmp_path / "a.gltf"
    path.write_bytes('{"asset": {"version": "2.0"}, "ä": x}'.encode())
    with pytest.raises(FormatError) as caught:
        GlbImporter().read(path)
    assert caught.value.offset == len('{"asset": {"version": "2.0"}, "ä": '.encode())


def test_a_directory_a_missing_file_and_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        GlbImporter().read(tmp_path)
    with pytest.raises(FileNotFoundError):
        GlbImporter().read(tmp_path / "no.glb")
    os.mkfifo(tmp_path / "pipe.glb")
    with pytest.raises(FormatError, match="regular file"):
        GlbImporter().read(tmp_path / "pipe.glb")


@pytest.mark.parametrize("head", [b"", glb(b"{}"), b'{"asset": {'], ids=["zeros", "glb", "gltf"])
def test_ten_sparse_gigabytes_are_refused_without_reading_them(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "big.glb"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(10 * 1024**3)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError, match=r"big\.glb"):
        GlbImporter().read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


@pytest.mark.timeout(20)
def test_deep_nodes_and_many(tmp_path: Path) -> None:
    """10,000 nodes, each the child of the one before: nothing recurses."""
    nodes = [{"children": [i + 1], "translation": [0, 1, 0]} for i in range(9_999)] + [{}]
    path = tmp_path / "deep.gltf"
    path.write_text(json.dumps({**V2, "nodes": nodes, "scenes": [{"nodes": [0]}]}))
    asset = GlbImporter().read(path)
    assert asset.skeleton.parents.tolist() == list(range(-1, 9_999))


def peak(path: Path) -> tuple[int, Asset | FormatError]:
    tracemalloc.start()
    try:
        found: Asset | FormatError = GlbImporter().read(path)
    except FormatError as error:
        found = error
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, found


def zeros(make: Any) -> Any:
    held = make()
    held.json["accessors"] = [{"componentType": 5126, "count": 10**9, "type": "VEC3"}]
    held.shown({"attributes": {"POSITION": 0}})
    return held


def morphs_of_one_accessor(make: Any) -> Any:
    held = make()
    part = held.triangles(np.zeros((3000, 3)))
    part["targets"] = [{"POSITION": part["attributes"]["POSITION"]}] * 5000
    held.shown(part)
    return held


def primitives_of_one_accessor(make: Any) -> Any:
    held = make()
    part = held.triangles(np.zeros((9000, 3)))
    held.shown(*({**part, "extras": i, "targets": [{"POSITION": 0, "i": i}]} for i in range(3000)))
    return held


def long_clip(make: Any) -> Any:
    held = make()
    for _ in range(200):
        held.node()
    held.animate((0, "scale", [0, 1e6], [[1, 1, 1], [2, 2, 2]], "LINEAR"))
    return held


def many_animations(make: Any) -> Any:
    held = make()
    for _ in range(100):
        held.node()
    held.animate((0, "scale", [0, 100], [[1, 1, 1], [2, 2, 2]], "LINEAR"))
    held.json["animations"] *= 500
    return held


def big_weights(make: Any) -> Any:
    held = make()
    part = held.triangles(np.zeros((3, 3)))
    part["targets"] = [{}] * 20_000
    held.shown(part)
    held.push("accessors", {"componentType": 5126, "count": 20_000 * 5000, "type": "SCALAR"})
    sampler = {"input": held.array(np.arange(5000)), "output": 1}
    held.push(
        "animations",
        {"samplers": [sampler], "channels": [{"sampler": 0, "target": {"node": 0, "path": "weights"}}]},
    )
    return held


def many_weights_of_two_keys(make: Any) -> Any:
    held = make()
    part = held.triangles(np.zeros((3, 3)))
    part["targets"] = [{}] * 2000
    held.shown(part)
    held.animate((0, "weights", [0, 2000], np.zeros(4000), "LINEAR"))
    return held


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "build",
    [
        zeros,
        morphs_of_one_accessor,
        primitives_of_one_accessor,
        long_clip,
        many_animations,
        big_weights,
        many_weights_of_two_keys,
    ],
)
def test_memory_stays_in_proportion_to_the_file(make: Any, tmp_path: Path, build: Any) -> None:
    path = tmp_path / "bomb.glb"
    path.write_bytes(build(make).glb())
    most, found = peak(path)
    size = path.stat().st_size
    assert isinstance(found, FormatError)
    assert "would take" in str(found)
    assert most < FEW_BYTES + 2 * BYTES_PER_BYTE * size  # the JSON and its objects come on top


def pieces(**arrays: str) -> bytes:
    """JSON in which each of `arrays` holds its text so often that the objects are what counts."""
    held = ",".join(f'"{key}":[{text}]' for key, text in arrays.items())
    return f'{{"asset":{{"version":"2.0"}},{held}}}'.encode()


TRIANGLES = {
    "meshes": '{"primitives":[{"attributes":{"POSITION":0}}]}',
    "accessors": '{"type":"VEC3","componentType":5126,"count":3}',
}
SMALL_PIECES = {
    "nodes": pieces(nodes="{}," * 150_000 + "{}"),
    "nodes of one name": pieces(nodes='{"name":"a"},' * 60_000 + "{}"),
    "materials": pieces(materials="{}," * 150_000 + "{}"),
    "scenes": pieces(nodes="{}", scenes="{}," * 100_000 + "{}"),
    "instances": pieces(nodes='{"mesh":0},' * 100_000 + "{}", **TRIANGLES),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("data", SMALL_PIECES.values(), ids=SMALL_PIECES.keys())
def test_objects_count_too(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "pieces.gltf"
    path.write_bytes(data)
    most, found = peak(path)
    assert isinstance(found, Asset) or "would take" in str(found)
    assert most < FEW_BYTES + 2 * BYTES_PER_BYTE * len(data)


@pytest.mark.timeout(20)
def test_a_key_that_stands_twice_among_many_is_found_in_one_pass(tmp_path: Path) -> None:
    keys = ",".join(f'"{i}":0' for i in range(200_000))
    path = tmp_path / "keys.gltf"
    path.write_text(f'{{"asset":{{"version":"2.0"}},"extras":{{{keys},"199999":0}}}}')
    with pytest.raises(FormatError, match="'199999' stands twice"):
        GlbImporter().read(path)


def test_json_takes_less_than_its_share(tmp_path: Path) -> None:
    path = tmp_path / "json.gltf"
    path.write_bytes(
        b'{"asset":{"version":"2.0"},"extras":[' + b"{}," * 200_000 + b"[]" + b',{"a":{}}' * 50_000 + b"]}"
    )
    most, found = peak(path)
    assert isinstance(found, Asset)
    assert most < 100 * path.stat().st_size


@pytest.mark.timeout(20)
def test_many_channels_of_one_property_are_baked_once(make: Any, tmp_path: Path) -> None:
    held = make()
    held.node()
    held.animate((0, "scale", [0, 1000], [[1, 1, 1], [2, 2, 2]], "LINEAR"))
    held.json["animations"][0]["channels"] *= 20_000
    path = tmp_path / "channels.glb"
    path.write_bytes(held.glb())
    asset = GlbImporter().read(path)
    assert asset.motions[0].frame_count == 30_001
    assert "channels[1] moves what another moves too" in asset.warnings[0]


def test_many_instances_of_a_mesh_share_it(make: Any, tmp_path: Path) -> None:
    held = make()
    held.shown(held.triangles(np.zeros((30_000, 3))))
    held.json["nodes"] = [{"mesh": 0}] * 500
    path = tmp_path / "forest.glb"
    path.write_bytes(held.glb())
    most, found = peak(path)
    assert isinstance(found, Asset)
    assert len(found.meshes) == 500
    assert most < 40 * path.stat().st_size


def test_overlapping_views_are_read(make: Any, read: Read) -> None:
    held = make()
    part = held.triangles([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    held.json["bufferViews"].append({"buffer": 0, "byteOffset": 0, "byteLength": 36})
    held.json["accessors"].append({**held.json["accessors"][0], "bufferView": 1})
    part["attributes"]["NORMAL"] = 1
    held.shown(part)
    np.testing.assert_allclose(read(held).meshes[0].normals, [[0, 1, 0], [1, 0, 0], [0, 1, 0]])


URIS = {
    "up": "../secret.bin",
    "up, escaped": "%2e%2e/secret.bin",
    "up, backslash": "..\\secret.bin",
    "down and up": "sub/../../secret.bin",
    "absolute": "/etc/passwd",
    "drive": "C:/secret.bin",
    "http": "http://localhost/secret.bin",
    "file": "file:///etc/passwd",
    "nul": "a%00b",
    "link": "link.bin",
    "link to folder": "linked/secret.bin",
    "folder": "sub",
    "itself a folder": ".",
    "pipe": "pipe",
    "loop": "loop",
    "missing": "missing.bin",
    "bad base64": "data:application/octet-stream;base64,@@@@",
    "short base64": "data:application/octet-stream;base64,QUJD",
    "no data": "data:nothing",
}


@pytest.mark.parametrize("uri", URIS.values(), ids=URIS.keys())
def test_uris_that_lead_elsewhere(make: Any, tmp_path: Path, uri: str) -> None:
    folder = tmp_path / "scene"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(bytes(4096))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    held = make()
    held.shown(held.triangles(np.eye(3)))
    path = folder / "a.gltf"
    path.write_bytes(held.gltf(uri))
    with pytest.raises(FormatError, match=r"buffers\[0\]"):
        GlbImporter().read(path)


@pytest.mark.parametrize("uri", ["b.bin", "sub/b%20c.bin", "sub/../b.bin", "./b.bin", "inner.bin"])
def test_uris_within_the_folder(make: Any, tmp_path: Path, uri: str) -> None:
    (tmp_path / "sub").mkdir()
    held = make()
    held.shown(held.triangles(np.eye(3)))
    for name in ("b.bin", "sub/b c.bin"):
        (tmp_path / name).write_bytes(bytes(held.data))
    (tmp_path / "inner.bin").symlink_to("sub/b c.bin")
    path = tmp_path / "a.gltf"
    path.write_bytes(held.gltf(uri))
    np.testing.assert_array_equal(GlbImporter().read(path).meshes[0].vertices, np.eye(3))


def test_a_data_uri_may_be_longer_than_the_buffer_and_takes_no_more_than_it_holds(
    make: Any, tmp_path: Path
) -> None:
    held = make()
    held.shown(held.triangles(np.eye(3)))
    long = base64.b64encode(bytes(held.data) + bytes(10_000_000)).decode()
    path = tmp_path / "a.gltf"
    path.write_bytes(held.gltf(f"data:;base64,{long}"))
    most, found = peak(path)
    assert isinstance(found, Asset)
    assert most < 8 * path.stat().st_size


def test_a_large_external_file_is_refused(make: Any, tmp_path: Path) -> None:
    held = make()
    held.shown(held.triangles(np.eye(3)))
    with (tmp_path / "b.bin").open("wb") as file:
        file.truncate(10 * 1024**3)
    path = tmp_path / "a.gltf"
    path.write_bytes(held.gltf("b.bin"))
    with pytest.raises(FormatError, match="max_bytes"):
        GlbImporter().read(path)


def test_zero_scale_and_names_that_are_paths(make: Any, read: Read) -> None:
    held = make()
    held.node(name="../../x", scale=[0, 0, 0], children=[1])
    held.node(matrix=[0] * 15 + [1])
    asset = read(held)
    assert asset.skeleton.names[0] == "../../x"
    assert np.isfinite(asset.skeleton.rest_matrices()).all()


def test_warnings_stay_few(make: Any, read: Read) -> None:
    held = make()
    for _ in range(10_000):
        held.node(name="same", rotation=[0, 0, 0, 0])
    assert len(read(held).warnings) == 6


def test_trailing_bytes_are_told(make: Any, read: Read) -> None:
    held = make()
    held.node()
    assert read(held.glb() + b"\0" * 7).warnings == ("7 bytes after the declared end are left out",)


def test_a_byte_order_mark_and_padding_chunks(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.gltf"
    path.write_bytes(b"\xef\xbb\xbf \n" + json.dumps({**V2, "nodes": [{}]}).encode())
    assert len(GlbImporter().read(path).skeleton) == 1


def test_threads_read_at_once(make: Any, tmp_path: Path) -> None:
    held = make()
    held.shown(held.triangles(np.eye(3)))
    path = tmp_path / "a.glb"
    path.write_bytes(held.glb())
    importer, assets = GlbImporter(), []
    threads = [threading.Thread(target=lambda: assets.append(importer.read(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(assets) == 8
    assert all(asset == assets[0] for asset in assets)
