"""The meshes of a scene's characters side by side in arrays, kept from frame to frame as long as they are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_raster._texels import Images
from kinetoscope_spec import kinematics
from kinetoscope_spec.annotations import Ribbon
from kinetoscope_spec.character import Character, Material, Mesh

__all__ = ["Part", "Piece", "Stage", "Table", "build_stage", "build_table", "lay_out", "ribbon_stage"]

Array = NDArray[np.float64]
_WRAPS = {"repeat": 0.0, "clamp": 1.0, "mirror": 2.0}
_COLUMNS = 23
_MODES = {"opaque": 0.0, "mask": 1.0, "blend": 2.0}


@attrs.frozen(eq=False)
class Piece:
    """A mesh laid out once, for all who wear it.

    Attributes:
        points, normals: `[C, 3]`, in mesh space; joints, weights: `[C, K]`.
        bones: `[B]` nodes, or -1 for none; inverse_bind: `[B, 4, 4]`.
        faces: `[F, 3]` corners; kinds: `[F]`, the character's materials.
        uvs: `[C, 2]`; colors: `[C, 4]`.
        dual: whether bones blend as dual quaternions; influences then begin with the heaviest.
    """

    points: Array
    normals: Array
    joints: NDArray[np.int64]
    weights: Array
    bones: NDArray[np.int64]
    inverse_bind: Array
    faces: NDArray[np.int64]
    kinds: NDArray[np.int64]
    uvs: Array
    colors: Array
    dual: bool


@attrs.frozen(eq=False)
class Part:
    """A piece on the stage: whose it is, how many levels of detail below the full mesh it is, and the row of
    the first of its materials."""

    actor: int
    piece: Piece
    level: int
    row: int

    def same(self, other: Part) -> bool:
        """Tell whether the other part would be laid out alike."""
        return self.piece is other.piece and (self.actor, self.row) == (other.actor, other.row)


@attrs.frozen(eq=False)
class Table:
    """What surfaces are made of: `materials [M, 23]`, and images as mip `levels [L, 3]` (offset, width, height) of
    `texels [N, 4]`; `rows` tells of each mesh of a character, by the character's id, where its materials begin."""

    materials: Array
    levels: NDArray[np.int64]
    texels: NDArray[np.uint8]
    rows: Mapping[int, tuple[int, ...]] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class Stage:
    """All parts, one after the other: `faces [F, 3]`, `kinds [F]` into the table's materials, `uvs [C, 2]`,
    `colors [C, 4]`; of one frame, `flips [F]` (a pose that mirrors) and `owners [F]` (ids)."""

    parts: tuple[Part, ...]
    table: Table
    faces: NDArray[np.int64]
    kinds: NDArray[np.int64]
    uvs: Array
    colors: Array
    flips: NDArray[np.bool_]
    owners: NDArray[np.uint16]

    @property
    def corners(self) -> int:
        """How many corners all parts have."""
        return len(self.uvs)

    @property
    def materials(self) -> Array:
        """The table's."""
        return self.table.materials

    @property
    def levels(self) -> NDArray[np.int64]:
        """The table's."""
        return self.table.levels

    @property
    def texels(self) -> NDArray[np.uint8]:
        """The table's."""
        return self.table.texels

    def holds(self, parts: Sequence[Part], table: Table) -> bool:
        """Tell whether these parts are what it was built of."""
        return (
            self.table is table
            and len(parts) == len(self.parts)
            and all(a.same(b) for a, b in zip(self.parts, parts, strict=True))
        )


def build_table(characters: Sequence[Character]) -> Table:
    """Gather the materials of `characters`; one stands once for each mesh, as its vertices may let light through."""
    materials: list[Array] = [np.zeros(_COLUMNS)]
    images, rows = Images(), {}
    for character in characters:
        begins = []
        for mesh in character.meshes:
            begins.append(len(materials))
            alpha = (
                1.0 if mesh.colors is None or mesh.colors.shape[1] < 4 else mesh.colors[:, 3].min(initial=1.0)
            )
            materials += [_row(m, images, float(alpha)) for m in (character.materials or (Material(),))]
        rows[id(character)] = tuple(begins)
    return Table(np.array(materials), *images.arrays(), rows)


def build_stage(parts: Sequence[Part], table: Table) -> Stage:
    """Lay out parts, one after the other."""
    pieces = [part.piece for part in parts]
    begins = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    total = sum(len(piece.faces) for piece in pieces)
    none = np.zeros((0, 1), np.int64)
    return Stage(
        tuple(parts),
        table,
        np.concatenate(
            [none.reshape(0, 3), *(piece.faces + begin for piece, begin in zip(pieces, begins, strict=False))]
        ),
        np.concatenate([none[:, 0], *(part.piece.kinds + part.row for part in parts)]),
        np.concatenate([np.zeros((0, 2)), *(piece.uvs for piece in pieces)]),
        np.concatenate([np.zeros((0, 4)), *(piece.colors for piece in pieces)]),
        np.zeros(total, np.bool_),
        np.zeros(total, np.uint16),
    )


def ribbon_stage(drawn: Sequence[Ribbon]) -> Stage:
    """Return what draws ribbons: rough, double-sided, of id 0."""
    counts = [len(ribbon.triangles) for ribbon in drawn]
    total, images = sum(counts), Images()
    surfaces = [
        Material("ribbon", np.array([*ribbon.color, 1.0]), roughness=0.9, double_sided=True)
        for ribbon in drawn
    ]
    materials = np.array([_row(surface, images) for surface in surfaces])
    return Stage(
        (),
        Table(materials, *images.arrays()),
        np.arange(3 * total).reshape(-1, 3),
        np.repeat(np.arange(len(drawn)), counts),
        np.zeros((3 * total, 2)),
        np.ones((3 * total, 4)),
        np.zeros(total, np.bool_),
        np.zeros(total, np.uint16),
    )


def lay_out(mesh: Mesh, materials: int) -> Piece:
    """Return a mesh, of a character of so many materials, as the kernels read it."""
    corner = mesh.corner_vertex
    points = np.asarray(kinematics.morphed_vertices(mesh), np.float64)
    normals = kinematics.corner_normals(mesh, points) if mesh.normals is None else mesh.normals
    joints, weights = _influences(mesh)
    bones, inverse = np.array([-1 if mesh.node is None else mesh.node]), np.eye(4)[None]
    if mesh.skin is not None:
        bones, inverse = np.asarray(mesh.skin.bones), np.asarray(mesh.skin.inverse_bind, np.float64)
    kinds = np.zeros(len(mesh.faces), np.int64) if mesh.face_material is None else mesh.face_material
    colors = np.ones((len(corner), 4))
    if mesh.colors is not None:
        colors[:, : mesh.colors.shape[1]] = mesh.colors
    return Piece(
        np.ascontiguousarray(points[corner]),
        np.array(normals, np.float64, order="C"),
        joints,
        weights,
        bones,
        inverse,
        np.asarray(mesh.faces, np.int64),
        np.minimum(np.asarray(kinds, np.int64), max(materials, 1) - 1),
        np.zeros((len(corner), 2)) if mesh.uvs is None else np.asarray(mesh.uvs, np.float64),
        colors,
        mesh.skin is not None and mesh.skin.blending == "dual_quaternion",
    )


def _influences(mesh: Mesh) -> tuple[NDArray[np.int64], Array]:
    """Return joints and weights of corners, `[C, K]`; where dual quaternions blend the heaviest come first."""
    corner = mesh.corner_vertex
    if mesh.skin is None:
        return np.zeros((len(corner), 1), np.int64), np.ones((len(corner), 1))
    given = np.asarray(mesh.skin.weights, np.float64)
    given = given / np.maximum(given.sum(axis=1, keepdims=True), 1e-12)
    named = np.asarray(mesh.skin.joints, np.int64)
    if mesh.skin.blending == "dual_quaternion":
        order = np.argsort(-given, axis=1, kind="stable")
        named, given = np.take_along_axis(named, order, 1), np.take_along_axis(given, order, 1)
    joints, weights = np.ascontiguousarray(named[corner]), np.ascontiguousarray(given[corner])
    joints[weights == 0] = 0
    return joints, weights


def _row(material: Material, images: Images, vertex_alpha: float = 1.0) -> Array:
    """Return one row of the table: RGBA, roughness, metallic, emission (3), mode, cutoff, sides, image (2), wrap (2), then
    images of normals, of roughness and metal, and of emission (2 each), and the normals' scale."""
    first, count = images.add(material.base_color_image)
    mode = _MODES[material.alpha_mode]
    if mode == _MODES["blend"] and not material.lets_through(vertex_alpha):
        mode = _MODES["opaque"]
    row: Array = np.array(
        [
            *material.base_color,
            material.roughness,
            material.metallic,
            *material.emissive,
            mode,
            material.alpha_cutoff,
            float(material.double_sided),
            first,
            count,
            *(_WRAPS[wrap] for wrap in material.wrap),
            *images.add(material.normal_image, srgb=False),
            *images.add(material.metallic_roughness_image, srgb=False),
            *images.add(material.emissive_image),
            material.normal_scale,
        ]
    )
    return row
