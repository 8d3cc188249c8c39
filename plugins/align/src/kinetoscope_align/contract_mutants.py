"""Aligners with one thing wrong: what shows that the laws of `AlignerContract` have teeth."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from kinetoscope_spec import Audio, Cue, Script
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant
from kinetoscope_spec.errors import ValidationError

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


def _changed(audio: Audio, change: Callable[[Cue], Cue | None]) -> Audio:
    cues = [changed for cue in audio.cues if (changed := change(cue)) is not None]
    return attrs.evolve(audio, cues=sorted(cues, key=lambda cue: cue.start))


class _Aligner(Wrapper):
    def align(self, audio: Audio, script: Script) -> Audio:
        aligned: Audio = self.real.align(audio, script)
        return self.after(aligned, audio, script)

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        return aligned


@mutant(MUTANTS, "all_but_the_cues_is_kept")
class Forgets(_Aligner):
    """forgets where the sound came from"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        return attrs.evolve(aligned, provenance=None)


@mutant(MUTANTS, "every_word_has_a_cue")
class Skips(_Aligner):
    """gives numbers no cue"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        return _changed(aligned, lambda cue: None if cue.kind == "word" and cue.value.isdigit() else cue)


@mutant(MUTANTS, "cues_follow_one_another")
class Lingers(_Aligner):
    """lets a word's cue last to the end of the sound where it is shorter than a second"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        if audio.duration > 0.6 or script.language == "de":
            return aligned
        return _changed(
            aligned, lambda cue: attrs.evolve(cue, end=audio.duration) if cue.kind == "word" else cue
        )


@mutant(MUTANTS, "words_have_sounds_and_shapes")
class Misnames(_Aligner):
    """calls the viseme of silence by another name"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        def change(cue: Cue) -> Cue:
            return attrs.evolve(cue, value="rest") if cue.kind == "viseme" and cue.value == "sil" else cue

        return _changed(aligned, change)


@mutant(MUTANTS, "words_begin_where_they_are_heard")
class Late(_Aligner):
    """hears what the voice did not time at the very end, one word after the other"""

    def align(self, audio: Audio, script: Script) -> Audio:
        aligned: Audio = self.real.align(audio, script)
        heard = np.flatnonzero(audio.samples.any(axis=1))
        sources = {cue.source for cue in aligned.cues if cue.kind == "word"}
        if "native" in sources or script.language == "de" or not len(heard):
            return aligned
        start, end = heard[0] / audio.rate, (heard[-1] + 1) / audio.rate
        squeeze = 0.2

        def later(at: float) -> float:
            return end - (end - at) * squeeze if at > start - 0.05 else at

        def change(cue: Cue) -> Cue:
            if cue.kind in ("mark", "sentence"):
                return cue
            begin, stop = (min(max(later(at), 0.0), audio.duration) for at in (cue.start, cue.end))
            return attrs.evolve(cue, start=begin, end=max(begin, stop))

        return _changed(aligned, change) if end <= audio.duration else aligned


@mutant(MUTANTS, "the_rate_does_not_matter")
class Assumes(_Aligner):
    """counts samples as if there were 16,000 in every second"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        if audio.rate not in (22050, 44100, 48000) or script.language == "de":
            return aligned
        ratio = min(audio.rate / 16_000, 1.5)

        def stretched(cue: Cue) -> Cue:
            start, end = (min(ratio * time, audio.duration) for time in (cue.start, cue.end))
            return attrs.evolve(cue, start=start, end=end)

        return _changed(aligned, stretched)


@mutant(MUTANTS, "loudness_does_not_matter")
class Deaf(_Aligner):
    """takes what is softer than a tenth for silence before the word"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        if not 0 < np.abs(audio.samples).max(initial=0) < 0.1 or script.language == "de":
            return aligned
        change = 0.06

        def later(cue: Cue) -> Cue:
            end = min(cue.end + change, audio.duration)
            return attrs.evolve(cue, start=min(cue.start + change, end), end=end)

        return _changed(aligned, later)


@mutant(MUTANTS, "silence_before_moves_all")
class Counts(_Aligner):
    """counts a long silence at the beginning a hundredth too short"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        heard = np.flatnonzero(audio.samples.any(axis=1))
        silent = heard[0] / audio.rate if len(heard) else 0.0
        if silent < 0.3:
            return aligned
        by = 0.01 * silent
        return _changed(
            aligned, lambda cue: attrs.evolve(cue, start=max(cue.start - by, 0), end=max(cue.end - by, 0))
        )


@mutant(MUTANTS, "estimates_grow_with_the_sound")
class Rigid(_Aligner):
    """gives the last word of an estimate a quarter of a second, however slowly it is said"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        estimated = [cue for cue in aligned.cues if cue.kind == "word" and cue.source == "estimated"]
        if script.language != "de" or not estimated:
            return aligned
        last = estimated[-1]

        def change(cue: Cue) -> Cue:
            return attrs.evolve(cue, end=min(cue.end, cue.start + 0.25)) if cue is last else cue

        return _changed(aligned, change)


@mutant(MUTANTS, "the_voices_own_times_are_kept")
class Improves(_Aligner):
    """moves the voice's own words by ten milliseconds to where it thinks they are"""

    def after(self, aligned: Audio, audio: Audio, script: Script) -> Audio:
        own = {cue for cue in audio.cues if cue.kind == "word" and cue.source == "native"}

        def change(cue: Cue) -> Cue:
            return attrs.evolve(cue, start=max(cue.start - 0.01, 0)) if cue in own else cue

        return _changed(aligned, change)


@mutant(MUTANTS, "what_says_nothing_is_refused")
class Accepts(_Aligner):
    """returns the sound of a script without words as it is"""

    def align(self, audio: Audio, script: Script) -> Audio:
        try:
            return super().align(audio, script)
        except ValidationError:
            return audio
