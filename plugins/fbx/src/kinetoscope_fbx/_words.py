"""The values of a record of an ASCII file: numbers, texts and words with commas between."""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._node import Property

__all__ = ["begins_as_value", "quick_property", "values_of"]

_VALUE: Final = re.compile(
    rb"""("[^"]*+") | ([-+0-9.][^\s,;"*]*+(?:[ \t\r\n]*+,[ \t\r\n]*+[-+0-9.][^\s,;"*]*+)*+)
    | ([A-Za-z_][\w+\-.]*+) | ;[^\n]*+ | \*[ ]*+\d++""",
    re.VERBOSE,
)
_BLANK: Final = b" \t\r\n,"
_OF_WHOLE_NUMBERS: Final = b"0123456789+-" + _BLANK
_OF_NUMBERS: Final = b".eE" + _OF_WHOLE_NUMBERS
_FEW = 24
"""Runs of so many numbers or fewer become Python numbers: exact ones, whatever their size."""


def begins_as_value(raw: bytes) -> bool:
    """Tell whether a number, text or word comes first."""
    return _VALUE.match(raw) is not None


def quick_property(raw: bytes, first: int) -> Property | None:
    """Return name and values of a property that is so many texts and then numbers, as most are; else None."""
    parts = raw.split(b'"')
    if len(parts) != 2 * first + 1 or b"&" in parts[1]:
        return None
    try:
        values = _few(parts[-1].replace(b",", b" ").split())
    except ValueError:
        return None
    return (parts[1].decode("utf-8", "replace"), tuple(values)) if values else None


def values_of(raw: bytes) -> list[Any]:
    """Return numbers, texts and words; raises ValueError for what looks like a number and is none."""
    if not raw.translate(None, _OF_NUMBERS):
        with suppress(ValueError):  # a word such as `E`
            return _numbers(raw)
    values: list[Any] = []
    for text, run, word in _VALUE.findall(raw):
        if run:
            values += _numbers(run)
        elif word:
            values.append(word.decode("ascii", "replace"))
        elif text:
            values.append(text[1:-1].decode("utf-8", "replace").replace("&quot;", '"'))
    return values


def _numbers(run: bytes) -> list[Any]:
    if run.count(b",") >= _FEW:
        return [_many(run)]
    return _few(run.replace(b",", b" ").split())


def _few(words: list[bytes]) -> list[Any]:
    try:
        return list(map(int, words))
    except ValueError:
        return list(map(_number, words))


def _number(word: bytes) -> int | float:
    if b"#" in word:  # what Microsoft's printf made of infinity and NaN
        return float("nan")
    if b"." in word:
        return float(word)
    try:
        return int(word)
    except ValueError:
        return float(word)


def _many(run: bytes) -> NDArray[Any]:
    # A list of 64-bit numbers must not pass through floating point.
    whole = not run.translate(None, _OF_WHOLE_NUMBERS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            words = run.strip(_BLANK).decode("ascii")
            return np.fromstring(words, np.int64 if whole else np.float64, sep=",")
        except DeprecationWarning as error:
            raise ValueError(str(error)) from error
