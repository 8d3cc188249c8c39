"""The provider `perth` of the hook `watermarker`."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_perth._marking import Channel
from kinetoscope_perth._verify import verify
from kinetoscope_perth.protocol import Array, Verdict
from kinetoscope_spec import Audio, ValidationError

__all__ = ["PerthMarker", "PerthMarking"]

LOWEST_HZ = 8000


class PerthMarking:
    """A sound being marked as it comes, each channel by itself.

    What it returns lags some 0.2 s behind what the network has seen, which is whole seconds.
    """

    def __init__(self, rate: int, channels: int) -> None:
        if rate < LOWEST_HZ:
            raise ValidationError(
                f"sound at {rate} samples a second can't be marked, expected {LOWEST_HZ} at least"
            )
        if channels < 1:
            raise ValidationError(f"sound of {channels} channels can't be marked, expected one at least")
        self._channels = [Channel(rate) for _ in range(channels)]
        self._ended = False

    def push(self, samples: Array) -> Array:
        """Take samples `[N, C]` and return those `[M, C]` that are marked."""
        return self._pushed(samples, last=False)

    def finish(self) -> Array:
        """Return the rest `[M, C]`."""
        rest = self._pushed(np.zeros((0, len(self._channels)), np.float32), last=True)
        self._ended = True
        return rest

    def _pushed(self, samples: Array, *, last: bool) -> Array:
        if self._ended:
            raise ValidationError("this sound was finished; open another one")
        if samples.ndim != 2 or samples.shape[1] != len(self._channels):
            raise ValidationError(
                f"samples have shape {samples.shape}, expected [N, {len(self._channels)}] as they began"
            )
        pairs = zip(self._channels, samples.T, strict=True)
        marked = [channel.push(np.ascontiguousarray(x, np.float32), last=last) for channel, x in pairs]
        return np.stack(marked, axis=1)


class PerthMarker:
    """The Perth network: some 1.7 dB up or down, frequency by frequency below 2 kHz.

    Weights are read at the first use; building it costs nothing. It can be pickled and shared.
    """

    def mark(self, audio: Audio) -> Audio:
        """Return the same sound, marked."""
        marking = self.open(audio.rate, audio.samples.shape[1])
        samples = np.concatenate([marking.push(audio.samples), marking.finish()])
        return attrs.evolve(audio, samples=samples)

    def open(self, rate: int, channels: int) -> PerthMarking:
        """Begin to mark a sound that comes in pieces."""
        return PerthMarking(rate, channels)

    def verify(self, audio: Audio, *, search: bool = True) -> Verdict:
        """Say whether a sound is marked: window by window, at its speed and then at 8 % about it."""
        return verify(audio.samples, audio.rate, search=search)
