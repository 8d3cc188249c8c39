"""Levels of detail: meshes of fewer triangles that show the same shape, with how far they are off it.

A coarse mesh is made of vertices and corners of the fine one, chosen and not mixed: skin weights, morphs, UVs,
normals and colours stay what they were. They are chosen in the shape without morphs, so that a face that moves
has the levels it has at rest, made once. Needs fast-simplification (quadric errors, Garland and Heckbert 1997).

Which of them a picture shows is `Sight.down`'s to say, of boxes that hold the mesh, `Bounds`; renderers that go by
it show the same.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import _detail_files
from kinetoscope_spec._arrays import Array
from kinetoscope_spec._morph import morph_factors, morphed_vertices
from kinetoscope_spec._normals import corner_normals
from kinetoscope_spec._sight import FACES_A_PIXEL, Bounds, Sight
from kinetoscope_spec.character import Mesh

__all__ = ["FACES_A_PIXEL", "Bounds", "Choice", "Level", "Sight", "coarser", "kept_levels", "levels"]

_LOG = logging.getLogger("kinetoscope.detail")
_LOG.addHandler(logging.NullHandler())  # nothing is printed unless the application sets logging up

_SHARES = (1 / 4, 1 / 16, 1 / 64)
"""Of the triangles, at each level."""
_LEAST_FACES = 1000
"""Meshes of fewer triangles have no levels."""
_COARSEST = 64
"""No level has fewer triangles than this."""
_CORNERS = 16
"""So many corners of a vertex are tried, at a pole of the image for one."""
_ACROSS = 2.5
"""So many times as far apart on the image as on most of the mesh, two corners lie across a seam."""
_UNREACHED = 2.0
"""A level of more triangles than this times its share would be the one before again."""
_PLACES = 2**20 - 1
"""Places along a mesh's longest side that are told apart when its seams are looked for."""
_HASTE = 4.0
"""How fast thresholds grow while edges are taken out; below 3 the coarser levels are not reached."""
_FACE_BYTES = 104
"""What a level's triangle takes at most, with three corners and vertices of its own; levels together have fewer
triangles than their mesh."""
_UNWRITTEN = 32
"""Meshes whose levels are kept in memory where no file can be written."""
_VERSION = 1
"""Of what is kept in files; goes up when levels are made otherwise."""


_unwritten: dict[str, list[Choice]] = {}


@attrs.frozen(eq=False)
class Choice:
    """What a level takes of its mesh.

    Attributes:
        vertices: `[V']`, which vertices of the mesh it has.
        corners: `[C']`, the corner of the mesh whose UV, normal and colour each corner has.
        corner_vertex: `[C']`, which of `vertices` each corner stands at.
        faces: `[F', 3]` corners of the level.
        face_material: `[F']`.
        error: m, in the rest pose and without morphs: no vertex of the mesh is farther from the level.
    """

    vertices: Array
    corners: Array
    corner_vertex: Array
    faces: Array
    face_material: Array
    error: float

    def of(self, mesh: Mesh, normals: Array) -> Mesh:
        """Return the level of `mesh`, whose corners have `normals [C, 3]`."""
        skin, v, c = mesh.skin, self.vertices, self.corners
        return attrs.evolve(
            mesh,
            vertices=mesh.vertices[v],
            corner_vertex=self.corner_vertex,
            faces=self.faces,
            normals=normals[c],
            uvs=None if mesh.uvs is None else mesh.uvs[c],
            colors=None if mesh.colors is None else mesh.colors[c],
            face_material=None if mesh.face_material is None else self.face_material,
            skin=None if skin is None else attrs.evolve(skin, joints=skin.joints[v], weights=skin.weights[v]),
            morphs=None if mesh.morphs is None else mesh.morphs[:, v],
        )


@attrs.frozen(eq=False)
class Level:
    """A coarse mesh, and how far the fine one's vertices are from it at most, m, in the rest pose."""

    mesh: Mesh
    error: float


def levels(mesh: Mesh, normals: Array, *, folder: Path | None = None) -> tuple[Level, ...]:
    """Return coarser meshes than `mesh`, the finest first; none of one that is coarse itself.

    Args:
        mesh: what its morphs add to the distance is told at most, and often more than it is: as if what
            they move went where none of its neighbours goes.
        normals: `[C, 3]` of its corners, which a coarse mesh keeps.
        folder: where they are kept by what the mesh is made of, or in this process's memory if nothing can be
            written there; None keeps nothing.

    Raises:
        ImportError: fast-simplification is not installed.
    """
    if len(mesh.faces) < _LEAST_FACES:
        return ()
    chosen = list(coarser(mesh)) if folder is None else _kept(mesh, folder)
    apart = _apart(mesh)
    return tuple(Level(choice.of(mesh, normals), choice.error + apart) for choice in chosen)


def _kept(mesh: Mesh, folder: Path) -> list[Choice]:
    """Return the choices that are kept, made first where there are none."""
    name = _fingerprint(mesh)
    path = folder / f"{name}.npz"
    chosen = _read(path, mesh)
    if chosen is None:
        # A face that moves comes back in each frame, as another object.
        chosen = _unwritten[name] if name in _unwritten else list(coarser(mesh))
        if not _detail_files.write(path, [attrs.asdict(choice) for choice in chosen]):
            _unwritten[name] = chosen
            for oldest in list(_unwritten)[:-_UNWRITTEN]:
                _unwritten.pop(oldest, None)
    return chosen


def kept_levels(mesh: Mesh) -> tuple[Level, ...]:
    """Return `levels` of a mesh as renderers show them, kept in `cache/detail` below `KINETOSCOPE_HOME`.

    A mesh without normals has smooth ones. Where fast-simplification is not installed there are no levels, which the
    logger `kinetoscope.detail` is told once.
    """
    normals = mesh.normals
    if normals is None:
        normals = corner_normals(mesh, np.asarray(morphed_vertices(mesh), np.float64))
    try:
        return levels(mesh, np.asarray(normals), folder=_detail_files.folder())
    except ImportError as error:
        _say_once(str(error))
        return ()


@functools.cache
def _say_once(error: str) -> None:
    _LOG.warning("crowds are drawn in full detail: %s", error)


def _apart(mesh: Mesh) -> float:
    """Return m by which a vertex may go elsewhere, by morphs, than those that stand for it, at most."""
    factors = morph_factors(mesh)
    if mesh.morphs is None or not factors.any():
        return 0.0
    moves = np.tensordot(factors, mesh.morphs, axes=1)
    return float(np.linalg.norm(np.ptp(moves, axis=0)))


def coarser(mesh: Mesh) -> Iterator[Choice]:
    """Yield the choices of a mesh's levels, each made from the mesh itself.

    Raises:
        ImportError: fast-simplification is not installed.
    """
    from fast_simplification import replay_simplification, simplify

    points = np.asarray(mesh.vertices, np.float64)
    one = _welded(points)
    origin, faces = points.mean(axis=0), one[mesh.corner_vertex[mesh.faces]]
    solid = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    used, placed = np.unique(faces[solid], return_inverse=True)
    near = (points[used] - origin).astype(np.float32)
    placed = placed.reshape(-1, 3).astype(np.int64)
    for share in _SHARES:
        target = int(len(mesh.faces) * share)
        if target < _COARSEST:
            return
        _, _, collapses = simplify(near, placed, target_count=target, agg=_HASTE, return_collapses=True)
        moved, triangles, where = replay_simplification(near, placed, collapses)
        if not 0 < len(triangles) <= _UNREACHED * target:
            return  # what is left holds it together
        stands = _standing(near, np.asarray(moved), np.asarray(where))
        triangles = stands[np.asarray(triangles, np.int64)]
        triangles = triangles[(triangles != np.roll(triangles, 1, axis=1)).all(axis=1)]
        error = _error(near.astype(np.float64), stands[np.asarray(where)], triangles)
        yield _choose(mesh, points, one, used[triangles], error)


def _welded(points: Array) -> Array:
    """Return for each vertex the first one at its place, `[V]`."""
    at = points - points.min(axis=0)
    places = np.round(at / max(float(at.max()), 1e-12) * _PLACES).astype(np.int64)
    _, first, same = np.unique(places @ np.array([1, 2**20, 2**40]), return_index=True, return_inverse=True)
    welded: Array = first[same.reshape(-1)]
    return welded


def _standing(points: Array, moved: Array, where: Array) -> Array:
    """Return for each simplified vertex the one of those it stands for that is nearest to it."""
    away = ((points - moved[where]) ** 2).sum(axis=1)
    order = np.lexsort((away, where))
    held, first = np.unique(where[order], return_index=True)
    stands = np.zeros(len(moved), np.int64)
    stands[held] = order[first]
    return stands


def _error(points: Array, stood: Array, triangles: Array) -> float:
    """Return how far the farthest of `points` is from the triangles around the vertex `stood [V]` in its place.

    Around are those at a vertex of a triangle at it: what is nearest of these can't be nearer than the nearest.
    """
    at, faces = triangles.ravel(), np.repeat(np.arange(len(triangles)), 3)
    order = np.argsort(at, kind="stable")
    at, faces = at[order], faces[order]
    beside = np.unique(
        np.stack([np.repeat(triangles, 3, axis=1).ravel(), np.tile(triangles, 3).ravel()], 1), axis=0
    )
    vertex, face = _joined(beside[:, 0], beside[:, 1], at, faces)
    both = np.unique(np.stack([vertex, face], 1), axis=0)
    point, face = _joined(np.arange(len(points)), stood, both[:, 0], both[:, 1])
    nearest = ((points - points[stood]) ** 2).sum(axis=1)
    corners = (points[triangles[face, i]] for i in range(3))
    np.minimum.at(nearest, point, _squared(points[point], *corners))
    return float(np.sqrt(nearest.max(initial=0.0)))


def _joined(left: Array, keys: Array, sorted_keys: Array, right: Array) -> tuple[Array, Array]:
    """Return pairs of `left` and `right` whose keys are the same."""
    begins, ends = (np.searchsorted(sorted_keys, keys, side) for side in ("left", "right"))
    counts = ends - begins
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(left, counts), right[np.repeat(begins, counts) + within]


def _squared(p: Array, a: Array, b: Array, c: Array) -> Array:
    """Return squared distances from points to triangles, all `[N, 3]`."""
    normal = np.cross(b - a, c - a)
    area = np.maximum((normal**2).sum(axis=1), 1e-30)
    inside = np.ones(len(p), bool)
    best = np.full(len(p), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        edge, way = end - start, p - start
        along = np.clip((way * edge).sum(axis=1) / np.maximum((edge**2).sum(axis=1), 1e-30), 0, 1)
        best = np.minimum(best, ((way - along[:, None] * edge) ** 2).sum(axis=1))
        inside &= (np.cross(edge, way) * normal).sum(axis=1) >= 0
    plane = ((p - a) * normal).sum(axis=1) ** 2 / area
    squared: Array = np.where(inside, np.minimum(best, plane), best)
    return squared


def _choose(mesh: Mesh, points: Array, one: Array, triangles: Array, error: float) -> Choice:
    """Find for each corner of `triangles [F', 3]`, of vertices, the corner of the mesh that it is to look like.

    A triangle belongs to one stretch of surface, between seams and of one material, which most of its
    vertices are on; one that is not takes that stretch's corner nearest to it. Where a vertex has several
    there, its triangle gets those which lie closest together on the image, and then face as it does.
    """
    corner, material, stretch = _stretches(mesh)
    at = one[mesh.corner_vertex[corner]]
    order = np.argsort(at, kind="stable")
    begins = np.searchsorted(at[order], np.arange(len(points) + 1))
    first = points[triangles[:, 0]]
    normals = np.cross(points[triangles[:, 1]] - first, points[triangles[:, 2]] - first)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    reach = _image_a_metre(mesh, points)
    pairs = np.empty(triangles.shape, np.int64)
    owner = np.empty(len(triangles), np.int64)
    for f, triangle in enumerate(triangles):
        around = [order[begins[v] : begins[v + 1]] for v in triangle]
        sides, counts = np.unique(np.concatenate([np.unique(stretch[c]) for c in around]), return_counts=True)
        side = sides[np.argmax(counts)]
        fitting = [c[stretch[c] == side] for c in around]
        for i, vertex in enumerate(triangle):
            if not len(fitting[i]):
                there = np.flatnonzero(stretch == side)
                away = points[mesh.corner_vertex[corner[there]]] - points[vertex]
                fitting[i] = there[[np.argmin((away**2).sum(axis=1))]]
        chosen = _together(mesh, [corner[c] for c in fitting], normals[f])
        pairs[f] = _near_first(mesh, points, triangle, chosen, corner[stretch == side], reach)
        owner[f] = material[fitting[0][0]]
    both, faces = np.unique(np.stack([triangles.ravel(), pairs.ravel()], axis=1), axis=0, return_inverse=True)
    vertices, corner_vertex = np.unique(both[:, 0], return_inverse=True)
    return Choice(vertices, both[:, 1], corner_vertex.reshape(-1), faces.reshape(-1, 3), owner, error)


def _together(mesh: Mesh, fitting: list[Array], normal: Array) -> Array:
    """Return of each vertex's corners the one that a triangle of this normal takes, `[3]`."""
    if all(len(corners) == 1 for corners in fitting):
        return np.concatenate(fitting)
    a, b, c = np.meshgrid(*(corners[:_CORNERS] for corners in fitting), indexing="ij")
    sets = np.stack([a.ravel(), b.ravel(), c.ravel()], axis=1)
    spread = np.zeros(len(sets))
    if mesh.uvs is not None:
        uvs = np.asarray(mesh.uvs, np.float64)[sets]
        spread = np.abs(uvs - np.roll(uvs, 1, axis=1)).sum(axis=(1, 2))
    if mesh.normals is not None:
        spread -= 1e-3 * (np.asarray(mesh.normals, np.float64)[sets] @ normal).sum(axis=1)
    best: Array = sets[np.argmin(spread)]
    return best


def _image_a_metre(mesh: Mesh, points: Array) -> float:
    """Return how much of its image goes on a metre of the mesh, in the median of its edges; inf without one."""
    if mesh.uvs is None:
        return np.inf
    edges = mesh.faces[:, :2]
    lengths = np.linalg.norm(np.subtract(*(points[mesh.corner_vertex[edges[:, i]]] for i in (0, 1))), axis=1)
    there = np.linalg.norm(np.subtract(*(mesh.uvs[edges[:, i]] for i in (0, 1))), axis=1)
    return float(np.median(there / np.maximum(lengths, 1e-12)))


def _near_first(
    mesh: Mesh, points: Array, triangle: Array, chosen: Array, stretch: Array, reach: float
) -> Array:
    """Return `chosen` with corners that lie across a seam on the image replaced by the nearest on this side."""
    if mesh.uvs is None:
        return chosen
    longest = np.linalg.norm(points[triangle] - points[np.roll(triangle, 1)], axis=1).max()
    most = _ACROSS * reach * longest + 1e-6
    far = np.linalg.norm(mesh.uvs[chosen] - mesh.uvs[chosen[0]], axis=1) > most
    if not far.any():
        return chosen
    side = stretch[np.linalg.norm(mesh.uvs[stretch] - mesh.uvs[chosen[0]], axis=1) <= most]
    mended = chosen.copy()
    for i in np.flatnonzero(far):
        away = points[mesh.corner_vertex[side]] - points[triangle[i]]
        mended[i] = side[np.argmin((away**2).sum(axis=1))]
    return mended


def _stretches(mesh: Mesh) -> tuple[Array, Array, Array]:
    """Return corners as faces of one material have them, that material, and the stretch each is on, all `[E]`.

    Faces that share a corner and a material are on one stretch.
    """
    owner = np.zeros(len(mesh.faces), np.int64) if mesh.face_material is None else mesh.face_material
    had = np.stack([mesh.faces.ravel(), np.repeat(owner, 3)], axis=1)
    held, faces = np.unique(had, axis=0, return_inverse=True)
    faces = faces.reshape(-1, 3)
    least: Array = np.arange(len(held))
    while True:
        before = least.copy()
        np.minimum.at(least, faces, least[faces].min(axis=1)[:, None])
        least = least[least]
        if np.array_equal(before, least):
            return held[:, 0], held[:, 1], least


def _fingerprint(mesh: Mesh) -> str:
    total = hashlib.sha256(f"{_VERSION}".encode())
    parts = (mesh.vertices, mesh.corner_vertex, mesh.faces, mesh.normals, mesh.uvs)
    for part in (*parts, mesh.face_material):
        # Where one array ends is part of what it is.
        total.update(b"-" if part is None else f"{part.dtype.str}{part.shape}".encode())
        total.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    return total.hexdigest()[:32]


def _read(path: Path, mesh: Mesh) -> list[Choice] | None:
    """Return what is kept of `mesh`, or None where there is nothing, or nothing whole."""
    names = [field.name for field in attrs.fields(Choice)]
    rows = _detail_files.read(path, names, most_bytes=_FACE_BYTES * len(mesh.faces) + 2**16)
    if rows is None or not all(_fits(row, mesh) for row in rows):
        return None
    return [Choice(v, c, at, f, m, float(error)) for v, c, at, f, m, error in rows]


def _fits(row: Sequence[Any], mesh: Mesh) -> bool:
    """Tell whether the attributes of a `Choice` are such, and point to nothing that `mesh` or they don't have."""
    if any(not isinstance(part, np.ndarray) for part in row):
        return False
    *places, error = row
    vertices, corners, _, faces, owner = places
    if any(part.dtype.kind != "i" for part in places) or error.dtype.kind != "f":
        return False
    shapes = (
        vertices.shape[:1],
        corners.shape[:1],
        corners.shape,
        (*faces.shape[:1], 3),
        faces.shape[:1],
        (),
    )
    if any(part.shape != shape for part, shape in zip(row, shapes, strict=True)):
        return False
    counts = (len(mesh.vertices), len(mesh.corner_vertex), len(vertices), len(corners))
    inside = all(((part >= 0) & (part < count)).all() for part, count in zip(places[:4], counts, strict=True))
    owners = [0] if mesh.face_material is None else mesh.face_material
    return bool(inside and np.isin(owner, owners).all() and 0 <= error < np.inf)
