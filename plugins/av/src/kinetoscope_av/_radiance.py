"""Pictures of light in Radiance's format (`.hdr`, `.pic`): Ward, "Real Pixels", Graphics Gems II (1991)."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_av._files import checked
from kinetoscope_spec import FormatError

__all__ = ["MAGIC", "MOST_PIXELS", "read_radiance"]

MAGIC = b"#?"
MOST_PIXELS = 8192 * 4096
"""Of a picture of light: 400 MB of float32."""

_HEADER_BYTES = 1 << 16
_RESOLUTION = re.compile(rb"([+-])([XY]) +(\d{1,9}) +([+-])([XY]) +(\d{1,9})")
_SHORTEST, _LONGEST = 8, 0x7FFF
"""Pixels in a line whose four parts may be packed one by one."""
_EXPECTED = "a Radiance picture"


@attrs.frozen
class _Header:
    """What stands before the pixels.

    Attributes:
        lines, length: of the file's lines of pixels, and pixels in each.
        upright: whether lines are columns of the picture, from one side to the other.
        turns: whether what lines follow, and what runs along them, goes down or right: else the other way.
        gain: `[3]`, by which pixels were multiplied.
        end: bytes.
    """

    lines: int
    length: int
    upright: bool
    turns: tuple[bool, bool]
    gain: NDArray[np.float64]
    end: int


def read_radiance(path: str | Path) -> NDArray[np.float32]:
    """Return linear light `[H, W, 3]`, top row first, as it was before the exposures that the file tells.

    A channel of mantissa m and exponent e is m 2^(e - 136), as most readers have it; Ward's adds half a step.

    Raises:
        FormatError: it is no such picture, of more than `MOST_PIXELS`, in CIE XYZ, cut off or damaged.
    """
    path = checked(path)
    if path.stat().st_size > 8 * MOST_PIXELS:
        raise FormatError("is larger than a picture may be", path=path, expected=f"{MOST_PIXELS:,} pixels")
    data = path.read_bytes()
    header = _header(path, data)
    packed = _unpacked(path, data, header)
    light = np.empty((*packed.shape[:2], 3), np.float32)
    with np.errstate(all="ignore"):  # exposures without measure end in numbers that are not finite
        # Line by line: a large picture is in memory as it was packed and as it is, and in no state between.
        for line, held in zip(light, packed, strict=True):
            scale = np.where(held[:, 3:] > 0, held[:, 3:].astype(np.int16) - 136, np.int16(-1000))
            line[:] = np.ldexp(held[:, :3].astype(np.float32), scale) / header.gain
    for axis, forward in enumerate(header.turns):
        light = light if forward else np.flip(light, axis)
    return np.ascontiguousarray(light.transpose(1, 0, 2) if header.upright else light)


def _header(path: Path, data: bytes) -> _Header:
    end = data.find(b"\n\n", 0, _HEADER_BYTES)
    stop = data.find(b"\n", end + 2, end + 100)
    if not data.startswith(MAGIC) or end < 0 or stop < 0:
        raise FormatError("has no header", path=path, expected=_EXPECTED)
    gain = np.ones(3)
    for number, line in enumerate(data[:end].split(b"\n"), 1):
        key, equals, value = line.partition(b"=")
        key = key.strip()
        if equals and key == b"FORMAT" and value.strip() != b"32-bit_rle_rgbe":
            shown = value.strip().decode("ascii", "replace")[:40]
            raise FormatError(f"is in {shown!r}", path=path, line=number, expected="32-bit_rle_rgbe")
        if equals and key in (b"EXPOSURE", b"COLORCORR"):
            with np.errstate(all="ignore"):
                gain *= _numbers(path, number, value, 1 if key == b"EXPOSURE" else 3)
    held = _RESOLUTION.fullmatch(data[end + 2 : stop].strip())
    number = data.count(b"\n", 0, end) + 3
    if held is None or held[2] == held[5]:
        raise FormatError("tells no size", path=path, line=number, expected="-Y height +X width")
    lines, length = int(held[3]), int(held[6])
    if not 0 < lines * length <= MOST_PIXELS:
        raise FormatError(
            f"has {lines:,} x {length:,} pixels", path=path, line=number, expected=f"1 to {MOST_PIXELS:,}"
        )
    forward = tuple(
        (sign == b"+") == (axis == b"X") for sign, axis in ((held[1], held[2]), (held[4], held[5]))
    )
    return _Header(lines, length, held[2] == b"X", (forward[0], forward[1]), gain, stop + 1)


def _numbers(path: Path, line: int, text: bytes, count: int) -> NDArray[np.float64]:
    try:
        found = np.array([float(word) for word in text.split()])
    except ValueError:
        found = np.zeros(0)
    if len(found) != count or not (np.isfinite(found).all() and (found > 0).all()):
        shown = text.strip().decode("ascii", "replace")[:40]
        raise FormatError(
            f"is multiplied by {shown!r}", path=path, line=line, expected=f"{count} numbers above 0"
        )
    return found


def _unpacked(path: Path, data: bytes, header: _Header) -> NDArray[np.uint8]:
    """Return mantissas and exponents, `[lines, length, 4]`."""
    # A line takes at least its head, and so less than this is not asked for memory in vain.
    if len(data) - header.end < 4 * header.lines:
        raise _cut_off(path, len(data))
    out = np.empty((header.lines, header.length, 4), np.uint8)
    at = header.end
    for line in out:
        start = data[at : at + 4]
        by_parts = _SHORTEST <= header.length <= _LONGEST and start[:2] == b"\2\2" and start[2:3] < b"\x80"
        if by_parts and int.from_bytes(start[2:], "big") != header.length:
            raise FormatError(
                "begins a line of another length", path=path, offset=at, expected=f"{header.length} pixels"
            )
        at = _by_parts(path, data, at + 4, line) if by_parts else _by_pixels(path, data, at, line)
    return out


def _by_parts(path: Path, data: bytes, at: int, line: NDArray[np.uint8]) -> int:
    """Fill a line whose mantissas and exponents are packed one after the other; return where it ends."""
    length = len(line)
    try:
        for part in range(4):
            held = bytearray()
            while len(held) < length:
                count = data[at]
                if count > 128:
                    held += data[at + 1 : at + 2] * (count - 128)
                    at += 2
                else:
                    held += data[at + 1 : at + 1 + count]
                    at += 1 + count
                if count == 0 or len(held) > length:
                    raise FormatError(
                        "is damaged", path=path, offset=at, expected=f"a run in {length} pixels"
                    )
            line[:, part] = held
    except IndexError:
        raise _cut_off(path, len(data)) from None
    return at


def _by_pixels(path: Path, data: bytes, at: int, line: NDArray[np.uint8]) -> int:
    """Fill a line of whole pixels, in which (1, 1, 1, n) repeats the one before n times; return where it ends."""
    plain = np.frombuffer(data, np.uint8, min(len(line), (len(data) - at) // 4) * 4, at).reshape(-1, 4)
    if len(plain) == len(line) and not (plain[:, :3] == 1).all(axis=1).any():
        line[:] = plain
        return at + 4 * len(line)
    done = shift = 0
    while done < len(line):
        pixel = data[at : at + 4]
        if len(pixel) < 4:
            raise _cut_off(path, len(data))
        if pixel[:3] == b"\1\1\1":
            count = pixel[3] << shift
            shift += 8
            if done == 0 or shift > 32 or done + count > len(line):
                raise FormatError("is damaged", path=path, offset=at, expected="a run within a line")
            line[done : done + count] = line[done - 1]
            done += count
        else:
            line[done] = tuple(pixel)
            done, shift = done + 1, 0
        at += 4
    return at


def _cut_off(path: Path, size: int) -> FormatError:
    return FormatError("ends before its pixels do", path=path, offset=size, expected="a whole picture")
