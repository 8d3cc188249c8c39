"""Whether words that were found cover what is heard; where they don't, they are reckoned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from kinetoscope_align._estimate import Timed, estimate
from kinetoscope_align._sound import Heard, Trimmed
from kinetoscope_align._words import Spoken

__all__ = ["fitted"]

_COVERED: Final = 0.6
"""Share of a stretch of sound that its words must cover: the rest may be a breath or a laugh."""

_SNAP_S: Final = 0.05
_FAINT: Final = 0.25
"""What is softer than the words by so much, -12 dB, and longer than `_SNAP_S`, is a breath before them."""


def fitted(words: Sequence[Spoken], timed: Sequence[Timed], heard: Heard, sound: Trimmed) -> list[Timed]:
    """Return the words with those stretches put right in which they do not cover what is heard.

    A word that begins a stretch begins with it, but for a breath; words that leave most of a stretch to
    silence were not recognised, and get estimates there.
    """
    found = list(timed)
    place = 0
    for start, end in heard.spans():
        while place < len(found) and _middle(found[place]) < start:
            place += 1
        first = place
        while place < len(found) and _middle(found[place]) < end:
            place += 1
        group = found[first:place]
        if not group:
            continue
        covered = sum(max(min(word.end, end) - max(word.start, start), 0.0) for word in group)
        before = found[first - 1].end if first else 0.0
        if covered < _COVERED * (end - start):
            found[first:place] = estimate(words[first:place], heard.clipped(max(start, before), end))
        elif before <= start < group[0].start and not _breath(sound, start, group[0].start, end):
            found[first] = _beginning(group[0], start)
    return found


def _breath(sound: Trimmed, start: float, word: float, end: float) -> bool:
    """Whether what is heard from `start` to a word is a breath, next to what is heard up to `end`."""
    if word - start <= _SNAP_S:
        return False
    return _level(sound, start, word) < _FAINT * _level(sound, word, end)


def _level(sound: Trimmed, start: float, end: float) -> float:
    part = sound.samples[round(start * sound.rate) : round(end * sound.rate)].astype(np.float64)
    return float(np.sqrt((part**2).mean())) if len(part) else 0.0


def _middle(word: Timed) -> float:
    return (word.start + word.end) / 2


def _beginning(word: Timed, start: float) -> Timed:
    first = attrs.evolve(word.sounds[0], start=start)
    return attrs.evolve(word, start=start, sounds=(first, *word.sounds[1:]))
