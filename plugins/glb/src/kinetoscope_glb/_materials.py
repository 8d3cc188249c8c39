"""Materials: factors, textures, and by which texture coordinates a mesh is dressed."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb._budget import MATERIAL_BYTES, Budget, Warnings
from kinetoscope_glb._images import Images, Pixels
from kinetoscope_glb._json import Item
from kinetoscope_spec import Material

_WRAPS = {10497: "repeat", 33071: "clamp", 33648: "mirror"}
_SLOTS = {
    # in the file: where our Material keeps it
    "baseColorTexture": "base_color_image",
    "metallicRoughnessTexture": "metallic_roughness_image",
    "normalTexture": "normal_image",
    "occlusionTexture": "occlusion_image",
    "emissiveTexture": "emissive_image",
}


@attrs.frozen
class Mapping2D:
    """Which texture coordinates a material takes, and what is done to them first.

    `rows` are the two rows of a matrix: u' = rows[0] · (u, v, 1), v' = rows[1] · (u, v, 1).
    """

    set: int = 0
    rows: tuple[tuple[float, float, float], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))

    def applied(self, uvs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the coordinates `[C, 2]` as the material sees them."""
        if self.rows == Mapping2D().rows:
            return uvs
        matrix = np.array(self.rows, np.float64)
        moved: NDArray[np.float32] = (uvs @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        return moved


@attrs.frozen
class Surface:
    """A material, and the coordinates that its base colour (else its first texture) is laid out by."""

    material: Material
    mapping: Mapping2D = Mapping2D()


def default_material() -> Material:
    """Return what a primitive without a material is made of (glTF 2.0, 3.9.6)."""
    return Material("default", np.ones(4), 1.0, 1.0)


class Surfaces:
    """Reads the materials of a document."""

    def __init__(self, document: Item, images: Images | None, budget: Budget, warnings: Warnings) -> None:
        budget.take(MATERIAL_BYTES * len(document.array("materials")), "materials")
        self._items = document.items("materials")
        self._textures = document.items("textures")
        self._samplers = document.items("samplers")
        self._images = images
        self._image_count = len(document.array("images"))
        self._warnings = warnings

    def read(self) -> list[Surface]:
        """Return all materials, in the order of the file."""
        return [self._surface(item, i) for i, item in enumerate(self._items)]

    def _surface(self, item: Item, number: int) -> Surface:
        pbr, extensions = item.child("pbrMetallicRoughness"), item.child("extensions")
        slots = {name: (pbr if name in pbr else item).child(name) for name in _SLOTS}
        used = {name: slot for name, slot in slots.items() if slot.data}
        mapping = self._mapping(item, list(used.values()))
        color = np.array(pbr.numbers("baseColorFactor", 4)) if "baseColorFactor" in pbr else np.ones(4)
        glow = np.array(item.numbers("emissiveFactor", 3)) if "emissiveFactor" in item else np.zeros(3)
        strength = extensions.child("KHR_materials_emissive_strength").number("emissiveStrength", 1.0, low=0)
        unlit = "KHR_materials_unlit" in extensions
        if unlit:
            self._warnings.add(
                "unlit", f"{item.where} asks for no shading (KHR_materials_unlit); it is matt here"
            )
        found = Material(
            item.text("name") or f"material_{number}",
            np.clip(color, 0.0, 1.0),
            0.0 if unlit else pbr.number("metallicFactor", 1.0, low=0, high=1),
            1.0 if unlit else pbr.number("roughnessFactor", 1.0, low=0, high=1),
            np.clip(glow, 0.0, 1.0) * strength,
            normal_scale=slots["normalTexture"].number("scale", 1.0),
            occlusion_strength=slots["occlusionTexture"].number("strength", 1.0, low=0, high=1),
            wrap=self._wrap(next(iter(used.values()), None)),
            alpha_mode=self._alpha_mode(item),
            alpha_cutoff=min(item.number("alphaCutoff", 0.5, low=0), 1.0),
            double_sided=item.flag("doubleSided"),
            **{_SLOTS[name]: self._pixels(slot) for name, slot in used.items()},
        )
        return Surface(found, mapping)

    def _alpha_mode(self, item: Item) -> str:
        mode = item.text("alphaMode", "OPAQUE")
        if mode not in ("OPAQUE", "MASK", "BLEND"):
            item.fail("alphaMode", "OPAQUE, MASK or BLEND")
        return mode.lower()

    def _mapping(self, item: Item, slots: Sequence[Item]) -> Mapping2D:
        mappings = [mapping_of(slot) for slot in slots]
        if len(set(mappings)) > 1:
            self._warnings.add(
                "texture coordinates",
                f"{item.where} lays its textures out differently; all take the coordinates of the first, "
                f"{slots[0].where.rpartition('.')[2]}",
            )
        return mappings[0] if mappings else Mapping2D()

    def _texture(self, slot: Item) -> Item:
        number = slot.index("index", len(self._textures), "textures")
        if number is None:
            slot.fail("index", "the number of a texture")
        return self._textures[number]

    def _pixels(self, slot: Item) -> Pixels | None:
        texture = self._texture(slot)
        webp = texture.child("extensions").child("EXT_texture_webp")
        number = webp.index("source", self._image_count, "images")
        if number is None:
            number = texture.index("source", self._image_count, "images")
        if number is None:
            self._warnings.add("images", f"{texture.where} has no image that can be decoded: it is left out")
            return None
        return None if self._images is None else self._images.pixels(number)

    def _wrap(self, slot: Item | None) -> tuple[str, str]:
        if slot is None:
            return ("repeat", "repeat")
        number = self._texture(slot).index("sampler", len(self._samplers), "samplers")
        if number is None:
            return ("repeat", "repeat")
        sampler = self._samplers[number]
        u, v = (sampler.whole(key, 10497) for key in ("wrapS", "wrapT"))
        for key, wrap in (("wrapS", u), ("wrapT", v)):
            if wrap not in _WRAPS:
                sampler.fail(key, "10497, 33071 or 33648")
        return (_WRAPS[u], _WRAPS[v])


def mapping_of(slot: Item) -> Mapping2D:
    """Return the coordinates of one texture, `KHR_texture_transform` included: scale, turn, move."""
    chosen = slot.whole("texCoord", 0, high=1000)
    transform = slot.child("extensions").child("KHR_texture_transform")
    chosen = transform.whole("texCoord", chosen, high=1000)
    move = transform.numbers("offset", 2) if "offset" in transform else [0.0, 0.0]
    scale = transform.numbers("scale", 2) if "scale" in transform else [1.0, 1.0]
    turn = transform.number("rotation", 0.0)
    c, s = float(np.cos(turn)), float(np.sin(turn))
    # The extension's matrix: translation times rotation (of y-down coordinates) times scale.
    rows = ((c * scale[0], s * scale[1], move[0]), (-s * scale[0], c * scale[1], move[1]))
    return Mapping2D(chosen, rows)
