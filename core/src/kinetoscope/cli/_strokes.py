"""Lines and figures on a picture, drawn as strokes: a contact sheet needs no more of a font than that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["GLYPH_HEIGHT", "dots", "strokes", "write"]

Picture = NDArray[np.uint8]
Color = Sequence[int]
Line = Sequence[tuple[float, float]]

GLYPH_HEIGHT = 6
_GLYPH_STEP = 6.5

# Each glyph is a few lines on a field 4 wide and 6 high, y down.
_GLYPHS: dict[str, tuple[Line, ...]] = {
    "0": (((0, 1), (1, 0), (3, 0), (4, 1), (4, 5), (3, 6), (1, 6), (0, 5), (0, 1)),),
    "1": (((0.8, 1.2), (2.3, 0), (2.3, 6)),),
    "2": (((0, 1), (1, 0), (3, 0), (4, 1), (4, 2), (0, 6), (4, 6)),),
    "3": (((0, 0), (4, 0), (2, 2.4), (3, 2.4), (4, 3.4), (4, 5), (3, 6), (1, 6), (0, 5)),),
    "4": (((3, 6), (3, 0), (0, 4), (4, 4)),),
    "5": (((4, 0), (0.3, 0), (0, 2.6), (3, 2.4), (4, 3.4), (4, 5), (3, 6), (1, 6), (0, 5)),),
    "6": (((3.6, 0), (1.4, 0.6), (0, 3), (0, 5), (1, 6), (3, 6), (4, 5), (4, 3.6), (3, 2.6), (0.3, 2.8)),),
    "7": (((0, 0), (4, 0), (1.4, 6)),),
    "8": (
        ((1, 2.8), (0, 2), (0, 1), (1, 0), (3, 0), (4, 1), (4, 2), (3, 2.8), (1, 2.8)),
        ((1, 2.8), (0, 3.8), (0, 5), (1, 6), (3, 6), (4, 5), (4, 3.8), (3, 2.8)),
    ),
    "9": (((0.4, 6), (2.6, 5.4), (4, 3), (4, 1), (3, 0), (1, 0), (0, 1), (0, 2.4), (1, 3.4), (3.7, 3.2)),),
    ".": (((1, 6), (1.2, 6)),),
    ":": (((1, 2), (1.2, 2)), ((1, 5.6), (1.2, 5.6))),
    "s": (((3.4, 2.8), (2.6, 2.2), (1, 2.2), (0.4, 3), (3, 5), (2.6, 6), (0.8, 6), (0.2, 5.4)),),
    "°": (((0.4, 0.8), (1.2, 0), (2, 0.8), (1.2, 1.6), (0.4, 0.8)),),
}
_NARROW = {".": 3.0, ":": 3.5, " ": 3.5}


def strokes(picture: Picture, lines: ArrayLike, color: Color, width: float) -> None:
    """Draw `lines [N, 2, 2]` (from and to, x and y in pixels) with round ends and smooth edges."""
    height, across = picture.shape[:2]
    for line in np.asarray(lines, np.float64).reshape(-1, 2, 2):
        reach = 0.5 * width + 1
        x0, y0 = np.maximum(np.floor(line.min(axis=0) - reach), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(line.max(axis=0) + reach), (across, height)).astype(int)
        if x0 >= x1 or y0 >= y1:
            continue
        y, x = np.mgrid[y0:y1, x0:x1] + 0.5
        begin, along = line[0], line[1] - line[0]
        length = max(float(along @ along), 1e-12)
        part = np.clip(((x - begin[0]) * along[0] + (y - begin[1]) * along[1]) / length, 0, 1)
        distance = np.hypot(x - begin[0] - part * along[0], y - begin[1] - part * along[1])
        cover = np.clip(0.5 * width + 0.5 - distance, 0, 1)[..., None]
        window = picture[y0:y1, x0:x1]
        window[:] = np.rint(window + cover * (np.asarray(color) - window)).astype(np.uint8)


def dots(picture: Picture, points: NDArray[np.floating], color: Color) -> None:
    """Set the pixels at `points [N, 2]` (x, y)."""
    x, y = np.floor(points).astype(int).T
    seen = (x >= 0) & (x < picture.shape[1]) & (y >= 0) & (y < picture.shape[0])
    picture[y[seen], x[seen]] = color


def write(picture: Picture, text: str, place: tuple[float, float], size: float, color: Color) -> None:
    """Write digits and the signs `.:s°` with their top left at `place`, digits `size` pixels high."""
    scale, x = size / GLYPH_HEIGHT, place[0]
    for letter in text:
        for line in _GLYPHS.get(letter, ()):
            points = np.asarray(line) * scale + (x, place[1])
            strokes(picture, np.stack([points[:-1], points[1:]], axis=1), color, 0.16 * size)
        x += _NARROW.get(letter, _GLYPH_STEP) * scale
