"""The clip as the networks see it: its size, its length, and what is to be made of each pixel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Mask, Quadmask, ValidationError, Video

if TYPE_CHECKING:
    import torch

__all__ = ["MOST_FRAMES", "Clip", "back_and_forth", "covered", "padded_length", "quantised", "read_clip"]

Array = NDArray[Any]

MOST_FRAMES = 600
"""Frames of a clip at most: all are held at the working size, 3 MB each at 384 x 672."""


@attrs.frozen(eq=False)
class Clip:
    """A shot at the working size.

    Attributes:
        pictures: `[T, 3, h, w]` float32, sRGB in [0, 1].
        quad: `[T, h, w]` uint8, 0, 63, 127 or 255.
        hidden: whether the mask covers anything at all, at the size of the film.
    """

    pictures: torch.Tensor
    quad: Array
    hidden: bool


def read_clip(video: Video, mask: Mask, size: tuple[int, int]) -> Iterator[Clip | int]:
    """Yield the number of each frame as it is read, and at last the clip at `size` (height, width).

    Raises:
        ValidationError: the mask has another length, there is no frame, or there are too many.
    """
    import torch

    pictures, quads, hidden = [], [], False
    for number, (frame, held) in enumerate(zip_longest(video.frames(), mask.frames())):
        if frame is None or held is None:
            raise ValidationError(_lengths(video, mask, number))
        if number == MOST_FRAMES:
            raise ValidationError(
                f"the video has more than {MOST_FRAMES} frames, expected a shot: cut it into shots first"
            )
        hole = covered(mask, held)
        hidden = hidden or bool(hole.any())
        wanted = held if isinstance(mask, Quadmask) else np.where(hole, 0, 255)
        pictures.append(_resized(np.moveaxis(frame[..., :3], -1, 0) / np.float32(255), size))
        quads.append(quantised(_resized(wanted[None].astype(np.float32), size)[0].numpy()))
        yield number
    if not pictures:
        raise ValidationError("the video has 0 frames, expected at least 1")
    yield Clip(torch.stack(pictures), np.stack(quads), hidden)


def covered(mask: Mask, frame: Array) -> Array:
    """Return where a mask covers, `[H, W]`."""
    return np.asarray(frame != 255 if isinstance(mask, Quadmask) else frame > 0)


def quantised(quad: Array) -> Array:
    """Return the nearest of a quadmask's four values: what scaling and codecs put between them is undone."""
    return np.asarray(np.select([quad <= 31, quad <= 95, quad <= 191], [0, 63, 127], 255), dtype=np.uint8)


def padded_length(frames: int, least: int) -> int:
    """Return the length at which a clip is run: 4 k + 1 with k odd, for an even number of latents."""
    return max(least, frames + (5 - frames) % 8)


def back_and_forth(frames: int, length: int) -> Array:
    """Return `[length]` which frame stands at each place: the clip, then backwards, then forwards again."""
    place = np.arange(length) % (2 * frames)
    return np.minimum(place, 2 * frames - 1 - place)


def _resized(planes: Array, size: tuple[int, int]) -> torch.Tensor:
    """Return `[C, H, W]` at `size`, each pixel the mean of those it covers."""
    import torch

    held = torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32))
    return torch.nn.functional.interpolate(held[None], size, mode="area")[0]


def _lengths(video: Video, mask: Mask, shared: int) -> str:
    """Say how long both are; one has ended after `shared` frames."""
    counts = [sum(1 for _ in stream.frames()) for stream in (mask, video)]
    assert min(counts) == shared
    return f"the mask has {counts[0]} frames, the video {counts[1]}"
