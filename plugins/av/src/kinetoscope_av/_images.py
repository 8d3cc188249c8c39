"""Pictures in files, by Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kinetoscope_av._files import checked, replacing
from kinetoscope_spec import ConfigError, FormatError, ValidationError

__all__ = ["read_image", "size_of", "write_image"]

_SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def read_image(path: str | Path) -> np.ndarray:
    """Return a picture, `uint8 [H, W, 3|4]` sRGB; four channels where the file has transparency.

    Raises:
        FormatError: no picture, damaged, or larger than Pillow's limit against bombs (179 Mpixel).
    """
    with _opened(checked(path)) as image:
        upright = ImageOps.exif_transpose(_eight_bits(image))
        alpha = "A" in upright.getbands() or "transparency" in upright.info
        return np.array(upright.convert("RGBA" if alpha else "RGB"))


def size_of(path: str | Path) -> tuple[int, int]:
    """Return width and height of a picture as it is stored, of which no more than the head is decoded.

    Raises:
        FormatError: as of `read_image`.
    """
    with _opened(checked(path)) as image:
        return image.size


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield the picture, and say what is wrong with it where that is opened or decoded."""
    try:
        with Image.open(path) as image:
            yield image
    except UnidentifiedImageError as error:
        raise FormatError("is no picture", path=path, expected="PNG, JPEG or another picture") from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise FormatError(f"can't be decoded: {error}", path=path, expected="a whole picture") from error


def _eight_bits(image: Any) -> Any:
    """Return 16-bit grey as 8-bit grey: Pillow's own conversion clips it instead of scaling."""
    if not image.mode.startswith("I"):
        return image
    grey = np.clip(np.asarray(image, dtype=np.int64), 0, 65535)
    return Image.fromarray(((grey + 128) // 257).astype(np.uint8))


def write_image(path: str | Path, image: Any, *, quality: int = 92) -> None:
    """Write `uint8 [H, W, 3|4]` as PNG (alpha kept) or JPEG; the file is there whole or not at all.

    Raises:
        ConfigError: another suffix, a quality outside 1 to 100, alpha in a JPEG.
        ValidationError: the array is no picture.
    """
    kind = _SUFFIXES.get(Path(path).suffix.lower())
    if kind is None:
        raise ConfigError(f"{path}: expected a name that ends in {', '.join(_SUFFIXES)}")
    if not 1 <= quality <= 100:
        raise ConfigError(f"quality is {quality}, expected 1 to 100")
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in (3, 4) or 0 in array.shape:
        raise ValidationError(f"image is {array.dtype} {list(array.shape)}, expected uint8 [H, W, 3|4]")
    if kind == "JPEG" and array.shape[2] == 4:
        raise ConfigError(f"{path}: JPEG keeps no alpha, expected [H, W, 3] or a name that ends in .png")
    options: dict[str, Any] = (
        {"quality": quality, "subsampling": 0} if kind == "JPEG" else {"compress_level": 6}
    )
    with replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(array)).save(temporary, kind, **options)
