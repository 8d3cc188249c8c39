"""Quadmasks in files: written without loss, read back exactly, and read from what others wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask.streams import decoded_stream, mapped, removed_mask
from kinetoscope_spec import ConfigError, Mask, Progress, Quadmask, ValidationError, Video
from kinetoscope_spec.files import replacing

__all__ = ["read_mask", "read_quadmask", "write_mask", "write_quadmask"]

LOSSLESS = 0
"""The rate factor at which H.264 changes no value."""

MOST_STRETCH = 1.25
"""By how much a mask may be wider or taller than its video: networks work at sizes of their own."""

_KEY = "kinetoscope_mask"
"""In a film's comment: the size of the mask, which is 1 px less where the codec needs even sizes."""


def write_quadmask(
    media: Any, path: str | Path, quadmask: Quadmask, *, progress: Progress | None = None
) -> None:
    """Write a quadmask with a provider of the hook `media`, as grey levels 0, 63, 127 and 255.

    The film is read back before it takes its place: a codec that changed a value is an error.

    Raises:
        ConfigError: a suffix that the provider does not write.
        ValidationError: there is no frame, or the film gave other values.
        Cancelled: `progress` returned False. Nothing is left behind, as after any error.
    """
    with replacing(path) as temporary:
        _write(media, temporary, quadmask, path, progress)
        _verify(media, temporary, quadmask, "quadmask", Path(path))


def write_mask(media: Any, path: str | Path, mask: Mask, *, progress: Progress | None = None) -> None:
    """Write a mask of two values, 255 inside; soft edges are cut in the middle. Otherwise as `write_quadmask`."""
    hard = mapped(mask, Mask, _hard)
    with replacing(path) as temporary:
        _write(media, temporary, hard, path, progress)
        _verify(media, temporary, hard, "bright", Path(path))


def read_quadmask(
    media: Any, path: str | Path, *, like: Video | None = None, kind: values.Kind = "quadmask"
) -> Quadmask:
    """Open a film of a mask as a quadmask, of the size and rate of the video `like` where it is given.

    Values are told apart by thresholds after the resize (`values.decoded`), so that films of any codec
    and size will do. `kind` says what the picture means: `quadmask`, `trimask`, or two values in which what
    is to be removed is `dark` or `bright`.

    Raises:
        FormatError: no film, or damaged.
        ValidationError: it has another number of frames than `like`, or another shape (upright for wide, as
            where one was turned and the other was not); names both.
    """
    film = media.open(path, audio=False)
    crop = _crop(film, media.metadata(path))
    size = crop or (film.width, film.height)
    if like is not None:
        shape, size = size, (like.width, like.height)
        stretch = shape[0] * size[1] / (shape[1] * size[0])
        if not 1 / MOST_STRETCH <= stretch <= MOST_STRETCH:
            raise ValidationError(
                f"{path}: the mask is {shape[0]} x {shape[1]} pixels, the video {size[0]} x {size[1]}; "
                "expected the same shape"
            )
        counts = (film.frame_count, like.frame_count)
        if None not in counts and counts[0] != counts[1]:
            raise ValidationError(f"{path}: the mask has {counts[0]} frames, the video {counts[1]}")
    made = decoded_stream(film, kind, size, film.rate if like is None else like.rate, crop)
    return made if like is None else attrs.evolve(made, timestamps=like.timestamps)


def read_mask(
    media: Any, path: str | Path, *, like: Video | None = None, kind: values.Kind = "bright"
) -> Mask:
    """Open a film of a mask as a mask of two values, 255 where something is to be removed."""
    return removed_mask(read_quadmask(media, path, like=like, kind=kind))


def _write(media: Any, path: Path, mask: Mask, name: str | Path, progress: Progress | None) -> None:
    told = json.dumps({_KEY: {"width": mask.width, "height": mask.height}})
    frames = Video(mask.width, mask.height, mask.rate, _Grey(mask), mask.frame_count, mask.timestamps)
    try:
        media.write(path, frames, quality=LOSSLESS, metadata={"comment": told}, progress=progress)
    except ConfigError as error:  # it speaks of the temporary name
        raise ConfigError(str(error).replace(str(path), str(name))) from error


def _hard(_index: int, frame: Array) -> Array:
    return np.where(frame >= 128, np.uint8(255), np.uint8(0))


def _verify(media: Any, path: Path, mask: Mask, kind: values.Kind, name: Path) -> None:
    found = media.open(path, audio=False).frames()
    for index, frame in enumerate(mask.frames()):
        picture = next(found, None)
        if picture is not None:
            seen = values.decoded(picture[: mask.height, : mask.width], mask.width, mask.height, kind)
            kept = seen == (frame if kind == "quadmask" else 255 - frame)
        if picture is None or not kept.all():
            raise ValidationError(
                f"{name}: frame {index} of the mask is not kept by this kind of file, expected .mp4 or .mkv"
            )


def _crop(film: Video, metadata: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the size that our own films say, if it can be that of this one."""
    try:
        held = json.loads(metadata.get("comment", ""))[_KEY]
        size = (int(held["width"]), int(held["height"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    fits = 0 <= film.width - size[0] <= 1 and 0 <= film.height - size[1] <= 1 and min(size) >= 1
    return size if fits else None


@attrs.frozen(eq=False)
class _Grey:
    """The spec's FrameSource of a mask's frames as pictures of grey."""

    mask: Mask

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        for frame in self.mask.frames(start, stop):
            yield np.repeat(frame[..., None], 3, axis=-1)
