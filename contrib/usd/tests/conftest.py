"""Characters made from a seed, and what UsdSkel itself makes of a file: the oracle of these tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_spec import Asset, Material, Mesh, Motion, Skeleton, Skin


def quaternions(rng: np.random.Generator, *shape: int) -> np.ndarray:
    q = rng.normal(size=(*shape, 4))
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def _character(seed: int, *, morphs: bool = True, scaled: bool = True) -> Asset:
    """Return two skinned meshes and a rigid one on a random skeleton, with two motions."""
    rng = np.random.default_rng(seed)
    joints = int(rng.integers(3, 9))
    skeleton = Skeleton(
        tuple(f"joint {i}" if i % 2 else f"j{i}" for i in range(joints)),
        [-1, *(int(rng.integers(0, i)) for i in range(1, joints))],
        rng.normal(size=(joints, 3)),
        quaternions(rng, joints),
        rng.uniform(0.5, 2, size=(joints, 3)) if scaled else None,
    )
    rest = np.array(skeleton.rest_matrices())
    placed = np.eye(4)
    placed[:3] = rng.normal(size=(3, 4))
    meshes = (
        skinned(rng, "body", skeleton, np.linalg.inv(rest), morphs=morphs),
        skinned(rng, "coat of arms", skeleton, np.linalg.inv(rest) @ placed, morphs=False),
        Mesh.from_triangles("hat", rng.normal(size=(4, 3)), [[0, 1, 2], [0, 2, 3]], node=joints - 1),
    )
    motions = tuple(
        motion(rng, skeleton, name, rate, scaled, morphs) for name, rate in (("walk", 30.0), ("run!", 24.0))
    )
    return Asset("figure", skeleton, motions, meshes, (Material("skin"), Material("cloth")))


def skinned(
    rng: np.random.Generator, name: str, skeleton: Skeleton, inverse: np.ndarray, *, morphs: bool
) -> Mesh:
    points, width = 12, 3
    weights = rng.dirichlet(np.ones(width), size=points)
    bones = np.array(rng.permutation(len(skeleton)))
    # The second mesh stands elsewhere, but is bound in the same pose: `inverse` says both.
    skin = Skin(rng.integers(0, len(bones), size=(points, width)), weights, bones, inverse[bones])
    shapes = {
        "morphs": rng.normal(scale=0.3, size=(4, points, 3)),
        "morph_names": ("smile", "smile", "frown", "blink"),
        "morph_peaks": [0.4, 1.0, 1.0, 1.0],
        "morph_weights": {"blink": 0.25},
    }
    faces = rng.integers(0, points, size=(9, 3))
    return Mesh(
        name,
        rng.normal(size=(points, 3)),
        np.arange(points),
        faces,
        face_material=rng.integers(0, 2, size=9),
        skin=skin,
        **(shapes if morphs else {}),
    )


def motion(
    rng: np.random.Generator, skeleton: Skeleton, name: str, rate: float, scaled: bool, morphs: bool
) -> Motion:
    frames, joints = 5, len(skeleton)
    return Motion(
        skeleton,
        rng.normal(size=(frames, joints, 3)),
        quaternions(rng, frames, joints),
        rate,
        name,
        scales=rng.uniform(0.5, 2, size=(frames, joints, 3)) if scaled else None,
        start_time=0.5,
        morph_weights={"smile": rng.uniform(0, 1, frames), "frown": rng.uniform(0, 1, frames)}
        if morphs
        else {},
    )


def _usdskel_vertices(path: Path, mesh: str, code: float) -> np.ndarray:
    """Return the world positions of a mesh's points as UsdSkel's own queries compute them."""
    from pxr import Usd, UsdGeom, UsdSkel, Vt

    stage = Usd.Stage.Open(str(path))
    cache = UsdSkel.Cache()
    root = UsdSkel.Root(stage.GetDefaultPrim())
    cache.Populate(root, Usd.PrimDefaultPredicate)
    prim = next(
        p for p in stage.Traverse() if p.IsA(UsdGeom.Mesh) and mesh in (p.GetName(), p.GetDisplayName())
    )
    query = cache.GetSkinningQuery(prim)
    skeleton = cache.GetSkelQuery(UsdSkel.Skeleton(UsdSkel.BindingAPI(prim).GetInheritedSkeleton().GetPrim()))
    points = Vt.Vec3fArray(UsdGeom.Mesh(prim).GetPointsAttr().Get())
    if query.HasBlendShapes():
        shapes = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(prim))
        weights = skeleton.GetAnimQuery().ComputeBlendShapeWeights(code)
        mapped = query.GetBlendShapeMapper().Remap(weights)
        held = shapes.ComputeSubShapeWeights(mapped)
        shapes.ComputeDeformedPoints(
            *held, shapes.ComputeBlendShapePointIndices(), shapes.ComputeSubShapePointOffsets(), points
        )
    xforms = skeleton.ComputeSkinningTransforms(code)
    world = np.array(UsdGeom.Xformable(skeleton.GetPrim()).ComputeLocalToWorldTransform(code))
    if query.IsRigidlyDeformed():
        moved = np.array(query.ComputeSkinnedTransform(xforms, code))
        found = np.c_[np.array(points), np.ones(len(points))] @ moved
    else:
        assert query.ComputeSkinnedPoints(xforms, points, code)
        found = np.c_[np.array(points, float), np.ones(len(points))]
    return (found @ world)[:, :3]


@pytest.fixture
def character() -> Callable[..., Asset]:
    return _character


@pytest.fixture
def usdskel_vertices() -> Callable[..., np.ndarray]:
    return _usdskel_vertices
