"""Meshes: accessors of every kind, primitives of every mode, skins, morphs, instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, FormatError, kinematics

Read = Callable[..., Asset]
SQUARE = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]


def meaning(values: np.ndarray, *, normalized: bool) -> np.ndarray:
    """What integers stand for (glTF 2.0, 3.11), straight from the formulas there."""
    if not normalized:
        return values.astype(np.float64)
    most = {"i1": 127.0, "u1": 255.0, "i2": 32767.0, "u2": 65535.0}[values.dtype.str[1:]]
    return np.maximum(values / most, -1.0)


@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(["f4", "i1", "u1", "i2", "u2"]),
    normalized=st.booleans(),
    stride=st.sampled_from([0, 12, 16, 20, 64]),
    offset=st.sampled_from([0, 4]),
    sparse=st.sampled_from(["no", "u1", "u2", "u4", "alone"]),
)
@settings(deadline=None)
def test_accessors_of_every_kind(
    make: Any,
    tmp_path_factory: Any,
    seed: int,
    dtype: str,
    normalized: bool,
    stride: int,
    offset: int,
    sparse: str,
) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 40))
    small = dtype != "f4"
    raw = (
        rng.integers(-128 if dtype[0] == "i" else 0, 127, (count, 3))
        if small
        else rng.normal(size=(count, 3))
    )
    raw = raw.astype(f"<{dtype}")
    held = make()
    if stride:
        stride = max(stride, offset + 3 * raw.dtype.itemsize)
    number = held.array(raw, dtype, stride=stride, offset=offset, normalized=normalized and small)
    accessor = held.json["accessors"][number]
    if sparse != "no":
        kind = "u2" if sparse == "alone" else sparse
        places = np.sort(rng.choice(count, int(rng.integers(1, count)), replace=False))
        changed = raw[rng.integers(0, count, len(places))]
        accessor["sparse"] = {
            "count": len(places),
            "indices": {
                "bufferView": held.view(places.astype(kind).tobytes()),
                "componentType": {"u1": 5121, "u2": 5123, "u4": 5125}[kind],
            },
            "values": {"bufferView": held.view(changed.tobytes())},
        }
        raw = raw.copy() if sparse != "alone" else np.zeros_like(raw)
        if sparse == "alone":
            del accessor["bufferView"], accessor["byteOffset"]
        raw[places] = changed
    faces = rng.integers(0, count, 30)
    part = {"attributes": {"POSITION": number}, "indices": held.array(faces, ["u1", "u2", "u4"][seed % 3])}
    held.shown(part)
    path = tmp_path_factory.mktemp("accessor") / "a.glb"
    path.write_bytes(held.glb())
    mesh = GlbImporter().read(path).meshes[0]
    np.testing.assert_allclose(mesh.vertices, meaning(raw, normalized=normalized and small), rtol=1e-6)
    np.testing.assert_array_equal(mesh.faces, faces.reshape(-1, 3))


def test_interleaved_attributes(make: Any, read: Read) -> None:
    held = make()
    rows = np.arange(24, dtype=np.float32).reshape(3, 8)
    rows[:, 3:6] = np.eye(3)
    view = held.view(rows.tobytes(), byteStride=32)
    number = [
        held.push(
            "accessors",
            {"bufferView": view, "byteOffset": at, "componentType": 5126, "count": 3, "type": kind},
        )
        for at, kind in ((0, "VEC3"), (12, "VEC3"), (24, "VEC2"))
    ]
    held.shown({"attributes": dict(zip(("POSITION", "NORMAL", "TEXCOORD_0"), number, strict=True))})
    mesh = read(held).meshes[0]
    np.testing.assert_array_equal(mesh.vertices, rows[:, :3])
    np.testing.assert_array_equal(mesh.normals, np.eye(3))
    np.testing.assert_array_equal(mesh.uvs, rows[:, 6:])


@pytest.mark.parametrize(
    ("mode", "indices", "faces"),
    [
        (4, None, [[0, 1, 2]]),
        (4, [2, 1, 0, 3, 2, 1], [[2, 1, 0], [3, 2, 1]]),
        (4, [0, 1, 2, 3], [[0, 1, 2]]),
        (5, [0, 1, 3, 2], [[0, 1, 3], [1, 2, 3]]),
        (5, [0, 1], []),
        (6, [0, 1, 2, 3], [[1, 2, 0], [2, 3, 0]]),
        (6, None, [[1, 2, 0], [2, 3, 0]]),
    ],
)
def test_modes(make: Any, read: Read, mode: int, indices: Any, faces: Any) -> None:
    held = make()
    held.shown({**held.triangles(SQUARE, indices), "mode": mode})
    mesh = read(held).meshes[0]
    np.testing.assert_array_equal(mesh.faces, np.array(faces).reshape(-1, 3))


def test_strips_and_fans_face_one_way(make: Any, read: Read) -> None:
    held = make()
    zigzag = [[x // 2, x % 2, 0] for x in range(8)]
    held.shown({**held.triangles(zigzag), "mode": 5})
    held.shown({**held.triangles(SQUARE), "mode": 6})
    for mesh in read(held).meshes:
        a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
        across = np.cross(b - a, c - a)[:, 2]
        assert (np.sign(across) == np.sign(across[0])).all()
        assert (across != 0).all()


def test_points_and_lines_are_left_out(make: Any, read: Read) -> None:
    held = make()
    held.shown({**held.triangles(SQUARE), "mode": 0}, {**held.triangles(SQUARE), "mode": 3})
    held.shown({**held.triangles(SQUARE), "mode": 1}, held.triangles(SQUARE, [0, 1, 2]))
    asset = read(held)
    assert [len(mesh.faces) for mesh in asset.meshes] == [1]
    assert asset.warnings[0] == "meshes[0].primitives[0] consists of points, which are left out"
    assert len(asset.warnings) == 3


def test_primitives_that_share_vertices(make: Any, read: Read) -> None:
    held = make()
    position = held.array(SQUARE)
    parts = [
        {"attributes": {"POSITION": position}, "indices": held.array(corners, "u1"), "material": material}
        for corners, material in (([0, 1, 2], 1), ([0, 2, 3], 0))
    ]
    held.json["materials"] = [{"name": "red"}, {"name": "blue"}]
    held.shown(*parts, held.triangles(SQUARE, [1, 2, 3]))
    asset = read(held)
    (mesh,) = asset.meshes
    assert len(mesh.vertices) == 8
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3], [5, 6, 7]])
    np.testing.assert_array_equal(mesh.face_material, [1, 0, 2])
    assert [material.name for material in asset.materials] == ["red", "blue", "default"]
    assert (asset.materials[2].metallic, asset.materials[2].base_color.tolist()) == (1, [1, 1, 1, 1])


def test_missing_normals_beside_others_are_flat(make: Any, read: Read) -> None:
    held = make()
    bent = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    up = held.array([[0, 0, 2]] * 4)
    plain = held.triangles(bent, [0, 1, 2, 0, 3, 1])
    held.shown(plain, held.triangles(SQUARE, [0, 1, 2], NORMAL=up, COLOR_0=held.array([[1, 0, 0]] * 4)))
    (mesh,) = read(held).meshes
    assert len(mesh.vertices) == 8
    assert len(mesh.corner_vertex) == 6 + 4
    np.testing.assert_array_equal(mesh.corner_vertex[mesh.faces[:2]], [[0, 1, 2], [0, 3, 1]])
    np.testing.assert_allclose(mesh.normals[mesh.faces[:, 0]], [[0, 0, 1], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(mesh.colors[mesh.faces[:, 0]], [[1, 1, 1, 1]] * 2 + [[1, 0, 0, 1]])


def skinned(held: Any, joints: Any, weights: Any, **extra: int) -> dict[str, Any]:
    part: dict[str, Any] = held.triangles(SQUARE[: len(joints)])
    part["attributes"] |= {"JOINTS_0": held.array(joints, "u1"), "WEIGHTS_0": held.array(weights), **extra}
    return part


def test_eight_influences_largest_first(make: Any, read: Read) -> None:
    rng = np.random.default_rng(3)
    weights = rng.random((3, 12)).astype(np.float32)
    weights[0, 5:] = 0
    joints = np.array([rng.permutation(12) for _ in range(3)])
    held = make()
    sets = {
        f"{name}_{n}": held.array(values[:, 4 * n : 4 * n + 4], kind)
        for n in (1, 2)
        for name, values, kind in (("JOINTS", joints, "u2"), ("WEIGHTS", weights, "f4"))
    }
    part = skinned(held, joints[:, :4], weights[:, :4], **sets)
    held.shown(part, skin=0)
    held.push("skins", {"joints": [held.node() for _ in range(12)]})
    asset = read(held)
    skin = asset.meshes[0].skin
    assert skin is not None
    assert skin.weights.shape == (3, 8)
    for vertex in range(3):
        order = np.argsort(-weights[vertex], kind="stable")[:8]
        kept = weights[vertex][order]
        np.testing.assert_allclose(skin.weights[vertex], kept / kept.sum(), rtol=1e-6)
        used = kept > 0
        np.testing.assert_array_equal(skin.joints[vertex][used], joints[vertex][order][used])
    assert "12 influences" in asset.warnings[0]


def test_weights_that_are_none_or_below_zero(make: Any, read: Read) -> None:
    held = make()
    part = skinned(held, [[1, 0, 0, 0]] * 3, [[0, 0, 0, 0], [2, 0, 0, 0], [1, -1, 0, 0]])
    held.shown(part, skin=0)
    held.push("skins", {"joints": [held.node(), held.node()]})
    asset = read(held)
    np.testing.assert_array_equal(asset.meshes[0].skin.weights, [[1]] * 3)
    np.testing.assert_array_equal(asset.meshes[0].skin.joints, [[1]] * 3)
    assert len(asset.warnings) == 2


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_normalised_weights(make: Any, read: Read, dtype: str) -> None:
    held = make()
    most = np.iinfo(dtype).max
    part = held.triangles(SQUARE[:3], JOINTS_0=held.array([[0, 1, 0, 0]] * 3, "u1"))
    part["attributes"]["WEIGHTS_0"] = held.array(
        [[most // 5, most - most // 5, 0, 0]] * 3, dtype, normalized=True
    )
    held.shown(part, skin=0)
    held.push("skins", {"joints": [held.node(), held.node()]})
    skin = read(held).meshes[0].skin
    np.testing.assert_allclose(skin.weights, [[0.8, 0.2]] * 3, atol=0.005)
    np.testing.assert_array_equal(skin.joints, [[1, 0]] * 3)


def test_several_skins_and_no_inverse_bind_matrices(make: Any, read: Read) -> None:
    held = make()
    part = skinned(held, [[0] * 4] * 3, [[1, 0, 0, 0]] * 3)
    first = held.shown(part, skin=0, translation=[9, 9, 9])  # a skinned mesh's own node does not count
    held.node(mesh=0, skin=1)
    left, right = held.node(translation=[-1, 0, 0]), held.node(translation=[1, 0, 0], scale=[1, 2, 1])
    back = np.eye(4)
    back[:3, 3] = [0, 0, 5]
    held.push("skins", {"joints": [left]})
    held.push("skins", {"joints": [right], "inverseBindMatrices": held.array([back.T.ravel()])})
    asset = read(held)
    assert first == 0
    found = [kinematics.skinned_vertices(asset, mesh, None) for mesh in asset.meshes]
    np.testing.assert_allclose(found[0], np.add(SQUARE[:3], [-1, 0, 0]))
    np.testing.assert_allclose(found[1], np.array(SQUARE[:3]) * [1, 2, 1] + [1, 0, 5])
    assert [mesh.name for mesh in asset.meshes] == ["mesh_0", "mesh_0_2"]


def test_a_mesh_on_several_nodes_shares_its_arrays(make: Any, read: Read) -> None:
    held = make()
    held.shown(held.triangles(SQUARE), name="a", translation=[1, 0, 0])
    held.node(mesh=0, name="b", scale=[2, 2, 2])
    asset = read(held)
    assert [mesh.node for mesh in asset.meshes] == [0, 1]
    assert np.shares_memory(asset.meshes[0].vertices, asset.meshes[1].vertices)
    np.testing.assert_allclose(kinematics.skinned_vertices(asset, 1, None), 2 * np.array(SQUARE))


def test_a_skin_without_influences_and_influences_without_a_skin(make: Any, read: Read) -> None:
    held = make()
    held.shown(held.triangles(SQUARE), skin=0, translation=[1, 0, 0])
    held.shown(skinned(held, [[0] * 4] * 3, [[1, 0, 0, 0]] * 3), translation=[2, 0, 0])
    held.push("skins", {"joints": [held.node()]})
    asset = read(held)
    assert [(mesh.node, mesh.skin) for mesh in asset.meshes] == [(0, None), (1, None)]
    assert "nodes[0] has a skin and its mesh no influences" in asset.warnings[-1]


def test_a_file_of_meshes_alone(make: Any, read: Read) -> None:
    held = make()
    held.json["meshes"] = [{"name": "rock", "primitives": [held.triangles(SQUARE)]}]
    asset = read(held)
    assert asset.skeleton.names == ("root",)
    assert [(mesh.name, mesh.node) for mesh in asset.meshes] == [("rock", None)]
    assert asset.warnings


@pytest.mark.parametrize("names", [None, ["a", "a", ""], ["a"], [1, {}, "x" * 50], "abc"])
def test_names_of_morphs(make: Any, read: Read, names: Any) -> None:
    held = make()
    part = held.triangles(SQUARE)
    part["targets"] = [{"POSITION": held.array(np.ones((4, 3)))}, {"NORMAL": 0}, {}]
    held.shown(part)
    held.json["meshes"][0]["extras"] = {"targetNames": names}
    mesh = read(held).meshes[0]
    expected = {None: ("morph_0", "morph_1", "morph_2")}.get(names if names is None else "", mesh.morph_names)
    assert mesh.morph_names == expected
    assert len(set(mesh.morph_names)) == 3
    assert mesh.morph_names[0] in ("morph_0", "a")
    np.testing.assert_array_equal(mesh.morphs[:, 0, 0], [1, 0, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda j: j["accessors"][0].update(count=10**9), r"accessors\[0\].*1,000,000,000|36,0\d\d,"),
        (lambda j: j["accessors"][0].update(count=-1), r"accessors\[0\].count is -1"),
        (lambda j: j["accessors"][0].update(count=5), r"needs 60 bytes of bufferViews\[0\], which has 48"),
        (lambda j: j["accessors"][0].update(byteOffset=4), "needs 52 bytes"),
        (lambda j: j["accessors"][0].update(byteOffset=2**60), "byteOffset"),
        (lambda j: j["accessors"][0].update(type="VEC2"), r"accessors\[0\].type is 'VEC2'"),
        (lambda j: j["accessors"][0].update(componentType=5124), "componentType is 5124"),
        (lambda j: j["accessors"][1].update(componentType=5126), "5121, 5123 or 5125, for indices"),
        (lambda j: j["accessors"][0].update(bufferView=9), "bufferView is 9"),
        (lambda j: j["bufferViews"][0].update(byteLength=10**6), "ends at byte 1,000,000 of a buffer"),
        (lambda j: j["bufferViews"][0].update(byteStride=4), "a stride of 4"),
        (lambda j: j["bufferViews"][0].update(buffer=3), "buffer is 3"),
        (lambda j: j.update(buffers=[{"byteLength": 10**9}]), "byteLength 1,000,000,000"),
        (lambda j: j["accessors"][0].update(sparse={"count": 9}), "sparse.count is 9"),
        (lambda j: j["meshes"][0]["primitives"][0].update(mode=9), "mode is 9"),
        (lambda j: j["meshes"][0]["primitives"][0].update(material=0), "material is 0 .*0 materials"),
        (lambda j: j["meshes"][0]["primitives"][0]["attributes"].update(NORMAL=1), r"accessors\[1\].type"),
        (
            lambda j: j["accessors"][0].update(count=3),
            "names vertex 3 of 3",
        ),
    ],
)
def test_bad_meshes(make: Any, read: Read, change: Any, message: str) -> None:
    held = make()
    held.shown(held.triangles(SQUARE, [0, 1, 2, 0, 2, 3]))
    change(held.json)
    with pytest.raises(FormatError, match=message):
        read(held)


def test_a_joint_beyond_the_skin(make: Any, read: Read) -> None:
    held = make()
    held.shown(skinned(held, [[7, 0, 0, 0]] * 3, [[1, 0, 0, 0]] * 3), skin=0)
    held.push("skins", {"joints": [held.node()]})
    with pytest.raises(FormatError, match=r"meshes\[0\] names joint 7 of skins\[0\], which has 1"):
        read(held)


def test_joints_of_influences_without_weight_may_be_anything(make: Any, read: Read) -> None:
    held = make()
    held.shown(skinned(held, [[0, 255, 9, 1]] * 3, [[1, 0, 0, 0]] * 3), skin=0)
    held.push("skins", {"joints": [held.node()]})
    np.testing.assert_array_equal(read(held).meshes[0].skin.joints, [[0]] * 3)
    weights = [[1, 0, 0, 0], [0.5, 0, 0, 0.5], [1, 0, 0, 0]]
    held.shown(skinned(held, [[0, 255, 9, 1]] * 3, weights), skin=1)
    held.push("skins", {"joints": [held.node(), held.node()]})
    np.testing.assert_array_equal(read(held).meshes[1].skin.joints, [[0, 0], [0, 1], [0, 0]])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e31])
def test_inverse_bind_matrices_that_are_no_numbers(make: Any, read: Read, value: float) -> None:
    held = make()
    held.shown(skinned(held, [[0] * 4] * 3, [[1, 0, 0, 0]] * 3), skin=0)
    held.push("skins", {"joints": [held.node()], "inverseBindMatrices": held.array(np.full((1, 16), value))})
    with pytest.raises(FormatError, match="inverse bind matrices"):
        read(held)
