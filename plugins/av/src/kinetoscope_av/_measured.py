"""Small pictures of light, and their files in Radiance's format, that the contract of media is tried on.

None of it knows how such files are read.
"""

from __future__ import annotations

import attrs
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

__all__ = ["Measured", "lights"]

_SCANS = [f"{a}{x} {b}{y}" for a in "+-" for b in "+-" for x, y in ("XY", "YX")]
"""The ways in which a picture may have been scanned: lines one after the other, then along a line."""


@attrs.frozen(eq=False)
class Measured:
    """Light as it was scanned.

    Attributes:
        pixels: uint8 `[lines, length, 4]`: mantissas of red, green and blue, and their exponent.
        scan: in which way, such as `-Y +X`, from the top down and from left to right.
    """

    pixels: NDArray[np.uint8]
    scan: str = "-Y +X"

    @classmethod
    def plain(cls, length: int, lines: int) -> Measured:
        """Return light that rises along its lines, scanned from the top."""
        pixels = np.full((lines, length, 4), 200, np.uint8)
        pixels[..., 3] = 120 + np.arange(length)
        return cls(pixels)

    def radiance(self) -> bytes:
        """Return the file, pixel by pixel."""
        return self._head() + self.pixels.tobytes()

    def packed(self) -> bytes:
        """Return the file with its lines packed part by part, each in one run, or in two where it is long."""
        length = self.pixels.shape[1]
        lines = bytearray()
        for line in self.pixels:
            lines += bytes((2, 2, length >> 8, length & 255))
            for part in line.T:
                for value, count in _runs(part):
                    lines += bytes((128 + count, value))
        return self._head() + bytes(lines)

    def _head(self) -> bytes:
        lines, length, _ = self.pixels.shape
        first, second = self.scan.split()
        size = f"{first} {lines} {second} {length}"
        return f"#?RADIANCE\n# measured\nFORMAT=32-bit_rle_rgbe\n\n{size}\n".encode()

    def upright(self) -> NDArray[np.float64]:
        """Return the light `[H, W, 3]`, top row first."""
        light = self.pixels[..., :3] * 2.0 ** (self.pixels[..., 3:].astype(float) - 136)
        first, second = self.scan.split()
        for axis, told in enumerate((first, second)):
            if told in ("-X", "+Y"):  # from right to left, from the bottom up
                light = np.flip(light, axis)
        return light.swapaxes(0, 1) if "X" in first else light


def _runs(values: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return each value and how often it comes, at most 127 times."""
    found: list[tuple[int, int]] = []
    for value in values.tolist():
        if found and found[-1][0] == value and found[-1][1] < 127:
            found[-1] = value, found[-1][1] + 1
        else:
            found.append((value, 1))
    return found


@st.composite
def lights(draw: st.DrawFn) -> Measured:
    """Draw a small picture in any way of scanning, from a candle's light to the sun's."""
    lines, length = draw(st.integers(1, 9)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pixels = rng.integers(0, 256, (lines, length, 4), np.uint8)
    pixels[..., 0] |= 128  # as of a number that is normalised: no such pixel is a mark of packing
    pixels[..., 3] = rng.integers(120, 150, (lines, length))
    return Measured(pixels, draw(st.sampled_from(_SCANS)))
