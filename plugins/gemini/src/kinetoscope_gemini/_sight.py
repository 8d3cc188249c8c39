"""What a vision model is shown: frames with a grid over them, and what is to be taken out in red."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Mask, Video

if TYPE_CHECKING:
    from kinetoscope_quadmask.hooks import Grid

__all__ = ["best_frame", "film_size", "frame_labels", "shown_frame", "shown_places", "small"]

Array = NDArray[Any]

MOST_SIDE_PX: Final = 1024
"""Pictures are brought below this: models see them in tiles of 768 px at most."""

JPEG_QUALITY: Final = 85
LINE: Final = (255, 230, 0)
MARKED: Final = (255, 30, 30)
OPACITY: Final = 0.4


def shown_places(count: int, most: int) -> list[int]:
    """Return which frames are shown, from the first to the last at equal distances."""
    if most == 1 or count == 1:
        return [0]
    return sorted({int(i * (count - 1) / (most - 1)) for i in range(most)})


def best_frame(mask: Mask) -> tuple[int, int, int]:
    """Return the frame in which the mask covers most, how many pixels that is, and how many frames there are."""
    best, most, count = 0, 0, 0
    for index, frame in enumerate(mask.frames()):
        covered = int(np.count_nonzero(frame))
        if covered > most:
            best, most = index, covered
        count += 1
    return best, most, count


def shown_frame(video: Video, grid: Grid, index: int, mask: Mask | None = None) -> bytes:
    """Return frame `index` as JPEG with the grid and its numbers over it, and what `mask` covers in red."""
    from PIL import Image, ImageDraw

    picture = small(next(video.frames(index, index + 1))[..., :3])
    if mask is not None:
        inside = small(next(mask.frames(index, index + 1))[..., None])[..., 0] > 127
        mixed = picture[inside] * (1 - OPACITY) + np.array(MARKED) * OPACITY
        picture = picture.copy()
        picture[inside] = np.rint(mixed).astype(np.uint8)
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    rows, cols = grid.edges(image.width, image.height)
    for row, y in enumerate(rows[:-1]):
        draw.line([(0, int(y)), (image.width, int(y))], fill=LINE)
        draw.text((2, int(y) + 1), str(row), fill=LINE)
    for col, x in enumerate(cols[:-1]):
        draw.line([(int(x), 0), (int(x), image.height)], fill=LINE)
        draw.text((int(x) + 2, 1), str(col), fill=LINE)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def small(picture: Array) -> Array:
    """Return a picture `uint8 [H, W, C]` whose longer side is `MOST_SIDE_PX` at most: means of whole blocks."""
    factor = -(-max(picture.shape[:2]) // MOST_SIDE_PX)
    if factor == 1:
        return picture
    high, wide = (max(side // factor, 1) for side in picture.shape[:2])
    cut = picture[: high * factor, : wide * factor]
    if 0 in cut.shape or min(picture.shape[:2]) < factor:
        return picture[::factor, ::factor]
    blocks = cut.reshape(high, factor, wide, factor, -1)
    means: Array = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return means


def film_size(video: Video, most: int = 640) -> tuple[int, int]:
    """Return the size of the film that is sent along: even, its longer side `most` at most."""
    scale = min(1.0, most / max(video.width, video.height))
    return (
        max(2, round(video.width * scale / 2) * 2),
        max(2, round(video.height * scale / 2) * 2),
    )


def frame_labels(places: list[int], count: int) -> Iterator[str]:
    """Yield what each picture is called in the request."""
    for place in places:
        share = place / max(count - 1, 1)
        yield f"Frame {place} of {count} ({share:.0%} of the video), grid drawn over it:"
