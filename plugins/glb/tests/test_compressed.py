"""Draco and meshopt: what their own encoders pack comes out; without the libraries the error names them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kinetoscope_glb import _draco, _meshopt
from kinetoscope_spec import Asset, FormatError

Read = Callable[..., Asset]


def sheet(side: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """A bent sheet of vertices `[side * side, 3]` and faces."""
    u, v = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    points = np.stack([u.ravel(), v.ravel(), np.sin(3 * u * v).ravel()], axis=1).astype(np.float32)
    at = np.arange(side * side).reshape(side, side)
    a, b, c, d = (x.ravel() for x in (at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]))
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]).astype(np.uint32)
    return points, faces


def corners(points: np.ndarray, faces: np.ndarray) -> list[list[tuple[float, ...]]]:
    """Triangles by their points, in an order that does not depend on how they were numbered."""
    rounded = np.round(points.astype(np.float64), 2) + 0.0
    found = []
    for face in np.asarray(faces):
        triangle = [tuple(rounded[i]) for i in face]
        first = triangle.index(min(triangle))
        found.append(triangle[first:] + triangle[:first])
    return sorted(found)


def packed(held: Any, points: np.ndarray, faces: np.ndarray, **options: Any) -> Any:
    draco = pytest.importorskip("DracoPy")
    joints = np.arange(4 * len(points)).reshape(-1, 4).astype(np.uint8) % 4
    data = draco.encode(points, faces, quantization_bits=14, generic_attributes={7: joints}, **options)
    found = {a["attribute_type"]: a["unique_id"] for a in draco.decode(data).attributes}
    count = len(points)
    for kind, component, n in (("VEC3", 5126, count), ("VEC4", 5121, count), ("SCALAR", 5125, faces.size)):
        held.push("accessors", {"componentType": component, "count": n, "type": kind})
    extension = {"bufferView": held.view(data), "attributes": {"POSITION": found[0], "JOINTS_0": 7}}
    weights = held.array(np.tile([1.0, 0, 0, 0], (count, 1)))
    part = {
        "attributes": {"POSITION": 0, "JOINTS_0": 1, "WEIGHTS_0": weights},
        "indices": 2,
        "extensions": {_draco.NAME: extension},
    }
    held.shown(part, skin=0)
    held.push("skins", {"joints": [held.node() for _ in range(4)]})
    held.json["extensionsRequired"] = held.json["extensionsUsed"] = [_draco.NAME]
    return held


@pytest.mark.parametrize("level", [0, 1, 7, 10])
def test_draco(make: Any, read: Read, level: int) -> None:
    points, faces = sheet()
    asset = read(packed(make(), points, faces, compression_level=level))
    mesh = asset.meshes[0]
    assert corners(mesh.vertices, mesh.faces) == corners(points, faces)
    assert asset.warnings == ()
    order = np.linalg.norm(mesh.vertices[:, None] - points, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(mesh.skin.joints[:, 0], order * 4 % 4)


def test_the_counts_a_draco_stream_declares() -> None:
    draco = pytest.importorskip("DracoPy")
    points, faces = sheet()
    for level in (0, 1, 10):
        data = draco.encode(points, faces, compression_level=level)
        assert _draco.declared_counts(data) == (len(faces), len(points))


@pytest.mark.parametrize("change", ["cut", "zeros", "text", "declared", "points"])
def test_damaged_draco(make: Any, read: Read, change: str) -> None:
    draco = pytest.importorskip("DracoPy")
    points, faces = sheet()
    held = packed(make(), points, faces)
    view = held.json["bufferViews"][
        held.json["meshes"][0]["primitives"][0]["extensions"][_draco.NAME]["bufferView"]
    ]
    at, size = view["byteOffset"], view["byteLength"]
    if change == "cut":
        view["byteLength"] = size // 2
    elif change == "zeros":
        held.data[at + 20 : at + size] = bytes(size - 20)
    elif change == "text":
        held.data[at : at + 5] = b"OCARD"
    elif change == "declared":
        held.data[at + 12 : at + 17] = b"\xff\xff\xff\xff\x0f"
    else:
        cloud = draco.encode(points)
        held.data[at : at + len(cloud)] = cloud
    with pytest.raises(FormatError, match="KHR_draco_mesh_compression"):
        read(held)


def test_a_draco_stream_of_more_than_the_accessors_count(make: Any, read: Read) -> None:
    held = packed(make(), *sheet())
    held.json["accessors"][2]["count"] = 3
    with pytest.raises(
        FormatError, match="KHR_draco_mesh_compression declares 242 triangles and 144 vertices"
    ):
        read(held)


def test_without_dracopy(make: Any, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    held = packed(make(), *sheet())
    monkeypatch.setattr(_draco, "installed", lambda: False)
    with pytest.raises(FormatError, match=r"KHR_draco_mesh_compression.*kinetoscope-glb\[draco\]"):
        read(held)


def test_a_plain_copy_stands_in_without_dracopy(
    make: Any, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, faces = sheet()
    held = packed(make(), points, faces)
    del held.json["extensionsRequired"]
    part = held.json["meshes"][0]["primitives"][0]
    part["indices"] = held.array(faces.ravel(), "u2")
    part["attributes"] = {"POSITION": held.array(points)}
    monkeypatch.setattr(_draco, "installed", lambda: False)
    asset = read(held)
    np.testing.assert_array_equal(asset.meshes[0].faces, faces)
    assert "plain copy" in asset.warnings[0]


def compressed(held: Any, name: str = _meshopt.NAMES[0]) -> tuple[Any, np.ndarray, np.ndarray]:
    meshopt = pytest.importorskip("meshoptimizer")
    points, faces = sheet()
    rows = np.concatenate([points, np.zeros((len(points), 1), np.float32)], axis=1)
    data = [
        (meshopt.encode_vertex_buffer(rows), len(rows), 16, "ATTRIBUTES"),
        (meshopt.encode_index_buffer(faces.ravel(), faces.size, len(points)), faces.size, 4, "TRIANGLES"),
        (meshopt.encode_index_buffer(faces.ravel(), faces.size, len(points)), faces.size, 2, "TRIANGLES"),
        (meshopt.encode_index_sequence(faces.ravel(), faces.size, len(points)), faces.size, 4, "INDICES"),
    ]
    for bytes_, count, stride, mode in data:
        number = held.view(bytes(bytes_))
        at = held.json["bufferViews"][number]
        at["extensions"] = {
            name: {**at, "byteStride": stride, "count": count, "mode": mode, "filter": "NONE"},
        }
        at |= {"buffer": 1, "byteOffset": 0, "byteLength": count * stride}
    shape = [
        (0, 5126, "VEC3", len(rows)),
        *((i, 5123 if i == 2 else 5125, "SCALAR", faces.size) for i in (1, 2, 3)),
    ]
    for view, component, kind, count in shape:
        held.push("accessors", {"bufferView": view, "componentType": component, "count": count, "type": kind})
    held.shown(*({"attributes": {"POSITION": 0}, "indices": i} for i in (1, 2, 3)))
    held.json["buffers"] = [
        {"byteLength": len(held.data)},
        {"byteLength": 10**6, "extensions": {name: {"fallback": True}}},
    ]
    held.json["extensionsRequired"] = held.json["extensionsUsed"] = [name]
    return held, points, faces


@pytest.mark.parametrize("name", _meshopt.NAMES)
def test_meshopt(make: Any, read: Read, name: str) -> None:
    held, points, faces = compressed(make(), name)
    mesh = read(held).meshes[0]
    np.testing.assert_array_equal(mesh.vertices, points)
    for i in range(3):
        part = mesh.faces[i * len(faces) : (i + 1) * len(faces)]
        assert corners(points, part) == corners(points, faces)


@pytest.mark.parametrize("kind", ["OCTAHEDRAL", "QUATERNION", "EXPONENTIAL"])
def test_meshopt_filters(make: Any, read: Read, kind: str) -> None:
    """Each filter's integers stand for the numbers that EXT_meshopt_compression's formulas give."""
    meshopt = pytest.importorskip("meshoptimizer")
    rng = np.random.default_rng(2)
    count = 50
    held = make()
    if kind == "EXPONENTIAL":
        exponent, mantissa = rng.integers(-20, 5, (count, 3)), rng.integers(-(2**23), 2**23, (count, 3))
        rows = ((exponent & 0xFF) << 24 | (mantissa & 0xFFFFFF)).astype("<u4")
        expected = mantissa * 2.0**exponent
        stride, component, path = 12, 5126, "translation"
    else:
        v = rng.normal(size=(count, 4 if kind == "QUATERNION" else 3))
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        if kind == "OCTAHEDRAL":
            projected = v / np.abs(v).sum(axis=1, keepdims=True)
            turned = (1 - np.abs(projected[:, 1::-1])) * np.where(projected[:, :2] >= 0, 1, -1)
            two = np.where(projected[:, 2:] >= 0, projected[:, :2], turned)
            rows = np.concatenate(
                [np.round(two * 32767), np.full((count, 1), 32767), np.zeros((count, 1))], 1
            ).astype("<i2")
        else:
            largest = np.abs(v).argmax(axis=1)
            v *= np.sign(np.take_along_axis(v, largest[:, None], 1))
            rest = np.stack(
                [np.take_along_axis(v, ((largest + k) % 4)[:, None], 1)[:, 0] for k in (1, 2, 3)], 1
            )
            coded = np.round(rest * np.sqrt(2) * 32767)
            rows = np.concatenate([coded, (32767 & ~3 | largest)[:, None]], 1).astype("<i2")
        expected, stride, component = v, 8, 5122
        path = "rotation" if kind == "QUATERNION" else "normal"
    raw = np.ascontiguousarray(rows).view(np.uint8).reshape(count, stride)
    data = meshopt.encode_vertex_buffer(raw.view(np.float32).reshape(count, -1))
    held.view(bytes(data))
    view = held.json["bufferViews"][0]
    name = _meshopt.NAMES[0]
    view["extensions"] = {
        name: {**view, "byteStride": stride, "count": count, "mode": "ATTRIBUTES", "filter": kind}
    }
    kinds = {"translation": "VEC3", "rotation": "VEC4", "normal": "VEC3"}
    accessor = {"bufferView": 0, "componentType": component, "count": count, "type": kinds[path]}
    held.push("accessors", {**accessor, "normalized": component == 5122})
    node = held.node()
    if path == "normal":
        held.shown(held.triangles(np.zeros((count, 3)), NORMAL=0))
        found = read(held).meshes[0].normals
    else:
        sampler = {"input": held.array(np.arange(count) / 30), "output": 0}
        channel = {"sampler": 0, "target": {"node": node, "path": path}}
        held.push("animations", {"samplers": [sampler], "channels": [channel]})
        motion = read(held).motions[0]
        found = motion.positions[:, 0] if path == "translation" else motion.rotations[:, 0]
    if path == "rotation":
        found = found * np.sign((found * expected).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, expected, atol=2e-4, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 10**9}, "would take"),
        ({"mode": "LZMA"}, "mode is 'LZMA'"),
        ({"filter": "BLUR"}, "filter is 'BLUR'"),
        ({"filter": "QUATERNION"}, "filter is 'QUATERNION'"),
        ({"byteStride": 15}, "byteStride is 15"),
        ({"byteLength": 20}, "damaged stream"),
        ({"count": 12}, "damaged stream"),
        ({"byteOffset": 10**7}, "ends at byte"),
    ],
)
def test_damaged_meshopt(make: Any, read: Read, change: dict[str, Any], message: str) -> None:
    held, _, _ = compressed(make())
    held.json["bufferViews"][0]["extensions"][_meshopt.NAMES[0]] |= change
    with pytest.raises(FormatError, match=message):
        read(held)


def test_without_meshoptimizer(make: Any, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    held, _, _ = compressed(make())
    monkeypatch.setitem(sys.modules, "meshoptimizer._loader", None)
    with pytest.raises(FormatError, match=r"EXT_meshopt_compression.*kinetoscope-glb\[meshopt\]"):
        read(held)
