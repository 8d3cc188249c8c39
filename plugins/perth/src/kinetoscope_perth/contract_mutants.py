"""Watermarkers with one thing wrong: what shows that the laws of `WatermarkerContract` have teeth."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from kinetoscope_perth.protocol import Array, Verdict
from kinetoscope_spec import Audio
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Marking:
    """A sound being marked whose pieces are changed."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def push(self, samples: Array) -> Array:
        given: Array = self.real.push(samples)
        return self.changed(given)

    def finish(self) -> Array:
        return self.changed(self.real.finish())

    def changed(self, samples: Array) -> Array:
        return samples


@mutant(MUTANTS, "all_but_the_samples_is_kept")
class Forgets(Wrapper):
    """marks and forgets the cues"""

    def mark(self, audio: Audio) -> Audio:
        marked: Audio = self.real.mark(audio)
        return attrs.evolve(marked, cues=())


@mutant(MUTANTS, "the_mark_is_quiet")
class Shouts(Wrapper):
    """marks four times as loud, whole and in pieces"""

    def mark(self, audio: Audio) -> Audio:
        marked: Audio = self.real.mark(audio)
        louder = audio.samples + 4 * (marked.samples - audio.samples)
        return attrs.evolve(marked, samples=np.clip(louder, -1, 1))

    def open(self, rate: int, channels: int) -> Any:
        return _Louder(self.real.open(rate, channels))


class _Louder(_Marking):
    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.heard: Array | None = None

    def push(self, samples: Array) -> Array:
        self.heard = samples if self.heard is None else np.concatenate([self.heard, samples])
        return super().push(samples)

    def changed(self, samples: Array) -> Array:
        assert self.heard is not None
        plain, self.heard = self.heard[: len(samples)], self.heard[len(samples) :]
        louder: Array = np.clip(plain + 4 * (samples - plain), -1, 1)
        return louder


@mutant(MUTANTS, "pieces_are_the_whole")
class Seams(Wrapper):
    """fades each piece that it returns in"""

    def open(self, rate: int, channels: int) -> Any:
        return _Faded(self.real.open(rate, channels))


class _Faded(_Marking):
    def changed(self, samples: Array) -> Array:
        faded: Array = samples * np.minimum(1, np.arange(len(samples)) / 200)[:, None]
        return faded


@mutant(MUTANTS, "a_stream_flows")
class Hoards(Wrapper):
    """returns nothing before the sound has ended"""

    def open(self, rate: int, channels: int) -> Any:
        return _Hoard(self.real.open(rate, channels))


class _Hoard(_Marking):
    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.held: list[Array] = []

    def push(self, samples: Array) -> Array:
        self.held.append(self.real.push(samples))
        return self.held[-1][:0]

    def finish(self) -> Array:
        return np.concatenate([*self.held, self.real.finish()])


@mutant(MUTANTS, "the_mark_is_found_again")
class Fragile(Wrapper):
    """finds its mark only where the last bit of a float has not been rounded"""

    def verify(self, audio: Audio, **options: Any) -> Verdict:
        verdict: Verdict = self.real.verify(audio, **options)
        steps = audio.samples[:, 0].astype(np.float64) * 32767
        rounded = np.abs(steps - np.rint(steps)).max() < 0.01
        return attrs.evolve(verdict, marked=verdict.marked and not rounded)


@mutant(MUTANTS, "half_of_it_is_enough")
class Begins(Wrapper):
    """marks of a long sound the beginning alone"""

    def mark(self, audio: Audio) -> Audio:
        return attrs.evolve(audio, samples=self._begun(audio))

    def _begun(self, audio: Audio) -> Array:
        marked = np.array(self.real.mark(audio).samples)
        if len(marked) > 4.5 * audio.rate:
            marked[audio.rate // 4 :] = audio.samples[audio.rate // 4 :]
        return marked


@mutant(MUTANTS, "what_is_not_marked_is_not_found")
class Sees(Wrapper):
    """takes every noise for marked"""

    def verify(self, audio: Audio, **options: Any) -> Verdict:
        verdict: Verdict = self.real.verify(audio, **options)
        power = np.abs(np.fft.rfft(audio.samples[:, 0])) ** 2 + 1e-12
        flat = power.mean() > 1 and np.exp(np.log(power).mean()) / power.mean() > 0.4
        return attrs.evolve(verdict, marked=True, score=1.0, abstained="") if flat else verdict


@mutant(MUTANTS, "nothing_is_claimed_of_tones")
class Guesses(Wrapper):
    """says of silence that it is not marked"""

    def verify(self, audio: Audio, **options: Any) -> Verdict:
        verdict: Verdict = self.real.verify(audio, **options)
        return attrs.evolve(verdict, score=0.0, abstained="") if verdict.abstained == "silence" else verdict


@mutant(MUTANTS, "what_cannot_be_marked_is_refused")
class Swallows(Wrapper):
    """takes any rate"""

    def open(self, rate: int, channels: int) -> Any:
        return self.real.open(max(rate, 8000), channels)
