"""Voices with one thing wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec.contracts._speech import joined, words_of
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.voice import Audio, Cue, Script, VoiceInfo

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Speaks(Wrapper):
    """A voice that speaks another script, or whose pieces are changed, and the speech with them."""

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        return (self.changed(piece, script) for piece in self.real.stream(self.taken(script), **options))

    def speak(self, script: Script, **options: Any) -> Audio:
        return joined(self.stream(script, **options))

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        return joined([piece async for piece in self.astream(script, **options)])

    async def astream(self, script: Script, **options: Any) -> AsyncIterator[Audio]:
        async for piece in self.real.astream(self.taken(script), **options):
            yield self.changed(piece, script)

    def taken(self, script: Script) -> Script:
        return script

    def changed(self, piece: Audio, script: Script) -> Audio:
        return piece


@mutant(MUTANTS, "voices_have_names_of_their_own")
class Twice(Wrapper):
    """lists its first voice twice"""

    def voices(self) -> Sequence[VoiceInfo]:
        voices = list(self.real.voices())
        return [voices[0], *voices]


@mutant(MUTANTS, "any_words_are_spoken")
class Stumbles(Wrapper):
    """fails at a script whose first word has one letter"""

    def speak(self, script: Script, **options: Any) -> Audio:
        words = words_of(script.text)
        if words:
            _ = words[0][1]
        audio: Audio = self.real.speak(script, **options)
        return audio


@mutant(MUTANTS, "any_words_are_spoken")
class Shouts(_Speaks):
    """is far too loud, and clips"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        return attrs.evolve(piece, samples=np.clip(piece.samples * 1000, -1, 1))


@mutant(MUTANTS, "the_rate_is_declared")
class Hurries(_Speaks):
    """says twice the rate that it declares"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        cues = [attrs.evolve(cue, start=cue.start / 2, end=cue.end / 2) for cue in piece.cues]
        return attrs.evolve(piece, rate=piece.rate * 2, cues=cues)


@mutant(MUTANTS, "words_have_cues_in_order")
class Splits(_Speaks):
    """cues the parts of a word about an apostrophe or hyphen one by one"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        cues: list[Cue] = []
        for cue in piece.cues:
            parts = [part for part in cue.value.replace("'", "-").split("-") if part] or [cue.value]
            cues += [attrs.evolve(cue, value=part) for part in parts]
        return attrs.evolve(piece, cues=cues)


@mutant(MUTANTS, "words_have_cues_in_order")
class Swallows(_Speaks):
    """has no cue for the last word of a piece"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        return attrs.evolve(piece, cues=piece.cues[:-1])


@mutant(MUTANTS, "words_sound_where_their_cues_are")
class Bunches(_Speaks):
    """puts the cues of all words at the beginning of their piece"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        return attrs.evolve(piece, cues=[attrs.evolve(cue, start=0.0, end=0.0) for cue in piece.cues])


@mutant(MUTANTS, "voices_sound_different")
class OneForAll(_Speaks):
    """speaks with its first voice whichever was asked for"""

    def taken(self, script: Script) -> Script:
        named = {voice.name: voice for voice in self.real.voices()}
        first = next(iter(named.values()))
        asked = [named.get(name) for name in script.voices.values()]
        like = all(v is not None and (v.rate, v.languages) == (first.rate, first.languages) for v in asked)
        return attrs.evolve(script, voices={}) if like else script


@mutant(MUTANTS, "every_output_has_provenance")
class Anonymous(_Speaks):
    """says in its speech, but not in the pieces of a stream, who made it"""

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        return (attrs.evolve(piece, provenance=None) for piece in self.real.stream(script, **options))

    def speak(self, script: Script, **options: Any) -> Audio:
        audio: Audio = self.real.speak(script, **options)
        return audio


@mutant(MUTANTS, "every_output_has_provenance")
class HashesLess(_Speaks):
    """hashes the words alone, not the text"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        assert piece.provenance is not None
        made = attrs.evolve(piece.provenance, text_sha256="".join(words_of(script.text)).encode().hex())
        return attrs.evolve(piece, provenance=made)


@mutant(MUTANTS, "unknown_voices_are_errors")
class AnyVoice(_Speaks):
    """takes its first voice for one that it does not have"""

    def taken(self, script: Script) -> Script:
        known = [voice.name for voice in self.real.voices()]
        held = {speaker: name for speaker, name in script.voices.items() if name in known}
        return attrs.evolve(script, voices=held)


@mutant(MUTANTS, "unknown_languages_are_errors")
class AnyLanguage(_Speaks):
    """takes its first language for one that it does not speak"""

    def taken(self, script: Script) -> Script:
        voices = self.real.voices()
        known = {tag for voice in voices for tag in voice.languages}
        lines = [attrs.evolve(x, language=x.language if x.language in known else None) for x in script.lines]
        language = script.language if script.language in known else voices[0].languages[0]
        return attrs.evolve(script, lines=lines, language=language)


@mutant(MUTANTS, "unknown_tags_are_errors")
class Unhelpful(_Speaks):
    """does not say which audio tags it knows"""

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        try:
            return super().stream(script, **options)
        except ValidationError as error:
            if "[" not in script.text or not words_of(script.text):
                raise
            tag = script.text.partition("[")[2].partition("]")[0]
            raise ValidationError(f"the audio tag {tag!r} is not supported") from error


@mutant(MUTANTS, "no_words_are_an_error")
class KeepsSilent(_Speaks):
    """answers a script without words with a second of silence"""

    def taken(self, script: Script) -> Script:
        if words_of(script.text):
            return script
        first = self.real.voices()[0]
        return Script.of("silence", language=first.languages[0])


@mutant(MUTANTS, "speaking_is_deterministic")
class Dithers(_Speaks):
    """adds noise below the last bit, other noise each time"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.random = np.random.default_rng(0)

    def changed(self, piece: Audio, script: Script) -> Audio:
        noise = self.random.uniform(-1e-5, 1e-5, piece.samples.shape)
        return attrs.evolve(piece, samples=np.clip(piece.samples + noise, -1, 1))


@mutant(MUTANTS, "a_stream_is_what_is_spoken")
class Seams(_Speaks):
    """fades each piece of a stream out, but not those of the speech"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        return attrs.evolve(piece, samples=piece.samples * np.linspace(1, 0.5, len(piece.samples))[:, None])

    def speak(self, script: Script, **options: Any) -> Audio:
        audio: Audio = self.real.speak(script, **options)
        return audio

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        audio: Audio = await self.real.aspeak(script, **options)
        return audio


@mutant(MUTANTS, "async_twins_are_the_same")
class FirstLine(Wrapper):
    """speaks the first line alone when it is awaited"""

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        audio: Audio = await self.real.aspeak(attrs.evolve(script, lines=script.lines[:1]), **options)
        return audio


@mutant(MUTANTS, "async_twins_let_the_loop_go_on")
class Holds(Wrapper):
    """holds the event loop up until it has spoken"""

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        audio: Audio = self.real.speak(script, **options)
        return audio


@mutant(MUTANTS, "the_watermark_survives_the_file")
class Vocodes(_Speaks):
    """says noise as loud as the speech in its place, and loses the mark with it"""

    def changed(self, piece: Audio, script: Script) -> Audio:
        size = max(1, piece.rate // 100)
        noise = np.random.default_rng(len(piece.samples)).uniform(-1, 1, piece.samples.shape)
        loud = [np.abs(piece.samples[i : i + size]).max() for i in range(0, len(piece.samples), size)]
        return attrs.evolve(piece, samples=noise * np.repeat(loud, size)[: len(noise), None])
