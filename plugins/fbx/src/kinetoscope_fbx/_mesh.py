"""Meshes: control points, polygons cut into triangles, and what layers say of corners."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._node import Node
from kinetoscope_fbx._triangles import triangulate

__all__ = ["Geometry", "geometry_of"]

Array = NDArray[Any]


@attrs.frozen(eq=False)
class Geometry:
    """A mesh in the file's own space.

    Attributes:
        vertices: `[V, 3]`, control points.
        corners: `[C]`, the control point of each corner of a polygon.
        faces: `[F, 3]`, corners.
        normals: `[C, 3]` or None; uvs `[C, 2]` or None, origin at the bottom left; colors `[C, 4]` or None.
        materials: `[F]`, which of the node's materials.
    """

    vertices: Array
    corners: Array
    faces: Array
    normals: Array | None
    uvs: Array | None
    colors: Array | None
    materials: Array


def geometry_of(node: Node) -> Geometry | None:
    """Return the mesh of a `Geometry` record (of the `Model` itself, before 7000); None if it has none.

    Raises:
        FormatError: polygons name vertices that are not there, or a layer has too few values.
    """
    vertices = node.array("Vertices", np.float64, columns=3)
    indices = node.array("PolygonVertexIndex", np.int64)
    if vertices is None or not len(vertices):
        return None
    indices = np.zeros(0, np.int64) if indices is None else indices
    last = indices < 0  # the last corner of a polygon is written as its complement
    corners = np.where(last, ~indices, indices)
    if len(corners) and (corners.max() >= len(vertices)):
        at = int(corners.argmax())
        raise node.place.error(f"corner {at} is vertex {corners[at]}", f"one of the {len(vertices)} vertices")
    if len(last) and not last[-1]:
        raise node.place.error("the last polygon has no last corner", "an index below 0 at its end")
    ends = np.flatnonzero(last) + 1
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else np.zeros(0, np.int64)
    faces, polygon = triangulate(vertices, corners, starts, ends)
    counts = ends - starts
    layers = _Layers(node, corners, np.repeat(np.arange(len(counts)), counts), len(vertices), len(counts))
    normals = layers.values("LayerElementNormal", "Normals", "NormalsIndex", 3)
    uvs = layers.values("LayerElementUV", "UV", "UVIndex", 2)
    colors = layers.values("LayerElementColor", "Colors", "ColorIndex", 4)
    return Geometry(
        vertices, corners, faces, _unit(normals), uvs,
        None if colors is None else np.clip(colors, 0.0, 1.0),
        layers.materials()[polygon] if len(polygon) else np.zeros(0, np.int64),
    )  # fmt: skip


def _unit(normals: Array | None) -> Array | None:
    if normals is None:
        return None
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0])  # a normal of no length says nothing; any will do
    unit: Array = np.where(length > 1e-12, normals / np.where(length > 1e-12, length, 1.0), up)
    return unit


class _Layers:
    """Reads layer elements: by corner, by vertex, by polygon or one for all; direct or through an index."""

    def __init__(self, node: Node, corners: Array, polygon: Array, vertices: int, polygons: int) -> None:
        self.node = node
        self.corners = corners
        self.polygon = polygon
        self.vertices = vertices
        self.polygons = polygons

    def values(self, element: str, values: str, index: str, width: int) -> Array | None:
        """Return the values of the first layer of a kind at each corner, `[C, width]`."""
        held = self._first(element)
        if held is None:
            return None
        table = held.array(values, np.float64, columns=width)
        if table is None or not len(table):
            return None
        rows = self._rows(held.text("MappingInformationType"))
        if rows is None:
            return None
        if held.text("ReferenceInformationType") in ("IndexToDirect", "Index"):
            through = held.array(index, np.int64)
            if through is not None:
                rows = self._taken(held, through, rows, "indices")
        rows = np.where(rows < 0, 0, rows)  # -1 stands for "none": any value will do
        return self._taken(held, table, rows, values)

    def materials(self) -> Array:
        """Return which material each polygon has, `[P]`."""
        held = self._first("LayerElementMaterial")
        found = np.zeros(self.polygons, np.int64)
        if held is None:
            return found
        table = held.array("Materials", np.int64)
        if table is None or not len(table):
            return found
        if held.text("MappingInformationType") == "ByPolygon" and len(table) >= self.polygons:
            return np.maximum(table[: self.polygons], 0)
        found[:] = max(int(table[0]), 0)
        return found

    def _first(self, element: str) -> Node | None:
        found = sorted(
            self.node.all(element),
            key=lambda held: held.values[0] if held.values and isinstance(held.values[0], int) else 0,
        )
        return found[0] if found else None

    def _rows(self, mapping: str) -> Array | None:
        if mapping == "ByPolygonVertex":
            return np.arange(len(self.corners))
        if mapping in ("ByVertice", "ByVertex", "ByControlPoint"):
            return self.corners
        if mapping == "ByPolygon":
            return self.polygon
        if mapping == "AllSame":
            return np.zeros(len(self.corners), np.int64)
        return None  # by edge: nothing that a corner could hold

    def _taken(self, held: Node, table: Array, rows: Array, what: str) -> Array:
        if len(rows) and int(rows.max()) >= len(table):
            raise held.place.error(
                f"{held.name} has {len(table)} {what}, and value {int(rows.max())} is asked for",
                "a value for each corner",
            )
        taken: Array = table[rows]
        return taken
