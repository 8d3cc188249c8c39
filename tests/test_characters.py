"""The same character as GLB and as FBX: two readers that share no code."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, Mesh, Motion, kinematics

FOLDER = Path(os.environ.get("KINETOSCOPE_DATA", "")) / "characters"
NAMES = ("cranberry", "geno")
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="KINETOSCOPE_DATA is not set, or has no folder characters"
    ),
]


@pytest.fixture(scope="module", params=NAMES)
def twins(request: pytest.FixtureRequest) -> tuple[Asset, Asset]:
    glb, fbx = (
        GlbImporter().read(FOLDER / f"{request.param}.glb"),
        FbxImporter().read(FOLDER / f"{request.param}.fbx"),
    )
    return glb, fbx


def test_joints_stand_in_the_same_places(twins: tuple[Asset, Asset]) -> None:
    places = [
        {joint: asset.skeleton.rest_matrices()[i, :3, 3] for i, joint in enumerate(asset.skeleton.names)}
        for asset in twins
    ]
    # Colliders share names, and each reader numbers them in the order of its file.
    shared = sorted(joint for joint in set(places[0]) & set(places[1]) if "_col" not in joint)
    assert len(shared) > 60
    for joint in shared:
        np.testing.assert_allclose(places[0][joint], places[1][joint], atol=1e-5, err_msg=joint)


def test_the_skin_carries_the_vertices_to_the_same_places(twins: tuple[Asset, Asset]) -> None:
    bodies = [max(asset.meshes, key=lambda mesh: len(mesh.vertices)) for asset in twins]
    glb, fbx = (
        kinematics.skinned_vertices(asset, body, None) for asset, body in zip(twins, bodies, strict=True)
    )
    # glTF splits vertices where corners differ, so each set is looked for in the other.
    assert cKDTree(fbx).query(glb)[0].max() < 1e-5
    assert cKDTree(glb).query(fbx)[0].max() < 1e-5


def test_posed_alike_they_stand_alike(twins: tuple[Asset, Asset]) -> None:
    """Every joint that both have is turned at random; unlike the rest pose this tells bind matrices apart."""
    random = np.random.default_rng(1)
    shared = sorted(set(twins[0].skeleton.names) & set(twins[1].skeleton.names))
    # Colliders are numbered by file, and geno's hips hang from `Armature` in the GLB alone.
    shared = [name for name in shared if not any(part in name for part in ("_col", "_null", "Armature"))]
    turns = {name: random.normal(size=3) * 0.2 for name in shared}
    bodies = [max(asset.meshes, key=lambda mesh: len(mesh.vertices)) for asset in twins]
    most = min(body.skin.weights.shape[1] for body in bodies if body.skin)
    glb, fbx = (
        kinematics.skinned_vertices(posed(asset, turns), limited(body, most), 0)
        for asset, body in zip(twins, bodies, strict=True)
    )
    assert cKDTree(fbx).query(glb)[0].max() < 1e-4
    assert cKDTree(glb).query(fbx)[0].max() < 1e-4


def limited(mesh: Mesh, most: int) -> Mesh:
    """Return the mesh with its `most` largest influences: geno's GLB was exported with four of six."""
    weights = mesh.skin.weights[:, :most]  # the largest come first
    skin = attrs.evolve(
        mesh.skin, joints=mesh.skin.joints[:, :most], weights=weights / weights.sum(axis=1, keepdims=True)
    )
    return attrs.evolve(mesh, skin=skin)


def posed(asset: Asset, turns: dict[str, NDArray[np.float64]]) -> Asset:
    """Return the asset with one frame in which the joints are turned about the world's axes, out of rest."""
    skeleton = asset.skeleton
    world = Rotation.from_quat(np.array(skeleton.rest_transforms()[1]))
    local = np.array(skeleton.rest_rotations)
    for i, name in enumerate(skeleton.names):
        if name in turns:
            parent = int(skeleton.parents[i])
            above = world[parent] if parent >= 0 else Rotation.identity()
            # The same turn in the world at rest, whatever the axes of the parent in this file.
            local[i] = (
                above.inv() * Rotation.from_rotvec(turns[name]) * above * Rotation.from_quat(local[i])
            ).as_quat()
    motion = Motion(
        skeleton, skeleton.rest_positions[None], local[None], 30.0, scales=skeleton.rest_scales[None]
    )
    return attrs.evolve(asset, motions=(motion,))
