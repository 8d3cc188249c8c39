"""Where words are: estimated, since Gemini gives no times.

Each word gets a share of the time in which something is heard, in proportion to how long it takes to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_gemini._sound import FRAME_S, RATE, SILENT, Samples, audible, frame_levels
from kinetoscope_gemini._words import seconds_of
from kinetoscope_spec import Cue

__all__ = ["LiveCues", "Piece", "word_cues"]

_LEAST_S: Final = 0.06
"""What the shortest word takes: `a`, `I`."""
_PACE: Final = 0.9
"""In a stream words are placed as if spoken this much faster: rather early than all at the end."""
_HELD: Final = round(0.4 * RATE)
"""Samples that a stream holds back until it is known that more follow."""


@attrs.frozen
class Piece:
    """Samples at 24 kHz, and the cues in them, counted from their first sample."""

    samples: Samples
    cues: tuple[Cue, ...] = ()


def word_cues(words: Sequence[str], samples: Samples, origin: int = 0) -> list[Cue]:
    """Return cues of words that are spoken in samples at 24 kHz, the first of which lies at `origin`."""
    clock = _Clock(audible(samples, RATE))
    weights = np.array([_weight(word) for word in words])
    edges = np.concatenate([[0.0], np.cumsum(weights)])
    edges *= clock.total_s / max(float(edges[-1]), 1e-9)
    return _cues(words, edges, clock, origin / RATE, len(samples) / RATE)


def _weight(word: str) -> float:
    return max(_LEAST_S, seconds_of(word))


def _cues(
    words: Sequence[str], edges: NDArray[np.float64], clock: _Clock, offset_s: float, length_s: float
) -> list[Cue]:
    cues = []
    for word, first, last in zip(words, edges[:-1], edges[1:], strict=True):
        start = min(clock.begin(float(first)), length_s)
        end = min(max(clock.end(float(last)), start), length_s)
        cues.append(Cue("word", word, max(0.0, start + offset_s), max(0.0, end + offset_s), "estimated"))
    return cues


class _Clock:
    """Time that runs only while something is heard, and the time on the wall."""

    def __init__(self, heard: NDArray[np.bool_]) -> None:
        frames = np.flatnonzero(heard) if heard.any() else np.arange(len(heard))
        self._frames = frames
        self.total_s = len(frames) * FRAME_S

    def begin(self, heard_s: float) -> float:
        """Return when `heard_s` is reached, after a silence that stands there."""
        i = min(int(heard_s / FRAME_S + 1e-6), len(self._frames) - 1)
        return float((self._frames[i] - i) * FRAME_S + heard_s) if len(self._frames) else heard_s

    def end(self, heard_s: float) -> float:
        """Return when `heard_s` is reached, before a silence that stands there."""
        i = min(max(int(np.ceil(heard_s / FRAME_S - 1e-6)) - 1, 0), len(self._frames) - 1)
        return float((self._frames[i] - i) * FRAME_S + heard_s) if len(self._frames) else heard_s


class LiveCues:
    """Cuts samples that are still coming into pieces that end where a word does."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        self._held = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> Piece | None:
        """Return the next piece, or None while too little has come."""
        self._held = np.concatenate([self._held, samples])
        ready = len(self._held) - _HELD
        if ready <= 0:
            return None
        clock = _Clock(frame_levels(self._held, RATE) > SILENT)
        edges = [0.0]
        for word in self._words:
            edge = edges[-1] + _weight(word) * _PACE
            if clock.end(edge) * RATE > ready or edge > clock.total_s:
                break
            edges.append(edge)
        said = self._words[: len(edges) - 1]
        if self._words and not said:
            return None
        # with no word left, all that is ready goes out
        count = min(ready, round(clock.end(edges[-1]) * RATE)) if len(said) < len(self._words) else ready
        cues = _cues(said, np.array(edges), clock, 0.0, count / RATE)
        self._words = self._words[len(said) :]
        return self._cut(count, cues)

    def finish(self, samples: Samples) -> Piece | None:
        """Return the last piece, with the words that are left."""
        self._held = np.concatenate([self._held, samples])
        if not len(self._held):
            return None
        cues = word_cues(self._words, self._held)
        self._words = []
        return self._cut(len(self._held), cues)

    def _cut(self, count: int, cues: Sequence[Cue]) -> Piece:
        piece = Piece(self._held[:count], tuple(cues))
        self._held = self._held[count:]
        return piece
