"""What stays on the device from frame to frame: meshes and textures by character."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping

import attrs
import moderngl
import numpy as np

from kinetoscope_deferred.meshes import PackedMesh, material_of, pack
from kinetoscope_spec.character import Character, Material
from kinetoscope_spec.detail import kept_levels

__all__ = ["LAYOUT", "MAPS", "DeviceMesh", "MeshCache"]

LAYOUT = (
    ("position", "3f4", "3x4"),
    ("normal", "3f4", "3x4"),
    ("uv", "2f4", "2x4"),
    ("color", "4f4", "4x4"),
    ("joints_a", "4u2", "4x2"),
    ("joints_b", "4u2", "4x2"),
    ("weights_a", "4f4", "4x4"),
    ("weights_b", "4f4", "4x4"),
)
"""The vertex buffer's layout: the shader's name, moderngl's format, and the padding that skips it."""


MAPS = ("normal_image", "metallic_roughness_image", "emissive_image")
"""Images of a material that are drawn beside its base colour."""


@attrs.define(eq=False)
class DeviceMesh:
    """One mesh on the device, with what is needed to draw it; `veils` tells which materials let light through.

    `maps` are the images of each material beside its base colour, by the names of `Material`; `coarser` the
    mesh at lower levels of detail with their errors in metres, the finest first, None until it is asked for.
    """

    packed: PackedMesh
    vertices: moderngl.Buffer
    indices: moderngl.Buffer
    materials: tuple[Material, ...]
    images: tuple[moderngl.Texture | None, ...]
    veils: tuple[bool, ...]
    maps: tuple[Mapping[str, moderngl.Texture], ...]
    arrays: dict[int, moderngl.VertexArray] = attrs.field(factory=dict)
    coarser: list[tuple[DeviceMesh, float]] | None = None

    @property
    def triangles(self) -> int:
        """How many it has."""
        return len(self.packed.indices) // 3

    @property
    def kind(self) -> tuple[bool, bool]:
        """Which program draws it: whether it is skinned by dual quaternions, and whether it has maps."""
        return self.packed.dual, any(self.maps)

    def array(self, context: moderngl.Context, program: moderngl.Program) -> moderngl.VertexArray:
        """Return the vertex array that feeds `program`, which keeps of the layout what it reads."""
        if program.glo not in self.arrays:
            names = [name for name, _, _ in LAYOUT if name in program]
            layout = " ".join(used if name in names else skipped for name, used, skipped in LAYOUT)
            self.arrays[program.glo] = context.vertex_array(
                program, [(self.vertices, layout, *names)], self.indices
            )
        return self.arrays[program.glo]

    def release(self) -> None:
        """Free everything on the device; images of levels are the mesh's own."""
        for mesh in (self, *(mesh for mesh, _ in self.coarser or ())):
            for array in mesh.arrays.values():
                array.release()
            mesh.vertices.release()
            mesh.indices.release()
        for image in (*self.images, *(each for maps in self.maps for each in maps.values())):
            if image is not None:
                image.release()


class MeshCache:
    """Uploads each character once and drops it when the object is gone."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._held: dict[int, tuple[weakref.ref[Character], tuple[DeviceMesh, ...]]] = {}
        self._gone: list[int] = []
        self.uploads = 0

    def meshes(self, character: Character) -> tuple[DeviceMesh, ...]:
        """Return the character's meshes on the device, uploading what is not there yet."""
        self._sweep()
        key = id(character)
        if key not in self._held:
            # The callback may run in any thread: it only notes what the next frame frees.
            reference = weakref.ref(character, self._forget(key))
            self._held[key] = (
                reference,
                tuple(self._upload(character, pack(mesh)) for mesh in character.meshes if len(mesh.faces)),
            )
        return self._held[key][1]

    def coarser(self, character: Character, number: int) -> list[tuple[DeviceMesh, float]]:
        """Return lower levels of detail of the character's mesh `number`, with their errors in metres."""
        fine = self.meshes(character)[number]
        if fine.coarser is None:
            mesh = [mesh for mesh in character.meshes if len(mesh.faces)][number]
            fine.coarser = [
                (self._upload(character, pack(level.mesh), like=fine), level.error)
                for level in kept_levels(mesh)
            ]
        return fine.coarser

    def _forget(self, key: int) -> Callable[[object], None]:
        return lambda _: self._gone.append(key)

    def _sweep(self) -> None:
        while self._gone:
            for mesh in self._held.pop(self._gone.pop())[1]:
                mesh.release()

    def _upload(
        self, character: Character, packed: PackedMesh, *, like: DeviceMesh | None = None
    ) -> DeviceMesh:
        """Put a mesh on the device, with images of its own, or with those of the mesh that it is `like`.

        Of that it has what is seen through, too: a level without the one corner that is would hide what is behind it.
        """
        self.uploads += 1
        materials = tuple(material_of(character, index) for index, _, _ in packed.ranges)
        if like is None:
            images = tuple(self._image(material) for material in materials)
            maps = tuple(self._maps(material) for material in materials)
            alpha = float(packed.vertices["color"][:, 3].min(initial=1.0))
            veils = tuple(material.lets_through(alpha) for material in materials)
        else:
            first = [index for index, _, _ in like.packed.ranges]
            places = [first.index(index) for index, _, _ in packed.ranges]
            images, maps = (tuple(held[place] for place in places) for held in (like.images, like.maps))
            veils = tuple(like.veils[place] for place in places)
        return DeviceMesh(
            packed,
            self._context.buffer(packed.vertices.tobytes()),
            self._context.buffer(packed.indices.tobytes()),
            materials,
            images,
            veils,
            maps,
        )

    def _maps(self, material: Material) -> dict[str, moderngl.Texture]:
        held = {name: self._image(material, name) for name in MAPS}
        return {name: image for name, image in held.items() if image is not None}

    def _image(self, material: Material, name: str = "base_color_image") -> moderngl.Texture | None:
        image = getattr(material, name)
        if image is None:
            return None
        # sRGB texels are decoded before they are filtered, so the mip chain stays linear.
        rgba = np.full((*image.shape[:2], 4), 255, np.uint8)
        rgba[..., : image.shape[2]] = image
        size = (image.shape[1], image.shape[0])
        stored = _SRGB8_ALPHA8 if name in _COLORS else _RGBA8
        texture = self._context.texture(size, 4, rgba.tobytes(), internal_format=stored)
        texture.build_mipmaps()
        texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        # What mirrors is folded in the shader; at the fold its edge meets itself.
        texture.repeat_x, texture.repeat_y = (wrap == "repeat" for wrap in material.wrap)
        return texture


_SRGB8_ALPHA8, _RGBA8 = 0x8C43, 0x8058
_COLORS = ("base_color_image", "emissive_image")
"""Images of light; the others hold numbers."""
