"""Packing meshes for the device, in NumPy: corners, normals, influences, ranges by material."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import kinematics
from kinetoscope_spec.character import Character, Material, Mesh
from kinetoscope_spec.detail import Bounds

__all__ = ["INFLUENCES", "VERTEX", "PackedMesh", "bone_matrices", "pack"]

Array = NDArray[np.floating]

INFLUENCES = 8
"""Influences a vertex keeps; of more the heaviest stay, made to sum to one."""

_PLACES = 2**20 - 1
"""Places along a mesh's longest side that are told apart when its seams are looked for."""

_STRETCH = 341
"""Triangles that software drivers take at once: 1,024 corners."""

VERTEX = np.dtype(
    [
        ("position", "f4", 3),
        ("normal", "f4", 3),
        ("uv", "f4", 2),
        ("color", "f4", 4),
        ("joints", "u2", INFLUENCES),
        ("weights", "f4", INFLUENCES),
    ]
)
"""One corner as it lies in the vertex buffer."""


@attrs.frozen(eq=False)
class PackedMesh:
    """A mesh ready for upload.

    Attributes:
        vertices: `[C]` of `VERTEX`.
        indices: uint32 `[F * 3]`, faces grouped by material.
        ranges: (material index, first index, index count) of each group.
        influences: influences that are used by some vertex, 1 to 8.
        bones: `[B]` nodes whose matrices carry it, -1 for none (a static mesh).
        inverse_bind: float64 `[B, 4, 4]`.
        bounds: what holds it wherever its bones carry it.
        dual: whether bones blend as dual quaternions.
        closed: whether no edge is open and the faces look outwards, so that whatever looks at it from
            outside meets a front face first.
    """

    vertices: NDArray[np.void]
    indices: NDArray[np.uint32]
    ranges: tuple[tuple[int, int, int], ...]
    influences: int
    bones: NDArray[np.int64]
    inverse_bind: Array
    bounds: Bounds
    dual: bool
    closed: bool


def pack(mesh: Mesh) -> PackedMesh:
    """Pack one mesh; faces keep their order within a material."""
    joints, weights = _influences(mesh)
    points = np.asarray(kinematics.morphed_vertices(mesh), np.float64)
    vertices = np.zeros(len(mesh.corner_vertex), VERTEX)
    vertices["position"] = points[mesh.corner_vertex]
    vertices["normal"] = kinematics.corner_normals(mesh, points) if mesh.normals is None else mesh.normals
    vertices["uv"] = 0 if mesh.uvs is None else mesh.uvs
    vertices["color"] = 1 if mesh.colors is None else mesh.colors
    vertices["joints"] = joints[mesh.corner_vertex]
    vertices["weights"] = weights[mesh.corner_vertex]
    indices, ranges = _by_material(mesh)
    if mesh.skin is None:
        bones = np.array([-1 if mesh.node is None else mesh.node])
        inverse_bind = np.eye(4)[None]
    else:
        bones, inverse_bind = mesh.skin.bones, np.asarray(mesh.skin.inverse_bind, np.float64)
    used = max(1, int((weights > 0).sum(axis=1).max(initial=1)))
    closed = _closed(points, mesh.corner_vertex[mesh.faces], np.concatenate([joints, weights], axis=1))
    dual = mesh.skin is not None and mesh.skin.blending == "dual_quaternion"
    return PackedMesh(vertices, indices, ranges, used, bones, inverse_bind, Bounds.of(mesh), dual, closed)


def bone_matrices(packed: PackedMesh, pose: Array) -> Array:
    """Return float64 `[B, 4, 4]` from mesh space to the world for a pose `[J, 4, 4]`."""
    if packed.bones[0] < 0:
        return packed.inverse_bind
    moved: Array = np.asarray(pose, np.float64)[packed.bones] @ packed.inverse_bind
    return moved


def material_of(character: Character, index: int) -> Material:
    """Return the material at `index`, or the default where a character has none."""
    return character.materials[index] if index < len(character.materials) else Material()


def _influences(mesh: Mesh) -> tuple[NDArray[np.int64], Array]:
    count = len(mesh.vertices)
    joints, weights = np.zeros((count, INFLUENCES), np.int64), np.zeros((count, INFLUENCES))
    if mesh.skin is None:
        weights[:, 0] = 1
        return joints, weights
    given = np.asarray(mesh.skin.weights, np.float64)
    heaviest = np.argsort(-given, axis=1, kind="stable")[:, :INFLUENCES]
    width = heaviest.shape[1]
    joints[:, :width] = np.take_along_axis(mesh.skin.joints, heaviest, axis=1)
    weights[:, :width] = np.take_along_axis(given, heaviest, axis=1)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    joints[weights == 0] = 0
    return joints, weights


def _closed(points: Array, faces: NDArray[np.int64], carried: Array) -> bool:
    """Tell whether each edge of `faces [F, 3]` is met once each way by faces that look outwards.

    Vertices at one place count as one if the same bones carry them (`carried [V, C]`): a seam stays shut.
    """
    at = points - points.min(axis=0)
    places = np.round(at / max(float(at.max()), 1e-12) * _PLACES).astype(np.int64)
    keys = places @ np.array([1, 2**20, 2**40])
    _, first, one = np.unique(keys, return_index=True, return_inverse=True)
    if not np.allclose(carried, carried[first[one]], atol=1e-6):
        return False
    start = one[faces].ravel()
    end = one[np.roll(faces, -1, axis=1)].ravel()
    kept = start != end
    there, back = (np.sort(a[kept] * len(one) + b[kept]) for a, b in ((start, end), (end, start)))
    a, b, c = (at[faces[:, i]] for i in range(3))
    volume = float(np.einsum("ij,ij->", a, np.cross(b, c)))
    return bool(np.array_equal(there, back)) and volume > 0


def _by_material(mesh: Mesh) -> tuple[NDArray[np.uint32], tuple[tuple[int, int, int], ...]]:
    faces = mesh.faces
    owner = np.zeros(len(faces), np.int64) if mesh.face_material is None else mesh.face_material
    order = _in_few_shadings(faces, owner)
    materials, first, count = np.unique(owner[order], return_index=True, return_counts=True)
    ranges = tuple((int(m), int(f) * 3, int(n) * 3) for m, f, n in zip(materials, first, count, strict=True))
    return faces[order].astype(np.uint32).ravel(), ranges


def _in_few_shadings(faces: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order of faces, by material, in which fewer corners are shaded again: theirs, or that of their corners.

    Drivers shade a corner once for each stretch of triangles that has it: software takes thousands at a time,
    hardware dozens. Modellers that write a grid row by row, one half of its squares after the other, have all twice.
    """
    given = np.argsort(owner, kind="stable")
    sorted_ = np.lexsort((faces.min(axis=1), owner))
    return min(given, sorted_, key=lambda order: _shadings(faces[order]))


def _shadings(faces: NDArray[np.int64]) -> int:
    """Return how many corners are shaded if each is once in every `_STRETCH` triangles."""
    stretch = np.repeat(np.arange(len(faces)) // _STRETCH, 3)
    return len(np.unique(stretch * (int(faces.max(initial=0)) + 1) + faces.ravel()))
