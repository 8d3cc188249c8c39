"""Textures, decoded where the file is read: in the process that may die of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_usd._identifiers import Namer
from kinetoscope_usd._refused import Refused
from kinetoscope_usd._stage import inside

__all__ = ["Images"]

PIXELS = 4_000_000
PIXELS_PER_BYTE = 400
"""An image of one colour is stored in next to nothing: so many pixels, and more for each byte of it."""

Image = NDArray[np.uint8]


@attrs.define
class Images:
    """Reads each image of a stage once; `namer` names its materials."""

    folder: Path
    warnings: list[str]
    namer: Namer = attrs.field(factory=Namer)
    _held: dict[str, Image | None] = attrs.field(factory=dict)

    def read(self, attribute: Any) -> Image | None:
        """Return the image that an asset attribute names, `[H, W, 3|4]` top row first, or None."""
        asset = attribute.Get() if attribute else None
        if asset is None or not asset.path:
            return None
        place = asset.resolvedPath or asset.path
        if place not in self._held:
            self._held[place] = self._decoded(attribute, asset)
        return self._held[place]

    def _decoded(self, attribute: Any, asset: Any) -> Image | None:
        from pxr import Ar

        layer = next(
            (spec.layer for spec in attribute.GetPropertyStack() if spec.HasDefaultValue()),
            attribute.GetStage().GetRootLayer(),
        )
        try:
            inside(self.folder, layer, asset.path)
        except Refused as error:
            self.warnings.append(f"a texture is left out: {error}")
            return None
        opened = (
            Ar.GetResolver().OpenAsset(Ar.ResolvedPath(asset.resolvedPath)) if asset.resolvedPath else None
        )
        if opened is None:
            self.warnings.append(f"the texture {asset.path[:200]!r} is not there")
            return None
        data = bytes(opened.GetBuffer())
        try:
            return decoded(data)
        except (OSError, ValueError, SyntaxError, EOFError, TypeError, OverflowError) as error:
            self.warnings.append(f"the texture {asset.path[:200]!r} can't be read: {str(error)[:200]}")
            return None


def decoded(data: bytes) -> Image:
    """Return the pixels of a PNG, JPEG or whatever else Pillow knows.

    Raises:
        ValueError, OSError: it can't.
    """
    from PIL import Image as Pillow

    # Ours is bounded by the file's size; Pillow's holds for all who use it here, and stays as it was.
    before, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None
    try:
        with Pillow.open(io.BytesIO(data)) as image:
            width, height = image.size
            most = PIXELS + PIXELS_PER_BYTE * len(data)
            if width * height > most:
                raise ValueError(
                    f"{width} x {height} pixels in {len(data):,} bytes, expected at most {most:,}"
                )
            clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            pixels: Image = np.asarray(image.convert("RGBA" if clear else "RGB"), np.uint8)
    finally:
        Pillow.MAX_IMAGE_PIXELS = before
    return pixels
