"""What a scene looks like when nothing passes, seen with the camera of any of its frames, at a small size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate import _camera
from kinetoscope_spec import Mask, ValidationError, Video

__all__ = ["Backdrop", "looked_at", "pictures"]

Array = NDArray[Any]

SMALL = 256
"""Pixels along the longer side of the pictures in which changes are looked for."""

VIEWS = 24
"""Frames, evenly spaced over the film, that the background is told from, at least where there are as many."""

FEWEST = 3
"""Views that have to show a pixel."""


@attrs.frozen(eq=False)
class View:
    """A frame at the small size: `float32 [h, w, 3]` levels, where the object is, and its place in the background."""

    picture: Array
    hidden: Array
    place: Array


def pictures(video: Video, mask: Mask) -> Iterator[tuple[Array, Array]]:
    """Yield each frame `uint8 [h, w, 3]` and where the object is, bool `[h, w]`, no larger than `SMALL`.

    Raises:
        ValidationError: there are more frames of one than of the other.
    """
    scale = min(1.0, SMALL / max(video.width, video.height))
    size = max(1, round(video.width * scale)), max(1, round(video.height * scale))
    number = 0
    frames, masks = video.frames(), mask.frames()
    for number, (frame, covered) in enumerate(zip_longest(frames, masks)):
        if frame is None or covered is None:
            rest = 1 + sum(1 for _ in (frames if covered is None else masks))
            counts = (number, number + rest) if covered is None else (number + rest, number)
            raise ValidationError(f"the mask has {counts[0]} frames, the video {counts[1]}")
        colours = np.array(frame[..., :3], order="C")
        share = cv2.resize((covered > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        yield np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_AREA)), np.asarray(share > 0)


@attrs.define(eq=False)
class Backdrop:
    """The background of a film, from frames that show it.

    Attributes:
        places: of each frame, `[3, 3]`, from its pixels to those of the first.
        views: some frames.
        still: whether the camera stands still.
    """

    places: list[Array]
    views: list[View]
    still: bool
    _whole: dict[bool, tuple[Array, Array]] = attrs.field(factory=dict, init=False)

    def behind(self, number: int, *, early: bool = False) -> tuple[Array, Array]:
        """Return the background as frame `number` would show it, `float32 [h, w, 3]`, and where it is known.

        `early`: as it was in the first third of the film, before whatever happens later.
        """
        if self.still and early in self._whole:
            return self._whole[early]
        views = self.views[: -(-len(self.views) // 3)] if early else self.views
        shape = views[0].hidden.shape
        seen, shown = [], []
        for view in views:
            matrix = np.linalg.solve(view.place, self.places[number])
            how = cv2.WARP_INVERSE_MAP
            free = cv2.warpPerspective(
                np.where(view.hidden, 0, 255).astype(np.uint8),
                matrix,
                shape[::-1],
                flags=cv2.INTER_NEAREST | how,
            )
            shown.append(free == 255)
            seen.append(cv2.warpPerspective(view.picture, matrix, shape[::-1], flags=cv2.INTER_LINEAR | how))
        valid = np.stack(shown)
        ordered = np.sort(np.where(valid[..., None], np.stack(seen), np.inf), axis=0)
        count = valid.sum(axis=0)
        middle = np.maximum(count - 1, 0) // 2
        median = np.take_along_axis(ordered, middle[None, ..., None], axis=0)[0]
        enough = count >= min(FEWEST, len(views))
        made = np.where(enough[..., None], median, 0).astype(np.float32), np.asarray(enough)
        if self.still:
            self._whole[early] = made
        return made


def looked_at(video: Video, mask: Mask) -> Backdrop:
    """Read a film once, and return its background: memory is bounded by `2 * VIEWS` small pictures."""
    places: list[Array] = []
    views: list[tuple[int, View]] = []
    every = 1
    camera = _camera.Camera()
    for number, (picture, hidden) in enumerate(pictures(video, mask)):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        place = camera.follow(np.asarray(grey), hidden, hidden.shape)
        places.append(place)
        if number % every == 0:
            wide = cv2.dilate(hidden.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            views.append((number, View(picture.astype(np.float32), np.asarray(wide), place)))
        if len(views) == 2 * VIEWS:
            every *= 2
            views = [held for held in views if held[0] % every == 0]
    still = all(np.allclose(held, places[0], atol=1e-9) for held in places)
    return Backdrop(places, [view for _, view in views], still)
