"""Materials: Phong and Lambert seen as metallic-roughness surfaces, with their textures."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PureWindowsPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import Document, Object
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
_MOST_PIXELS: Final = 1 << 26
_MOST_FILE: Final = 1 << 28


def material_of(document: Document, held: Object, folder: Path, told: list[str]) -> Material:
    """Return a material; textures are read from within the file, or from files in `folder` or below it.

    Colours in FBX are linear. A Phong exponent becomes a roughness by `sqrt(2 / (n + 2))` (Walter et al.
    2007, "Microfacet Models for Refraction", section 5.2).

    Args:
        document: all objects.
        held: the material.
        folder: where the file lies; nothing outside it is opened.
        told: gets what could not be read.
    """
    factor = held.number("DiffuseFactor", 1.0)
    color = np.clip(np.array(held.vector("DiffuseColor", (0.8, 0.8, 0.8))) * factor, 0.0, 1.0)
    opacity = held.number("Opacity", 1.0 - held.number("TransparencyFactor", 0.0))
    glow = np.array(held.vector("EmissiveColor", (0.0, 0.0, 0.0))) * held.number("EmissiveFactor", 1.0)
    shines = held.node.text("ShadingModel").lower() == "phong"
    exponent = held.number("ShininessExponent", held.number("Shininess", 20.0)) if shines else 0.0
    opacity = opacity if 0.0 < opacity <= 1.0 else 1.0
    return Material(
        held.name or "material",
        base_color=np.append(color, opacity),
        roughness=float(np.clip(np.sqrt(2.0 / (max(exponent, 0.0) + 2.0)), 0.0, 1.0)),
        emissive=np.clip(glow, 0.0, None),
        alpha_mode="blend" if opacity < 1.0 else "opaque",
        **_images(document, held, folder, told),
    )


def _images(document: Document, held: Object, folder: Path, told: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for texture, name in document.below.get(held.id, ()):
        slot = _SLOTS.get(name)
        if slot is None or texture.kind != "Texture" or slot in found:
            continue
        video = next(document.children(texture, "Video"), None)
        try:
            image = _decoded(_content(texture, video, folder))
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


def _content(texture: Object, video: Object | None, folder: Path) -> bytes | None:
    for holder in (video, texture):
        if holder is None:
            continue
        node = holder.node.find("Content")
        embedded = _embedded(node.values) if node is not None else b""
        if embedded:
            return embedded
    for holder in (texture, video):
        if holder is None:
            continue
        for field in ("RelativeFilename", "FileName", "Filename"):
            path = _beside(holder.node.text(field), folder)
            if path is not None:
                if path.stat().st_size > _MOST_FILE:
                    raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes")
                return path.read_bytes()
    return None


def _embedded(values: list[Any]) -> bytes:
    """Return the bytes that a binary file holds as they are, and a text file in parts as base64."""
    if values and isinstance(values[0], memoryview):
        return bytes(values[0])
    text = "".join(value for value in values if isinstance(value, str))
    return b64decode(text, validate=True)


def _beside(written: str, folder: Path) -> Path | None:
    """Return the file that a path in the file may mean: as it stands, or its name alone; never outside."""
    if not written or "\x00" in written:
        return None
    parts = PureWindowsPath(written)
    inside = folder.resolve()
    for tried in (Path(*parts.parts) if not parts.is_absolute() and parts.parts else None, Path(parts.name)):
        if tried is None or not parts.name:
            continue
        path = (inside / tried).resolve()
        if path.is_relative_to(inside) and path.is_file():
            return path
    return None


def _decoded(data: bytes | None) -> Array | None:
    if data is None:
        return None
    try:
        from PIL import Image
    except ImportError as error:
        raise ValueError("Pillow is not installed: pip install kinetoscope-fbx[textures]") from error
    with Image.open(BytesIO(data)) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise ValueError(f"an image of {image.width} by {image.height} pixels")
        wide = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        return np.asarray(wide, np.uint8).copy()
