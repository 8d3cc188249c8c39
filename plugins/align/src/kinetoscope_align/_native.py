"""Times that a voice gave itself."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from kinetoscope_align._estimate import Timed, shared_sounds
from kinetoscope_align._words import Spoken
from kinetoscope_spec import Cue

__all__ = ["native"]


def native(words: Sequence[Spoken], cues: Sequence[Cue]) -> list[Timed] | None:
    """Return when each word is said by the cues of a sound, or None where they do not say.

    They do if their words are the script's and at least one is not an estimate. Where a language is
    written without spaces several cues may make up a word.
    """
    said = [cue for cue in cues if cue.kind == "word"]
    if not any(cue.source != "estimated" for cue in said):
        return None
    phonemes = sorted((cue for cue in cues if cue.kind == "phoneme"), key=_middle)
    middles = [_middle(cue) for cue in phonemes]
    found: list[Timed] = []
    place = 0
    for word in words:
        first, made = place, ""
        while made != word.text and place < len(said) and word.text.startswith(made + said[place].value):
            made += said[place].value
            place += 1
        if made != word.text:
            return None
        group = said[first:place]
        source = "estimated" if any(cue.source == "estimated" for cue in group) else group[0].source
        start, end = group[0].start, group[-1].end
        inside = phonemes[bisect_left(middles, start) : bisect_right(middles, end)]
        found.append(_with_sounds(word, start, end, source, inside))
    return found if place == len(said) else None


def _middle(cue: Cue) -> float:
    return (cue.start + cue.end) / 2


def _with_sounds(word: Spoken, start: float, end: float, source: str, inside: Sequence[Cue]) -> Timed:
    """Return a word with its phonemes inside it, or with its own sounds spread over it."""
    sounds = tuple(Timed(cue.value, max(cue.start, start), min(cue.end, end), cue.source) for cue in inside)
    return Timed(word.text, start, end, source, sounds or shared_sounds(word, start, end).sounds)
