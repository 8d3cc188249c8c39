"""The files of a pipeline's folder, and masks made of masks, which its stages share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask.files import read_mask
from kinetoscope_spec import FormatError, Mask, Quadmask, Video

__all__ = ["covered", "inside", "maybe", "read_json", "union"]

BLACK: Final = "black_mask.mp4"
INFO: Final = "segmentation_info.json"
ANALYSIS: Final = "vlm_analysis.json"
PROMPT: Final = "prompt.json"
REGIONS: Final = "regions.mp4"
BELONGINGS: Final = "belongings.mp4"
LOCATED: Final = "located.json"
GREY: Final = "grey_mask.mp4"
QUADMASK: Final = "quadmask_0.mp4"

MOST_JSON_BYTES: Final = 64 << 20


@attrs.frozen(eq=False)
class _Together:
    """The spec's FrameSource of several masks as one: 0 where any is at `level` or above, else 255."""

    masks: Sequence[Mask]
    level: int

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        for frames in zip(*(mask.frames(start, stop) for mask in self.masks), strict=True):
            inside = np.any([frame >= self.level for frame in frames], axis=0)
            yield np.where(inside, np.uint8(values.REMOVE), np.uint8(values.KEEP))


def union(masks: Sequence[Mask], level: int) -> Quadmask:
    """Return masks as one: remove where any is at `level` or above, else keep."""
    first = masks[0]
    return Quadmask(
        first.width, first.height, first.rate, _Together(masks, level), first.frame_count, first.timestamps
    )


def covered(_index: int, frame: Array) -> Array:
    """Return remove where a mask covers at all, else keep."""
    return np.where(frame > 0, np.uint8(values.REMOVE), np.uint8(values.KEEP))


def inside(_index: int, frame: Array) -> Array:
    """Return 255 where a frame says remove, else 0."""
    return np.where(frame == values.REMOVE, np.uint8(255), np.uint8(0))


def maybe(media: Any, path: Path, video: Video, kind: values.Kind = "dark") -> Mask | None:
    """Return the mask of a file, 255 inside, or None where there is none."""
    return read_mask(media, path, like=video, kind=kind) if path.is_file() else None


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that a file holds.

    Raises:
        FormatError: it is too large, or holds none.
    """
    if path.stat().st_size > MOST_JSON_BYTES:
        raise FormatError("is too large", path=path, expected=f"{MOST_JSON_BYTES:,} bytes at most")
    try:
        held = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON: {error}", path=path, expected="an object") from error
    if not isinstance(held, dict):
        raise FormatError("holds no object", path=path, expected="an object")
    return held
