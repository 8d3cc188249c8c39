"""The contract of voices over the scaffold's, unmarked and with a small watermark of the tests' own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Audio, Script, Voice
from kinetoscope_spec.contracts import Contract, Mutant, VoiceContract, Wrapper, check
from kinetoscope_spec.contracts._speech import joined
from kinetoscope_spec.contracts.mutants.voice import MUTANTS


@pytest.fixture
def voice(template: Callable[[str], Contract]) -> Any:
    """Return the scaffold's provider."""
    return template("voice").subject


@attrs.frozen
class Found:
    marked: bool


class Spread:
    """A watermark: noise of +-0.006 that only who knows the seed can find, by correlation."""

    def __init__(self, seed: int = 7) -> None:
        self.chips = np.random.default_rng(seed).choice([-1.0, 1.0], 1 << 20)

    def marked(self, audio: Audio) -> Audio:
        noise = 0.006 * self.chips[: len(audio.samples), None]
        return attrs.evolve(audio, samples=np.clip(audio.samples + noise, -1, 1))

    def verify(self, audio: Audio) -> Found:
        heard = audio.samples[:, 0].astype(np.float64)
        score = self.chips[: len(heard)] @ heard / np.linalg.norm(heard)
        return Found(bool(score > 5))


class LastBit:
    """A watermark in the last bit of a float, which no file of 16 bits keeps."""

    def marked(self, audio: Audio) -> Audio:
        bits = np.array(audio.samples, np.float32).view(np.uint32) | 1
        return attrs.evolve(audio, samples=bits.view(np.float32))

    def verify(self, audio: Audio) -> Found:
        bits = np.array(audio.samples, np.float32).view(np.uint32) & 1
        return Found(bool(bits.mean() > 0.9))


class Marked(Wrapper):
    """A voice all of whose pieces are marked."""

    def __init__(self, real: Any, marker: Any) -> None:
        super().__init__(real)
        self.marker = marker

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        return (self.marker.marked(piece) for piece in self.real.stream(script, **options))

    def speak(self, script: Script, **options: Any) -> Audio:
        return joined(self.stream(script, **options))

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        return joined([piece async for piece in self.astream(script, **options)])

    async def astream(self, script: Script, **options: Any) -> AsyncIterator[Audio]:
        async for piece in self.real.astream(script, **options):
            yield self.marker.marked(piece)


def contract_of(voice: Any, marker: Any) -> VoiceContract:
    return VoiceContract.of(voice if marker is None else Marked(voice, marker), marker=marker)


def test_the_template_is_a_voice_and_keeps_its_contract(voice: Any) -> None:
    assert isinstance(voice, Voice)
    report = check(contract_of(voice, None), examples=10, seed=0)
    report.require()
    omitted = {result.law: result.reason for result in report.results if result.outcome == "omitted"}
    assert omitted == {"the_watermark_survives_the_file": "no watermark is put in"}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant_of_a_marked_voice(voice: Any, mutant: Mutant) -> None:
    contract = contract_of(voice, Spread())
    broken = []
    for law in contract.laws():
        mutated = contract.of(mutant.wrap(contract.subject), name="mutated")
        report = check(mutated, examples=20, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in VoiceContract.laws()} == {mutant.law for mutant in MUTANTS}


def test_a_mark_that_survives_holds_and_one_in_the_last_bit_does_not(voice: Any) -> None:
    law = ["the_watermark_survives_the_file"]
    check(contract_of(voice, Spread()), examples=30, laws=law).require()
    fragile = contract_of(voice, LastBit())
    assert fragile.marker.verify(fragile.subject.speak(Script.of("some words"))).marked
    (broken,) = check(fragile, examples=30, laws=law).broken
    assert "s of speech after a WAV file of 16 bits" in broken.message


def test_a_marker_that_finds_itself_everywhere_is_told(voice: Any) -> None:
    class Sees(Spread):
        def verify(self, audio: Audio) -> Found:
            return Found(True)

    (broken,) = check(contract_of(voice, Sees()), laws=["the_watermark_survives_the_file"]).broken
    assert "a watermark was found in mere noise" in broken.message


def test_a_voice_of_chance_says_so_and_is_not_compared(voice: Any) -> None:
    class Varies(Wrapper):
        def voices(self) -> Any:
            return [attrs.evolve(info, deterministic=False) for info in self.real.voices()]

    report = check(contract_of(Varies(voice), None), examples=3)
    omitted = {result.law for result in report.results if result.outcome == "omitted"}
    assert omitted == {
        "speaking_is_deterministic",
        "a_stream_is_what_is_spoken",
        "async_twins_are_the_same",
        "the_watermark_survives_the_file",
    }
