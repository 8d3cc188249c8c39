"""Characters as WebGL draws them: four influences a vertex, rigid bones; one colour a part, or as glTF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Character, Material, Mesh, kinematics, rotation
from kinetoscope_viser._colors import Paint, painted
from kinetoscope_viser._glb import Cloth, glb

__all__ = ["Baked", "Part", "bake", "rigid"]

Array = NDArray[Any]

INFLUENCES: Final = 4
"""As many bones a vertex viser sends and three.js reads."""

_ALIKE_M: Final = 1e-6
_ALIKE_NORMAL: Final = 0.02
"""Corners are one vertex of the page where place, bones and normal are the same."""

IMAGES: Final = (
    "base_color_image",
    "normal_image",
    "metallic_roughness_image",
    "occlusion_image",
    "emissive_image",
)
"""What of a material the page has as glTF alone."""


@attrs.frozen(eq=False)
class Part:
    """What of a character has one colour: a skinned mesh of the page.

    Attributes:
        vertices: `[V, 3]` m, in the space of the bind pose.
        faces: `[F, 3]`, counter-clockwise.
        bones: `[B]`, rows of `Baked.nodes`.
        joints, weights: `[V, 4]`, indices into `bones`; weights sum to 1.
        paint: colour and opacity.
    """

    vertices: Array
    faces: Array
    bones: Array
    joints: Array
    weights: Array
    paint: Paint


@attrs.define(eq=False, slots=False)
class Baked:
    """A character, ready to be sent: its parts, and the bones that move them.

    A bone stands for a node and how a mesh is bound to it. Its matrix in a pose is that node's global
    matrix times `bind`: what carries the mesh from where it was modelled. viser's bones turn and move
    but do not scale, so scales that stay are in the vertices, and others are lost.

    Attributes:
        parts: skinned meshes.
        nodes: `[N]`, the skeleton's node of each bone, -1 for what hangs on none.
        bind: `[N, 4, 4]`.
        vertices, joints, weights: all meshes' control points one after another, as the page has them:
            `[V, 3]` m, `[V, 4]` rows of `nodes`, `[V, 4]`.
        influences: the most bones that a vertex of the character has.
        cut: how many vertices have more than four.
        cloths: its meshes, whose control points those are.
        materials: of the character.
    """

    parts: tuple[Part, ...]
    nodes: Array
    bind: Array
    vertices: Array
    joints: Array
    weights: Array
    influences: int
    cut: int
    cloths: tuple[Cloth, ...]
    materials: tuple[Material, ...]

    @property
    def plain(self) -> bool:
        """Whether one colour a material is all there is to show: no texture, no colours of vertices, no shapes."""
        seen = [number for cloth in self.cloths for number in _used(cloth.mesh, self.materials)]
        return not (
            any(getattr(self.materials[number], name) is not None for number in seen for name in IMAGES)
            or any(cloth.mesh.colors is not None or len(cloth.shapes) for cloth in self.cloths)
        )

    @cached_property
    def glb(self) -> bytes:
        """The character as glTF, skinned to bones that rest where nothing is moved."""
        return glb(self.cloths, self.materials, len(self.nodes))

    @cached_property
    def whole(self) -> Part | None:
        """All parts as one, in the colour of the largest; None without any."""
        return _merged(self.parts)

    @property
    def shapes(self) -> int:
        """How many shapes the meshes have."""
        return sum(len(cloth.shapes) for cloth in self.cloths)

    def factors(
        self, weights: Mapping[str, float] | None = None, meshes: Sequence[Mesh] | None = None
    ) -> Array:
        """Return by what shapes are multiplied, `[S]`, beyond how the character rested when it was baked.

        Args:
            weights: of channels, by name.
            meshes: the character's, resting otherwise; None for its own.
        """
        held = [
            kinematics.morph_factors(cloth.mesh if meshes is None else meshes[i], weights)
            - kinematics.morph_factors(cloth.mesh)
            for i, cloth in enumerate(self.cloths)
        ]
        return np.concatenate([np.zeros(0), *held])

    def bones(self, pose: Array) -> tuple[Array, Array]:
        """Return where the bones are in a pose of global matrices `[J, 4, 4]`.

        Returns:
            positions `[N, 3]` m and rotations `[N, 4]` xyzw.
        """
        held = np.concatenate([np.asarray(pose, np.float64), np.eye(4)[None]])
        return rigid(held[self.nodes] @ self.bind)

    def shown(self, pose: Array, factors: Array | None = None) -> Array:
        """Return where the page puts the control points, `[V, 3]` m, in a pose `[J, 4, 4]` and shape `[S]`."""
        positions, rotations = self.bones(pose)
        turns = rotation.to_matrix(rotations)
        rest = self.vertices if factors is None else self._shaped(factors)
        moved = np.zeros(rest.shape)
        for joints, weights in zip(self.joints.T, self.weights.T, strict=True):
            turned = np.einsum("vij,vj->vi", turns[joints], rest)
            moved += weights[:, None] * (turned + positions[joints])
        return moved

    def _shaped(self, factors: Array) -> Array:
        held = [np.zeros((0, 3))]
        for cloth in self.cloths:
            given = factors[cloth.first : cloth.first + len(cloth.shapes)]
            held.append(cloth.vertices + np.tensordot(given, cloth.shapes, axes=1))
        return np.concatenate(held)


def rigid(matrices: Array) -> tuple[Array, Array]:
    """Return positions `[N, 3]` and rotations `[N, 4]` xyzw nearest to matrices `[N, 4, 4]` (polar)."""
    u, _, v = np.linalg.svd(matrices[:, :3, :3])
    u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
    turns: Array = rotation.from_matrix(u @ v)
    return matrices[:, :3, 3], turns


def bake(character: Character, pose: Array) -> Baked:
    """Prepare a character for the page.

    Args:
        character: any; its morphs begin as they rest.
        pose: global matrices `[J, 4, 4]` of some pose, by which scales that stay are known.
    """
    bones = _Bones()
    pieces = [_piece(mesh, bones, np.asarray(pose, np.float64)) for mesh in character.meshes]
    joints = _joined([piece.joints for piece in pieces], INFLUENCES).astype(np.int64)
    weights = _joined([piece.weights for piece in pieces], INFLUENCES)
    vertices = _joined([piece.vertices for piece in pieces], 3)
    influences = np.concatenate([np.zeros(0, np.int64), *(piece.influences for piece in pieces)])
    nodes = np.array([node for node, _ in bones.held], np.int64)
    bind = np.array([matrix for _, matrix in bones.held], np.float64).reshape(-1, 4, 4)
    cloths = _cloths(pieces)
    baked = Baked(
        (),
        nodes,
        bind,
        vertices,
        joints,
        weights,
        int(influences.max(initial=0)),
        int((influences > INFLUENCES).sum()),
        cloths,
        tuple(character.materials),
    )
    return attrs.evolve(baked, parts=_parts(baked, pieces, character.materials))


def _cloths(pieces: Sequence[_Piece]) -> tuple[Cloth, ...]:
    made, first = [], 0
    for piece in pieces:
        morphs = piece.mesh.morphs
        shapes = np.zeros((0, len(piece.vertices), 3)) if morphs is None else morphs @ piece.stretch.T
        made.append(
            Cloth(
                piece.mesh,
                piece.vertices,
                piece.joints,
                piece.weights,
                piece.stretch,
                piece.mirrored,
                shapes,
                first,
            )
        )
        first += len(shapes)
    return tuple(made)


def _used(mesh: Mesh, materials: Sequence[Material]) -> list[int]:
    owner = np.zeros(1, np.int64) if mesh.face_material is None else np.unique(mesh.face_material)
    return [number for number in owner.tolist() if number < len(materials)]


def _merged(parts: Sequence[Part]) -> Part | None:
    if not parts:
        return None
    bones = np.unique(np.concatenate([part.bones for part in parts]))
    begins = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Part(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + first for part, first in zip(parts, begins, strict=False)]),
        bones,
        np.concatenate([np.searchsorted(bones, part.bones[part.joints]) for part in parts]),
        np.concatenate([part.weights for part in parts]),
        max(parts, key=lambda part: len(part.faces)).paint,
    )


class _Bones:
    """Numbers bones: a node, and how a mesh is bound to it."""

    def __init__(self) -> None:
        self.held: list[tuple[int, Array]] = []
        self._known: dict[tuple[int, bytes], int] = {}

    def row(self, node: int, bind: Array) -> int:
        key = (node, np.ascontiguousarray(bind, np.float64).round(12).tobytes())
        if key not in self._known:
            self._known[key] = len(self.held)
            self.held.append((node, bind))
        return self._known[key]


@attrs.frozen(eq=False)
class _Piece:
    """A mesh with its bones: vertices `[V, 3]`, joints and weights `[V, 4]`, influences `[V]`, stretch `[3, 3]`."""

    mesh: Mesh
    vertices: Array
    joints: Array
    weights: Array
    influences: Array
    stretch: Array
    mirrored: bool


def _piece(mesh: Mesh, bones: _Bones, pose: Array) -> _Piece:
    vertices = np.asarray(kinematics.morphed_vertices(mesh), np.float64)
    if mesh.skin is None:
        node = -1 if mesh.node is None else mesh.node
        stretch = np.eye(3) if node < 0 else _stretch(pose[node, :3, :3])
        row = bones.row(node, _undone(stretch))
        joints = np.full((len(vertices), INFLUENCES), row, np.int64)
        weights = np.tile(np.eye(1, INFLUENCES), (len(vertices), 1))
        influences = np.ones(len(vertices), np.int64)
    else:
        skin = mesh.skin
        bind = np.asarray(skin.inverse_bind, np.float64)
        carried = pose[skin.bones] @ bind
        sizes = np.cbrt(np.linalg.det(carried[:, :3, :3]))
        size = float(np.median(sizes))
        stretch = np.eye(3) * (size if abs(size) > 1e-9 and abs(size - 1) > 1e-6 else 1.0)
        rows = np.array(
            [
                bones.row(int(node), held @ _undone(stretch))
                for node, held in zip(skin.bones, bind, strict=True)
            ]
        )
        best, weights = _heaviest(np.asarray(skin.weights, np.float64))
        joints = rows[np.take_along_axis(skin.joints, best, axis=1)]
        influences = (skin.weights > 0).sum(axis=1)
    turned = bool(np.linalg.det(stretch) < 0)
    return _Piece(mesh, vertices @ stretch.T, joints, weights, influences, stretch, turned)


def _heaviest(weights: Array) -> tuple[Array, Array]:
    """Return which of `[V, K]` weigh most, `[V, 4]`, and their weights, which sum to 1 again."""
    if weights.shape[1] < INFLUENCES:
        weights = np.pad(weights, ((0, 0), (0, INFLUENCES - weights.shape[1])))
    best = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    held = np.take_along_axis(weights, best, axis=1)
    # A padded place has no bone: it weighs nothing, and the first bone stands in for it.
    return np.where(held > 0, best, best[:, :1]), held / held.sum(axis=1, keepdims=True)


def _stretch(linear: Array) -> Array:
    """Return the symmetric part `[3, 3]` of a matrix's polar decomposition; mirrored where it mirrors."""
    _, sizes, v = np.linalg.svd(linear)
    stretch: Array = v.T @ np.diag(np.maximum(sizes, 1e-9)) @ v
    return -stretch if np.linalg.det(linear) < 0 else stretch


def _undone(stretch: Array) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3] = np.linalg.inv(stretch)
    return matrix


def _parts(baked: Baked, pieces: Sequence[_Piece], materials: Sequence[Material]) -> tuple[Part, ...]:
    """Sort all faces by how they look."""
    faces: dict[Paint, list[Array]] = {}
    normals: list[Array] = [np.zeros((0, 3))]
    vertices: list[Array] = [np.zeros(0, np.int64)]
    corners = control = 0
    for piece in pieces:
        mesh = piece.mesh
        paints, chosen = painted(mesh, materials)
        held = mesh.faces[:, ::-1] if piece.mirrored else mesh.faces
        for number, paint in enumerate(paints):
            faces.setdefault(paint, []).append(held[chosen == number] + corners)
        normals.append(np.zeros((len(mesh.corner_vertex), 3)) if mesh.normals is None else mesh.normals)
        vertices.append(mesh.corner_vertex + control)
        corners, control = corners + len(mesh.corner_vertex), control + len(mesh.vertices)
    vertex, first = _welded(baked, np.concatenate(vertices), np.concatenate(normals))
    return tuple(
        part
        for paint, held in faces.items()
        if (part := _part(baked, paint, vertex[np.concatenate(held)], first)) is not None
    )


def _welded(baked: Baked, vertex: Array, normals: Array) -> tuple[Array, Array]:
    """Return for each corner `[C]` its vertex on the page, and for each of those a control point.

    viser works normals out from the faces, so vertices are shared where the file's normals agree, and
    split along its creases; seams of textures alone leave no mark.
    """
    keys = np.concatenate(
        [
            np.round(baked.vertices / _ALIKE_M)[vertex],
            np.round(normals / _ALIKE_NORMAL),
            baked.joints[vertex],
            np.round(baked.weights * 1e4)[vertex],
        ],
        axis=1,
    ).astype(np.int64)
    rows = np.ascontiguousarray(keys).view([("", np.int64)] * keys.shape[1]).ravel()
    _, first, page = np.unique(rows, return_index=True, return_inverse=True)
    return page.ravel(), vertex[first]


def _part(baked: Baked, paint: Paint, faces: Array, control: Array) -> Part | None:
    proper = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    used, faces = np.unique(faces[proper], return_inverse=True)
    if not len(used):
        return None
    at = control[used]
    bones, joints = np.unique(baked.joints[at], return_inverse=True)
    return Part(
        baked.vertices[at],
        faces.reshape(-1, 3),
        bones,
        joints.reshape(-1, INFLUENCES),
        baked.weights[at],
        paint,
    )


def _joined(arrays: Sequence[Array], width: int) -> Array:
    return np.concatenate([np.zeros((0, width)), *arrays])
