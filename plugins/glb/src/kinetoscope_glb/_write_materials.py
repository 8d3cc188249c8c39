"""Materials and their textures, into a glTF."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from kinetoscope_glb import _images
from kinetoscope_glb._pack import Pack
from kinetoscope_spec import Material

STRENGTH = "KHR_materials_emissive_strength"
_WRAPS = {"repeat": 10497, "clamp": 33071, "mirror": 33648}


class Textures:
    """Collects images as PNG, samplers and textures; equal ones are kept once."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._images: dict[bytes, int] = {}
        self._samplers: dict[tuple[str, str], int] = {}
        self._textures: dict[tuple[int, int], int] = {}
        self.images: list[dict[str, Any]] = []

    def add(self, pixels: _images.Pixels, wrap: tuple[str, str]) -> dict[str, Any]:
        """Return the reference to a texture of `pixels`, repeated as `wrap` says."""
        key = repr(pixels.shape).encode() + hashlib.blake2b(pixels.tobytes()).digest()
        if key not in self._images:
            self._images[key] = len(self.images)
            view = self._pack.add_bytes(_images.encode(pixels))
            self.images.append({"bufferView": view, "mimeType": "image/png"})
        sampler = self._samplers.setdefault(wrap, len(self._samplers))
        pair = (self._images[key], sampler)
        return {"index": self._textures.setdefault(pair, len(self._textures))}

    def fields(self) -> dict[str, list[Any]]:
        """Return what the document needs."""
        return {
            "images": self.images,
            "samplers": [{"wrapS": _WRAPS[u], "wrapT": _WRAPS[v]} for u, v in self._samplers],
            "textures": [{"source": image, "sampler": sampler} for image, sampler in self._textures],
        }


def materials(given: Sequence[Material], textures: Textures) -> list[dict[str, Any]]:
    """Return the materials as they stand in the JSON."""
    return [_material(material, textures) for material in given]


def is_textured(material: Material) -> bool:
    """Tell whether a material has an image that is written."""
    images = (
        material.base_color_image,
        material.metallic_roughness_image,
        material.normal_image,
        material.occlusion_image,
        material.emissive_image,
    )
    return any(image is not None and image.size > 0 for image in images)


def _material(material: Material, textures: Textures) -> dict[str, Any]:
    pbr: dict[str, Any] = {
        "baseColorFactor": np.asarray(material.base_color, np.float64).tolist(),
        "metallicFactor": float(material.metallic),
        "roughnessFactor": float(material.roughness),
    }
    found: dict[str, Any] = {"name": material.name, "pbrMetallicRoughness": pbr}
    slots: list[tuple[dict[str, Any], str, _images.Pixels | None, dict[str, float]]] = [
        (pbr, "baseColorTexture", material.base_color_image, {}),
        (pbr, "metallicRoughnessTexture", material.metallic_roughness_image, {}),
        (found, "normalTexture", material.normal_image, {"scale": float(material.normal_scale)}),
        (
            found,
            "occlusionTexture",
            material.occlusion_image,
            {"strength": float(material.occlusion_strength)},
        ),
        (found, "emissiveTexture", material.emissive_image, {}),
    ]
    for place, name, pixels, extra in slots:
        if pixels is not None and pixels.size:
            place[name] = textures.add(pixels, (material.wrap[0], material.wrap[1])) | extra
    strength = float(np.max(material.emissive))
    if strength > 0:
        found["emissiveFactor"] = (np.asarray(material.emissive) / max(strength, 1.0)).tolist()
    if strength > 1:
        found["extensions"] = {STRENGTH: {"emissiveStrength": strength}}
    if material.alpha_mode != "opaque":
        found["alphaMode"] = material.alpha_mode.upper()
    if material.alpha_mode == "mask":
        found["alphaCutoff"] = float(material.alpha_cutoff)
    if material.double_sided:
        found["doubleSided"] = True
    return found
