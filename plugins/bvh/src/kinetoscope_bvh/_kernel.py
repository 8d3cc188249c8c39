"""The compiled number parser. Imports Numba: only `_numbers` imports this, where it is worth it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

DONE: Final = 0
FULL: Final = 1
BAD_TOKEN: Final = 2
TOO_MANY: Final = 3
"""How parsing ended."""

EXACT: Final = 0
HARD: Final = 1
NONE: Final = 2
"""What stands where a number should: one that is read, one left for Python, none."""

_POWERS: Final = np.array([float(10**k) for k in range(23)])
"""The powers of ten that a float64 holds exactly."""

_WHOLE_POWERS: Final = np.array([10**k for k in range(9)], np.uint64)
_ZEROS: Final = np.uint64(0x3030303030303030)
_ABOVE_NINE: Final = np.uint64(0x7676767676767676)
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_NIBBLES: Final = np.uint64(0x0F0F0F0F0F0F0F0F)
_PAIRS: Final = np.uint64(0x00FF00FF00FF00FF)
_FOURS: Final = np.uint64(0x0000FFFF0000FFFF)

_WHOLE: Final = np.uint64(2**53)
_LARGEST: Final = 1e30
_LONGEST: Final = 1000


def _type_eight_bytes(_: Any, data: Any, index: Any) -> Any:
    """Load `data[index : index + 8]` as one little-endian number, wherever it stands."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, index), generate


def _type_trailing_zeros(_: Any, bits: Any) -> Any:
    """Count the zero bits below the lowest one bit; 64 if there is none."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(bits), generate


_eight_bytes: Any = intrinsic(_type_eight_bytes)
_trailing_zeros: Any = intrinsic(_type_trailing_zeros)


def _inlined(function: F) -> F:
    """Compile `function` into its callers.

    A call for every number costs a third of the speed. So does counting, in each of these
    functions, who holds `data`: they own nothing (`_nrt`).
    """
    options: Any = {"cache": True, "nogil": True, "error_model": "numpy", "forceinline": True, "_nrt": False}
    compiled: F = numba.njit(**options)(function)
    return compiled


@_inlined
def _skip_blanks(data: Any, i: Any) -> tuple[Any, Any]:
    """Return where the blanks at `i` end, and whether a line ends among them."""
    line_ends = False
    while i < data.shape[0] and data[i] <= 32:
        byte = data[i]
        if byte in (10, 13):
            line_ends = True
        elif byte not in (32, 9, 11, 12):
            break
        i += 1
    return i, line_ends


@_inlined
def _digits(data: Any, i: Any, mantissa: Any) -> tuple[Any, Any]:
    """Append the digits at `i` to `mantissa`; return where they end, and it."""
    while i < data.shape[0]:
        digit = data[i] - np.uint8(48)
        if digit > 9:
            break
        mantissa = mantissa * np.uint64(10) + np.uint64(digit)
        i += 1
    return i, mantissa


@_inlined
def _eight_digits(data: Any, i: Any, mantissa: Any) -> tuple[Any, Any]:
    """Do the same for up to eight digits at once, unless the text ends before."""
    if i + 8 > data.shape[0]:
        return i, mantissa
    word = _eight_bytes(data, i) ^ _ZEROS
    count = _trailing_zeros(((word + _ABOVE_NINE) | word) & _HIGH_BITS) >> np.uint64(3)
    half = np.uint64(32) - (count << np.uint64(2))  # a shift by 64 would do nothing
    word = (word << half) << half
    word = ((word & _NIBBLES) * np.uint64(2561)) >> np.uint64(8)
    word = ((word & _PAIRS) * np.uint64(6553601)) >> np.uint64(16)
    word = ((word & _FOURS) * np.uint64(42949672960001)) >> np.uint64(32)
    return i + np.int64(count), mantissa * _WHOLE_POWERS[count] + word


@_inlined
def _exponent(data: Any, i: Any) -> tuple[Any, Any]:
    """Read what stands after an E; return where it ends (-1 if it is no number), and it."""
    size = data.shape[0]
    minus = i < size and data[i] == 45
    if i < size and (minus or data[i] == 43):
        i += 1
    first = i
    exponent: Any = 0
    while i < size and 48 <= data[i] <= 57:
        exponent = min(exponent * 10 + np.int64(data[i]) - 48, 100_000)
        i += 1
    return (i if i > first else -1), (-exponent if minus else exponent)


@_inlined
def _number(data: Any, token: Any) -> tuple[Any, Any, Any]:
    """Read the number at `token`; return where it ends, its value, and EXACT, HARD or NONE.

    A mantissa beyond 2^53 or a power of ten beyond 22 needs more than one rounding here: HARD.
    """
    size = data.shape[0]
    negative = data[token] == 45
    first = token + (np.int64(negative) | np.int64(data[token] == 43))
    i, mantissa = _digits(data, first, np.uint64(0))
    digits, exponent = i - first, 0
    if i < size and data[i] == 46:
        first = i + 1
        i, mantissa = _eight_digits(data, first, mantissa)
        i, mantissa = _digits(data, i, mantissa)
        exponent = first - i
        digits -= exponent
    if digits > 0 and i < size and (data[i] | 32) == 101:
        i, power = _exponent(data, i + 1)
        exponent += power
    if digits == 0 or i < 0 or i - token > _LONGEST or (i < size and data[i] > 32):
        return i, 0.0, NONE
    if digits > 19 or mantissa > _WHOLE or exponent < -22 or exponent > 22:
        return i, 0.0, HARD
    value = np.float64(np.int64(mantissa))
    value = value / _POWERS[-exponent] if exponent < 0 else value * _POWERS[exponent]
    return i, (-value if negative else value), (NONE if value > _LARGEST else EXACT)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def parse(data: Any, start: int, columns: int, values: Any, hard: Any) -> tuple[int, int, int, int, int, int]:
    """Parse decimal numbers from `data[start:]` into the rows of `values`, a frame a row.

    A row begins on a line of its own and may go on over several. Every number is rounded
    correctly; the few that need more than one rounding here (Clinger, "How to read floating point
    numbers accurately", 1990) are left out and their place is written to `hard [H, 2]` as
    (index, offset).

    Returns:
        (status, rows, column, offset, wrapped, hards): complete rows, numbers of an unfinished
        row, the byte where parsing ended, lines that end inside a row, numbers left out. FULL
        means that `values` or `hard` is full and that parsing can go on at `offset`.
    """
    i: Any = start
    row = column = wrapped = hards = 0
    line_used = False
    while True:
        i, line_ends = _skip_blanks(data, i)
        if line_ends:
            wrapped += column > 0 and line_used
            line_used = False
        if i >= data.shape[0]:
            return DONE, row, column, i, wrapped, hards
        if column == 0:
            if line_used:
                return TOO_MANY, row, column, i, wrapped, hards
            if row >= values.shape[0] or hards + columns > hard.shape[0]:
                return FULL, row, column, i, wrapped, hards
        line_used = True
        end, value, kind = _number(data, i)
        if kind == NONE:
            return BAD_TOKEN, row, column, i, wrapped, hards
        values[row, column] = value
        if kind == HARD:
            hard[hards, 0] = row * columns + column
            hard[hards, 1] = i
            hards += 1
        i = end
        column += 1
        if column == columns:
            column = 0
            row += 1
