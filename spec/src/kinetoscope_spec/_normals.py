"""Normals of meshes that have none of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kinetoscope_spec._arrays import Array

if TYPE_CHECKING:
    from kinetoscope_spec.character import Mesh

__all__ = ["corner_normals"]


def corner_normals(mesh: Mesh, points: Array) -> Array:
    """Return smooth normals `[C, 3]` of a mesh's corners: the mean of the faces at a vertex, weighed by area.

    Args:
        mesh: whose corners.
        points: `[V, 3]` m, where its vertices are.
    """
    corners = mesh.corner_vertex[mesh.faces]
    a, b, c = points[corners[:, 0]], points[corners[:, 1]], points[corners[:, 2]]
    face = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for i in range(3):
        np.add.at(total, corners[:, i], face)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    smooth = np.where(length > 1e-20, total / np.maximum(length, 1e-20), [0.0, 1.0, 0.0])
    result: Array = smooth[mesh.corner_vertex]
    return result
