"""Colours of a mesh's faces: viser's skinned meshes have one each, so textures become a few colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Material, Mesh

__all__ = ["MOST_COLORS", "Paint", "painted", "to_srgb"]

Array = NDArray[Any]

MOST_COLORS: Final = 5
"""Of one texture. Each is a mesh of its own, whose bones are sent with every pose."""

_ALIKE: Final = 0.05
"""Colours of a texture that differ by less, of 1, are one."""

_ROUNDS: Final = 8
_SIDE: Final = 256
"""Textures are averaged down to about so many texels a side: a face shows more than one."""


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


def _to_linear(encoded: Array) -> Array:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def painted(mesh: Mesh, materials: Sequence[Material]) -> tuple[list[Paint], Array]:
    """Return paints, and for each face `[F]` which one it has; -1 where a material cuts it out."""
    chosen = np.full(len(mesh.faces), -1, np.int64)
    paints: list[Paint] = []
    owner = np.zeros(len(mesh.faces), np.int64) if mesh.face_material is None else mesh.face_material
    for number in np.unique(owner):
        material = materials[int(number)] if number < len(materials) else Material()
        faces = np.flatnonzero(owner == number)
        colors = _face_colors(mesh, material, faces)
        if material.alpha_mode == "mask":
            kept = colors[:, 3] >= material.alpha_cutoff
            faces, colors = faces[kept], colors[kept]
        centres, nearest = _clustered(colors)
        chosen[faces] = len(paints) + nearest
        paints += [_paint(centre, material) for centre in centres]
    return paints, chosen


def _paint(rgba: Array, material: Material) -> Paint:
    red, green, blue = (round(255 * float(part)) for part in rgba[:3])
    opacity = round(float(rgba[3]), 2) if material.alpha_mode == "blend" and rgba[3] < 0.99 else None
    return Paint((red, green, blue), opacity, material.double_sided)


def _face_colors(mesh: Mesh, material: Material, faces: Array) -> Array:
    """Return sRGB and alpha `[F, 4]`, 0 to 1, in the middle of each face."""
    light = np.repeat(np.asarray(material.base_color, np.float64)[None], len(faces), axis=0)
    corners = mesh.faces[faces]
    if mesh.colors is not None:
        light = light * np.asarray(mesh.colors, np.float64)[corners].mean(axis=1)
    if material.base_color_image is not None and mesh.uvs is not None and len(faces):
        at = np.asarray(mesh.uvs, np.float64)[corners].mean(axis=1)
        light = light * _texels(material, at)
    # What glows by itself is seen in its own colour; viser's skinned meshes do not glow.
    light[:, :3] += np.asarray(material.emissive) * (material.emissive_image is None)
    return np.concatenate([to_srgb(light[:, :3]), np.clip(light[:, 3:], 0, 1)], axis=1)


def _texels(material: Material, at: Array) -> Array:
    """Return linear RGBA `[N, 4]` of the base colour's image at `at [N, 2]`, from the top left."""
    image = np.asarray(material.base_color_image)
    step = max(1, round(max(image.shape[:2]) / _SIDE))
    high, wide = (max(size // step, 1) * min(step, size) for size in image.shape[:2])
    rows, cols = high // min(step, image.shape[0]), wide // min(step, image.shape[1])
    small = image[:high, :wide].reshape(rows, high // rows, cols, wide // cols, -1).mean(axis=(1, 3)) / 255
    wrapped = [_wrapped(at[:, axis], material.wrap[axis]) for axis in (0, 1)]
    x = np.minimum((wrapped[0] * cols).astype(np.int64), cols - 1)
    y = np.minimum((wrapped[1] * rows).astype(np.int64), rows - 1)
    held = small[y, x]
    alpha = held[:, 3:] if held.shape[1] == 4 else np.ones((len(held), 1))
    return np.concatenate([_to_linear(held[:, :3]), alpha], axis=1)


def _wrapped(along: Array, how: str) -> Array:
    if how == "clamp":
        return np.clip(along, 0.0, 1.0)
    if how == "mirror":
        turned: Array = 1.0 - np.abs(np.mod(along, 2.0) - 1.0)
        return turned
    repeated: Array = np.mod(along, 1.0)
    return repeated


def _clustered(colors: Array) -> tuple[Array, Array]:
    """Return up to `MOST_COLORS` colours `[K, 4]` and the nearest one of each, `[N]`: Lloyd's k-means.

    It begins with the mean, then with what lies farthest from all so far, until nothing is far.
    """
    if not len(colors):
        return colors, np.zeros(0, np.int64)
    centres = colors.mean(axis=0)[None]
    far = np.linalg.norm(colors - centres[0], axis=1)
    while len(centres) < MOST_COLORS and far.max() > _ALIKE:
        centres = np.concatenate([centres, colors[np.argmax(far)][None]])
        far = np.minimum(far, np.linalg.norm(colors - centres[-1], axis=1))
    nearest = np.zeros(len(colors), np.int64)
    for _ in range(_ROUNDS if len(centres) > 1 else 0):
        nearest = np.argmin(((colors[:, None] - centres[None]) ** 2).sum(axis=-1), axis=1)
        used, nearest = np.unique(nearest, return_inverse=True)
        centres = np.stack([colors[nearest == i].mean(axis=0) for i in range(len(used))])
    return centres, nearest
