"""Times reckoned from how long sounds take, fitted to where something is heard.

The words are dealt out, in order, to the stretches between silences so that each gets about as much
as it has room for, and silences fall where punctuation is (dynamic programming over words and
stretches; within each stretch words share the time in proportion).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_align._phones import seconds_of
from kinetoscope_align._sound import Heard
from kinetoscope_align._words import Spoken

__all__ = ["Timed", "estimate", "shared_sounds"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_STRAY: Final = 0.15
"""Standard deviation of how long a second of speech takes, as a share of the root of its length."""

_UNSPOKEN: Final = (1.5, 0.3, 0.0)
"""Cost of a silence after a word by what its punctuation asks for: none, a short one, a long one."""

_UNHEARD: Final = (0.0, 0.7, 2.0)
"""Cost of no silence after it."""

_INSIDE: Final = 3.0
"""Cost of a silence inside a word or between words that are meant to run on."""

_MOST_MERGED: Final = 4
_WIDEST: Final = 4.0
"""No stretch takes more than so many times what it has room for, and a second."""


@attrs.frozen
class Timed:
    """A word or sound in time.

    Attributes:
        value: what it is.
        start, end: seconds.
        source: as in `Cue`.
        sounds: of a word.
    """

    value: str
    start: float
    end: float
    source: str = "estimated"
    sounds: tuple[Timed, ...] = ()


def estimate(words: Sequence[Spoken], heard: Heard) -> list[Timed]:
    """Return when each word is said, if they are said in what is heard and in nothing else."""
    lengths = np.array([max(word.seconds, 0.04) for word in words])
    spans = list(heard.spans())
    groups = _dealt(lengths, [word.pause for word in words], spans)
    found: list[Timed] = []
    for first, last, stop, until in groups:
        clock = _Clock(spans[stop:until])
        edges = np.concatenate([[0.0], np.cumsum(lengths[first:last])])
        edges *= clock.total / edges[-1]
        for i, word in enumerate(words[first:last]):
            start, end = clock.begin(edges[i]), clock.end(edges[i + 1])
            found.append(shared_sounds(word, start, max(start, end)))
    return found


def shared_sounds(word: Spoken, start: float, end: float, source: str = "estimated") -> Timed:
    """Return a word at a time, its sounds sharing it in proportion; their times are estimates."""
    lengths = np.array([seconds_of(sound) for sound in word.sounds])
    edges = start + (end - start) * np.concatenate([[0.0], np.cumsum(lengths)]) / lengths.sum()
    edges[-1] = end
    sounds = tuple(
        Timed(sound, float(a), float(b))
        for sound, a, b in zip(word.sounds, edges[:-1], edges[1:], strict=True)
    )
    return Timed(word.text, start, end, source, sounds)


class _Clock:
    """Time that runs only in stretches."""

    def __init__(self, spans: Sequence[tuple[float, float]]) -> None:
        self.starts = np.array([start for start, _ in spans])
        self.before = np.concatenate([[0.0], np.cumsum([end - start for start, end in spans])])
        self.total = float(self.before[-1])

    def begin(self, at: float) -> float:
        """Return when `at` seconds have run, after a silence that stands there."""
        i = int(np.searchsorted(self.before[:-1], at + 1e-9, side="right")) - 1
        return float(self.starts[i] + at - self.before[i])

    def end(self, at: float) -> float:
        """Return when `at` seconds have run, before a silence that stands there."""
        i = max(int(np.searchsorted(self.before[:-1], at - 1e-9, side="left")) - 1, 0)
        return float(self.starts[i] + at - self.before[i])


def _dealt(
    lengths: Floats, pauses: Sequence[int], spans: Sequence[tuple[float, float]]
) -> list[tuple[int, int, int, int]]:
    """Deal words to stretches: (first word, after the last, first stretch, after the last) of each group."""
    table = _Table(lengths, pauses, spans)
    for until in range(1, len(spans) + 1):
        for stop in range(max(0, until - _MOST_MERGED), until):
            table.extend(stop, until)
    groups: list[tuple[int, int, int, int]] = []
    until, last = len(spans), len(lengths)
    while until > 0:
        stop, first = (int(place) for place in table.came[until, last])
        if last > first:  # else something was heard there, but no word
            groups.append((first, last, stop, until))
        until, last = stop, first
    return groups[::-1]


class _Table:
    """The best way to deal so many words to so many stretches, and the one before it.

    Lengths are counted at the pace of the whole; costs in seconds at the tables' pace, so that they are
    the same for the same speech slowed down.
    """

    def __init__(self, lengths: Floats, pauses: Sequence[int], spans: Sequence[tuple[float, float]]) -> None:
        count = len(lengths)
        self.said = np.concatenate([[0.0], np.cumsum(lengths)])
        rooms = np.concatenate([[0.0], np.cumsum([end - start for start, end in spans])])
        self.rooms = rooms * (self.said[-1] / rooms[-1])
        self.broken = np.array([0.0, *(_UNSPOKEN[pause] for pause in pauses[:-1]), 0.0])
        self.unheard = np.concatenate([[0.0], np.cumsum([_UNHEARD[pause] for pause in pauses])])
        self.best = np.full((len(spans) + 1, count + 1), np.inf)
        self.best[0, 0] = 0.0
        self.came = np.zeros((len(spans) + 1, count + 1, 2), np.int32)

    def extend(self, stop: int, until: int) -> None:
        """Try all groups of words for the stretches from `stop` to before `until`."""
        count = self.best.shape[1] - 1
        room = float(self.rooms[until] - self.rooms[stop])
        firsts = np.flatnonzero(np.isfinite(self.best[stop]))
        if until == len(self.best) - 1:  # the last takes all that are left
            self._try(stop, until, firsts, np.full(len(firsts), count), room)
            return
        ends = np.searchsorted(self.said, self.said[firsts] + _WIDEST * room + 1.0, side="right") - 1
        for taken in range(int((ends - firsts).max(initial=-1)) + 1):
            begins = firsts[firsts + taken <= ends]
            self._try(stop, until, begins, begins + taken, room)

    def _try(self, stop: int, until: int, firsts: Places, lasts: Places, room: float) -> None:
        off = self.said[lasts] - self.said[firsts] - room
        cost = self.best[stop, firsts] + off**2 / (2 * _STRAY**2 * max(room, 0.05))
        cost += self.broken[lasts] + _INSIDE * (until - stop - 1)
        inner = np.maximum(lasts - 1, firsts)  # after its last word it is silent
        cost += self.unheard[inner] - self.unheard[firsts]
        order = np.argsort(-cost, kind="stable")  # of those with one end the cheapest is written last
        firsts, lasts, cost = firsts[order], lasts[order], cost[order]
        better = cost < self.best[until, lasts]
        self.best[until, lasts[better]] = cost[better]
        self.came[until, lasts[better]] = np.stack([np.full(len(firsts), stop), firsts], axis=1)[better]
