"""From a UsdGeom mesh to ours: triangles over control points, what differs at corners kept at corners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Mesh
from kinetoscope_usd._nodes import Nodes
from kinetoscope_usd._refused import Refused
from kinetoscope_usd._skin import blend_shapes, skin_of

__all__ = ["Surface", "mesh", "plain_color"]

Ints = NDArray[np.int64]


@attrs.frozen
class Surface:
    """How a mesh is drawn: the primvar of its UVs, a transform of them, materials by face.

    Attributes:
        uv_name: the primvar.
        uv_matrix: `[3, 3]` for (u, v, 1), origin at the bottom left, or None.
        subsets: (faces, material index) of the parts that have a material of their own.
        material: index of the material of all other faces.
    """

    uv_name: str
    uv_matrix: NDArray[np.float64] | None
    subsets: Sequence[tuple[Ints, int]]
    material: int


def mesh(prim: Any, nodes: Nodes, surface: Surface) -> Mesh | None:
    """Return the mesh of a prim, None (and a warning) where it has no triangle."""
    from pxr import Usd, UsdGeom

    held = UsdGeom.Mesh(prim)
    where = str(prim.GetPath())
    if held.GetPointsAttr().ValueMightBeTimeVarying():
        nodes.warnings.append(f"the points of {where} move by themselves; they are read as they are first")
    points = _array(held.GetPointsAttr().Get(Usd.TimeCode.EarliestTime()), np.float64, 3)
    counts, corners = _topology(held, where, len(points))
    faces, face_of = _triangles(counts, _holes(held, len(counts)))
    if not len(faces):
        nodes.warnings.append(f"{where} has no face and is left out")
        return None
    if held.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded:
        faces = faces[:, ::-1]
    if held.GetSubdivisionSchemeAttr().HasAuthoredValue() and held.GetSubdivisionSchemeAttr().Get() != "none":
        nodes.warnings.append(f"{where} is a subdivision surface; its cage is read")
    normals, uvs, colors = _attributes(prim, surface, _Corners(counts, corners, len(points)), nodes)
    per_corner = any(values is not None and len(values) != len(points) for values in (normals, uvs, colors))
    # Where nothing differs between a vertex's corners, the vertices are the corners.
    corner_vertex = corners if per_corner else np.arange(len(points))
    index = faces if per_corner else corners[faces]
    if per_corner:
        normals, uvs, colors = (
            values[corners] if values is not None and len(values) == len(points) else values
            for values in (normals, uvs, colors)
        )
    vertices, skin, node = skin_of(prim, points * nodes.unit, nodes)
    morphs = blend_shapes(prim, len(points), nodes)
    return Mesh(
        prim.GetDisplayName() or prim.GetName(),
        vertices,
        corner_vertex,
        index,
        normals=normals,
        uvs=uvs,
        colors=colors,
        face_material=_face_material(surface, len(counts))[face_of],
        node=node,
        skin=skin,
        **morphs,
    )


def _array(held: Any, dtype: Any, width: int) -> NDArray[Any]:
    return np.asarray(held if held is not None and len(held) else np.zeros((0, width)), dtype).reshape(
        -1, width
    )


def _topology(held: Any, where: str, points: int) -> tuple[Ints, Ints]:
    counts = _array(held.GetFaceVertexCountsAttr().Get(), np.int64, 1)[:, 0]
    corners = _array(held.GetFaceVertexIndicesAttr().Get(), np.int64, 1)[:, 0]
    if len(counts) and (counts.min() < 0 or counts.sum() != len(corners)):
        raise Refused(f"faceVertexCounts of {where} add up to {counts.sum()}", f"{len(corners)} indices")
    if len(corners) and not (corners.min() >= 0 and corners.max() < points):
        raise Refused(
            f"faceVertexIndices of {where} go from {corners.min()} to {corners.max()}", f"0 to {points - 1}"
        )
    return counts, corners if len(counts) else corners[:0]


def _holes(held: Any, count: int) -> NDArray[np.bool_]:
    holes = _array(held.GetHoleIndicesAttr().Get(), np.int64, 1)[:, 0]
    kept = np.ones(count, bool)
    kept[holes[(holes >= 0) & (holes < count)]] = False
    return kept


def _triangles(counts: Ints, kept: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return triangles `[F, 3]` of corners, fans from each face's first corner, and the face of each."""
    starts = np.cumsum(counts) - counts
    fans = np.where(kept, np.maximum(counts - 2, 0), 0)
    face_of = np.repeat(np.arange(len(counts)), fans)
    step = np.arange(len(face_of)) - np.repeat(np.cumsum(fans) - fans, fans)
    first = starts[face_of]
    return np.stack([first, first + step + 1, first + step + 2], axis=1), face_of


def _face_material(surface: Surface, faces: int) -> Ints:
    material = np.full(faces, surface.material)
    for members, index in surface.subsets:
        material[members[(members >= 0) & (members < faces)]] = index
    return material


@attrs.frozen
class _Corners:
    counts: Ints
    corners: Ints
    points: int

    def spread(self, values: NDArray[Any], interpolation: str, what: str) -> NDArray[Any]:
        """Return values `[C, ...]` a corner, or `[V, ...]` a vertex where that is how they are held."""
        wanted = {
            "constant": 1,
            "uniform": len(self.counts),
            "vertex": self.points,
            "varying": self.points,
            "faceVarying": len(self.corners),
        }.get(interpolation, -1)
        if len(values) != wanted:
            raise Refused(f"{what} holds {len(values)} values by {interpolation}", f"{wanted}")
        if interpolation == "constant":
            return np.repeat(values, self.points, axis=0)
        if interpolation == "uniform":
            return np.repeat(values, self.counts, axis=0)
        return values


def _attributes(
    prim: Any, surface: Surface, corners: _Corners, nodes: Nodes
) -> tuple[NDArray[Any] | None, NDArray[Any] | None, NDArray[Any] | None]:
    from pxr import UsdGeom

    primvars = UsdGeom.PrimvarsAPI(prim)
    normals = _primvar(primvars, "normals", 3, corners)
    if normals is None:
        normals = _plain_normals(prim, corners)
    if normals is not None:
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        normals = np.where(length > 1e-12, normals / np.maximum(length, 1e-12), [0.0, 1.0, 0.0])
    uvs = _primvar(primvars, surface.uv_name, 2, corners)
    if uvs is not None:
        if surface.uv_matrix is not None:
            uvs = np.concatenate([uvs, np.ones((len(uvs), 1))], axis=1) @ surface.uv_matrix[:2].T
        uvs = np.stack([uvs[:, 0], 1 - uvs[:, 1]], axis=1)
    return normals, uvs, _colors(primvars, corners)


def _primvar(primvars: Any, name: str, width: int, corners: _Corners) -> NDArray[np.float64] | None:
    primvar = primvars.FindPrimvarWithInheritance(name)
    if not primvar or not primvar.HasAuthoredValue():
        return None
    from pxr import Usd

    held = primvar.ComputeFlattened(Usd.TimeCode.EarliestTime())
    if held is None:
        raise Refused(f"{primvar.GetAttr().GetPath()} has indices beyond its values", "indices of its values")
    try:
        values = np.asarray(held, np.float64).reshape(-1, width)
    except (TypeError, ValueError):
        return None  # of another type: not what the name promises
    what = str(primvar.GetAttr().GetPath())
    return corners.spread(values, str(primvar.GetInterpolation()), what)


def _plain_normals(prim: Any, corners: _Corners) -> NDArray[np.float64] | None:
    from pxr import Usd, UsdGeom

    held = UsdGeom.Mesh(prim)
    values = held.GetNormalsAttr().Get(Usd.TimeCode.EarliestTime())
    if values is None or not len(values):
        return None
    array = np.asarray(values, np.float64).reshape(-1, 3)
    return corners.spread(array, str(held.GetNormalsInterpolation()), f"normals of {prim.GetPath()}")


def _colors(primvars: Any, corners: _Corners) -> NDArray[np.float64] | None:
    """Return linear RGBA where a mesh has colours that differ: a single one is no attribute of vertices."""
    held = primvars.FindPrimvarWithInheritance("displayColor")
    if not held or str(held.GetInterpolation()) == "constant":
        return None
    rgb = _primvar(primvars, "displayColor", 3, corners)
    if rgb is None:
        return None
    alpha = _primvar(primvars, "displayOpacity", 1, corners)
    if alpha is None or len(alpha) != len(rgb):
        alpha = np.ones((len(rgb), 1))
    return np.concatenate([rgb, alpha], axis=1)


def plain_color(prim: Any) -> tuple[float, ...] | None:
    """Return the one linear RGB that a mesh is displayed in, if it has one."""
    from pxr import UsdGeom

    held = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    values = held.Get() if held and str(held.GetInterpolation()) == "constant" else None
    color = tuple(float(x) for x in values[0]) if values is not None and len(values) == 1 else None
    return color if color is not None and np.isfinite(color).all() else None
