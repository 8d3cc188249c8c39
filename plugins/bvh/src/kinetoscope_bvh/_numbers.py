"""The numbers of a BVH file: one row of channel values a frame, parsed and checked.

Two roads with the same results: a compiled parser (Numba, extra `fast`) and plain Python. Both
round every number correctly, as Python's `float` does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from typing import NoReturn

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_bvh._cursor import BLANKS, LARGEST, LONGEST, line_of, number, shown
from kinetoscope_spec import FormatError

_START_UP = 16 * 1024 * 1024
"""Bytes of text that plain Python parses in about the time that importing Numba takes."""

_BLOCK = 1024 * 1024
_HARD = 4096
_ALPHABET = b"0123456789+-.eE" + BLANKS
_WORD = re.compile(rb"[^ \t\v\f\r\n]+")
_LINE = re.compile(rb"[^\r\n]+")
_LINE_END = re.compile(rb"[\r\n]")


@attrs.frozen
class Table:
    """Channel values `[F, C]` float64, the lines that end inside a frame, and the road taken."""

    values: NDArray[np.float64]
    wrapped: int
    compiled: bool = False


_seen = 0


def _worth_compiling(count: int) -> bool:
    """Tell whether `count` more bytes are a case for the compiled parser.

    Once enough text has come by in this process Numba is imported and does all the rest. The
    results are the same to the last bit, so nobody can tell which road was taken.
    """
    global _seen  # noqa: PLW0603 - a hint: threads that race here lose a count, nothing else
    _seen = min(_seen + count, _START_UP)
    return _seen == _START_UP and _installed()


def expect(count: int) -> None:
    """Reckon with `count` bytes to come: so many at once are a case for the compiled parser from the first."""
    global _seen  # noqa: PLW0603 - see above
    if count >= _START_UP:
        _seen = _START_UP


@lru_cache(maxsize=1)
def _installed() -> bool:
    return find_spec("numba") is not None


def parse_table(
    data: bytes, start: int, columns: int, *, path: object = None, compiled: bool | None = None
) -> Table:
    """Parse the numbers in `data` from byte `start` on: frames of `columns` numbers each.

    A frame begins on a line of its own and may go on over several lines. Memory is bounded by
    the text: eight bytes for every two of it. `compiled` chooses the road; None goes by
    how much text has been parsed so far.

    Raises:
        FormatError: naming the line: something that is no finite number, a frame with too few or
            too many of them.
    """
    if compiled is None:
        compiled = _worth_compiling(len(data) - start)
    if columns == 0:
        return _no_columns(data, start, path)
    return (_parse_compiled if compiled else _parse_plain)(data, start, columns, path)


def _no_columns(data: bytes, start: int, path: object) -> Table:
    found = _WORD.search(data, start)
    if found:
        _fail(data, found.start(), path, f"{shown(found.group())} in a file without channels")
    return Table(np.zeros((0, 0)), 0)


def _parse_compiled(data: bytes, start: int, columns: int, path: object) -> Table:
    from kinetoscope_bvh import _kernel

    text = np.frombuffer(data, np.uint8)
    hard = np.empty((max(_HARD, columns), 2), np.int64)
    blocks, wrapped, offset, status = [], 0, start, _kernel.FULL
    while status == _kernel.FULL:
        values = np.empty((_likely_rows(data, offset, columns), columns))
        status, rows, column, offset, more, hards = _kernel.parse(text, offset, columns, values, hard)
        _settle(data, values, hard[:hards], path)
        blocks.append(values[:rows])
        wrapped += more
    if status == _kernel.BAD_TOKEN:
        _fail_number(data, offset, path)
    if status != _kernel.DONE or column:
        _explain(data, start, columns, path)
    return Table(blocks[0] if len(blocks) == 1 else np.concatenate(blocks), wrapped, compiled=True)


def _likely_rows(data: bytes, start: int, columns: int) -> int:
    """Return a few more frames than there are from `start` on if all lines are like the first one."""
    match = _LINE.search(data, start)
    left = len(data) - start
    likely = left if match is None else left / len(match.group()) * 1.05
    return min(int(likely), left // (2 * columns)) + 2


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
    match = _WORD.match(data, offset)
    return match.group() if match else b""


def _parse_plain(data: bytes, start: int, columns: int, path: object) -> Table:
    values, counts = [np.empty(0)], [np.empty(0, np.int64)]
    position = start
    while position < len(data):
        end = _block_end(data, position)
        block = _block(data[position:end])
        if block is None:
            _explain(data, start, columns, path)
        values.append(block[0])
        counts.append(block[1])
        position = end
    flat, lines = np.concatenate(values), np.concatenate(counts)
    frames, rest = divmod(len(flat), columns)
    ends = np.cumsum(lines)
    if rest or not np.isin(np.arange(1, frames + 1) * columns, ends).all():
        _explain(data, start, columns, path)
    return Table(flat.reshape(frames, columns), len(lines) - frames)


def _block_end(data: bytes, start: int) -> int:
    """Return where about `_BLOCK` bytes of whole lines from `start` on end."""
    match = _LINE_END.search(data, start + _BLOCK)
    return match.end() if match else len(data)


def _block(text: bytes) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Return the numbers in `text` and how many each line holds; None if anything is no number."""
    if text.translate(None, _ALPHABET):
        return None  # also keeps out what `float` takes besides: nan, inf, 1_000
    words = text.split()
    if len(text) > LONGEST and len(max(words, key=len, default=b"")) > LONGEST:
        return None
    try:
        values = np.array([float(word) for word in words], np.float64)
    except ValueError:
        return None
    if not (np.abs(values) <= LARGEST).all():
        return None
    counts = [len(line.split()) for line in text.splitlines()]
    return values, np.array([count for count in counts if count], np.int64)


def _explain(data: bytes, start: int, columns: int, path: object) -> NoReturn:
    """Find the first thing that is wrong, line by line, and raise the error that says so."""
    column, begin, in_frame = 0, start, 0
    for line in _LINE.finditer(data, start):
        words = list(_WORD.finditer(data, line.start(), line.end()))
        for word in words:
            if number(word.group()) is None:
                _fail_number(data, word.start(), path)
        if words and column == 0:
            begin, in_frame = line.start(), len(words)
        column += len(words)
        if column > columns:
            _fail(data, begin, path, f"a frame with {in_frame} numbers", f"{columns}, as the channels say")
        column %= columns
    _fail(data, begin, path, f"the last frame has {column} numbers", f"{columns}: is the file cut off?")


def _fail_number(data: bytes, offset: int, path: object) -> NoReturn:
    while offset > 0 and data[offset - 1] not in BLANKS:
        offset -= 1  # a control character within a word
    word = shown(_word_at(data, offset))
    _fail(data, offset, path, f"{word} as a channel value", f"a finite number within ±{LARGEST:g}")


def _fail(data: bytes, offset: int, path: object, message: str, expected: str | None = None) -> NoReturn:
    raise FormatError(message, path=path, line=line_of(data, offset), expected=expected)
