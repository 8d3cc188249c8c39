"""Lines as sound: clause by clause, with the silences between them and the cues of their words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_piper._network import RATE, spoken
from kinetoscope_piper._pronounce import pronounced
from kinetoscope_spec import Cue, Line
from kinetoscope_spec.script import Effect, Said, Sounded, Word, steps, words

__all__ = ["line_sound"]

Samples = NDArray[np.float32]

_CLAUSE_END: Final = re.compile(r"[,;:.!?…–—]")
_SILENCES_S: Final = {
    ",": 0.12,
    ";": 0.2,
    ":": 0.2,
    ".": 0.3,
    "!": 0.3,
    "?": 0.3,
    "…": 0.4,
    "–": 0.2,
    "—": 0.2,
}
_MOST_WORDS: Final = 20
"""Of a clause: the network was trained on sentences, and its time grows with the square of their length."""

_SILENT: Final = 0.02


@attrs.frozen
class _Clause:
    words: tuple[Word, ...]
    end: str
    effect: Effect


def line_sound(line: Line, lexicon: Mapping[str, str]) -> tuple[Samples, list[Cue]]:
    """Return a line as sound `[N]` with cues of its words, estimated, and of its marks."""
    pieces: list[Samples] = []
    cues: list[Cue] = []
    length = 0
    for step in steps(line.text):
        made = _sounded(step) if isinstance(step, Sounded) else _said(step, lexicon)
        for samples, found in made:
            cues += [attrs.evolve(c, start=c.start + length / RATE, end=c.end + length / RATE) for c in found]
            pieces.append(samples)
            length += len(samples)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32), cues


def _sounded(step: Sounded) -> Iterator[tuple[Samples, list[Cue]]]:
    if step.tag.category == "pause":
        yield np.zeros(round(step.tag.effect.pause * RATE), np.float32), []
    elif step.tag.category == "mark":
        yield np.zeros(0, np.float32), [Cue("mark", step.tag.name.removeprefix("mark "), 0.0, 0.0)]


def _said(step: Said, lexicon: Mapping[str, str]) -> Iterator[tuple[Samples, list[Cue]]]:
    for clause in _clauses(step):
        sounds = [pronounced(word.text, lexicon) for word in clause.words]
        sound = spoken(" ".join(sounds) + clause.end, slower=1 / clause.effect.rate)
        gain = 10 ** (clause.effect.volume / 20)
        samples = np.clip(sound * gain, -0.99, 0.99).astype(np.float32)
        yield samples, _cues(clause.words, sounds, samples)
        yield np.zeros(round(_SILENCES_S.get(clause.end, 0.0) * RATE), np.float32), []


def _clauses(step: Said) -> Iterator[_Clause]:
    held: list[Word] = []
    found = words(step.text)
    for i, word in enumerate(found):
        held.append(word)
        following = found[i + 1].start if i + 1 < len(found) else len(step.text)
        mark = _CLAUSE_END.search(step.text, word.end, following)
        if mark or len(held) == _MOST_WORDS:
            yield _Clause(tuple(held), mark[0] if mark else ",", step.effect)
            held = []
    if held:
        yield _Clause(tuple(held), "", step.effect)


def _cues(said: Sequence[Word], sounds: Sequence[str], samples: Samples) -> list[Cue]:
    """Share what is heard among the words by the number of their sounds."""
    loud = np.flatnonzero(np.abs(samples) > _SILENT * np.abs(samples).max(initial=1e-9))
    first, last = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(samples))
    counts = np.array([sum(c not in "ˈˌ " for c in sound) for sound in sounds], np.float64)
    edges = (first + (last - first) * np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()) / RATE
    return [
        Cue("word", word.text, float(a), float(b), "estimated")
        for word, a, b in zip(said, edges[:-1], edges[1:], strict=True)
    ]
