"""Writes a mesh, its skin, its blend shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Material, Mesh, kinematics
from kinetoscope_usd._bind import Bind, used_bones
from kinetoscope_usd._identifiers import Namer, identifier

__all__ = ["write_mesh"]


def write_mesh(
    stage: Any,
    path: Any,
    mesh: Mesh,
    tokens: Sequence[str],
    skeleton: Any,
    binding: Bind,
    placed: NDArray[np.float64],
    looks: Sequence[Any],
    materials: Sequence[Material],
) -> None:
    """Write `mesh` at `path`; `placed` is where it stood when it was bound."""
    from pxr import UsdGeom, Vt

    held = UsdGeom.Mesh.Define(stage, path)
    prim = held.GetPrim()
    prim.SetDisplayName(mesh.name)
    held.CreateSubdivisionSchemeAttr("none")
    vertices = np.ascontiguousarray(mesh.vertices, np.float32)
    held.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(vertices))
    if len(vertices):
        box = np.stack([vertices.min(axis=0), vertices.max(axis=0)])
        held.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(box))
    held.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(mesh.faces), 3, np.int32)))
    corners = mesh.corner_vertex[mesh.faces].ravel().astype(np.int32)
    held.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(corners))
    _write_attributes(held, mesh)
    _write_looks(held, mesh, looks, materials)
    if mesh.skin is not None:
        _write_skin(prim, mesh, tokens, skeleton, placed)
    elif mesh.node is not None:
        _write_carrier(prim, tokens[mesh.node], skeleton, placed)
    if mesh.morphs is not None and len(mesh.morph_names):
        _write_shapes(stage, prim, mesh, skeleton)


def _write_attributes(held: Any, mesh: Mesh) -> None:
    """Write normals, UVs and colours: by vertex where vertices are the corners, else by corner."""
    from pxr import Sdf, UsdGeom, Vt

    same = np.array_equal(mesh.corner_vertex, np.arange(len(mesh.vertices)))
    interpolation = UsdGeom.Tokens.vertex if same else UsdGeom.Tokens.faceVarying
    order = slice(None) if same else mesh.faces.ravel()
    primvars = UsdGeom.PrimvarsAPI(held.GetPrim())
    types = Sdf.ValueTypeNames
    if mesh.normals is not None:
        held.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(_floats(mesh.normals[order])))
        held.SetNormalsInterpolation(interpolation)
    if mesh.uvs is not None:
        flipped = np.stack([mesh.uvs[order][:, 0], 1 - mesh.uvs[order][:, 1]], axis=1)
        st = primvars.CreatePrimvar("st", types.TexCoord2fArray, interpolation)
        st.Set(Vt.Vec2fArray.FromNumpy(_floats(flipped)))
    if mesh.colors is not None:
        rgba = _floats(mesh.colors[order])
        color = primvars.CreatePrimvar("displayColor", types.Color3fArray, interpolation)
        color.Set(Vt.Vec3fArray.FromNumpy(_floats(rgba[:, :3])))
        opacity = primvars.CreatePrimvar("displayOpacity", types.FloatArray, interpolation)
        opacity.Set(Vt.FloatArray.FromNumpy(_floats(rgba[:, 3])))


def _floats(values: Any) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)


def _write_looks(held: Any, mesh: Mesh, looks: Sequence[Any], materials: Sequence[Material]) -> None:
    from pxr import UsdGeom, UsdShade, Vt

    if not looks:
        return
    worn = np.zeros(len(mesh.faces), np.int64) if mesh.face_material is None else mesh.face_material
    used = np.unique(worn).tolist() or [0]
    held.CreateDoubleSidedAttr(any(materials[i].double_sided for i in used))
    binding = UsdShade.MaterialBindingAPI.Apply(held.GetPrim())
    if len(used) == 1:
        binding.Bind(looks[used[0]])
        return
    binding.SetMaterialBindSubsetsFamilyType(UsdGeom.Tokens.partition)
    namer = Namer()
    for i in used:
        faces = Vt.IntArray.FromNumpy(np.flatnonzero(worn == i).astype(np.int32))
        subset = binding.CreateMaterialBindSubset(namer(f"part_{identifier(materials[i].name)}"), faces)
        UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(looks[i])


def _write_skin(
    prim: Any, mesh: Mesh, tokens: Sequence[str], skeleton: Any, placed: NDArray[np.float64]
) -> None:
    from pxr import Gf, UsdSkel, Vt

    assert mesh.skin is not None
    used = used_bones(mesh)
    place = np.zeros(len(mesh.skin.bones), np.int64)
    place[used] = np.arange(len(used))
    width = mesh.skin.joints.shape[1]
    joints = np.where(mesh.skin.weights > 0, place[mesh.skin.joints], 0).astype(np.int32)
    api = UsdSkel.BindingAPI.Apply(prim)
    api.CreateSkeletonRel().SetTargets([skeleton])
    api.CreateJointsAttr(Vt.TokenArray([tokens[node] for node in mesh.skin.bones[used]]))
    api.CreateJointIndicesPrimvar(False, width).Set(Vt.IntArray.FromNumpy(joints.ravel()))
    api.CreateJointWeightsPrimvar(False, width).Set(
        Vt.FloatArray.FromNumpy(_floats(mesh.skin.weights).ravel())
    )
    api.CreateGeomBindTransformAttr(Gf.Matrix4d(placed.T.tolist()))
    if mesh.skin.blending == "dual_quaternion":
        api.CreateSkinningMethodAttr(UsdSkel.Tokens.dualQuaternion)


def _write_carrier(prim: Any, token: str, skeleton: Any, placed: NDArray[np.float64]) -> None:
    """Hang a rigid mesh on one joint."""
    from pxr import Gf, UsdSkel, Vt

    api = UsdSkel.BindingAPI.Apply(prim)
    api.CreateSkeletonRel().SetTargets([skeleton])
    api.CreateJointsAttr(Vt.TokenArray([token]))
    api.CreateJointIndicesPrimvar(True, 1).Set(Vt.IntArray([0]))
    api.CreateJointWeightsPrimvar(True, 1).Set(Vt.FloatArray([1.0]))
    api.CreateGeomBindTransformAttr(Gf.Matrix4d(placed.T.tolist()))


def _write_shapes(stage: Any, prim: Any, mesh: Mesh, skeleton: Any) -> None:
    """Write channels as blend shapes, shapes on their way as in-betweens."""
    from pxr import UsdSkel, Vt

    assert mesh.morphs is not None
    assert mesh.morph_peaks is not None
    api = UsdSkel.BindingAPI.Apply(prim)
    api.CreateSkeletonRel().SetTargets([skeleton])
    channels = list(dict.fromkeys(mesh.morph_names))
    namer = Namer()
    paths = []
    for channel in channels:
        shape = UsdSkel.BlendShape.Define(stage, prim.GetPath().AppendChild(namer(identifier(channel))))
        # What stands at weight 1, whether or not a shape of ours does.
        full = np.tensordot(kinematics.morph_factors(mesh, _alone(channels, channel)), mesh.morphs, axes=1)
        shape.CreateOffsetsAttr(Vt.Vec3fArray.FromNumpy(_floats(full)))
        for i, name in enumerate(mesh.morph_names):
            if name == channel and mesh.morph_peaks[i] != 1:
                between = shape.CreateInbetween(f"at_{i}")
                between.SetWeight(float(mesh.morph_peaks[i]))
                between.SetOffsets(Vt.Vec3fArray.FromNumpy(_floats(mesh.morphs[i])))
        paths.append(shape.GetPath())
    api.CreateBlendShapesAttr(Vt.TokenArray(channels))
    api.CreateBlendShapeTargetsRel().SetTargets(paths)
    resting = {name: float(weight) for name, weight in mesh.morph_weights.items() if weight}
    if resting:
        names, weights = Vt.StringArray(list(resting)), Vt.DoubleArray(list(resting.values()))
        prim.SetCustomDataByKey("kinetoscope:morphWeights", {"names": names, "weights": weights})


def _alone(channels: Sequence[str], one: str) -> dict[str, float]:
    return {channel: float(channel == one) for channel in channels}
