"""The numbers of a BVH file: one row of channel values a frame, parsed and checked.

Two roads with the same results: a compiled parser (Numba, extra `fast`) and plain Python. Both
round every number correctly, as Python's `float` does.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import NoReturn

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_bvh._cursor import BLANKS, LARGEST, line_of, number, shown
from kinetoscope_spec import FormatError

_FAST_FROM = 64 * 1024
"""Bytes of text from which on the compiled parser is worth its start-up."""

_HARD = 4096
_ALPHABET = b"0123456789+-.eE" + BLANKS


@attrs.frozen
class Table:
    """Channel values `[F, C]` float64, and the lines that end inside a frame."""

    values: NDArray[np.float64]
    wrapped: int


@lru_cache(maxsize=1)
def _compiled() -> bool:
    return find_spec("numba") is not None


def parse_table(
    data: bytes, start: int, columns: int, *, path: object = None, compiled: bool | None = None
) -> Table:
    """Parse the numbers in `data` from byte `start` on: frames of `columns` numbers each.

    A frame begins on a line of its own and may go on over several lines. Memory is bounded by
    the text: eight bytes for every two of it. `compiled` chooses the road; None goes by size.

    Raises:
        FormatError: naming the line: something that is no finite number, a frame with too few or
            too many of them.
    """
    if compiled is None:
        compiled = len(data) - start >= _FAST_FROM and _compiled()
    if columns == 0:
        return _no_columns(data, start, path)
    return (_parse_compiled if compiled else _parse_plain)(data, start, columns, path)


def _no_columns(data: bytes, start: int, path: object) -> Table:
    found = data[start:].split(maxsplit=1)
    if found:
        _fail(data, data.index(found[0], start), path, f"{shown(found[0])} in a file without channels")
    return Table(np.zeros((0, 0)), 0)


def _parse_compiled(data: bytes, start: int, columns: int, path: object) -> Table:
    from kinetoscope_bvh import _kernel

    text = np.frombuffer(data, np.uint8)
    rows = _most_rows(data, start, columns)
    values = np.empty((rows, columns))
    hard = np.empty((max(_HARD, columns), 2), np.int64)
    done = wrapped = 0
    offset = start
    while True:
        status, count, column, offset, more, hards = _kernel.parse(text, offset, columns, values[done:], hard)
        _settle(data, values[done:], hard[:hards], path)
        done += count
        wrapped += more
        if status == _kernel.DONE and column == 0:
            return Table(values[:done], wrapped)
        if status != _kernel.FULL:
            _explain(data, start, columns, path, offset, bad=status == _kernel.BAD_TOKEN)


def _most_rows(data: bytes, start: int, columns: int) -> int:
    """Return how many frames the text can hold: by its lines, and by its bytes."""
    lines = data.count(b"\n", start) + data.count(b"\r", start) + 1
    return min(lines, (len(data) - start) // (2 * columns) + 1)


def _settle(data: bytes, values: NDArray[np.float64], hard: NDArray[np.int64], path: object) -> None:
    """Let Python read the numbers that the compiled parser left out."""
    flat = values.reshape(-1)
    for index, offset in hard.tolist():
        word = _word_at(data, offset)
        value = number(word)
        if value is None:
            _fail_number(data, offset, path)
        flat[index] = value


def _word_at(data: bytes, offset: int) -> bytes:
    end = offset
    while end < len(data) and data[end] not in BLANKS:
        end += 1
    return data[offset:end]


def _parse_plain(data: bytes, start: int, columns: int, path: object) -> Table:
    body = data[start:]
    if body.translate(None, _ALPHABET):
        _explain(data, start, columns, path, None)
    lines = [line.split() for line in body.replace(b"\r", b"\n").split(b"\n")]
    counts = np.array([len(line) for line in lines if line], np.int64)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    boundaries = np.arange(columns, total + 1, columns)
    if total % columns or not np.isin(boundaries, ends).all():
        _explain(data, start, columns, path, None)
    try:
        values = np.array([float(word) for line in lines for word in line], np.float64)
    except ValueError:
        _explain(data, start, columns, path, None)
    if not (np.abs(values) <= LARGEST).all():
        _explain(data, start, columns, path, None)
    return Table(values.reshape(-1, columns), len(counts) - total // columns)


def _explain(
    data: bytes, start: int, columns: int, path: object, offset: int | None, *, bad: bool = False
) -> NoReturn:
    """Find what is wrong, line by line, and raise the error that says so.

    `offset` is where the compiled parser stopped: what stands before the line it is in is good,
    except that a frame cut short shows only where the next one begins.
    """
    if bad and offset is not None:
        _fail_number(data, offset, path)
    position, column, short = start, 0, 0
    for line in data[start:].splitlines(keepends=True):
        words = line.split()
        for word in words:
            if number(word) is None:
                _fail_number(data, data.index(word, position), path)
        if words and column == 0:
            short = position
        column += len(words)
        if column > columns:
            _fail_row(data, short, position, columns, path)
        column %= columns
        position += len(line)
    found = len(data[short:].split())
    _fail(data, short, path, f"the last frame has {found} numbers", f"{columns}: is the file cut off?")


def _fail_row(data: bytes, first: int, line: int, columns: int, path: object) -> NoReturn:
    place = first
    found = len(data[first:].splitlines()[0].split())
    _fail(data, place, path, f"a frame with {found} numbers", f"{columns}, as the channels say")


def _fail_number(data: bytes, offset: int, path: object) -> NoReturn:
    word = shown(_word_at(data, offset))
    _fail(data, offset, path, f"{word} as a channel value", f"a finite number within ±{LARGEST:g}")


def _fail(data: bytes, offset: int, path: object, message: str, expected: str | None = None) -> NoReturn:
    raise FormatError(message, path=path, line=line_of(data, offset), expected=expected)
