"""Words, sentences, and how long saying them takes."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

from kinetoscope_spec.script import Word

__all__ = ["cued", "has_words", "seconds_of", "sentences"]

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""What the Unicode names of letters begin with that are written without spaces between words."""

_LETTER_S: Final = {"CJK": 0.22, "HIRAGANA": 0.13, "KATAKANA": 0.13, "HANGUL": 0.17}
"""Seconds a letter takes where one stands for a syllable or more."""
_ALPHABET_S: Final = 0.068
"""Seconds a letter of an alphabet takes: 150 words of 5.9 letters in a minute."""
_DIGIT_S: Final = 0.28
_SENTENCE_S, _CLAUSE_S = 0.40, 0.18
"""Pauses at the end of a sentence and at a comma."""

_ENDS: Final = re.compile(r"[.!?…؟।॥۔]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[」』”）]*|\n+")
_CLAUSES: Final = re.compile(r"[,;:—–،؛]+(?=\s|$)|[、，；：]")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|mr|mrs|ms|dr|prof|st|jr|sr|vs|e\.g|i\.e|approx|no|nr|bzw|z\.\s?b|d\.\s?h|mme|mlle|sra|dra)\.$",
    re.IGNORECASE,
)
_LONGEST: Final = 12
"""Letters before a full stop within which an abbreviation and the space before it stand."""


def has_words(text: str) -> bool:
    """Whether there is a letter or digit."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def cued(found: Sequence[Word], start: int, end: int) -> tuple[str, ...]:
    """Return the cues of the words in `[start, end)` of their text.

    A word of a writing without spaces that the range cuts is cut; any other goes with its beginning.
    """
    held = []
    first_over = bisect_right(found, start, key=lambda word: word.end)
    for word in islice(found, first_over, None):
        if word.start >= end:
            break
        if word.start >= start and word.end <= end:
            held.append(word.text)
        elif word.start < end:
            if _is_unspaced(word.text):
                first = max(start, word.start) - word.start
                held.append(word.text[first : min(end, word.end) - word.start])
            elif word.start >= start:
                held.append(word.text)
    return tuple(held)


@lru_cache(maxsize=32)
def _is_unspaced(word: str) -> bool:
    return any(unicodedata.name(c, "").startswith(_UNSPACED) for c in word)


def seconds_of(text: str) -> float:
    """Estimate how long a text takes to say, in seconds, at an ordinary pace."""
    total = 0.0
    for c in text:
        kind = unicodedata.category(c)[0]
        if c.isdigit():
            total += _DIGIT_S
        elif kind == "L":
            script = unicodedata.name(c, "").partition(" ")[0]
            total += _LETTER_S.get(script, _ALPHABET_S)
    total += _SENTENCE_S * len(_ENDS.findall(text)) + _CLAUSE_S * len(_CLAUSES.findall(text))
    return total


def sentences(text: str, most_s: float) -> Iterator[tuple[int, int]]:
    """Cut a text into sentences: ranges that cover it, each of at most `most_s` seconds.

    A sentence that takes longer is cut at clauses, then between words, then anywhere.
    """
    for start, end in _cut(text, 0, len(text), _ENDS, spare_abbreviations=True):
        if seconds_of(text[start:end]) <= most_s:
            yield start, end
        else:
            yield from _fitted(text, start, end, most_s)


def _cut(
    text: str, start: int, end: int, at: re.Pattern[str], *, spare_abbreviations: bool = False
) -> Iterator[tuple[int, int]]:
    begin = start
    for match in at.finditer(text, start, end):
        if match.end() <= begin:  # a line feed among the white space that was skipped
            continue
        if spare_abbreviations and _ABBREVIATION.search(text, max(0, match.end() - _LONGEST), match.end()):
            continue
        stop = match.end()
        while stop < end and text[stop].isspace():
            stop += 1
        yield begin, stop
        begin = stop
    if begin < end:
        yield begin, end


def _fitted(text: str, start: int, end: int, most_s: float) -> Iterator[tuple[int, int]]:
    """Join clauses, words or letters of a long sentence to pieces as long as allowed."""
    begin, length = start, 0.0
    for first, last in _small(text, start, end, most_s):
        took = seconds_of(text[first:last])
        if length and length + took > most_s:
            yield begin, first
            begin, length = first, 0.0
        length += took
    yield begin, end


def _small(text: str, start: int, end: int, most_s: float) -> Iterator[tuple[int, int]]:
    """Return the largest parts of a sentence that fit: clauses, else words, else letters."""
    for first, last in _cut(text, start, end, _CLAUSES):
        if seconds_of(text[first:last]) <= most_s:
            yield first, last
            continue
        for a, b in _cut(text, first, last, re.compile(r"\s+")):
            if seconds_of(text[a:b]) <= most_s:
                yield a, b
            else:
                yield from ((i, i + 1) for i in range(a, b))
