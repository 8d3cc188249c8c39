"""The providers `sphinx` and `estimate`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs

from kinetoscope_align._cues import cues_of
from kinetoscope_align._estimate import Timed, estimate
from kinetoscope_align._fit import fitted
from kinetoscope_align._native import native
from kinetoscope_align._sound import Heard, Trimmed, heard, trimmed
from kinetoscope_align._words import Spoken, spoken_words
from kinetoscope_spec import Audio, Script

__all__ = ["EstimateAligner", "SphinxAligner"]

_GAP_S: Final = 0.12
"""The shortest silence between words; closures of stops are shorter."""


class EstimateAligner:
    """Takes the voice's own times; without them reckons from sounds and silences, in any language."""

    def align(self, audio: Audio, script: Script) -> Audio:
        """Return the same sound with cues; see `Aligner`."""
        words = spoken_words(script)
        timed = native(words, audio.cues)
        if timed is None:
            sound = trimmed(audio)
            timed = [_moved(word, sound.start) for word in self._timed(words, sound, audio.duration)]
        return attrs.evolve(audio, cues=cues_of(audio, script, timed))

    def _timed(self, words: Sequence[Spoken], sound: Trimmed, duration: float) -> list[Timed]:
        return estimate(words, _stretches(words, sound, duration))


class SphinxAligner(EstimateAligner):
    """Takes the voice's own times; else finds English words in the sound; else reckons.

    Where lines in other languages stand between English ones, where those begin and end is reckoned.
    """

    def _timed(self, words: Sequence[Spoken], sound: Trimmed, duration: float) -> list[Timed]:
        from kinetoscope_align._forced import RATE, forced, resampled

        if not len(sound.samples) or not any(word.english for word in words):
            return super()._timed(words, sound, duration)
        stretches = _stretches(words, sound, duration)
        pcm = resampled(sound.samples, sound.rate)
        if all(word.english for word in words):
            timed = forced(words, pcm)
            return fitted(words, timed, stretches, sound) if timed else estimate(words, stretches)
        reckoned = estimate(words, stretches)
        found: list[Timed] = []
        for first, last in _alike(words):
            group = words[first:last]
            if not group[0].english:
                found += reckoned[first:last]
                continue
            start = (reckoned[first - 1].end + reckoned[first].start) / 2 if first else 0.0
            end = (reckoned[last - 1].end + reckoned[last].start) / 2 if last < len(words) else sound.seconds
            timed = forced(group, pcm[int(start * RATE) : int(end * RATE)])
            if timed:
                timed = [_moved(word, start) for word in timed]
                found += fitted(group, timed, stretches.clipped(start, end), sound)
            else:
                found += reckoned[first:last]
        return found


def _stretches(words: Sequence[Spoken], sound: Trimmed, duration: float) -> Heard:
    """Return where something is heard; in silence, everywhere."""
    if not len(sound.samples):
        import numpy as np

        return Heard(np.zeros(1), np.array([max(duration, 1e-9)]))
    return heard(sound, sum(word.seconds for word in words), _GAP_S)


def _alike(words: Sequence[Spoken]) -> list[tuple[int, int]]:
    """Return runs of words of one kind: English, or not."""
    cuts = [i for i in range(1, len(words)) if words[i].english != words[i - 1].english]
    edges = [0, *cuts, len(words)]
    return list(pairwise(edges))


def _moved(word: Timed, by: float) -> Timed:
    sounds = tuple(attrs.evolve(s, start=s.start + by, end=s.end + by) for s in word.sounds)
    return attrs.evolve(word, start=word.start + by, end=word.end + by, sounds=sounds)
