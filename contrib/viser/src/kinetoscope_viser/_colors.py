"""Colours of a mesh's faces where each has its material's alone: viser's skinned meshes have one each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Material, Mesh

__all__ = ["Paint", "painted", "to_srgb"]

Array = NDArray[Any]


@attrs.frozen
class Paint:
    """How faces look: sRGB 0 to 255, opacity (None: opaque), and whether they are seen from behind."""

    color: tuple[int, int, int]
    opacity: float | None = None
    double_sided: bool = False


def to_srgb(linear: Array) -> Array:
    """Return sRGB of linear light, both 0 to 1 (IEC 61966-2-1)."""
    light = np.clip(linear, 0.0, 1.0)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def painted(mesh: Mesh, materials: Sequence[Material]) -> tuple[list[Paint], Array]:
    """Return paints, and for each face `[F]` which one it has; -1 where a material cuts it out."""
    chosen = np.full(len(mesh.faces), -1, np.int64)
    paints: list[Paint] = []
    owner = np.zeros(len(mesh.faces), np.int64) if mesh.face_material is None else mesh.face_material
    for number in np.unique(owner):
        material = materials[int(number)] if number < len(materials) else Material()
        if material.alpha_mode == "mask" and material.base_color[3] < material.alpha_cutoff:
            continue
        chosen[owner == number] = len(paints)
        paints.append(_paint(material))
    return paints, chosen


def _paint(material: Material) -> Paint:
    # What glows by itself is seen in its own colour; viser's skinned meshes do not glow.
    light = np.asarray(material.base_color, np.float64)[:3] + material.emissive
    red, green, blue = (round(255 * float(part)) for part in to_srgb(light))
    alpha = float(material.base_color[3])
    opacity = round(alpha, 2) if material.alpha_mode == "blend" and alpha < 0.99 else None
    return Paint((red, green, blue), opacity, material.double_sided)
