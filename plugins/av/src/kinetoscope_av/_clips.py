"""Small films and sounds that the contract of media is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import attrs
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from kinetoscope_spec import Audio

__all__ = ["Clip", "FilmKind", "clips", "decibels", "grown_bytes", "pictures", "tone"]

RATES = (Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60), Fraction(25, 2))


@attrs.frozen
class FilmKind:
    """What one kind of film can hold.

    Attributes:
        suffix: of its file's name.
        least_db: how like a smooth picture must come back at quality `high`: peak signal to noise.
        even: whether odd sizes grow by a pixel.
        rates: frames per second that it keeps.
        sound_rates: samples per second that it keeps; none where it is silent.
        keys: of metadata that it keeps.
    """

    suffix: str
    least_db: float = 34.0
    even: bool = False
    rates: tuple[Fraction, ...] = RATES
    sound_rates: tuple[int, ...] = (48000,)
    keys: tuple[str, ...] = ("title", "artist", "comment")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in the file of pictures of this size."""
        return (width + width % 2, height + height % 2) if self.even else (width, height)


@attrs.frozen
class Clip:
    """Pictures that differ, smooth ones, with a hard cut every seventh where there are many."""

    count: int
    width: int
    height: int
    rate: Fraction

    def frame(self, i: int) -> NDArray[np.uint8]:
        """Return picture `i`, `uint8 [H, W, 3]`."""
        y, x = np.mgrid[: self.height, : self.width].astype(np.float64)
        waves = [np.sin(x / 14 + i / 3), np.sin(y / 11 - i / 4), np.sin((x + y) / 19 + i / 2)]
        return np.asarray(110 + 30 * (i // 7 % 3) + 70 * np.stack(waves, 2), np.uint8)

    def frames(self) -> list[NDArray[np.uint8]]:
        """Return all of them."""
        return [self.frame(i) for i in range(self.count)]


def clips(
    rates: tuple[Fraction, ...], *, least: int = 1, most: int = 0, pixels: tuple[int, int] = (2, 40)
) -> st.SearchStrategy[Clip]:
    """Draw clips of `least` to `most` frames (a few more without it) and `pixels` on a side."""
    side = st.integers(*pixels)
    return st.builds(Clip, st.integers(least, most or least + 5), side, side, st.sampled_from(rates))


@st.composite
def pictures(draw: st.DrawFn) -> NDArray[np.uint8]:
    """Draw `uint8 [H, W, 3|4]` from 1 x 1 on; transparent pixels have colours too."""
    shape = draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.sampled_from((3, 4)))
    image = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, shape, np.uint8)
    if shape[2] == 4 and draw(st.booleans()):
        image[: 1 + shape[0] // 2, :, 3] = 0
    return image


def tone(seconds: float, rate: int, channels: int) -> Audio:
    """Return a rising tone, another one in each channel: shifted against itself it is unlike."""
    t = np.arange(round(seconds * rate)) / rate
    waves = [0.4 * np.sin(2 * np.pi * (pitch * t + 150 * t * t)) for pitch in (300, 500)[:channels]]
    return Audio(np.stack(waves, 1), rate)


def decibels(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the peak signal to noise ratio of two pictures."""
    off = float(np.mean((a.astype(np.float64) - b) ** 2))
    return float(10 * np.log10(255**2 / max(off, 1e-6)))


@contextmanager
def grown_bytes() -> Iterator[Callable[[], int]]:
    """Give what tells by how many bytes the process has grown at most since; 0 where that is not known.

    Native libraries are counted too, which Python's own counting leaves out. Linux alone can begin
    to count anew.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        yield lambda: 0
        return
    before = _status("VmRSS")
    yield lambda: _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
