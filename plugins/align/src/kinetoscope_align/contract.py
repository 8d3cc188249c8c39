"""The laws of the hook `aligner`, to be run on any provider of it.

    class TestMine(AlignerContract):
        provider = MyAligner()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st
from scipy.signal import resample_poly

from kinetoscope_align.plainspeech import WORDS, Said, say
from kinetoscope_align.visemes import VISEMES
from kinetoscope_spec import Audio, Cue, Line, Provenance, Script
from kinetoscope_spec.contracts import Contract, law, require
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.script import plain_text, words

__all__ = ["AlignerContract", "sounds", "speech", "texts"]

FRAME_S = 1 / 24
"""By how much a cue may move that is to stay where it is: a frame of film."""

ONSET_S = 0.15
"""How far off the cue of a word after a silence may be; a syllable takes 0.2 s."""

_KINDS = ("sentence", "mark", "word", "phoneme", "viseme")
_TEXTS = (
    "The river.", "It's 42 degrees, isn't it?", "R&D [pause 0.3s] in 1999!", "Übung macht den Meister",
    "日本語 です", "well-known... O'Neil", "a", "*Xqzt* **brrr**", "Привет, мир!", "मेरा नाम", "Dr. No: 3.14 (pi)",
)  # fmt: skip


@st.composite
def speech(draw: Any, *, language: str = "en") -> Said:
    """Draw speech of which the truth is known: one to three phrases of one to four words."""
    word = st.sampled_from(sorted(WORDS))
    phrases = draw(st.lists(st.lists(word, min_size=1, max_size=4), min_size=1, max_size=3))
    pace = draw(st.sampled_from((1.4, 1.7, 2.0)))  # people's; 1 is that of single syllables
    return say(phrases, pace=pace, language=language)


@st.composite
def texts(draw: Any) -> Script:
    """Draw scripts of any language, of one to three lines."""
    lines = draw(st.lists(st.sampled_from(_TEXTS), min_size=1, max_size=3))
    tags = st.sampled_from(("en", "en-GB", "de", "ja", "hi", None))
    return Script(tuple(Line(text, language=draw(tags)) for text in lines))


@st.composite
def sounds(draw: Any) -> Audio:
    """Draw sound that need not be speech: noise in bursts, silence, nothing."""
    rate = draw(st.sampled_from((8000, 16000, 22050, 48000)))
    count = round(rate * draw(st.sampled_from((0.0, 0.01, 0.5, 2.0))))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    samples = rng.normal(0, 0.1, (count, draw(st.integers(1, 2))))
    bursts = np.sin(np.arange(count) / rate * draw(st.floats(0, 40))) > draw(
        st.sampled_from((-2.0, 0.0, 2.0))
    )
    return Audio(np.clip(samples * bursts[:, None], -1, 1), rate)


class AlignerContract(Contract):
    """What callers of an aligner rely on; subclass it and set `provider`."""

    hook: ClassVar[str] = "aligner"
    mutants: ClassVar[str | None] = "kinetoscope_align.contract_mutants:MUTANTS"

    @law(speech(), cost=10)
    def test_all_but_the_cues_is_kept(self, said: Said) -> None:
        """Samples, rate, provenance and marks stay what they are."""
        mark = Cue("mark", "here", 0.05, 0.05)
        audio = attrs.evolve(said.audio, cues=[mark], provenance=Provenance("someone"))
        aligned = self._align(audio, said.script)
        require(np.array_equal(aligned.samples, audio.samples), "the samples are others")
        require(aligned.rate == audio.rate, f"the rate {audio.rate} became {aligned.rate}")
        require(aligned.provenance == audio.provenance, "the provenance is another")
        require(mark in aligned.cues, f"the mark {mark} is gone")

    @law(sounds(), texts(), cost=4)
    def test_every_word_has_a_cue(self, audio: Audio, script: Script) -> None:
        """Whatever is said, and whatever is heard, the cues of words are the script's words, in order."""
        said = [word.text for line in script.lines for word in words(plain_text(line.text))]
        cued = [cue.value for cue in self._align(audio, script).cues if cue.kind == "word"]
        require(cued == said, f"the cues say {cued}, expected {said}")

    @law(sounds(), texts(), cost=4)
    def test_cues_follow_one_another(self, audio: Audio, script: Script) -> None:
        """Cues lie inside the sound; of one kind none begins before the last has ended."""
        cues = self._align(audio, script).cues
        for cue in cues:
            require(cue.kind in _KINDS and cue.end <= audio.duration + 1e-6, f"{cue} is not in the sound")
        for kind in ("word", "phoneme", "viseme"):
            held = [cue for cue in cues if cue.kind == kind]
            for a, b in itertools.pairwise(held):
                require(b.start >= a.end - 1e-6, f"{b} begins before {a} has ended")

    @law(speech(), cost=10)
    def test_words_have_sounds_and_shapes(self, said: Said) -> None:
        """Each word has phonemes, each inside it; visemes are Oculus's, and `sil` stands in silence."""
        cues = self._align(said.audio, said.script).cues
        phonemes = [cue for cue in cues if cue.kind == "phoneme"]
        spans = [(cue.start, cue.end) for cue in cues if cue.kind == "word"]
        for start, end in spans:
            inside = [p for p in phonemes if start - 1e-6 <= p.start and p.end <= end + 1e-6]
            require(inside, f"no phoneme lies in the word from {start} to {end}")
        for cue in (cue for cue in cues if cue.kind == "viseme"):
            require(cue.value in VISEMES, f"{cue.value!r} is no viseme")
            middle = (cue.start + cue.end) / 2
            spoken = any(start <= middle <= end for start, end in spans)
            require(spoken != (cue.value == "sil"), f"{cue} lies {'inside' if spoken else 'outside'} words")

    @law(speech(), cost=10)
    def test_words_begin_where_they_are_heard(self, said: Said) -> None:
        """The first word after each silence begins with the sound, within 0.15 s."""
        cues = [cue for cue in self._align(said.audio, said.script).cues if cue.kind == "word"]
        last = -1.0
        for cue, (start, end) in zip(cues, said.words, strict=True):
            if start - last > 0.2:
                off = abs(cue.start - start)
                require(
                    off <= ONSET_S, f"{cue.value!r} begins at {start:.2f} s, its cue at {cue.start:.2f} s"
                )
            last = end

    @law(speech(), st.sampled_from((1 / 64, 1 / 8, 1 / 2)), cost=20)
    def test_loudness_does_not_matter(self, said: Said, gain: float) -> None:
        """However softly it is said, no cue of a word moves by more than 1 ms."""
        softer = attrs.evolve(said.audio, samples=np.float32(gain) * said.audio.samples)
        one, other = self._align(said.audio, said.script), self._align(softer, said.script)
        self._near(one, other, 0.0, 1e-3, f"gain {gain}")

    @law(speech(), st.sampled_from((16000, 22050, 44100, 48000)), cost=20)
    def test_the_rate_does_not_matter(self, said: Said, rate: int) -> None:
        """At another rate of samples no cue of a word moves by more than a frame of film."""
        samples = said.audio.samples[:, 0].astype(np.float64)
        other = np.clip(resample_poly(samples, rate, said.audio.rate), -1, 1)
        moved = self._align(Audio(other[:, None], rate), said.script)
        self._near(self._align(said.audio, said.script), moved, 0.0, FRAME_S, f"rate {rate}")

    @law(speech(), st.floats(0, 3), cost=20)
    def test_silence_before_moves_all(self, said: Said, seconds: float) -> None:
        """Silence put before the sound moves each cue of a word by its length, to 1 ms."""
        audio = said.audio
        count = round(seconds * audio.rate)
        later = attrs.evolve(audio, samples=np.concatenate([np.zeros((count, 1)), audio.samples]))
        base = self._align(audio, said.script)
        self._near(base, self._align(later, said.script), count / audio.rate, 1e-3, "silence before")

    @law(speech(language="de"), st.sampled_from((2.0, 0.5)), cost=10)
    def test_estimates_grow_with_the_sound(self, said: Said, slower: float) -> None:
        """What is estimated lasts twice as long in the same sound played at half the speed."""
        audio = said.audio
        slow = attrs.evolve(audio, rate=round(audio.rate / slower))
        for a, b in self._pairs(self._align(audio, said.script), self._align(slow, said.script)):
            if a.source == b.source == "estimated":
                off = max(abs(b.start - slower * a.start), abs(b.end - slower * a.end))
                require(off <= FRAME_S * slower, f"{a} became {b}, expected {slower} times its times")

    @law(speech(), cost=10)
    def test_the_voices_own_times_are_kept(self, said: Said) -> None:
        """Native cues of words stay, to the microsecond, and no other is put in their place."""
        texts = [word.text for line in said.script.lines for word in words(plain_text(line.text))]
        # A little off what is heard: it is the voice that knows.
        native = [
            Cue("word", text, start + 0.03, end) for text, (start, end) in zip(texts, said.words, strict=True)
        ]
        aligned = self._align(attrs.evolve(said.audio, cues=native), said.script)
        kept = [cue for cue in aligned.cues if cue.kind == "word"]
        for a, b in zip(native, kept, strict=True):
            off = max(abs(a.start - b.start), abs(a.end - b.end))
            require(off < 1e-6 and b.source == "native", f"the voice's {a} became {b}")

    @law(st.sampled_from(("...", "—", "[whispers]", "“ ”")))
    def test_what_says_nothing_is_refused(self, text: str) -> None:
        """A script without a word is a `ValidationError`."""
        try:
            self.subject.align(Audio(np.zeros((8000, 1)), 8000), Script.of(text))
        except ValidationError:
            return
        require(False, f"{text!r} was aligned, expected a ValidationError")

    def _align(self, audio: Audio, script: Script) -> Audio:
        aligned: Audio = self.subject.align(audio, script)
        return aligned

    def _pairs(self, one: Audio, other: Audio) -> Sequence[tuple[Cue, Cue]]:
        held, found = ([cue for cue in audio.cues if cue.kind == "word"] for audio in (one, other))
        require(len(held) == len(found), f"{len(held)} words became {len(found)}")
        return list(zip(held, found, strict=True))

    def _near(self, one: Audio, other: Audio, by: float, most: float, what: str) -> None:
        for a, b in self._pairs(one, other):
            off = max(abs(b.start - a.start - by), abs(b.end - a.end - by))
            require(off <= most + 1e-6, f"{what}: {a} became {b}, {off:.3f} s off, expected {most:g} at most")
