"""The motion file: for each frame a number, and a line for each bone that moves."""

from __future__ import annotations

from contextlib import suppress

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_asf._skeleton import Figure
from kinetoscope_asf._text import LARGEST, lines, number
from kinetoscope_spec import FormatError

__all__ = ["Frames", "read_frames"]

TRANSFORMS = 300_000
TRANSFORMS_PER_BYTE = 20
"""A frame may leave out bones that stay as they were: so many joint transforms are made of any file,
and so many more for each byte of it."""


@attrs.frozen
class Frames:
    """Channel values `[F, C]` in file units, where each bone's begin, how often one was left out."""

    values: NDArray[np.float64]
    columns: dict[str, int]
    degrees: bool
    held: int
    first: int


def read_frames(text: str, figure: Figure, path: object) -> Frames:
    """Return the frames in `text`; a bone that a frame leaves out stays as it was.

    Raises:
        FormatError: naming the line and what was expected there.
    """
    columns: dict[str, int] = {}
    width = 0
    for bone in figure.bones:
        if bone.channels:
            columns[bone.name] = width
            width += len(bone.channels)
    sizes = {bone.name: len(bone.channels) for bone in figure.bones}
    degrees, row, rows, held, first = figure.degrees, [0.0] * width, [], 0, 1
    most = (TRANSFORMS + TRANSFORMS_PER_BYTE * len(text)) // len(figure.bones)
    seen: set[str] | None = None
    for line, words in lines(text):
        if words[0].startswith(":"):
            degrees = _angles(words[0].lower(), degrees)
        elif len(words) == 1 and words[0].isdecimal():
            if seen is not None:
                _end(seen, path, line)
                held += len(columns) - len(seen)
                rows.append(np.array(row))
            elif len(words[0]) < 10:
                first = int(words[0])
            if len(rows) >= most:
                raise FormatError(
                    f"more than {most:,} frames for {len(figure.bones):,} bones",
                    path=path,
                    line=line,
                    expected="lines for most of the bones in a frame",
                )
            seen = set()
        elif seen is None:
            raise FormatError(f"{words[0][:40]!r}", path=path, line=line, expected="the number of a frame")
        else:
            _bone(words, row, columns, sizes, seen, path, line)
    if seen is None:
        raise FormatError(
            "the file has no frame", path=path, expected="the number of a frame, then its bones"
        )
    _end(seen, path, text.count("\n") + 1)
    held += len(columns) - len(seen)
    rows.append(np.array(row))
    return Frames(np.stack(rows), columns, degrees, held, first)


def _angles(flag: str, degrees: bool) -> bool:
    return True if flag == ":degrees" else False if flag == ":radians" else degrees


def _end(seen: set[str], path: object, line: int) -> None:
    if not seen:
        raise FormatError("a frame without a bone", path=path, line=line, expected="a bone and its numbers")


def _bone(
    words: list[str],
    row: list[float],
    columns: dict[str, int],
    sizes: dict[str, int],
    seen: set[str],
    path: object,
    line: int,
) -> None:
    # Names may hold blanks: the numbers are as many as the bone has channels.
    name = (
        words[0] if words[0] in sizes else next((n for n in sizes if " ".join(words).startswith(f"{n} ")), "")
    )
    if name not in columns:
        raise FormatError(
            f"{words[0][:40]!r}",
            path=path,
            line=line,
            expected="a bone of the skeleton that has degrees of freedom",
        )
    if name in seen:
        raise FormatError(f"the bone {name[:40]!r} twice in a frame", path=path, line=line)
    numbers = words[len(name.split()) :]
    if len(numbers) != sizes[name]:
        raise FormatError(
            f"{len(numbers)} numbers for the bone {name[:40]!r}",
            path=path,
            line=line,
            expected=f"{sizes[name]}",
        )
    row[columns[name] : columns[name] + len(numbers)] = _numbers(numbers, name, path, line)
    seen.add(name)


def _numbers(words: list[str], name: str, path: object, line: int) -> list[float]:
    """Return numbers: at once where all are plain, one by one to find the one that is not."""
    with suppress(ValueError):
        values = list(map(float, words))
        if sum(map(abs, values)) <= LARGEST and "_" not in "".join(words):
            return values
    return [number(word, path, line, f"a number of the bone {name[:40]!r}") for word in words]
