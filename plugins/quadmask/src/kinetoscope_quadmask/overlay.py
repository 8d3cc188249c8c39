"""A quadmask laid over its video, to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask.streams import check_fit
from kinetoscope_spec import Quadmask, Video

__all__ = ["COLOURS", "overlaid", "overlay_video"]

COLOURS: Final = {
    values.REMOVE: (230, 40, 40),
    values.OVERLAP: (200, 60, 220),
    values.AFFECTED: (40, 110, 240),
}
"""Red is removed, blue changes, violet both."""

OPACITY: Final = 0.45


def overlaid(picture: Array, mask: Array) -> Array:
    """Return a picture `uint8 [H, W, 3|4]` with a quadmask frame `uint8 [H, W]` over it."""
    shown = np.array(picture)
    for value, colour in COLOURS.items():
        inside = mask == value
        mixed = shown[inside, :3] * (1 - OPACITY) + np.array(colour) * OPACITY
        shown[inside, :3] = np.rint(mixed).astype(np.uint8)
    return shown


def overlay_video(video: Video, mask: Quadmask) -> Video:
    """Return the video with the mask over it.

    Raises:
        ValidationError: the mask has another size or length.
    """
    check_fit(mask, video, "quadmask")
    return attrs.evolve(video, source=_Overlaid(video, mask))


@attrs.frozen(eq=False)
class _Overlaid:
    video: Video
    mask: Quadmask

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        for picture, mask in zip(self.video.frames(start, stop), self.mask.frames(start, stop), strict=False):
            yield overlaid(picture, mask)
