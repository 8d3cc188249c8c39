"""Materials: Phong and Lambert seen as metallic-roughness surfaces, with their textures."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import Object
from kinetoscope_fbx._textures import Textures
from kinetoscope_spec import Material

__all__ = ["material_of"]

Array = NDArray[Any]

_SLOTS: Final[Mapping[str, str]] = {
    "DiffuseColor": "base_color_image",
    "Diffuse": "base_color_image",
    "NormalMap": "normal_image",
    "EmissiveColor": "emissive_image",
    "Maya|baseColor": "base_color_image",
    "Maya|normalCamera": "normal_image",
    "Maya|emissionColor": "emissive_image",
}


def material_of(held: Object, textures: Textures, told: list[str]) -> Material:
    """Return a material.

    Colours in FBX are linear. A Phong exponent becomes a roughness by `sqrt(2 / (n + 2))` (Walter et al.
    2007, "Microfacet Models for Refraction", section 5.2).

    Args:
        held: the material.
        textures: of its file.
        told: gets what could not be read.
    """
    factor = held.number("DiffuseFactor", 1.0)
    color = [min(max(part * factor, 0.0), 1.0) for part in held.vector("DiffuseColor", (0.8, 0.8, 0.8))]
    opacity = held.number("Opacity", 1.0 - held.number("TransparencyFactor", 0.0))
    bright = held.number("EmissiveFactor", 1.0)
    glow = [max(part * bright, 0.0) for part in held.vector("EmissiveColor", (0.0, 0.0, 0.0))]
    shines = held.node.text("ShadingModel").lower() == "phong"
    exponent = held.number("ShininessExponent", held.number("Shininess", 20.0)) if shines else 0.0
    opacity = opacity if 0.0 < opacity <= 1.0 else 1.0
    return Material(
        held.name or "material",
        base_color=np.array([*color, opacity]),
        roughness=sqrt(2.0 / (max(exponent, 0.0) + 2.0)),
        emissive=np.array(glow),
        alpha_mode="blend" if opacity < 1.0 else "opaque",
        **_images(held, textures, told),
    )


def _images(held: Object, textures: Textures, told: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for texture, name in textures.document.below.get(held.id, ()):
        slot = _SLOTS.get(name)
        if slot is None or texture.kind != "Texture" or slot in found:
            continue
        try:
            image = textures.image(texture)
        except (OSError, ValueError, SyntaxError) as error:
            told.append(f"the texture {texture.name!r} of {held.name!r} was left out: {error}")
            continue
        if image is None:
            told.append(
                f"the texture {texture.name!r} of {held.name!r} lies neither in the file nor beside it"
            )
        else:
            found[slot] = image
    return found
