"""The laws of the hook `watermarker`, to be run on any provider of it.

    class TestMine(WatermarkerContract):
        provider = MyMarker()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_perth.babble import babble
from kinetoscope_perth.protocol import Array, Verdict
from kinetoscope_spec import Audio, Cue, Provenance, ValidationError
from kinetoscope_spec.contracts import Contract, law, require

__all__ = ["WatermarkerContract", "speech"]

RATES = (8000, 11025, 16000, 22050, 24000, 44100, 48000)
ALIKE = 1e-4
"""By how much samples may differ that are to be the same, three steps of 16 bits."""

LOUDEST_DB = -10.0
"""Of the mark, against the sound: from about there on it is heard (ITU-R BS.1387 calls it annoying)."""


@st.composite
def speech(draw: Any, *, least: float = 2.0, most: float = 4.0, channels: int = 1) -> Audio:
    """Draw sound like speech, with a cue and where it came from."""
    seconds = draw(st.floats(least, most))
    rate = draw(st.sampled_from(RATES))
    mono = babble(seed=draw(st.integers(0, 999)), seconds=seconds, rate=rate)
    wide = draw(st.integers(1, channels))
    gain = draw(st.sampled_from((1.0, 0.1)))
    samples = gain * np.repeat(mono.samples, wide, axis=1)
    return Audio(samples, rate, [Cue("word", "babble", 0.0, 0.5)], Provenance("babble"))


class WatermarkerContract(Contract):
    """What callers of a watermarker rely on; subclass it and set `provider`."""

    hook: ClassVar[str] = "watermarker"
    mutants: ClassVar[str | None] = "kinetoscope_perth.contract_mutants:MUTANTS"

    @law(speech(channels=2), cost=2)
    def test_all_but_the_samples_is_kept(self, audio: Audio) -> None:
        """Marking keeps length, channels, rate, cues and provenance, and gives the same each time."""
        marked = self._mark(audio)
        require(
            marked.samples.shape == audio.samples.shape,
            f"samples {audio.samples.shape} became {marked.samples.shape}",
        )
        require(marked.rate == audio.rate, f"the rate {audio.rate} became {marked.rate}")
        require(marked.cues == audio.cues, f"the cues {audio.cues} became {marked.cues}")
        require(marked.provenance is audio.provenance, "the provenance is another")
        again = self._mark(audio).samples
        off = float(np.abs(again - marked.samples).max())
        require(off == 0, f"marked again, the same sound differs by up to {off:.2g}")

    @law(speech(), cost=2)
    def test_the_mark_is_quiet(self, audio: Audio) -> None:
        """The mark is 10 dB below the sound at least, and silence stays what it is."""
        change = self._mark(audio).samples - audio.samples
        level = 10 * np.log10((change**2).mean() / (audio.samples**2).mean())
        require(level <= LOUDEST_DB, f"the mark is at {level:.1f} dB of the sound, expected {LOUDEST_DB:g}")
        still = attrs.evolve(audio, samples=np.zeros_like(audio.samples))
        loudest = float(np.abs(self._mark(still).samples).max())
        require(loudest < ALIKE, f"marked silence has a level of {loudest:.2g}, expected none")

    @law(speech(channels=2), st.lists(st.floats(0, 1), max_size=5), cost=2)
    def test_pieces_are_the_whole(self, audio: Audio, cuts: list[float]) -> None:
        """Marked piece by piece, however it is cut, a sound is what it is marked as one."""
        places = sorted(round(cut * len(audio.samples)) for cut in cuts)
        marking = self.subject.open(audio.rate, audio.samples.shape[1])
        held: list[Array] = []
        for piece in np.split(audio.samples, places):
            held.append(marking.push(piece))
            taken = sum(map(len, held))
            require(taken <= len(audio.samples), f"{taken} samples came back of {len(audio.samples)}")
        joined = np.concatenate([*held, marking.finish()])
        whole = self._mark(audio).samples
        require(
            joined.shape == whole.shape, f"the pieces have {joined.shape} samples, the whole {whole.shape}"
        )
        off = float(np.abs(joined - whole).max(initial=0))
        require(off <= ALIKE, f"cut at {places}, samples differ by up to {off:.2g}, expected {ALIKE:g}")

    @law(st.integers(0, 999), st.sampled_from(RATES), cost=5)
    def test_a_stream_flows(self, seed: int, rate: int) -> None:
        """Of a long sound that comes by tenths of a second no more than two seconds are held back."""
        audio = babble(seed=seed, seconds=5.0, rate=rate)
        marking = self.subject.open(rate, 1)
        given = 0
        for at in range(0, len(audio.samples), rate // 10):
            piece = audio.samples[at : at + rate // 10]
            given += len(marking.push(piece))
            held = (at + len(piece) - given) / rate
            require(held <= 2, f"{held:.2f} s were held back, expected 2 s at most")

    @law(speech(), cost=5)
    def test_the_mark_is_found_again(self, audio: Audio) -> None:
        """A marked sound is found to be, as it is and in 16 bits; its windows lie inside it, in order."""
        marked = self._mark(audio)
        for what, samples in (
            ("as it is", marked.samples),
            ("in 16 bits", np.rint(marked.samples * 32767) / 32767),
        ):
            verdict = self._verdict(attrs.evolve(marked, samples=samples))
            require(verdict.marked, f"the mark was not found {what}: {_said(verdict)}")
            edges = [(window.start, window.end) for window in verdict.windows]
            inside = all(0 <= a < b <= audio.duration * verdict.speed + 0.1 for a, b in edges)
            require(edges and inside and edges == sorted(edges), f"the windows are {edges}")

    @law(speech(least=5.0, most=6.0), st.floats(0, 0.5), cost=5)
    def test_half_of_it_is_enough(self, audio: Audio, start: float) -> None:
        """The mark is found in any half of a sound."""
        marked = self._mark(audio).samples
        first = round(start * len(marked))
        half = attrs.evolve(audio, samples=marked[first : first + len(marked) // 2], cues=())
        verdict = self._verdict(half)
        require(verdict.marked, f"the mark was not found in a half: {_said(verdict)}")

    @law(speech(), cost=5)
    def test_what_is_not_marked_is_not_found(self, audio: Audio) -> None:
        """No mark is found in speech, or in noise, that has none."""
        noise = np.random.default_rng(len(audio.samples)).normal(0, 0.1, audio.samples.shape).clip(-1, 1)
        for what, samples in (("speech", audio.samples), ("noise", noise)):
            verdict = self._verdict(attrs.evolve(audio, samples=samples))
            require(not verdict.marked, f"a mark was found in {what} that has none: {_said(verdict)}")

    @law(st.floats(150, 1800), st.sampled_from((0.0, 0.01, 0.5)), st.sampled_from(RATES), cost=5)
    def test_nothing_is_claimed_of_tones(self, hertz: float, level: float, rate: int) -> None:
        """Of silence and of tones it is not said that they are marked; it abstains from silence."""
        tone = level * np.sin(2 * np.pi * hertz * np.arange(2 * rate) / rate)
        verdict = self._verdict(Audio(tone[:, None], rate))
        require(not verdict.marked, f"a mark was found in a tone of {hertz:.0f} Hz: {_said(verdict)}")
        require(level or verdict.abstained, f"of silence it was said: {_said(verdict)}, expected to abstain")

    @law(st.integers(1, 7000))
    def test_what_cannot_be_marked_is_refused(self, rate: int) -> None:
        """Sound at a rate far below 8 kHz, and sound of no channel, is a `ValidationError`."""
        for what, wrong in (("a rate", (rate, 1)), ("channels", (16000, 0))):
            try:
                self.subject.open(*wrong)
            except ValidationError:
                continue
            require(False, f"{what} of {min(wrong)} was taken, expected a ValidationError")

    def _mark(self, audio: Audio) -> Audio:
        marked: Audio = self.subject.mark(audio)
        return marked

    def _verdict(self, audio: Audio) -> Verdict:
        verdict: Verdict = self.subject.verify(audio, search=False)
        return verdict


def _said(verdict: Verdict) -> str:
    return verdict.abstained or f"score {verdict.score}"
