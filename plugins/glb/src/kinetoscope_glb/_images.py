"""PNG, JPEG and WebP images, decoded by Pillow within bounds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb._budget import Budget, Warnings
from kinetoscope_glb._buffers import Buffers
from kinetoscope_glb._json import Item
from kinetoscope_glb._uri import Files, Missing

if TYPE_CHECKING:
    from PIL.Image import Image

FEW_BYTES = 256 * 1024**2
"""All images of a file may take so much memory: four plain ones of 4,096 pixels a side."""

BYTES_PER_BYTE = 256
"""They may take so much more for each byte of the file: ten times what a JPEG grows by."""

Pixels = NDArray[np.uint8]


class Images:
    """Decodes the images of a document once each, when they are first asked for.

    One that can't be decoded is left out with a warning: a character without a texture is still one.
    """

    def __init__(
        self, document: Item, buffers: Buffers, files: Files, budget: Budget, warnings: Warnings
    ) -> None:
        self._items = document.items("images")
        self._buffers = buffers
        self._files = files
        self._budget = budget
        self._warnings = warnings
        self._taken = 0
        self._decoded: dict[object, Pixels | None] = {}

    def __len__(self) -> int:
        return len(self._items)

    def pixels(self, index: int) -> Pixels | None:
        """Return image `index`, uint8 `[H, W, 3|4]`, or None if it can't be decoded."""
        item = self._items[index]
        view = item.index("bufferView", len(self._buffers), "buffer views")
        key = view if view is not None else item.text("uri")
        if key not in self._decoded:
            self._decoded[key] = self._pixels(item, view)
        return self._decoded[key]

    def _pixels(self, item: Item, view: int | None) -> Pixels | None:
        try:
            if view is None:
                data = self._files.load(item.text("uri"), item.place("uri"))
            else:
                data = self._buffers.view(view)[0].tobytes()
            found = decode(data, FEW_BYTES + BYTES_PER_BYTE * self._budget.size - self._taken)
            self._taken += found.nbytes
            return found
        except Missing as error:
            reason = f"can't be read: {error}"
        except _UnusableImage as error:
            reason = str(error)
        self._warnings.add("images", f"{item.where} is left out: it {reason}")
        return None


class _UnusableImage(Exception):
    """Why an image is left out."""


def decode(data: bytes, most: int) -> Pixels:
    """Return the image in `data` as uint8 `[H, W, 3]`, or `[H, W, 4]` where it has an alpha channel.

    Raises:
        _UnusableImage: it can't be decoded, or would take more than `most` bytes.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            if 4 * image.width * image.height > most:
                raise _UnusableImage(
                    f"has {image.width:,} by {image.height:,} pixels in {len(data):,} bytes: more than the "
                    "images of a file of this size may take"
                )
            return _eight_bits(image)
    except UnidentifiedImageError:
        raise _UnusableImage("is no PNG, JPEG or WebP") from None
    # Pillow raises errors of many kinds, SyntaxError among them, for damaged files. Its own limits of
    # 90 and 180 million pixels are a warning, which may be an error here, and an error.
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise _UnusableImage(f"is damaged: {str(error)[:100]}") from None


def _eight_bits(image: Image) -> Pixels:
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel, grey
        grey = np.asarray(image, np.float64)
        grey = grey / (257.0 if image.mode.startswith("I") else 1.0)
        return np.repeat(np.clip(np.round(grey), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    wanted = "RGBA" if alpha else "RGB"
    return np.asarray(image if image.mode == wanted else image.convert(wanted))


def encode(pixels: Pixels) -> bytes:
    """Return `pixels` as the bytes of a PNG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()
