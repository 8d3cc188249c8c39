"""The compiled number parser. Imported only where Numba is there and the text is long."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np

DONE: Final = 0
FULL: Final = 1
BAD_TOKEN: Final = 2
TOO_MANY: Final = 3

_POWERS: Final = np.array([float(10**k) for k in range(23)])
"""The powers of ten that a float64 holds exactly."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def parse(data: Any, start: int, columns: int, values: Any, hard: Any) -> tuple[int, int, int, int, int, int]:
    """Parse decimal numbers from `data[start:]` into the rows of `values`, a frame a row.

    A row begins on a line of its own and may go on over several. Every number is rounded
    correctly; the few that need more than one rounding here (more than 2^53 or a power of ten
    beyond 22) are left out and their place is written to `hard [H, 2]` as (index, offset).

    Returns:
        (status, rows, column, offset, wrapped, hards): complete rows, numbers of an unfinished
        row, the byte where parsing ended, lines that end inside a row, numbers left out.
        FULL means that a row or the table of hard numbers is full and parsing can go on at `offset`.
    """
    size = data.shape[0]
    i = start
    row = column = wrapped = hards = 0
    line_row = -1  # the row that began on this line
    line_used = False
    while True:
        while i < size:
            c = data[i]
            if c > 32:
                break
            if c == 10 or c == 13:
                if column > 0 and line_used:
                    wrapped += 1
                line_used = False
                line_row = -1
            elif not (c == 32 or c == 9 or c == 11 or c == 12):
                return BAD_TOKEN, row, column, i, wrapped, hards
            i += 1
        if i >= size:
            return DONE, row, column, i, wrapped, hards
        if column == 0:
            if line_used:
                return TOO_MANY, row, column, i, wrapped, hards
            if row >= values.shape[0] or hards + columns > hard.shape[0]:
                return FULL, row, column, i, wrapped, hards
            line_row = row
        line_used = True
        token = i
        negative = False
        if data[i] == 45:
            negative = True
            i += 1
        elif data[i] == 43:
            i += 1
        mantissa = np.uint64(0)
        digits = 0
        first = i
        while i < size:
            d = data[i] - np.uint8(48)
            if d > 9:
                break
            mantissa = mantissa * np.uint64(10) + np.uint64(d)
            i += 1
        digits = i - first
        exponent = 0
        if i < size and data[i] == 46:
            i += 1
            first = i
            while i < size:
                d = data[i] - np.uint8(48)
                if d > 9:
                    break
                mantissa = mantissa * np.uint64(10) + np.uint64(d)
                i += 1
            exponent = first - i
            digits += i - first
        if digits == 0:
            return BAD_TOKEN, row, column, token, wrapped, hards
        if i < size and (data[i] | 32) == 101:
            i += 1
            minus = False
            if i < size and (data[i] == 45 or data[i] == 43):
                minus = data[i] == 45
                i += 1
            first = i
            e = 0
            while i < size:
                d = data[i] - np.uint8(48)
                if d > 9:
                    break
                if e < 100000:
                    e = e * 10 + np.int64(d)
                i += 1
            if i == first:
                return BAD_TOKEN, row, column, token, wrapped, hards
            exponent += -e if minus else e
        if i < size and data[i] > 32:
            return BAD_TOKEN, row, column, token, wrapped, hards
        if digits <= 19 and mantissa <= np.uint64(9007199254740992) and -22 <= exponent <= 22:
            value = np.float64(np.int64(mantissa))
            if exponent < 0:
                value /= _POWERS[-exponent]
            else:
                value *= _POWERS[exponent]
            if value > 1e30:
                return BAD_TOKEN, row, column, token, wrapped, hards
            values[row, column] = -value if negative else value
        elif digits <= 19 and mantissa == 0:
            values[row, column] = -0.0 if negative else 0.0
        else:
            values[row, column] = 0.0
            hard[hards, 0] = row * columns + column
            hard[hards, 1] = token
            hards += 1
        column += 1
        if column == columns:
            column = 0
            row += 1
