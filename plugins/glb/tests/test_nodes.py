"""Nodes: matrices, order, names, rest scales, scenes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_glb import _trs
from kinetoscope_spec import Asset, ConfigError, FormatError

Read = Callable[..., Asset]


def matrix(turn: Rotation, scale: Any, move: Any) -> np.ndarray:
    found = np.eye(4)
    found[:3, :3] = turn.as_matrix() * np.asarray(scale)
    found[:3, 3] = move
    return found


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3]), st.sampled_from([1e-12, 1.0, 1e12]))
@settings(deadline=None)
def test_a_matrix_of_move_turn_scale_comes_apart_exactly(seed: int, zeros: float, size: float) -> None:
    rng = np.random.default_rng(seed)
    scale = size * rng.uniform(-2, 2, 3) * (rng.random(3) >= zeros)
    held = matrix(Rotation.random(rng=rng), scale, rng.normal(size=3))
    move, turn, found, off = (part[0] for part in _trs.decompose(held[None]))
    np.testing.assert_allclose(
        matrix(Rotation.from_matrix(turn), found, move), held, atol=1e-9 * size, rtol=1e-9
    )
    assert np.linalg.det(turn) == pytest.approx(1)
    assert off < 1e-7
    if np.linalg.det(held[:3, :3]) < 0:  # whichever axis was mirrored: the first one is
        assert (np.sign(found) == [-1, 1, 1]).all()
    else:
        assert (found >= 0).all() or not scale.all()


@given(st.integers(0, 2**32 - 1))
@example(9528)  # nearly flat: rounds of improving are many
@settings(deadline=None)
def test_what_comes_closest_to_a_shear_is_closest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = np.eye(4)
    held[:3, :3] = rng.normal(size=(3, 3)) + 2 * np.eye(3)
    _, turn, scale, _ = (part[0] for part in _trs.decompose(held[None]))
    best = np.linalg.norm(turn * scale - held[:3, :3])
    for _ in range(20):  # no neighbour does better
        near = Rotation.from_rotvec(rng.normal(scale=1e-2, size=3)).as_matrix() @ turn
        others = np.einsum("ij,ij->j", near, held[:3, :3])
        assert np.linalg.norm(near * others - held[:3, :3]) >= best - 1e-6


def test_matrices_come_apart_as_each_alone_does() -> None:
    rng = np.random.default_rng(4)
    held = np.tile(np.eye(4), (50, 1, 1))
    held[:, :3] = rng.normal(size=(50, 3, 4))
    held[7, :3, :3] = 0
    held[8:20] = [matrix(Rotation.random(rng=rng), rng.uniform(-1, 1, 3), (0, 0, 1)) for _ in range(12)]
    together, alone = _trs.decompose(held), [_trs.decompose(one[None]) for one in held]
    for i, part in enumerate(together):
        np.testing.assert_allclose(part, [one[i][0] for one in alone], atol=1e-9)
    np.testing.assert_array_equal(together[1][7], np.eye(3))
    assert together[3][8:20].max() < 1e-7


def test_matrix_nodes(make: Any, read: Read) -> None:
    turn, scale, move = Rotation.from_euler("xyz", [0.3, -0.5, 1.1]), [2.0, 0.5, -1.5], [1, 2, 3]
    held = make()
    held.node(name="a", matrix=matrix(turn, scale, move).T.ravel().tolist(), children=[1])
    held.node(name="b", translation=[1, 0, 0])
    asset = read(held)
    np.testing.assert_allclose(asset.skeleton.rest_matrices()[0], matrix(turn, scale, move), atol=1e-9)
    expected = (matrix(turn, scale, move) @ [1, 0, 0, 1])[:3]
    np.testing.assert_allclose(asset.skeleton.rest_transforms()[0][1], expected, atol=1e-9)
    assert asset.warnings == ()


def test_shear_is_told(make: Any, read: Read) -> None:
    held = make()
    shear = np.eye(4)
    shear[0, 1] = 0.5
    held.node(matrix=shear.T.ravel().tolist())
    (warning,) = read(held).warnings
    assert "nodes[0].matrix shears" in warning


def test_children_before_parents(make: Any, read: Read) -> None:
    held = make()
    held.node(name="hand", translation=[0, 0, 1])
    held.node(name="arm", translation=[0, 1, 0], children=[0])
    held.node(name="body", translation=[1, 0, 0], children=[1])
    asset = read(held)
    assert asset.skeleton.names == ("body", "arm", "hand")
    np.testing.assert_allclose(asset.skeleton.rest_transforms()[0], [[1, 0, 0], [1, 1, 0], [1, 1, 1]])


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 30))
@settings(deadline=None)
def test_any_order_gives_the_same_places(make: Any, tmp_path_factory: Any, seed: int, count: int) -> None:
    from kinetoscope_glb.importer import GlbImporter

    rng = np.random.default_rng(seed)
    parents = [-1, *(int(rng.integers(-1, i)) for i in range(1, count))]
    moves = rng.normal(size=(count, 3))
    expected = moves.copy()
    for i, parent in enumerate(parents):
        expected[i] += expected[parent] if parent >= 0 else 0
    order = rng.permutation(count)
    place = np.argsort(order)
    held = make()
    for i in order:
        children = [int(place[c]) for c, parent in enumerate(parents) if parent == i]
        held.node(name=f"n{i}", translation=moves[i].tolist(), children=children)
    path = tmp_path_factory.mktemp("order") / "o.glb"
    path.write_bytes(held.glb())
    skeleton = GlbImporter().read(path).skeleton
    found = skeleton.rest_transforms()[0]
    for i in range(count):
        np.testing.assert_allclose(found[skeleton.index(f"n{i}")], expected[i], atol=1e-12)


def test_names_are_unique(make: Any, read: Read) -> None:
    held = make()
    for name in ("a", "a", "a_2", "", None, "../../etc/passwd", "x\udc80", "歩く"):
        held.node(**({} if name is None else {"name": name}))
    asset = read(held)
    assert asset.skeleton.names == (
        "a",
        "a_3",
        "a_2",
        "node_3",
        "node_4",
        "../../etc/passwd",
        "x\ufffd",
        "歩く",
    )
    assert any("several nodes" in warning for warning in asset.warnings)


def test_rest_scale_reaches_children(make: Any, read: Read) -> None:
    held = make()
    held.node(scale=[2, 3, 4], children=[1])
    held.node(translation=[1, 1, 1], rotation=[0, 0, 2**-0.5, 2**-0.5], children=[2])
    held.node(translation=[1, 0, 0])
    held.animate((2, "translation", [0, 1], [[1, 0, 0], [2, 0, 0]], "LINEAR"))
    asset = read(held)
    np.testing.assert_allclose(asset.skeleton.rest_transforms()[0][2], [2, 6, 4], atol=1e-7)
    np.testing.assert_allclose(asset.motions[0].global_transforms()[0][-1, 2], [2, 9, 4], atol=1e-6)
    np.testing.assert_array_equal(asset.motions[0].scales[:, 0], np.tile([2, 3, 4], (31, 1)))


def test_quaternions_that_are_none(make: Any, read: Read) -> None:
    held = make()
    held.node(rotation=[0, 0, 0, 2])
    held.node(rotation=[0, 0, 0, 0])
    asset = read(held)
    np.testing.assert_array_equal(asset.skeleton.rest_rotations, [[0, 0, 0, 1]] * 2)
    assert len(asset.warnings) == 2


def test_unit(make: Any, read: Read) -> None:
    held = make()
    bind = np.eye(4)
    bind[:3, 3] = [0, -90, 0]
    points = [[0, 90, 0], [10, 90, 0], [0, 100, 0]]
    part = held.triangles(
        points, JOINTS_0=held.array([[0] * 4] * 3, "u1"), WEIGHTS_0=held.array([[1, 0, 0, 0]] * 3)
    )
    part["targets"] = [{"POSITION": held.array([[0, 1, 0]] * 3)}]
    held.shown(part, skin=0)
    joint = held.node(translation=[0, 90, 0])
    held.push("skins", {"joints": [joint], "inverseBindMatrices": held.array([bind.T.ravel()])})
    held.animate((joint, "translation", [0], [[0, 190, 0]], "LINEAR"))
    from kinetoscope_spec import kinematics

    asset = read(held, unit=0.01)
    assert asset.metadata["unit_m"] == 0.01
    np.testing.assert_allclose(asset.skeleton.rest_positions[1], [0, 0.9, 0])
    np.testing.assert_allclose(kinematics.skinned_vertices(asset, 0, None), np.array(points) / 100, atol=1e-7)
    raised = np.array(points) / 100 + [0, 1, 0]
    np.testing.assert_allclose(kinematics.skinned_vertices(asset, 0, 0), raised, atol=1e-6)
    np.testing.assert_allclose(asset.meshes[0].morphs[0], [[0, 0.01, 0]] * 3, atol=1e-8)
    with pytest.raises(ConfigError, match="unit"):
        read(held, unit=0)


def test_scenes(make: Any, read: Read) -> None:
    held = make()
    part = held.triangles(np.eye(3))
    for name in ("day", "night", "store room"):
        held.shown(part, name=name)
    held.json["scenes"] = [{"name": "a", "nodes": [0]}, {"nodes": [1, 0]}]
    asset = read(held)
    assert asset.metadata["scenes"] == (("a", ("day",)), ("scene_1", ("night", "day")))
    assert [mesh.node for mesh in asset.meshes] == [0, 1]
    assert "nodes[2] is in no scene" in asset.warnings[0]
    assert len(asset.skeleton) == 3
    assert [mesh.node for mesh in read(held, scene="a").meshes] == [0]
    assert len(read(held, scene=1).meshes) == 2
    with pytest.raises(ConfigError, match="scene is 'dusk', but the file has 2"):
        read(held, scene="dusk")


@pytest.mark.parametrize(
    ("nodes", "place"),
    [
        ([{"children": [0]}], r"nodes\[0\] is a descendant of itself"),
        ([{"children": [1]}, {"children": [2]}, {"children": [1]}], "nodes"),
        ([{"children": [2]}, {"children": [2]}, {}], r"nodes\[1\] has the child nodes\[2\]"),
        ([{"children": [7]}], r"nodes\[0\].children\[0\] is 7"),
        ([{"children": [-1]}], r"nodes\[0\].children\[0\] is -1"),
        ([{"children": 3}], r"nodes\[0\].children is 3"),
        ([{"translation": [1, 2]}], r"nodes\[0\].translation"),
        ([{"translation": [1, 2, 1e300]}], r"nodes\[0\].translation"),
        ([{"translation": [1, 2, "3"]}], r"nodes\[0\].translation"),
        ([{"matrix": [1] * 16}], r"nodes\[0\].matrix .* \(expected a last row"),
        ([{"matrix": [0] * 15}], r"nodes\[0\].matrix"),
        ([{"name": 3}], r"nodes\[0\].name is 3"),
        ([3], r"nodes\[0\] is 3"),
        ([{"mesh": 0}], r"nodes\[0\].mesh is 0 .*one of 0 meshes"),
    ],
)
def test_bad_nodes(make: Any, read: Read, nodes: list[Any], place: str) -> None:
    held = make()
    held.json["nodes"] = nodes
    with pytest.raises(FormatError, match=place):
        read(held)
