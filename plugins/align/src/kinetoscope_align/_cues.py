"""Cues from times of words: theirs, those of their phonemes, of visemes and of sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from kinetoscope_align._estimate import Timed
from kinetoscope_align._phones import VOWELS
from kinetoscope_align.visemes import visemes_of
from kinetoscope_spec import Audio, Cue, Script
from kinetoscope_spec.script import plain_text, words

__all__ = ["cues_of"]

_ORDER: Final = ("sentence", "mark", "word", "phoneme", "viseme")
_PAUSE_S: Final = 0.08
"""From here on a gap between visemes is silence, with the mouth at rest; shorter ones are closures."""

_SENTENCE_END: Final = re.compile(r"[.!?…。！？।][\"'”’»)\]]*$")


def cues_of(audio: Audio, script: Script, timed: Sequence[Timed]) -> tuple[Cue, ...]:
    """Return all cues of a sound in which words are said at such times, in order."""
    kept = [cue for cue in audio.cues if cue.kind not in ("word", "phoneme", "viseme")]
    inside = [_clipped(word, audio.duration) for word in _ordered(timed)]
    cues = [*kept, *(_cue("word", word) for word in inside)]
    if not any(cue.kind == "sentence" for cue in kept):
        cues += _sentences(script, inside)
    sounds = [sound for word in inside for sound in word.sounds]
    cues += [_cue("phoneme", sound) for sound in sounds]
    cues += _visemes(sounds, audio.duration)
    return tuple(sorted(cues, key=lambda cue: (cue.start, _ORDER.index(cue.kind), cue.end)))


def _cue(kind: str, timed: Timed) -> Cue:
    return Cue(kind, timed.value, timed.start, timed.end, timed.source)


def _ordered(timed: Sequence[Timed]) -> Iterator[Timed]:
    """Let no word, and no sound of it, begin before the last has ended."""
    before = 0.0
    for word in timed:
        start = max(word.start, before)
        sounds = []
        for sound in word.sounds:
            a = max(sound.start, start, before)
            before = max(a, sound.end)
            sounds.append(attrs.evolve(sound, start=a, end=before))
        before = max(before, word.end, start)
        yield attrs.evolve(word, start=start, end=before, sounds=tuple(sounds))


def _clipped(timed: Timed, most: float) -> Timed:
    sounds = tuple(_clipped(sound, most) for sound in timed.sounds)
    return attrs.evolve(
        timed, start=min(max(timed.start, 0.0), most), end=min(max(timed.end, 0.0), most), sounds=sounds
    )


def _visemes(sounds: Sequence[Timed], duration: float) -> list[Cue]:
    """Return visemes, and `sil` where it is silent between, before and after them."""
    shaped = [(sound, visemes_of(sound.value)) for sound in sounds]
    found: list[Cue] = []
    end = 0.0
    carried: float | None = None  # where sounds without a shape began, which the next one's takes over
    for sound, shapes in shaped:
        if sound.start - end >= _PAUSE_S:
            found.append(Cue("viseme", "sil", end, sound.start, sound.source))
            carried = None
        if not shapes:
            carried = sound.start if carried is None else carried
        else:
            begins = sound.start if carried is None else carried
            found += _split(shapes, begins, sound)
            carried = None
        end = sound.end
    if duration - end >= _PAUSE_S:
        found.append(Cue("viseme", "sil", end, duration, sounds[-1].source if sounds else "estimated"))
    return found


def _split(shapes: Sequence[str], start: float, sound: Timed) -> Iterator[Cue]:
    """Cut a sound in equal parts, but a diphthong's first vowel takes most of it."""
    parts = len(shapes)
    shares = [i / parts for i in range(parts + 1)]
    if parts == 2 and sound.value[0] in VOWELS:
        shares[1] = 0.6
    edges = [start + share * (sound.end - start) for share in shares]
    edges[-1] = sound.end
    for shape, a, b in zip(shapes, edges[:-1], edges[1:], strict=True):
        yield Cue("viseme", shape, a, max(a, b), sound.source)


def _sentences(script: Script, timed: Sequence[Timed]) -> Iterator[Cue]:
    """Return a cue for each sentence of each line: from its first word to its last."""
    place = 0
    for line in script.lines:
        held: list[str] = []
        first = place
        texts = plain_text(line.text).split()
        for i, piece in enumerate(texts):
            held.append(piece)
            place += len(words(piece))
            if place > first and (i + 1 == len(texts) or _SENTENCE_END.search(piece)):
                group = timed[first:place]
                yield Cue("sentence", " ".join(held), group[0].start, group[-1].end, _worst(group))
                held, first = [], place


def _worst(timed: Sequence[Timed]) -> str:
    sources = {word.source for word in timed}
    return next(source for source in ("estimated", "aligned", "native") if source in sources)
