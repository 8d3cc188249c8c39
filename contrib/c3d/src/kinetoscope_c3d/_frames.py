"""The frames of a C3D file: points `[F, P, 3]` and whether each was seen."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_c3d._parameters import Document
from kinetoscope_c3d.signature import BLOCK
from kinetoscope_spec import FormatError

__all__ = ["Points", "read_points"]

LARGEST = 1e30
"""Coordinates beyond are no measurement."""


@attrs.frozen
class Points:
    """Coordinates in file units `[F, P, 3]`, `seen [F, P]`, the number of the first frame, the rate."""

    values: NDArray[np.float32]
    seen: NDArray[np.bool_]
    first: int
    rate: float
    declared: int
    analog_channels: int


def read_points(data: bytes, document: Document, path: object) -> Points:
    """Return the points of all frames that are there.

    Parameters win over the header's words, as the manual has it. A point is unseen in a frame
    where its fourth number (residual and cameras) is below zero, or a coordinate is not finite.

    Raises:
        FormatError: the frames are not where the file says, or have no rate.
    """
    words = document.words
    points = document.word("POINT:USED", int(words[1]))
    analog = int(words[2])
    scale = document.number("POINT:SCALE", document.header_floats[0])
    rate = document.number("POINT:RATE", document.header_floats[1])
    if not (math.isfinite(rate) and 0 < rate <= 1e6):
        raise FormatError(f"{rate} frames a second", path=path, offset=20, expected="a rate above 0")
    if not math.isfinite(scale) or scale == 0:
        raise FormatError(f"the scale is {scale}", path=path, offset=12, expected="a number that is not 0")
    start = (document.word("POINT:DATA_START", int(words[8])) - 1) * BLOCK
    if points and not 0 < start <= len(data):
        raise FormatError(
            f"the frames begin at byte {start:,}", path=path, offset=16, expected=f"at most {len(data):,}"
        )
    first, declared = _frame_range(document)
    size = 4 if scale < 0 else 2
    stride = (4 * points + analog) * size
    count = min(declared, (len(data) - start) // stride) if points else 0
    block = data[start : start + count * stride]
    values, residual = _numbers(block, document, count, points, analog, scale)
    seen = (residual >= 0) & (np.abs(values) < LARGEST).all(axis=2)
    per_frame = max(round(document.number("ANALOG:RATE", rate) / rate), 1)
    channels = document.word("ANALOG:USED", analog // per_frame)
    return Points(values, seen, first, rate, declared if points else 0, channels if analog else 0)


def _numbers(
    block: bytes, document: Document, count: int, points: int, analog: int, scale: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    held = document.numbers.floats(block) if scale < 0 else document.numbers.words(block)
    table = held.reshape(count, 4 * points + analog)[:, : 4 * points].reshape(count, points, 4)
    with np.errstate(invalid="ignore", over="ignore"):
        values = table[..., :3].astype(np.float32)
        if scale > 0:
            values *= np.float32(scale)
        residual = np.nan_to_num(table[..., 3].astype(np.float32), nan=-1.0)
    return values, residual


def _frame_range(document: Document) -> tuple[int, int]:
    """Return the number of the first frame, and how many the file says it holds.

    The header counts to 65,535; longer trials say so in one of several parameters.
    """
    first, last = int(document.words[3]), int(document.words[4])
    counts = [
        last - first + 1,
        document.word("POINT:FRAMES", 0),
        int(document.number("POINT:LONG_FRAMES", 0)),
    ]
    start, end = document.long("TRIAL:ACTUAL_START_FIELD"), document.long("TRIAL:ACTUAL_END_FIELD")
    if start is not None and end is not None and end >= start:
        return start, end - start + 1
    return first, max(*counts, 0)
