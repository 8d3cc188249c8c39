"""Characters with all that viser's own skinned meshes do not have: textures, colours of vertices, normals, shapes.

viser loads glTF but does not move it, and moves skinned meshes of one colour each. So a character goes to
the page twice: as glTF, in which nothing moves, and as the bones of a mesh that shows nothing. `page.js`
brings the two together there.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Material, Mesh
from kinetoscope_spec.display import png

__all__ = ["SIDE_MOST", "Cloth", "fitting", "glb"]

Array = NDArray[Any]

SIDE_MOST: Final = 2048
"""Of a texture, texels: larger ones are averaged down to it."""

_FLOAT, _SHORT, _INT = 5126, 5123, 5125
_WRAP: Final = {"repeat": 10497, "clamp": 33071, "mirror": 33648}
_NORMAL_STEP: Final = 1e-4
"""Normals that differ by less are one."""


@attrs.frozen(eq=False)
class Cloth:
    """A mesh as the page has it.

    Attributes:
        mesh: of the character.
        vertices: `[V, 3]` m, in the space of the bind pose.
        joints, weights: `[V, 4]`, bones by number; weights sum to 1.
        stretch: `[3, 3]`, what has been put into the vertices.
        mirrored: whether that turns faces over.
        shapes: `[M, V, 3]` m, what its morphs add; in the space of the vertices.
        first: the number of its first shape among all of the character's.
    """

    mesh: Mesh
    vertices: Array
    joints: Array
    weights: Array
    stretch: Array
    mirrored: bool
    shapes: Array
    first: int


def glb(cloths: Sequence[Cloth], materials: Sequence[Material], bones: int) -> bytes:
    """Return a glTF 2.0 file of meshes skinned to `bones` joints, which rest where nothing is moved."""
    writer = _Writer()
    joints = [writer.node({"name": f"bone{i}"}) for i in range(bones)]
    skin = {"joints": joints}
    drawn = [writer.node({"mesh": mesh, "skin": 0}) for mesh in _meshes(writer, cloths, materials)]
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [*joints, *drawn]}],
        "skins": [skin],
        **writer.lists,
        "buffers": [{"byteLength": len(writer.body)}],
    }
    return writer.packed({key: held for key, held in document.items() if held})


def _meshes(writer: _Writer, cloths: Sequence[Cloth], materials: Sequence[Material]) -> list[int]:
    numbers: dict[int, int] = {}
    made = []
    for cloth in cloths:
        owner = cloth.mesh.face_material
        owner = np.zeros(len(cloth.mesh.faces), np.int64) if owner is None else owner
        parts = []
        for number in np.unique(owner).tolist():
            if number not in numbers:
                numbers[number] = writer.material(
                    materials[number] if number < len(materials) else Material()
                )
            faces = cloth.mesh.faces[owner == number]
            parts.append({**_primitive(writer, cloth, faces), "material": numbers[number]})
        if parts:
            held = {"primitives": parts, "extras": {"first": cloth.first}}
            if len(cloth.shapes):
                held["weights"] = [0.0] * len(cloth.shapes)
            made.append(writer.add("meshes", held))
    return made


def _primitive(writer: _Writer, cloth: Cloth, faces: Array) -> dict[str, Any]:
    mesh = cloth.mesh
    corners, faces = np.unique(faces[:, ::-1] if cloth.mirrored else faces, return_inverse=True)
    vertex = mesh.corner_vertex[corners]
    looks: dict[str, Array] = {}
    if mesh.normals is not None:
        looks["NORMAL"] = _carried(np.asarray(mesh.normals, np.float64)[corners], cloth.stretch)
    if mesh.uvs is not None:
        looks["TEXCOORD_0"] = mesh.uvs[corners]
    if mesh.colors is not None:
        looks["COLOR_0"] = mesh.colors[corners]
    keys = np.concatenate(
        [vertex[:, None], *(np.round(held / _NORMAL_STEP) for held in looks.values())], axis=1
    ).astype(np.int64)
    rows = np.ascontiguousarray(keys).view([("", np.int64)] * keys.shape[1]).ravel()
    _, first, page = np.unique(rows, return_index=True, return_inverse=True)
    at = vertex[first]
    attributes = {
        "POSITION": writer.floats(cloth.vertices[at]),
        "JOINTS_0": writer.accessor(cloth.joints[at].astype(np.uint16), _SHORT),
        "WEIGHTS_0": writer.floats(cloth.weights[at]),
        **{name: writer.floats(held[first]) for name, held in looks.items()},
    }
    if "NORMAL" in looks:
        # viser's page works normals out anew, over those it was given: page.js puts these in their place.
        attributes["_NORMAL"] = writer.floats(looks["NORMAL"][first])
    else:
        attributes["NORMAL"] = writer.floats(np.zeros((len(at), 3)))
    held: dict[str, Any] = {
        "attributes": attributes,
        "indices": writer.accessor(page.ravel()[faces.ravel()].astype(np.uint32), _INT),
    }
    if len(cloth.shapes):
        held["targets"] = [{"POSITION": writer.floats(shape[at])} for shape in cloth.shapes]
    return held


def _carried(normals: Array, stretch: Array) -> Array:
    moved = normals @ np.linalg.inv(stretch)
    sizes = np.linalg.norm(moved, axis=1, keepdims=True)
    held: Array = moved / np.where(sizes > 0, sizes, 1.0)
    return held


class _Writer:
    """Gathers the lists of a glTF document and the bytes that they speak of."""

    def __init__(self) -> None:
        names = ("nodes", "meshes", "accessors", "bufferViews", "materials", "textures", "images", "samplers")
        self.lists: dict[str, list[Any]] = {name: [] for name in names}
        self.body = bytearray()
        self._textures: dict[tuple[int, tuple[str, str]], int] = {}

    def add(self, name: str, held: dict[str, Any]) -> int:
        """Put something into a list and return its number."""
        self.lists[name].append(held)
        return len(self.lists[name]) - 1

    def node(self, held: dict[str, Any]) -> int:
        return self.add("nodes", held)

    def view(self, data: bytes) -> int:
        held = {"buffer": 0, "byteOffset": len(self.body), "byteLength": len(data)}
        self.body += data + b"\0" * (-len(data) % 4)
        return self.add("bufferViews", held)

    def accessor(self, values: Array, component: int) -> int:
        width = 1 if values.ndim == 1 else values.shape[1]
        held = {
            "bufferView": self.view(np.ascontiguousarray(values).tobytes()),
            "componentType": component,
            "count": len(values),
            "type": ("SCALAR", "VEC2", "VEC3", "VEC4")[width - 1],
        }
        if component == _FLOAT:
            held |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        return self.add("accessors", held)

    def floats(self, values: Array) -> int:
        return self.accessor(np.asarray(values, np.float32), _FLOAT)

    def material(self, given: Material) -> int:
        """Put a material into the document, as glTF 2.0 has it, and return its number."""
        surface: dict[str, Any] = {
            "baseColorFactor": np.asarray(given.base_color, float).tolist(),
            "metallicFactor": float(given.metallic),
            "roughnessFactor": float(given.roughness),
        }
        held: dict[str, Any] = {
            "pbrMetallicRoughness": surface,
            "emissiveFactor": np.clip(given.emissive, 0, 1).tolist(),
            "alphaMode": given.alpha_mode.upper(),
            "doubleSided": bool(given.double_sided),
        }
        if given.alpha_mode == "mask":
            held["alphaCutoff"] = float(given.alpha_cutoff)
        for into, name, image, more in (
            (surface, "baseColorTexture", given.base_color_image, {}),
            (surface, "metallicRoughnessTexture", given.metallic_roughness_image, {}),
            (held, "normalTexture", given.normal_image, {"scale": float(given.normal_scale)}),
            (held, "occlusionTexture", given.occlusion_image, {"strength": float(given.occlusion_strength)}),
            (held, "emissiveTexture", given.emissive_image, {}),
        ):
            if image is not None:
                into[name] = {"index": self._texture(image, given.wrap), **more}
        return self.add("materials", held)

    def _texture(self, image: Array, wrap: tuple[str, str]) -> int:
        key = (id(image), wrap)
        if key not in self._textures:
            source = self.add(
                "images", {"bufferView": self.view(png(fitting(image))), "mimeType": "image/png"}
            )
            across, down = (_WRAP[way] for way in wrap)
            sampler = self.add("samplers", {"wrapS": across, "wrapT": down})
            self._textures[key] = self.add("textures", {"source": source, "sampler": sampler})
        return self._textures[key]

    def packed(self, document: dict[str, Any]) -> bytes:
        """Return the file: its JSON, then its bytes."""
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        head = struct.pack("<III", 0x46546C67, 2, 28 + len(text) + len(self.body))
        return b"".join(
            [
                head,
                struct.pack("<II", len(text), 0x4E4F534A),
                text,
                struct.pack("<II", len(self.body), 0x004E4942),
                self.body,
            ]
        )


def fitting(image: Array, most: int = SIDE_MOST) -> Array:
    """Return an image `[H, W, C]` averaged down to `most` texels a side at most."""
    if max(image.shape[:2]) <= most:
        return image
    sums: Array = image
    texels = np.ones(())
    for axis, size in enumerate(image.shape[:2]):
        # All of the image stays, so that UVs mean the same: texels become means of n, or of n + 1.
        edges = np.linspace(0, size, min(size, most) + 1).round().astype(np.int64)
        sums = np.add.reduceat(sums, edges[:-1], axis=axis, dtype=np.uint32)
        texels = np.multiply.outer(texels, np.diff(edges))
    held: Array = (sums / texels[..., None]).round().astype(np.uint8)
    return held
