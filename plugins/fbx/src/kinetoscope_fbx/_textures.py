"""Textures: pictures within the file, or beside it and below its folder; never outside."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from pathlib import Path, PureWindowsPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import Document, Id, Object

__all__ = ["Textures"]

Array = NDArray[Any]

_FORMATS: Final = ("PNG", "JPEG", "TGA", "BMP", "TIFF", "GIF", "WEBP", "DDS")
"""What applications embed. Others are not tried: Pillow would run a PostScript interpreter for some."""

_MOST_FILE: Final = 1 << 28
_IMAGE_BYTES: Final = 256 << 20
_IMAGE_BYTES_PER_BYTE: Final = 256
"""What all pictures of a file may take of memory: so much, and so much for each byte of it."""


class Textures:
    """Decodes the textures of a file, each once, as long as memory for them lasts.

    Args:
        document: all objects.
        folder: where the file lies; nothing outside it is opened.
        size: of the file, bytes.
    """

    def __init__(self, document: Document, folder: Path, size: int) -> None:
        self.document = document
        self.folder = folder
        self.left = _IMAGE_BYTES + _IMAGE_BYTES_PER_BYTE * size
        self._known: dict[Id, Array | None] = {}

    def image(self, texture: Object) -> Array | None:
        """Return a texture's pixels `uint8 [H, W, 3 | 4]`; None if it lies neither in the file nor beside it.

        Raises:
            OSError, ValueError, SyntaxError: it can't be read or decoded, or is too large.
        """
        if texture.id not in self._known:
            video = next(self.document.children(texture, "Video"), None)
            data = _content(texture, video, self.folder)
            self._known[texture.id] = None if data is None else self._decoded(data)
        return self._known[texture.id]

    def _decoded(self, data: bytes) -> Array:
        try:
            from PIL import Image
        except ImportError as error:
            raise ValueError("Pillow is not installed: pip install kinetoscope-fbx[textures]") from error
        try:
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                self.left -= 4 * image.width * image.height
                if self.left < 0:
                    raise ValueError(
                        f"{image.width} by {image.height} pixels are more than a file of that size may ask for"
                    )
                clear = "A" in image.getbands() or "transparency" in image.info
                return np.asarray(image.convert("RGBA" if clear else "RGB"), np.uint8).copy()
        # Pillow's own limits of 90 and 180 million pixels are a warning, which may be an error here, and an error.
        except (EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ValueError(str(error)) from error


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
