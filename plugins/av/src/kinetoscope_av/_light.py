"""Pictures of light: what pixels send, in numbers that go on above white."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_av import _images, _radiance
from kinetoscope_av._files import checked
from kinetoscope_spec import FormatError, ProviderUnavailable

__all__ = ["read_light"]

_EXR = b"v/1\x01"
_MOST_CHANNELS = 4
"""Of the largest picture: its library reads all channels of all parts of a file, whichever are wanted."""


def read_light(path: str | Path) -> NDArray[np.float32]:
    """Return a picture as linear light, float32 `[H, W, 3]`, top row first; what it is its first bytes tell.

    Radiance (`.hdr`, `.pic`), OpenEXR, and whatever `read_image` reads, which holds nothing above 1.

    Raises:
        FormatError: no picture, damaged, of more than 33.5 Mpixel, with a number that is not finite, or an
            OpenEXR file whose parts and channels hold more than four times as many numbers.
        ProviderUnavailable: for OpenEXR, without its library.
    """
    path = checked(path)
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(_radiance.MAGIC):
        light = _radiance.read_radiance(path)
    elif head == _EXR:
        light = _read_exr(path)
    else:
        _check_size(path, *_images.size_of(path))
        return _LINEAR[_images.read_image(path)[..., :3]]
    if not np.isfinite(light).all():
        row, column = np.argwhere(~np.isfinite(light).all(axis=-1))[0]
        raise FormatError(
            f"pixel ({column}, {row}) is {light[row, column].tolist()}", path=path, expected="finite numbers"
        )
    return light


def _linear() -> NDArray[np.float32]:
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear()
"""sRGB's levels as light (IEC 61966-2-1)."""


def _check_size(path: Path, width: int, height: int) -> None:
    if width < 1 or height < 1 or width * height > _radiance.MOST_PIXELS:
        raise FormatError(
            f"has {width:,} x {height:,} pixels", path=path, expected=f"1 to {_radiance.MOST_PIXELS:,}"
        )


def _read_exr(path: Path) -> NDArray[np.float32]:
    """Return the first part's R, G and B, or Y three times, in its display window; 0 where it holds nothing."""
    try:
        import OpenEXR
    except ImportError as error:
        raise ProviderUnavailable(
            "reading EXR files needs OpenEXR: pip install 'kinetoscope-av[exr]'"
        ) from error
    try:
        with OpenEXR.File(str(path), header_only=True) as file:
            data, display = (_box(file.header()[name]) for name in ("dataWindow", "displayWindow"))
            _check_parts(path, [part.header for part in file.parts])
        _check_size(path, display[2] - display[0], display[3] - display[1])
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = file.channels()
            planes = [channels.get(name, channels.get("Y")) for name in "RGB"]
            return _placed(path, [None if plane is None else plane.pixels for plane in planes], data, display)
    except (RuntimeError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise FormatError(
            f"can't be decoded: {error}", path=path, expected="a whole OpenEXR picture"
        ) from error


def _check_parts(path: Path, headers: list[dict[str, Any]]) -> None:
    held = 0
    for number, header in enumerate(headers):
        if "deep" in str(header.get("type")):
            raise FormatError(f"part {number} is deep", path=path, expected="one number a pixel and channel")
        left, top, right, bottom = _box(header["dataWindow"])
        _check_size(path, right - left, bottom - top)
        held += (right - left) * (bottom - top) * len(header["channels"])
    most = _MOST_CHANNELS * _radiance.MOST_PIXELS
    if held > most:
        raise FormatError(
            f"holds {held:,} numbers in {len(headers)} parts", path=path, expected=f"{most:,} at most"
        )


def _box(window: Any) -> tuple[int, int, int, int]:
    """Return a window as left, top, right and bottom, the last two not in it."""
    (left, top), (right, bottom) = (map(int, corner) for corner in window)
    return left, top, right + 1, bottom + 1


def _placed(
    path: Path, planes: list[Any], data: tuple[int, int, int, int], display: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    shape = (data[3] - data[1], data[2] - data[0])
    for name, plane in zip("RGB", planes, strict=True):
        if plane is None or plane.dtype.kind != "f" or plane.shape != shape:
            held = "is not there" if plane is None else f"is {plane.dtype} {list(plane.shape)}"
            raise FormatError(
                f"channel {name} {held}", path=path, expected=f"R, G, B or Y, floats {list(shape)}"
            )
    light = np.zeros((display[3] - display[1], display[2] - display[0], 3), np.float32)
    left, top = max(data[0], display[0]), max(data[1], display[1])
    right, bottom = min(data[2], display[2]), min(data[3], display[3])
    if left < right and top < bottom:
        into = np.s_[top - display[1] : bottom - display[1], left - display[0] : right - display[0]]
        of = np.s_[top - data[1] : bottom - data[1], left - data[0] : right - data[0]]
        light[into] = np.stack([plane[of] for plane in planes], axis=-1)
    return light
