"""Meshes, skins, materials, and the asset that an importer returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, in_range, numbers, numbers_or_none, shaped
from kinetoscope_spec._value import Value, as_tuple, frozen_mapping
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["BLENDINGS", "Asset", "Character", "Material", "Mesh", "Skin"]

BLENDINGS = ("linear", "dual_quaternion")
"""How several bones may carry one vertex; `kinematics.vertex_matrices` says what each is."""


@attrs.frozen(eq=False, repr=False)
class Skin(Value):
    """Which bones carry which vertices.

    Attributes:
        joints: int64 `[V, K]`, indices into `bones`; K influences a vertex, unused ones weigh 0.
        weights: `[V, K]` from 0 to 1, each row summing to 1.
        bones: int64 `[B]`, indices of the skeleton's nodes.
        inverse_bind: `[B, 4, 4]`, from mesh space in the bind pose to each bone's space.
        blending: `linear`, the mean of the bones' matrices, or `dual_quaternion`, which keeps the girth
            of joints that twist and bend.
    """

    joints: Array = attrs.field(converter=numbers)
    weights: Array = attrs.field(converter=numbers)
    bones: Array = attrs.field(converter=numbers)
    inverse_bind: Array = attrs.field(converter=numbers)
    blending: str = attrs.field(default="linear", validator=attrs.validators.in_(BLENDINGS))

    def __attrs_post_init__(self) -> None:
        size: dict[str, int] = {}
        set_ = object.__setattr__
        set_(self, "joints", shaped("Skin", "joints", self.joints, ["V", "K"], np.int64, sizes=size))
        set_(self, "weights", shaped("Skin", "weights", self.weights, ["V", "K"], sizes=size))
        set_(self, "bones", shaped("Skin", "bones", self.bones, ["B"], np.int64, sizes=size))
        set_(self, "inverse_bind", shaped("Skin", "inverse_bind", self.inverse_bind, ["B", 4, 4], sizes=size))
        in_range("Skin.joints", self.joints, 0, len(self.bones) - 1)
        in_range("Skin.bones", self.bones, 0, np.inf)
        in_range("Skin.weights", self.weights, 0, 1 + 1e-3)
        total = self.weights.sum(axis=1)
        wrong = np.flatnonzero(np.abs(total - 1) > 1e-3)
        if len(wrong):
            raise ValidationError(f"Skin.weights[{wrong[0]}] sum to {total[wrong[0]]:.6g}, expected 1")


IMAGES = tuple(
    f"{what}_image" for what in ("base_color", "normal", "metallic_roughness", "occlusion", "emissive")
)
"""The attributes of `Material` that hold images."""


@attrs.frozen(eq=False, repr=False)
class Material(Value):
    """A surface in the metallic-roughness model of glTF 2.0.

    Attributes:
        base_color: linear RGBA `[4]`, 0 to 1.
        metallic, roughness: 0 to 1.
        emissive: linear RGB `[3]`, 0 and up.
        base_color_image: sRGB, times `base_color`. Every image is `uint8 [H, W, 3|4]`, top row
            first, or None.
        alpha_mode: `opaque`, `mask` (cut out below `alpha_cutoff`) or `blend` (laid over what is behind it).
        double_sided: drawn from behind too.
        normal_image: linear; normals in tangent space, x and y times `normal_scale`.
        metallic_roughness_image: linear; green times `roughness`, blue times `metallic`.
        occlusion_image: linear; red is the ambient light that arrives, by `occlusion_strength`.
        emissive_image: sRGB, times `emissive`.
        wrap: how images go on beyond their edges along u and v: `repeat`, `clamp` or `mirror`.
    """

    name: str = "default"
    base_color: Array = attrs.field(factory=lambda: np.array([0.8, 0.8, 0.8, 1.0]))
    metallic: float = 0.0
    roughness: float = 0.8
    emissive: Array = attrs.field(factory=lambda: np.zeros(3))
    base_color_image: Array | None = None
    alpha_mode: str = attrs.field(
        default="opaque", validator=attrs.validators.in_(("opaque", "mask", "blend"))
    )
    alpha_cutoff: float = 0.5
    double_sided: bool = False
    normal_image: Array | None = None
    normal_scale: float = 1.0
    metallic_roughness_image: Array | None = None
    occlusion_image: Array | None = None
    occlusion_strength: float = 1.0
    emissive_image: Array | None = None
    wrap: tuple[str, str] = attrs.field(
        default=("repeat", "repeat"),
        converter=as_tuple,
        validator=attrs.validators.deep_iterable(attrs.validators.in_(("repeat", "clamp", "mirror"))),
    )

    def __attrs_post_init__(self) -> None:
        color = in_range("Material.base_color", shaped("Material", "base_color", self.base_color, [4]), 0, 1)
        emissive = in_range(
            "Material.emissive", shaped("Material", "emissive", self.emissive, [3]), 0, np.inf
        )
        object.__setattr__(self, "base_color", color)
        object.__setattr__(self, "emissive", emissive)
        for name in ("metallic", "roughness", "alpha_cutoff", "occlusion_strength"):
            in_range(f"Material.{name}", np.asarray([getattr(self, name)]), 0, 1)
        if not np.isfinite(self.normal_scale):
            raise ValidationError(f"Material.normal_scale is {self.normal_scale}, expected a number")
        if len(self.wrap) != 2:
            raise ValidationError(f"Material.wrap is {self.wrap}, expected one for u and one for v")
        for name in IMAGES:
            image = getattr(self, name)
            if image is not None and (
                image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4)
            ):
                raise ValidationError(
                    f"Material.{name} is {image.dtype} {list(image.shape)}, expected uint8 [H, W, 3|4]"
                )

    def lets_through(self, vertex_alpha: float = 1.0) -> bool:
        """Tell whether light from behind comes through: it is blended, and not wholly opaque all the same.

        Many files call every surface blended. `vertex_alpha` is the least of a mesh's vertex colours.
        """
        image = self.base_color_image
        cover = min(float(self.base_color[3]), vertex_alpha)
        if image is not None and image.shape[2] == 4 and image.size:
            cover = min(cover, float(image[..., 3].min()) / 255)
        return self.alpha_mode == "blend" and cover < 1


@attrs.frozen(eq=False, repr=False)
class Mesh(Value):
    """Triangles over control points; what differs at a corner is kept at the corner.

    Attributes:
        vertices: `[V, 3]` m, control points in the order of the file.
        corner_vertex: int64 `[C]`, the vertex of each corner.
        faces: int64 `[F, 3]`, counter-clockwise corners of each triangle.
        normals: unit vectors `[C, 3]` or None.
        uvs: `[C, 2]`, origin at the top left, or None.
        colors: linear RGBA `[C, 4]` or None.
        face_material: int64 `[F]`, index into the materials; 0 if None.
        node: the node of the skeleton that carries a rigid mesh, or None.
        skin: who carries it otherwise, or None.
        morphs: `[M, V, 3]` m, offsets of the vertices, or None.
        morph_names: `M` names; shapes of one name are one channel with in-betweens.
        morph_peaks: `[M]`, the weight of its channel at which each shape stands in full: 1 unless
            said otherwise, 0.5 for an in-between half way; not 0, and each different in its channel.
        morph_weights: weights in the rest pose, by channel; 0 where not named.
    """

    name: str
    vertices: Array = attrs.field(converter=numbers)
    corner_vertex: Array = attrs.field(converter=numbers)
    faces: Array = attrs.field(converter=numbers)
    normals: Array | None = None
    uvs: Array | None = None
    colors: Array | None = None
    face_material: Array | None = None
    node: int | None = None
    skin: Skin | None = None
    morphs: Array | None = None
    morph_names: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    morph_peaks: Array | None = attrs.field(default=None, converter=numbers_or_none)
    morph_weights: Mapping[str, float] = attrs.field(factory=dict, converter=frozen_mapping)

    def __attrs_post_init__(self) -> None:
        size: dict[str, int] = {}
        shapes: dict[str, tuple[list[int | str], Any]] = {
            "vertices": (["V", 3], None),
            "corner_vertex": (["C"], np.int64),
            "faces": (["F", 3], np.int64),
            "normals": (["C", 3], None),
            "uvs": (["C", 2], None),
            "colors": (["C", 4], None),
            "face_material": (["F"], np.int64),
            "morphs": (["M", "V", 3], None),
        }
        for name, (shape, dtype) in shapes.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, shaped("Mesh", name, value, shape, dtype, sizes=size))
        in_range("Mesh.corner_vertex", self.corner_vertex, 0, size["V"] - 1)
        in_range("Mesh.faces", self.faces, 0, size["C"] - 1)
        if len(self.morph_names) != size.get("M", 0):
            raise ValidationError(
                f"Mesh.morph_names has {len(self.morph_names)} names, expected {size.get('M', 0)}"
            )
        self._check_channels()
        if self.skin is not None and len(self.skin.joints) != size["V"]:
            raise ValidationError(f"Mesh.skin covers {len(self.skin.joints)} vertices, expected {size['V']}")

    def _check_channels(self) -> None:
        if self.morph_names:
            peaks = np.ones(len(self.morph_names)) if self.morph_peaks is None else self.morph_peaks
            peaks = shaped("Mesh", "morph_peaks", peaks, [len(self.morph_names)])
            object.__setattr__(self, "morph_peaks", peaks)
            seen: set[tuple[str, float]] = set()
            for i, place in enumerate(zip(self.morph_names, peaks.tolist(), strict=True)):
                if place[1] == 0 or place in seen:
                    raise ValidationError(
                        f"Mesh.morph_peaks[{i}] is {place[1]:g}, expected the weight at which the channel "
                        f"{place[0]!r} shows this shape alone: not 0, and no other shape's"
                    )
                seen.add(place)
        elif self.morph_peaks is not None and len(self.morph_peaks):
            raise ValidationError(f"Mesh.morph_peaks has {len(self.morph_peaks)} numbers, expected 0")
        for name, weight in self.morph_weights.items():
            if name not in self.morph_names or not np.isfinite(weight):
                raise ValidationError(
                    f"Mesh.morph_weights[{name!r}] is {weight}, expected a number for one of {self.morph_names}"
                )

    @classmethod
    def from_triangles(cls, name: str, vertices: Array, faces: Array, **kwargs: Any) -> Mesh:
        """Build a mesh with one corner a vertex; `normals`, `uvs`, `colors` are then `[V, ...]`."""
        return cls(name, vertices, np.arange(len(vertices)), faces, **kwargs)


@attrs.frozen(eq=False, repr=False)
class Character(Value):
    """A skeleton with the meshes it carries and their materials."""

    name: str
    skeleton: Skeleton
    meshes: tuple[Mesh, ...] = attrs.field(default=(), converter=as_tuple)
    materials: tuple[Material, ...] = attrs.field(default=(), converter=as_tuple)

    def __attrs_post_init__(self) -> None:
        _check_meshes("Character", self.skeleton, self.meshes, self.materials)

    def blended(self, blending: str) -> Character:
        """Return the character with every skin blended so, `linear` or `dual_quaternion`.

        Raises:
            ValueError: there is no such blending.
        """
        if blending not in BLENDINGS:
            raise ValidationError(f"blending is {blending!r}, expected one of {', '.join(BLENDINGS)}")
        meshes = [
            mesh if mesh.skin is None else attrs.evolve(mesh, skin=attrs.evolve(mesh.skin, blending=blending))
            for mesh in self.meshes
        ]
        return attrs.evolve(self, meshes=meshes)

    def _repr_html_(self) -> str:
        """Show a picture of it in a notebook."""
        from kinetoscope_spec.display import character_html

        return character_html(self)


@attrs.frozen(eq=False, repr=False)
class Asset(Value):
    """What an importer returns: everything that one file holds.

    Attributes:
        name: the file's name, or the name it gives itself.
        skeleton: all nodes, joints or not.
        motions: clips, every one over `skeleton`.
        meshes: meshes, their nodes and bones indexing `skeleton`.
        materials: what the meshes' `face_material` index.
        metadata: what else the file says; `format`, `unit_m` (its unit in metres) and `axes`
            (right, up, forward, such as `+X+Y+Z`) at least, and `licence` where it states one.
        warnings: what was guessed, repaired or left out, one sentence each.
    """

    name: str
    skeleton: Skeleton
    motions: tuple[Motion, ...] = attrs.field(default=(), converter=as_tuple)
    meshes: tuple[Mesh, ...] = attrs.field(default=(), converter=as_tuple)
    materials: tuple[Material, ...] = attrs.field(default=(), converter=as_tuple)
    metadata: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)
    warnings: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)

    def __attrs_post_init__(self) -> None:
        for i, motion in enumerate(self.motions):
            if motion.skeleton is not self.skeleton and motion.skeleton != self.skeleton:
                raise ValidationError(
                    f"Asset.motions[{i}] ({motion.name!r}) moves another skeleton than the asset's"
                )
        _check_meshes("Asset", self.skeleton, self.meshes, self.materials)

    def character(self) -> Character:
        """Return the character in this asset: its skeleton, meshes and materials."""
        return Character(self.name, self.skeleton, self.meshes, self.materials)

    def _repr_html_(self) -> str:
        """Show its character and its first motion in a notebook."""
        from kinetoscope_spec.display import asset_html

        return asset_html(self)


def _check_meshes(
    owner: str, skeleton: Skeleton, meshes: Sequence[Mesh], materials: Sequence[Material]
) -> None:
    for i, mesh in enumerate(meshes):
        where = f"{owner}.meshes[{i}] ({mesh.name!r})"
        if mesh.node is not None and not 0 <= mesh.node < len(skeleton):
            raise ValidationError(f"{where} hangs on node {mesh.node}, expected 0 to {len(skeleton) - 1}")
        if mesh.skin is not None:
            in_range(f"{where}.skin.bones", mesh.skin.bones, 0, len(skeleton) - 1)
        if mesh.face_material is not None and len(mesh.face_material):
            in_range(f"{where}.face_material", mesh.face_material, 0, max(len(materials) - 1, 0))
