"""Triangles on the zero level of a field, by naive surface nets (Gibson 1998)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kinetoscope_spec._arrays import Array

__all__ = ["gradient", "surface"]

Field = Callable[[Array], Array]
"""From points `[N, 3]` m to values `[N]`, about metres, negative inside."""

_CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
_EDGES = np.array(
    [(a, b) for a in range(8) for b in range(a + 1, 8) if np.abs(_CORNERS[a] - _CORNERS[b]).sum() == 1]
)


def surface(values: Array, low: Array, cell: float, field: Field) -> tuple[Array, Array, Array]:
    """Return vertices `[V, 3]`, faces `[F, 3]` and unit normals `[V, 3]` where `field` is zero.

    Args:
        values: `[X, Y, Z]`, the field sampled from `low` in steps of `cell`.
        low: `[3]` m.
        cell: m.
        field: pulls the vertices onto the level exactly, and gives their normals.
    """
    inside = values < 0
    active, place = _active_cells(inside)
    if not len(active):
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64), np.zeros((0, 3))
    vertices = low + (active + _crossing(values, active)) * cell
    faces = _faces(inside, place)
    for _ in range(2):
        slope = gradient(field, vertices, 0.1 * cell)
        length = np.maximum(np.einsum("ij,ij->i", slope, slope), 1e-2)
        step = slope * (field(vertices) / length)[:, None]
        far = np.linalg.norm(step, axis=1, keepdims=True)
        vertices = vertices - step * np.minimum(1.0, 0.5 * cell / np.maximum(far, 1e-12))
    slope = gradient(field, vertices, 0.1 * cell)
    normals = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)
    normals[np.linalg.norm(slope, axis=1) < 1e-12] = (0.0, 1.0, 0.0)
    return vertices, faces, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def gradient(field: Field, points: Array, reach: float) -> Array:
    """Return the slope `[N, 3]` of `field` by central differences over `reach` metres."""
    slope = np.empty_like(points)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = reach
        slope[:, axis] = (field(points + step) - field(points - step)) / (2 * reach)
    return slope


def _active_cells(inside: Array) -> tuple[Array, Array]:
    """Return the cells `[V, 3]` whose corners differ, and for each cell its vertex or -1."""
    x, y, z = (n - 1 for n in inside.shape)
    corners = [inside[i : i + x, j : j + y, k : k + z] for i, j, k in _CORNERS]
    count = np.sum(corners, axis=0, dtype=np.int8)
    mixed = np.asarray((count > 0) & (count < 8))
    place = np.full(mixed.shape, -1, np.int64)
    place[mixed] = np.arange(np.count_nonzero(mixed))
    return np.argwhere(mixed), place


def _crossing(values: Array, cells: Array) -> Array:
    """Return where in each cell `[V, 3]`, from 0 to 1, its edges cross zero on average."""
    at = cells[:, None] + _CORNERS
    corner = values[at[..., 0], at[..., 1], at[..., 2]]
    a, b = corner[:, _EDGES[:, 0]], corner[:, _EDGES[:, 1]]
    crosses = (a < 0) != (b < 0)
    share = np.where(crosses, a / np.where(crosses, a - b, 1.0), 0.0)
    start, along = _CORNERS[_EDGES[:, 0]], _CORNERS[_EDGES[:, 1]] - _CORNERS[_EDGES[:, 0]]
    points = (start + share[..., None] * along) * crosses[..., None]
    mean: Array = points.sum(axis=1) / crosses.sum(axis=1, keepdims=True)
    return mean


def _faces(inside: Array, place: Array) -> Array:
    """Join the four cells around each grid edge that crosses zero, wound outwards."""
    quads = []
    for axis in range(3):
        first = np.moveaxis(inside, axis, 0)
        cells = np.moveaxis(place, axis, 0)
        crosses = first[:-1, 1:-1, 1:-1] != first[1:, 1:-1, 1:-1]
        i, j, k = np.nonzero(crosses)
        quad = np.stack(
            [cells[i, j, k], cells[i, j + 1, k], cells[i, j + 1, k + 1], cells[i, j, k + 1]], axis=1
        )
        # The moved axes are a turn of x, y, z for x and z, a mirror image for y.
        outwards = first[:-1, 1:-1, 1:-1][i, j, k] != (axis == 1)
        quad[~outwards] = quad[~outwards, ::-1]
        quads.append(quad)
    joined = np.concatenate(quads)
    return np.concatenate([joined[:, [0, 1, 2]], joined[:, [0, 2, 3]]])
