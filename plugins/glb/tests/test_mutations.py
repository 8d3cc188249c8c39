"""A file in which everything occurs, changed anywhere: an asset or a `FormatError`, and nothing else."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, FormatError

VALUES: list[Any] = [
    *(-1, 0, 1, 2, 3, 7, 255, 5120, 5126, 2**31, 2**53, 10**30, 0.5, -1e-9, 1e30, 1e300, True),
    *(None, "", "x", "SCALAR", "VEC3", "MAT4", "STEP", "CUBICSPLINE", "../x", "data:,", "data:;base64,AAAA"),
    *([], {}, [0], [[0]], [1e30] * 3, [0] * 4, [0] * 16, {"a": 0}, [{}]),
]


def everything(make: Any) -> Any:
    """A skinned, morphing, textured, animated document with two of most things."""
    held = make()
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (9, 9, 9)).save(file, "PNG")
    held.json["images"] = [{"bufferView": held.view(file.getvalue()), "mimeType": "image/png"}]
    held.json["samplers"] = [{"wrapS": 33071}]
    held.json["textures"] = [{"source": 0, "sampler": 0}]
    transform = {"KHR_texture_transform": {"offset": [0.1, 0.2], "rotation": 1, "scale": [2, 2]}}
    held.json["materials"] = [
        {
            "name": "skin",
            "pbrMetallicRoughness": {
                "baseColorFactor": [1, 1, 1, 1],
                "baseColorTexture": {"index": 0, "texCoord": 0, "extensions": transform},
                "metallicFactor": 0.5,
            },
            "normalTexture": {"index": 0, "scale": 2},
            "emissiveFactor": [1, 0, 0],
            "extensions": {"KHR_materials_emissive_strength": {"emissiveStrength": 3}},
            "alphaMode": "MASK",
            "alphaCutoff": 0.4,
        },
    ]
    points = held.array(np.random.default_rng(0).normal(size=(6, 3)), stride=16)
    held.json["accessors"][points]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": held.view(b"\2"), "componentType": 5121},
        "values": {"bufferView": held.view(bytes(12))},
    }
    attributes = {
        "POSITION": points,
        "NORMAL": held.array([[0, 0, 127]] * 6, "i1", normalized=True, stride=4),
        "TEXCOORD_0": held.array(np.zeros((6, 2))),
        "COLOR_0": held.array([[255] * 4] * 6, "u1", normalized=True),
        "JOINTS_0": held.array([[0, 1, 0, 0]] * 6, "u1"),
        "WEIGHTS_0": held.array([[0.5, 0.5, 0, 0]] * 6),
    }
    targets = [{"POSITION": held.array(np.ones((6, 3)))}, {}]
    indices = held.array([0, 1, 2, 2, 1, 3], "u2")
    parts = [
        {"attributes": attributes, "indices": indices, "material": 0, "targets": targets, "mode": mode}
        for mode in (4, 5)
    ]
    held.json["meshes"] = [
        {"name": "m", "primitives": parts, "weights": [0.5, 0], "extras": {"targetNames": ["a", "b"]}}
    ]
    held.json["nodes"] = [
        {"name": "hand", "translation": [0, 1, 0]},
        {"name": "arm", "children": [0], "rotation": [0, 0, 0, 1], "scale": [1, 2, 1]},
        {"name": "body", "mesh": 0, "skin": 0, "weights": [0, 1]},
        {"matrix": np.eye(4).ravel().tolist(), "children": [1], "mesh": 0},
    ]
    bind = held.array(np.tile(np.eye(4).ravel(), (2, 1)))
    held.json["skins"] = [{"joints": [1, 0], "inverseBindMatrices": bind, "skeleton": 3}]
    held.json["scenes"], held.json["scene"] = [{"name": "s", "nodes": [2, 3]}], 0
    held.animate(
        (0, "translation", [0, 0.5, 1], np.zeros((3, 3)), "LINEAR"),
        (1, "rotation", [0.25, 1], np.tile([0, 0, 0, 1], (6, 1)), "CUBICSPLINE"),
        (1, "scale", [0, 1], np.ones((2, 3)), "STEP"),
        (2, "weights", [0, 1], [0, 1, 1, 0], "LINEAR"),
        name="clip",
        extras={"kinetoscope": {"framerate": 30.0, "frames": 31, "start_time": 0.0}},
    )
    held.json["extensionsUsed"] = ["KHR_texture_transform", "KHR_materials_emissive_strength"]
    held.json["buffers"] = [{"byteLength": len(held.data)}]
    return held


def places(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value below the top."""
    found = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in found:
        yield (*where, key)
        yield from places(inner, (*where, key))


def changed(document: Any, place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        document = document[key]
    if value is Ellipsis:
        del document[place[-1]]
    else:
        document[place[-1]] = value


def check(path: Path) -> Asset | None:
    try:
        return GlbImporter().read(path)
    except FormatError as error:
        message = str(error)
    assert str(path) in message
    assert len(message) < 1000
    return None


@pytest.fixture(scope="module")
def whole(make: Any) -> Any:
    return everything(make)


def test_the_file_itself_is_read(whole: Any, tmp_path: Path) -> None:
    path = tmp_path / "whole.glb"
    path.write_bytes(whole.glb())
    asset = check(path)
    assert asset is not None
    assert [len(asset.meshes), len(asset.motions), len(asset.materials)] == [2, 1, 1]
    assert len(asset.warnings) == 4


@pytest.mark.parametrize("value", [Ellipsis, None, -1, 2**53, "x", [{}]], ids=repr)
def test_every_place_in_turn(whole: Any, tmp_path: Path, value: Any) -> None:
    path = tmp_path / "one.glb"
    document, read = whole.json, 0
    for place in list(places(document)):
        whole.json = copy.deepcopy(document)
        changed(whole.json, place, value)
        path.write_bytes(whole.glb())
        whole.json = document
        read += check(path) is not None
    assert read > 10  # names, extras, what has a default: those may be anything


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_several_places_at_once(whole: Any, tmp_path_factory: Any, data: st.DataObject) -> None:
    document = copy.deepcopy(whole.json)
    for _ in range(data.draw(st.integers(1, 4))):
        found = list(places(document))
        if found:
            value = data.draw(st.sampled_from([*VALUES, Ellipsis]))
            changed(document, data.draw(st.sampled_from(found)), copy.deepcopy(value))
    path = tmp_path_factory.mktemp("several") / "a.gltf"
    held = type(whole)()
    held.json, held.data = document, whole.data
    path.write_bytes(held.glb())
    check(path)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_other_numbers_in_the_buffer(whole: Any, tmp_path_factory: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = type(whole)()
    held.json, held.data = whole.json, bytearray(whole.data)
    for _ in range(int(rng.integers(1, 20))):
        held.data[int(rng.integers(len(held.data)))] = int(rng.integers(256))
    path = tmp_path_factory.mktemp("numbers") / "a.glb"
    path.write_bytes(held.glb())
    check(path)


@pytest.mark.parametrize("depth", [100, 900, 960, 980, 990])
def test_deep_values_where_something_else_is_expected(tmp_path: Path, depth: int) -> None:
    """The parser may just get through them; what tells of them must not fail in its turn."""
    deep = "[" * depth + "]" * depth
    path = tmp_path / "deep.gltf"
    for place in ('"nodes":[{"name":%s}]', '"nodes":[%s]', '"nodes":[{"children":%s}]', '"skins":%s'):
        path.write_text('{"asset":{"version":"2.0"},' + place % deep + "}")
        assert check(path) is None


def test_json_of_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.gltf"
    for value in VALUES:
        path.write_text(json.dumps({"asset": value, "nodes": value}))
        assert check(path) is None
