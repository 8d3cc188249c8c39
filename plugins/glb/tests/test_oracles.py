"""Against trimesh and pygltflib, which share no code with the importer, and against their reading of what it writes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, Motion, Skeleton, kinematics
from kinetoscope_spec.contracts import strategies

trimesh = pytest.importorskip("trimesh")
pygltflib = pytest.importorskip("pygltflib")

WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
NAMES = ("cranberry.glb", "geno.glb")


class Peer:
    """A file as pygltflib has it: its document, and its accessors as NumPy takes them from the buffer."""

    def __init__(self, path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.document = pygltflib.GLTF2().load(str(path))
        self.data = self.document.binary_blob()

    def array(self, number: int) -> np.ndarray:
        """Closely packed accessors, which is what the files here have."""
        accessor = self.document.accessors[number]
        view = self.document.bufferViews[accessor.bufferView]
        assert not view.byteStride
        start, width = (view.byteOffset or 0) + (accessor.byteOffset or 0), WIDTHS[accessor.type]
        found = np.frombuffer(self.data, DTYPES[accessor.componentType], accessor.count * width, start)
        return found.reshape(accessor.count, width)

    def primitives(self) -> Iterator[tuple[Any, Any]]:
        """Yield (node, its mesh's only primitive), in the order of meshes."""
        for number, mesh in enumerate(self.document.meshes):
            (primitive,) = mesh.primitives
            (node,) = (node for node in self.document.nodes if node.mesh == number)
            yield node, primitive


def globals_of(nodes: Any) -> np.ndarray:
    """Global matrices `[N, 4, 4]` of pygltflib's nodes, parents wherever they stand."""
    from scipy.spatial.transform import Rotation

    local = np.tile(np.eye(4), (len(nodes), 1, 1))
    parents = [-1] * len(nodes)
    for i, node in enumerate(nodes):
        turn = Rotation.from_quat(node.rotation or [0, 0, 0, 1]).as_matrix()
        local[i, :3, :3] = turn * np.array(node.scale or [1, 1, 1])
        local[i, :3, 3] = node.translation or [0, 0, 0]
        for child in node.children or ():
            parents[child] = i
    found = []
    for i in range(len(nodes)):
        matrix, above = local[i], parents[i]
        while above >= 0:
            matrix, above = local[above] @ matrix, parents[above]
        found.append(matrix)
    return np.array(found)


@pytest.mark.realdata
@pytest.mark.parametrize("name", NAMES)
def test_joints_of_characters_stand_where_trimesh_has_them(characters: Path, name: str) -> None:
    asset = GlbImporter().read(characters / name)
    graph = trimesh.load(characters / name, process=False).graph
    places = asset.skeleton.rest_matrices()
    times = Counter(node.name for node in Peer(characters / name).document.nodes)
    # Where nodes share a name, trimesh and we number them differently.
    shared = [i for i, joint in enumerate(asset.skeleton.names) if times[joint] == 1]
    assert len(shared) > 0.8 * len(places)
    for i in shared:
        theirs, _ = graph.get(asset.skeleton.names[i])
        np.testing.assert_allclose(places[i], theirs, atol=1e-5)


@pytest.mark.realdata
@pytest.mark.parametrize("name", NAMES)
def test_meshes_of_characters_are_trimeshs(characters: Path, name: str) -> None:
    asset = GlbImporter().read(characters / name)
    scene = trimesh.load(characters / name, process=False)
    theirs = list(scene.geometry.values())
    assert len(theirs) == len(asset.meshes)
    for mesh, geometry in zip(asset.meshes, theirs, strict=True):
        np.testing.assert_array_equal(mesh.vertices[mesh.corner_vertex], geometry.vertices.astype(np.float32))
        np.testing.assert_array_equal(mesh.faces, geometry.faces)
        if mesh.normals is not None:
            np.testing.assert_allclose(mesh.normals, geometry.vertex_normals, atol=1e-4)


@pytest.mark.realdata
@pytest.mark.parametrize("name", NAMES)
def test_skins_of_characters_are_pygltflibs(characters: Path, name: str) -> None:
    path = characters / name
    asset, peer = GlbImporter().read(path), Peer(path)
    nodes, skins = peer.document.nodes, 0
    world = globals_of(nodes)
    for mesh, (node, primitive) in zip(asset.meshes, peer.primitives(), strict=True):
        points = peer.array(primitive.attributes.POSITION)
        if node.skin is None:
            matrix = world[nodes.index(node)]
            expected = points @ matrix[:3, :3].T + matrix[:3, 3]
        else:
            skins += 1
            skin = peer.document.skins[node.skin]
            bind = peer.array(skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
            joints, weights = (
                peer.array(getattr(primitive.attributes, key)) for key in ("JOINTS_0", "WEIGHTS_0")
            )
            blended = np.einsum("vk,vkij->vij", weights, (world[skin.joints] @ bind)[joints])
            expected = np.einsum("vij,vj->vi", blended, np.pad(points, ((0, 0), (0, 1)), constant_values=1))
            expected = expected[:, :3] / weights.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(kinematics.skinned_vertices(asset, mesh, None), expected, atol=1e-5)
    assert skins == 1


@given(
    strategies.characters().flatmap(
        lambda held: strategies.motions(st.just(held.skeleton), frames=st.sampled_from((2, 5))).map(
            lambda motion: Asset(held.name, held.skeleton, [motion], held.meshes, held.materials)
        )
    )
)
@settings(max_examples=40, deadline=None)
def test_pygltflib_finds_in_our_files_what_was_written(tmp_path_factory: Any, asset: Asset) -> None:
    path = tmp_path_factory.mktemp("peer") / "a.glb"
    GlbImporter().write(asset, path)
    peer = Peer(path)
    skeleton, motion = asset.skeleton, asset.motions[0]
    nodes = peer.document.nodes
    assert [node.name for node in nodes[: len(skeleton)]] == list(skeleton.names)
    np.testing.assert_allclose(globals_of(nodes)[: len(skeleton)], skeleton.rest_matrices(), atol=1e-6)
    scales = np.ones((motion.frame_count, len(skeleton), 3)) if motion.scales is None else motion.scales
    moved = {"translation": motion.positions, "rotation": motion.rotations, "scale": scales}
    for kind, found in played(peer, skeleton, motion.frame_count, motion.framerate).items():
        if kind == "rotation":
            np.testing.assert_allclose(np.abs((found * moved[kind]).sum(axis=-1)), 1, atol=1e-6)
        np.testing.assert_allclose(np.abs(found), np.abs(moved[kind]), rtol=1e-6, atol=1e-6)


def played(peer: Peer, skeleton: Skeleton, frames: int, rate: float) -> dict[str, np.ndarray]:
    """Every frame of the only animation: keys held until the next, the rest pose where there are none."""
    rest = (skeleton.rest_positions, skeleton.rest_rotations, skeleton.rest_scales)
    found = {
        kind: np.repeat(held[None], frames, axis=0)
        for kind, held in zip(("translation", "rotation", "scale"), rest, strict=True)
    }
    (animation,) = peer.document.animations
    start = min(float(peer.array(sampler.input)[0, 0]) for sampler in animation.samplers)
    for channel in animation.channels:
        sampler, target = animation.samplers[channel.sampler], channel.target
        at = np.round((peer.array(sampler.input)[:, 0] - start) * rate)
        latest = np.searchsorted(at, np.arange(frames), side="right") - 1
        found[target.path][:, target.node] = peer.array(sampler.output)[np.maximum(latest, 0)]
    return found


def test_trimesh_finds_in_our_files_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    skeleton = Skeleton(
        ("hips", "spine", "head"),
        [-1, 0, 1],
        [[0, 1, 0], [0, 0.3, 0.1], [0, 0.5, 0]],
        [[0, 0, 0, 1], [0, 0.6, 0, 0.8], [0.6, 0, 0, 0.8]],
        [[1, 1, 1], [1, 2, 1], [1, 1, 3]],
    )
    motion = Motion(
        skeleton,
        skeleton.rest_positions[None],
        skeleton.rest_rotations[None],
        30.0,
        "rest",
        scales=skeleton.rest_scales[None],
    )
    GlbImporter().write(Asset("a", skeleton, [motion]), path)
    graph = trimesh.load(path, force="scene").graph
    for name, place in zip(skeleton.names, skeleton.rest_matrices(), strict=True):
        np.testing.assert_allclose(graph.get(name)[0], place, atol=1e-6)
