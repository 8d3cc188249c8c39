"""The meshes of a scene's characters side by side in arrays, made once and kept from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_raster._texels import Images
from kinetoscope_spec import kinematics
from kinetoscope_spec.annotations import Ribbon
from kinetoscope_spec.character import Character, Material, Mesh

__all__ = ["Part", "Stage", "build_stage", "ribbon_stage"]

Array = NDArray[np.float64]
_WRAPS = {"repeat": 0.0, "clamp": 1.0, "mirror": 2.0}
_COLUMNS = 23
_MODES = {"opaque": 0.0, "mask": 1.0, "blend": 2.0}


@attrs.frozen(eq=False)
class Part:
    """One mesh: where its corners and faces begin, and what carries it.

    Attributes:
        points, normals: `[C, 3]`, in mesh space; joints, weights: `[C, K]`.
        bones: `[B]` nodes, or -1 for none; inverse_bind: `[B, 4, 4]`.
        faces: how many.
        dual: whether bones blend as dual quaternions; influences then begin with the heaviest.
    """

    actor: int
    points: Array
    normals: Array
    joints: NDArray[np.int64]
    weights: Array
    bones: NDArray[np.int64]
    inverse_bind: Array
    faces: int
    dual: bool


@attrs.frozen(eq=False)
class Stage:
    """All parts: `faces [F, 3]`, `kinds [F]` into `materials [M, 23]`, `uvs [C, 2]`, `colors [C, 4]`,
    and images as mip `levels [L, 3]` (offset, width, height) of `texels [N, 4]`; of one frame,
    `flips [F]` (a pose that mirrors) and `owners [F]` (ids)."""

    characters: tuple[Character, ...]
    parts: tuple[Part, ...]
    faces: NDArray[np.int64]
    kinds: NDArray[np.int64]
    materials: Array
    uvs: Array
    colors: Array
    levels: NDArray[np.int64]
    texels: NDArray[np.uint8]
    flips: NDArray[np.bool_]
    owners: NDArray[np.uint16]

    @property
    def corners(self) -> int:
        """How many corners all parts have."""
        return len(self.uvs)


def build_stage(characters: Sequence[Character]) -> Stage:
    """Lay out the meshes of `characters`, one after the other; a material stands once for each mesh."""
    parts: list[Part] = []
    faces, kinds, uvs, colors = [], [], [], []
    materials: list[Array] = [np.zeros(_COLUMNS)]
    images = Images()
    corner = 0
    for actor, character in enumerate(characters):
        for mesh in character.meshes:
            if not len(mesh.faces):
                continue
            count = len(mesh.corner_vertex)
            parts.append(_part(actor, mesh))
            faces.append(np.asarray(mesh.faces, np.int64) + corner)
            kinds.append(_kinds(mesh) + len(materials))
            alpha = 1.0 if mesh.colors is None or mesh.colors.shape[1] < 4 else mesh.colors[:, 3].min()
            materials += [_row(m, images, float(alpha)) for m in (character.materials or (Material(),))]
            uvs.append(np.zeros((count, 2)) if mesh.uvs is None else np.asarray(mesh.uvs, np.float64))
            rgba = np.ones((count, 4))
            if mesh.colors is not None:
                rgba[:, : mesh.colors.shape[1]] = mesh.colors
            colors.append(rgba)
            corner += count
    total = sum(part.faces for part in parts)
    return Stage(
        tuple(characters),
        tuple(parts),
        np.concatenate(faces) if faces else np.zeros((0, 3), np.int64),
        np.minimum(np.concatenate(kinds), len(materials) - 1) if kinds else np.zeros(0, np.int64),
        np.array(materials),
        np.concatenate(uvs) if uvs else np.zeros((0, 2)),
        np.concatenate(colors) if colors else np.zeros((0, 4)),
        *images.arrays(),
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
    return Stage(
        (),
        (),
        np.arange(3 * total).reshape(-1, 3),
        np.repeat(np.arange(len(drawn)), counts),
        np.array([_row(surface, images) for surface in surfaces]),
        np.zeros((3 * total, 2)),
        np.ones((3 * total, 4)),
        *images.arrays(),
        np.zeros(total, np.bool_),
        np.zeros(total, np.uint16),
    )


def _part(actor: int, mesh: Mesh) -> Part:
    corner = mesh.corner_vertex
    points = np.asarray(kinematics.morphed_vertices(mesh), np.float64)
    normals = _smooth(mesh, points) if mesh.normals is None else np.asarray(mesh.normals, np.float64)
    dual = mesh.skin is not None and mesh.skin.blending == "dual_quaternion"
    if mesh.skin is None:
        joints, weights = np.zeros((len(corner), 1), np.int64), np.ones((len(corner), 1))
        bones, inverse = np.array([-1 if mesh.node is None else mesh.node]), np.eye(4)[None]
    else:
        given = np.asarray(mesh.skin.weights, np.float64)
        given = given / np.maximum(given.sum(axis=1, keepdims=True), 1e-12)
        named = np.asarray(mesh.skin.joints, np.int64)
        if dual:
            order = np.argsort(-given, axis=1, kind="stable")
            named, given = np.take_along_axis(named, order, 1), np.take_along_axis(given, order, 1)
        joints = np.ascontiguousarray(named[corner])
        weights = np.ascontiguousarray(given[corner])
        joints[weights == 0] = 0
        bones, inverse = np.asarray(mesh.skin.bones), np.asarray(mesh.skin.inverse_bind, np.float64)
    return Part(
        actor,
        np.ascontiguousarray(points[corner]),
        np.array(normals, np.float64, order="C"),
        joints,
        weights,
        bones,
        inverse,
        len(mesh.faces),
        dual,
    )


def _smooth(mesh: Mesh, points: Array) -> Array:
    """Return normals `[C, 3]`: of each vertex the mean of its faces', weighed by their areas."""
    ends = mesh.corner_vertex[mesh.faces]
    face = np.cross(points[ends[:, 1]] - points[ends[:, 0]], points[ends[:, 2]] - points[ends[:, 0]])
    total = np.zeros_like(points)
    np.add.at(total, ends.ravel(), np.repeat(face, 3, axis=0))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit: Array = np.where(length > 1e-20, total / np.maximum(length, 1e-20), [0.0, 1.0, 0.0])
    return unit[mesh.corner_vertex]


def _kinds(mesh: Mesh) -> NDArray[np.int64]:
    if mesh.face_material is None:
        return np.zeros(len(mesh.faces), np.int64)
    return np.asarray(mesh.face_material, np.int64)


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
