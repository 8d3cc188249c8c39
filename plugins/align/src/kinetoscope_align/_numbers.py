"""English numbers in words."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["number_words"]

_ONES: Final = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES: Final = ["thousand", "million", "billion", "trillion"]
_ORDINALS: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_MOST: Final = 15
"""Digits of the largest number that is read as one; longer ones are read digit by digit."""

_NUMBER: Final = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(st|nd|rd|th)?", re.IGNORECASE)


def number_words(text: str) -> list[str] | None:
    """Return the words of a number ("3.14", "1,000", "2nd"), or None where the text is none."""
    match = _NUMBER.fullmatch(text)
    if match is None or not text.isascii():
        return None
    digits = match[1].replace(",", "")
    found = _whole(digits)
    if match[2]:
        found += ["point", *(_ONES[int(digit)] for digit in match[2])]
    if match[3]:
        last = found[-1]
        found[-1] = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return found


def _whole(digits: str) -> list[str]:
    if len(digits) > _MOST or (len(digits) > 1 and digits[0] == "0"):
        return [_ONES[int(digit)] for digit in digits]
    number = int(digits)
    if not number:
        return [_ONES[0]]
    found: list[str] = []
    for scale in range(len(_SCALES), -1, -1):
        part = number // 1000**scale % 1000
        if part:
            found += _hundreds(part) + ([_SCALES[scale - 1]] if scale else [])
    return found


def _hundreds(number: int) -> list[str]:
    found = [_ONES[number // 100], "hundred"] if number >= 100 else []
    rest = number % 100
    if rest >= 20:
        found.append(_TENS[rest // 10 - 2])
        rest %= 10
    return found + ([_ONES[rest]] if rest else [])
