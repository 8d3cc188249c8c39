"""Takes what a mask covers out of a video: from other frames, else from what surrounds it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, repeat, zip_longest
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Cancelled, Mask, Quadmask, ValidationError, Video
from kinetoscope_spec.protocols import Progress

__all__ = ["AcmeThingInpainter"]

Picture = NDArray[np.uint8]
Covered = NDArray[np.bool_]
Pair = tuple[Picture, Covered]

REACH = 30
"""How many frames before and after one are looked at: what is held in memory at once."""


class AcmeThingInpainter:
    """Fills each covered pixel from the nearest frame in which it is not covered.

    That suits a still camera. There is no chance in it, so the seed changes nothing.
    """

    def inpaint(
        self,
        video: Video,
        mask: Mask,
        *,
        prompt: str | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Video:
        """Return the video without what `mask` covers; frames are made as they are read.

        A `Mask` covers where it is above 0, a `Quadmask` where it is below 255.

        Raises:
            ValidationError: the mask has another size or length.
        """
        if (mask.width, mask.height) != (video.width, video.height):
            raise ValidationError(
                f"the mask is {mask.width} x {mask.height} pixels, expected {video.width} x {video.height}, "
                "the size of the video"
            )
        if None not in (mask.frame_count, video.frame_count) and mask.frame_count != video.frame_count:
            raise ValidationError(
                f"the mask has {mask.frame_count} frames, expected {video.frame_count}, as many as the video"
            )
        return attrs.evolve(video, source=_Filled(video, mask, progress))


@attrs.frozen(eq=False)
class _Filled:
    """The source of the frames that are returned; each reading starts afresh."""

    video: Video
    mask: Mask
    progress: Progress | None

    def __call__(self, start: int, stop: int | None) -> Iterator[Picture]:
        first = max(0, start - REACH)
        last = None if stop is None else stop + REACH
        window: deque[Pair | None] = deque(maxlen=2 * REACH + 1)
        # Nothing follows the last frame: it is in the middle when as much nothing has been read.
        pairs = chain(self._pairs(first, last), repeat(None, REACH))
        for now, pair in enumerate(pairs, first - REACH):
            window.append(pair)
            if now < start or (stop is not None and now >= stop):
                continue
            yield _fill(list(window), len(window) - 1 - REACH)
            self._tell(now + 1)

    def _pairs(self, first: int, last: int | None) -> Iterator[Pair]:
        frames, masks = self.video.frames(first, last), self.mask.frames(first, last)
        for i, (frame, mask) in enumerate(zip_longest(frames, masks), first):
            if frame is None or mask is None:
                ended = "video" if frame is None else "mask"
                raise ValidationError(
                    f"the {ended} ends after {i} frames, the other goes on, expected as many"
                )
            yield frame, mask < 255 if isinstance(self.mask, Quadmask) else mask > 0

    def _tell(self, done: int) -> None:
        total = max(done, self.video.frame_count or 0)
        if self.progress is not None and self.progress(done, total, "inpainting") is False:
            raise Cancelled(f"stopped after {done} frames")


def _fill(window: list[Pair | None], middle: int) -> Picture:
    """Return the frame at `middle`, filled from the others, the nearest first."""
    held = window[middle]
    assert held is not None  # the padding stands after the middle
    made, missing = held[0].copy(), held[1].copy()
    for away in range(1, REACH + 1):
        for place in (middle - away, middle + away):
            other = window[place] if 0 <= place < len(window) else None
            if other is not None and missing.any():
                seen = missing & ~other[1]
                made[seen] = other[0][seen]
                missing &= ~seen
    return _grow(made, missing) if missing.any() else made


def _grow(picture: Picture, missing: Covered) -> Picture:
    """Fill what is missing from its edge inwards, each pixel with the mean of its known neighbours."""
    if missing.all():
        picture[:] = 128
        return picture
    values = np.pad(picture.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    known = np.pad(~missing, 1)
    while not known[1:-1, 1:-1].all():
        weighed: NDArray[Any] = values * known[..., None]
        total, count = _neighbours(weighed), _neighbours(known.astype(np.float64))
        edge = (count > 0) & ~known[1:-1, 1:-1]
        values[1:-1, 1:-1][edge] = total[edge] / count[edge][:, None]
        known[1:-1, 1:-1] |= edge
    filled: Picture = np.rint(values[1:-1, 1:-1]).astype(np.uint8)
    return filled


def _neighbours(padded: NDArray[Any]) -> NDArray[Any]:
    """Return the sum of the four neighbours of every pixel inside the padding."""
    total: NDArray[Any] = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return total
