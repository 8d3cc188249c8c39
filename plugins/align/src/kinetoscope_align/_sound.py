"""Where something is heard, by means that loudness, rate and pace leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Audio

__all__ = ["Heard", "Samples", "Trimmed", "heard", "mono", "trimmed"]

Samples = NDArray[np.float32]

_FRAME_S: Final = 0.005
_SILENT: Final = 0.01
"""Level, relative to the loudest, below which nothing is heard: -40 dB."""

_FLOOR: Final = 2.0
"""How much louder than the noise of a recording speech is."""


@attrs.frozen(eq=False)
class Trimmed:
    """What is between the first and the last sample that is heard.

    Attributes:
        samples: float32 `[N]`, -1 to 1, the loudest at 1; empty for silence.
        rate: samples a second.
        start: where it begins in the whole, seconds.
    """

    samples: Samples
    rate: int
    start: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def mono(audio: Audio) -> Samples:
    """Return the mean of its channels, `[N]`."""
    mixed: Samples = (
        audio.samples.mean(axis=1) if audio.samples.shape[1] else np.zeros(len(audio.samples), np.float32)
    )
    return mixed


def trimmed(audio: Audio) -> Trimmed:
    """Return the part that is heard, made equally loud whatever the loudness was."""
    samples = mono(audio)
    loudest = float(np.abs(samples).max(initial=0))
    if loudest == 0:
        return Trimmed(samples[:0], audio.rate, 0.0)
    loud = np.abs(samples) > _SILENT * loudest
    first, last = int(loud.argmax()), len(loud) - int(loud[::-1].argmax())
    return Trimmed((samples[first:last] / loudest).astype(np.float32), audio.rate, first / audio.rate)


@attrs.frozen(eq=False)
class Heard:
    """Stretches of sound between silences, and a clock that stands still in silence.

    Attributes:
        starts, ends: seconds `[R]`, in order.
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Seconds of sound."""
        return float((self.ends - self.starts).sum())

    def spans(self) -> Iterator[tuple[float, float]]:
        """Yield the stretches."""
        yield from zip(self.starts.tolist(), self.ends.tolist(), strict=True)

    def clipped(self, start: float, end: float) -> Heard:
        """Return what of it lies between two times."""
        kept = (self.ends > start) & (self.starts < end)
        return Heard(np.maximum(self.starts[kept], start), np.minimum(self.ends[kept], end))


def heard(sound: Trimmed, expected_s: float, gap_s: float) -> Heard:
    """Return the stretches of a trimmed sound, times from its beginning.

    Frames and the gaps that part stretches are as long as the speech is slow: at a pace of `expected_s`
    for all that is heard, 5 ms and `gap_s`. So the same speech at half the speed has the same
    stretches, twice as long.
    """
    total = sound.seconds
    if not total:
        return Heard(np.zeros(0), np.zeros(0))
    count = max(1, round(max(expected_s, 0.05) / _FRAME_S))
    for _ in range(2):  # once to know how much of it is silence
        loud = _loud(sound.samples, count)
        share = max(float(loud.mean()), 1e-3)
        count = min(max(1, round(max(expected_s, 0.05) / _FRAME_S / share)), len(sound.samples))
    loud = _loud(sound.samples, count)
    return _stretches(loud, total / count, max(1, round(gap_s / _FRAME_S)))


def _loud(samples: Samples, count: int) -> NDArray[np.bool_]:
    """Return which of `count` frames of equal length are heard."""
    edges = np.round(np.linspace(0, len(samples), count + 1)).astype(np.int64)
    power = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    levels = np.sqrt(np.maximum(np.diff(power[edges]), 0) / np.maximum(np.diff(edges), 1))
    high, low = np.quantile(levels, [0.95, 0.05])
    loud: NDArray[Any] = levels > max(_SILENT * high, min(_FLOOR * low, 0.1 * high))
    return loud


def _stretches(loud: NDArray[np.bool_], frame_s: float, gap: int) -> Heard:
    places = np.flatnonzero(loud)
    if not len(places):
        return Heard(np.zeros(1), np.array([len(loud) * frame_s]))
    cuts = np.flatnonzero(np.diff(places) > gap)
    starts, ends = places[np.r_[0, cuts + 1]], places[np.r_[cuts, len(places) - 1]] + 1
    return Heard(np.asarray(starts * frame_s, np.float64), np.asarray(ends * frame_s, np.float64))
