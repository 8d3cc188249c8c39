"""A line as sound: calls of the library, joined sample by sample, with the cues of the whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_espeak._compile import Atom, Call, Marked, Silence, atoms, ssml_of
from kinetoscope_espeak._cues import Timeline, timeline
from kinetoscope_espeak._lexicon import mnemonics
from kinetoscope_espeak._library import RATE, EspeakCrashed, Spoken, loaded
from kinetoscope_espeak._voices import Timbre
from kinetoscope_spec import Cue
from kinetoscope_spec.script import Step, Word, words

__all__ = ["Planned", "Sound", "plan", "sound_of"]

_QUIET, _FAINT = 0.006, 0.02
"""Below these shares of the loudest sample of its line (-44 dB) and of its call (-34 dB), both, is silence."""

_EARLIEST: Final = RATE // 20
"""How long before its event a word's sound may begin: 50 ms."""

_ORDER: Final = {"sentence": 0, "mark": 1, "word": 2, "phoneme": 3, "viseme": 4}
_BREATHS: Final = (240, 40, 20, 10)
"""Letters without punctuation after which a breath is taken: the fewer, the more the library had dropped."""

_HURRIED: Final = 0.25
_ENGLISH: Final = "gmw/en-US"
_MUTE: Final = 30 / 32768


@attrs.frozen
class Planned:
    """A line before it is spoken.

    Attributes:
        atoms: what it is made of.
        voice: the library's voice of its language.
        text: its words, for cues of sentences.
    """

    atoms: tuple[Atom, ...]
    voice: str
    text: str

    @property
    def begins_with_pause(self) -> bool:
        """Whether a tag says how long the silence before it is."""
        return bool(self.atoms) and isinstance(self.atoms[0], Silence)

    @property
    def ends_with_pause(self) -> bool:
        """Whether a tag says how long the silence after it is."""
        return bool(self.atoms) and isinstance(self.atoms[-1], Silence)


@attrs.frozen(eq=False)
class Sound:
    """A line that was spoken.

    Attributes:
        samples: float32 `[N]`.
        cues: in order of their beginnings.
    """

    samples: NDArray[np.float32]
    cues: tuple[Cue, ...]


def plan(steps: Sequence[Step], text: str, own: Timbre, voice: str) -> Planned:
    """Return what it takes to speak a line's steps in a timbre and with the library's voice of a language."""
    return Planned(tuple(atoms(steps, own)), voice, text)


@attrs.frozen(eq=False)
class _Take:
    """What the library gave for one call."""

    samples: NDArray[np.float32]
    times: Timeline
    words: tuple[Word, ...]

    @property
    def loudest(self) -> float:
        """The greatest amplitude."""
        return float(np.abs(self.samples).max(initial=0))


@attrs.define
class _Tape:
    """What has been spoken of a line."""

    pieces: list[NDArray[np.float32]] = attrs.field(factory=list)
    length: int = 0
    words: list[Cue] = attrs.field(factory=list)
    others: list[Cue] = attrs.field(factory=list)
    silences: list[int] = attrs.field(factory=list)  # how many words stood before each that was asked for

    def add(self, samples: NDArray[np.float32]) -> None:
        self.pieces.append(samples)
        self.length += len(samples)


def sound_of(planned: Planned, lexicon: Mapping[str, str]) -> Sound:
    """Speak a line.

    Raises:
        ProviderUnavailable: the library can't be loaded or fails.
    """
    tape = _Tape()
    takes = _takes(planned, lexicon)
    loudest = max((take.loudest for take in takes.values()), default=0.0)
    for i, atom in enumerate(planned.atoms):
        if isinstance(atom, Silence):
            tape.add(np.zeros(round(atom.seconds * RATE), np.float32))
            if atom.asked:
                tape.silences.append(len(tape.words))
        elif isinstance(atom, Call):
            _put(tape, atom, takes[i], loudest)
    for atom in planned.atoms:
        if isinstance(atom, Marked):
            at = _mark_time(tape, atom)
            tape.others.append(Cue("mark", atom.name, at, at))
    sentences = _sentences(tape.words, planned.text)
    cues = sorted([*sentences, *tape.words, *tape.others], key=lambda cue: (cue.start, _ORDER[cue.kind]))
    samples = np.concatenate(tape.pieces) if tape.pieces else np.zeros(0, np.float32)
    return Sound(samples, tuple(cues))


def _takes(planned: Planned, lexicon: Mapping[str, str]) -> dict[int, _Take]:
    """Speak the calls of a line; return what each gave by its place among the atoms."""
    calls = {i: atom for i, atom in enumerate(planned.atoms) if isinstance(atom, Call)}
    takes = {}
    for i, call in calls.items():
        spoken = tuple(word for said in call.said for word in words(said.text))
        language = _ENGLISH if call.sound else planned.voice
        samples, times = _said(call, spoken, language, {} if call.sound else lexicon, ends=i == max(calls))
        takes[i] = _Take(samples, times, spoken)
    return takes


def _put(tape: _Tape, call: Call, take: _Take, loudest: float) -> None:
    """Put what a call gave at the tape's end, without the silence about it, and its cues."""
    samples, times, spoken = take.samples, take.times, take.words
    quiet = min(_QUIET * loudest, _FAINT * take.loudest)
    first, last = _sounding(samples, quiet)
    shift = tape.length - first

    def cue(kind: str, value: str, start: int, end: int, source: str = "native") -> Cue:
        held = [min(max(at, first), last) + shift for at in (start, end)]
        return Cue(kind, value, held[0] / RATE, held[1] / RATE, source)

    if call.sound:
        tape.others.append(cue("mark", call.sound, first, last))
    else:
        whole = [held for held in times.words if held is not None]
        for word, held in zip(spoken, times.words, strict=True):
            # Where the library was silent about all of them, they share what sound there is.
            start, end = (held.start, held.end) if held else (first, last)
            if held and held.after_silence:
                start = _onset(samples, start, end, quiet)
            known = held is not None and held.known and bool(whole)
            tape.words.append(cue("word", word.text, start, end, "native" if known else "estimated"))
    tape.others += [cue("phoneme", held.value, held.start, held.end) for held in times.phonemes]
    tape.add(samples[first:last])


def _said(
    call: Call, spoken: Sequence[Word], language: str, lexicon: Mapping[str, str], *, ends: bool
) -> tuple[NDArray[np.float32], Timeline]:
    """Return the samples of a call, and what is where in them; words it can't say are spelt out."""
    voice = f"{language}+{call.timbre.variant}" if call.timbre.variant else language
    letters = [len(word.text) for word in spoken]
    instead: dict[int, str] = {}
    found: tuple[Spoken, Timeline] | None = None
    crash: EspeakCrashed | None = None
    for breath in _BREATHS:
        ssml = ssml_of(
            call, lexicon, partial(mnemonics, voice=language), instead=instead, ends=ends, breath=breath
        )
        try:
            with loaded() as library:
                result = library.speak(ssml.text, voice, volume=call.timbre.volume, phonemes=ssml.phonemes)
        except EspeakCrashed as error:  # it may do without the word that it died of, or with shorter clauses
            crash = error
            instead |= _spelt(spoken, range(len(spoken)), language)
            continue
        times = timeline(result.events, ssml.places, letters, len(result.samples))
        found = result, times
        missing = [i for i, held in enumerate(times.words) if held is None or not held.known]
        if _is_lost(times, letters):
            continue
        mute = _spelt(spoken, missing, language)
        if not mute.keys() - instead.keys():
            break
        instead |= mute
    if found is None:
        assert crash is not None
        raise crash
    return found[0].samples, found[1]


def _spelt(spoken: Sequence[Word], which: Iterable[int], language: str) -> dict[int, str]:
    """Return what is said instead of those words that the library can't say, by their numbers."""
    return {i: _instead(spoken[i].text, language) for i in which if _is_mute(spoken[i].text, language)}


def _is_lost(times: Timeline, letters: Sequence[int]) -> bool:
    """Tell whether words were dropped: far less time is left for them than others of their length take."""
    paces = [
        (held.known, (held.end - held.start) / count)
        for held, count in zip(times.words, letters, strict=True)
        if held
    ]
    known = [pace for is_known, pace in paces if is_known]
    if not known:
        return False
    return any(pace < _HURRIED * float(np.median(known)) for is_known, pace in paces if not is_known)


@lru_cache(maxsize=4096)
def _is_mute(word: str, language: str) -> bool:
    """Tell whether the library is silent about a word, or crashes: it lacks the names of rarer letters."""
    try:
        with loaded() as library:
            samples = library.speak(f"<speak>{re.sub('[<>&]', ' ', word)} </speak>", language).samples
    except EspeakCrashed:
        return True
    return not bool(np.abs(samples).max(initial=0) > _MUTE)


@lru_cache(maxsize=4096)
def _instead(word: str, language: str) -> str:
    """Return what is said for a word that a language has no sound for: spelt out, if need be in English."""
    spelt = _spelt_out(word)
    if not _is_mute(spelt, language):
        return spelt
    with loaded() as library:
        events = library.speak(f"<speak>{spelt} </speak>", _ENGLISH).events
    return f"/{''.join(event.ipa for event in events if event.kind == 'phoneme')}/"


def _spelt_out(word: str) -> str:
    """Return what is said in place of a word that can't be: plain letters it is made of, else their numbers."""
    plain = unicodedata.normalize("NFKC", word)
    if plain != word and plain.isascii():
        return plain
    return " ".join(
        unicodedata.normalize("NFKD", c)[0] if unicodedata.normalize("NFKD", c)[0].isascii() else str(ord(c))
        for c in word
        if unicodedata.category(c)[0] in "LN"
    )


def _sounding(samples: NDArray[np.float32], quiet: float) -> tuple[int, int]:
    """Return where what is louder than `quiet` begins and ends."""
    loud = np.abs(samples) > quiet
    if not loud.any():
        return 0, 0
    return int(loud.argmax()), int(len(loud) - loud[::-1].argmax())


def _onset(samples: NDArray[np.float32], start: int, end: int, quiet: float) -> int:
    """Return where a word's sound begins: a rolled r is heard before its event, a stop after it."""
    step = RATE // 400
    at = start
    while at - step >= max(start - _EARLIEST, 0) and np.abs(samples[at - step : at]).max() > quiet:
        at -= step
    loud = np.abs(samples[at:end]) > quiet
    return at + int(loud.argmax()) if loud.any() else start


def _mark_time(tape: _Tape, mark: Marked) -> float:
    """Return when a mark is: at the next word, or at the end of the last if a pause comes between."""
    before = tape.words[mark.before - 1].end if mark.before else 0.0
    after = tape.words[mark.before].start if mark.before < len(tape.words) else tape.length / RATE
    return before if mark.before in tape.silences or mark.before == len(tape.words) else after


_SENTENCE_END: Final = re.compile(r"[.!?…。！？।][\"'”’»)\]]*$")


def _sentences(spoken: Sequence[Cue], text: str) -> list[Cue]:
    """Return a cue for each sentence: from its first word to its last."""
    found: list[Cue] = []
    held: list[str] = []
    place = 0
    pieces = text.split()
    for i, piece in enumerate(pieces):
        held.append(piece)
        if i + 1 < len(pieces) and not _SENTENCE_END.search(piece):
            continue
        said = " ".join(held)
        stop = place + len(words(said))
        if stop > place:
            ends = (spoken[place], spoken[stop - 1])
            known = all(cue.source == "native" for cue in ends)
            found.append(
                Cue("sentence", said, ends[0].start, ends[1].end, "native" if known else "estimated")
            )
            held, place = [], stop
    return found
