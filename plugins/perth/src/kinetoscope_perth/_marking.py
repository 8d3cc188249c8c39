"""Putting the mark into one sound, which may come in pieces of any size."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_perth._network import Stack
from kinetoscope_perth._spectrum import FRAMES_PER_S, QUIET, Grid, amplified, levels
from kinetoscope_perth._weights import BINS, layers

__all__ = ["Channel"]

Array = NDArray[Any]

BLOCK: Final = FRAMES_PER_S
"""Frames that go through the network at once, a second of them. A fixed number: then the rounding of
sums is the same however the sound was cut into pieces, and so is every sample."""

SLICE: Final = 1 << 17
"""Samples that are taken at once, some seconds of them."""

STRENGTH: Final = 0.93
"""Of the change that the network asks for. In full it costs more than it brings: PESQ falls below 4."""


class Channel:
    """One channel's sound on its way through the network."""

    def __init__(self, rate: float) -> None:
        self._grid = Grid.of(rate)
        self._stack = Stack(layers("encoder"))
        self._base = self._grid.start(0)
        self._heard = np.zeros(-self._base, np.float32)  # from sample `_base` of the sound on
        self._length = 0
        self._seen = self._made = 0  # frames that went into the network, that came out
        self._spectra = np.zeros((0, 2 * BINS), np.float32)
        self._given = 0  # samples that were returned
        self._change = np.zeros(-self._base, np.float32)  # sums of changes, from sample `_at` on
        self._at = self._base

    def push(self, samples: Array, *, last: bool = False) -> Array:
        """Take samples `[N]` and return what is ready of the marked sound: the rest with `last`."""
        # A slice at a time: what has been marked is let go of before the next, so that long sounds take
        # time in proportion. The samples are the same however they are cut.
        pieces = [self._push(samples[at : at + SLICE], last=False) for at in range(0, len(samples), SLICE)]
        if last:
            pieces.append(self._push(samples[:0], last=True))
        return np.concatenate(pieces) if pieces else samples

    def _push(self, samples: Array, *, last: bool) -> Array:
        self._heard = np.concatenate([self._heard, samples])
        self._length += len(samples)
        while self._grid.start(self._seen + BLOCK - 1) + self._grid.size <= self._length:
            self._run(range(self._seen, self._seen + BLOCK))
        if last:
            self._end()
        ready = self._length if last else min(self._length, max(0, self._grid.start(self._made)))
        return self._take(ready)

    def _end(self) -> None:
        """Run the frames that are left, the sound followed by silence."""
        self._heard = np.concatenate([self._heard, np.zeros(self._grid.size, np.float32)])
        while self._seen + BLOCK < self._grid.count(self._length):
            self._run(range(self._seen, self._seen + BLOCK))
        self._run(range(self._seen, self._grid.count(self._length)), last=True)

    def _run(self, frames: range, *, last: bool = False) -> None:
        spectra = self._grid.spectra(self._heard, self._base, frames)
        self._seen += len(frames)
        self._spectra = np.concatenate([self._spectra, spectra])
        change = self._stack.push(levels(spectra), last=last)
        ripe, self._spectra = self._spectra[: len(change)], self._spectra[len(change) :]
        sounding = levels(ripe).mean(axis=1, keepdims=True) > QUIET
        self._add(STRENGTH * amplified(ripe, change * sounding) @ self._grid.backward)

    def _add(self, pieces: Array) -> None:
        """Overlap and add the changes of the next frames."""
        if not len(pieces):
            return
        size = self._grid.size
        end = self._grid.start(self._made + len(pieces) - 1) + size
        grown = np.zeros(max(end - self._at, len(self._change)), np.float32)
        grown[: len(self._change)] = self._change
        for i, piece in enumerate(pieces, self._made):
            at = self._grid.start(i) - self._at
            grown[at : at + size] += piece
        self._change = grown
        self._made += len(pieces)

    def _take(self, ready: int) -> Array:
        """Return the marked samples from those that were returned before up to `ready`."""
        heard = self._heard[self._given - self._base : ready - self._base]
        change = np.zeros(len(heard), np.float32)
        held = self._change[self._given - self._at : ready - self._at]
        change[: len(held)] = held
        self._given = ready
        self._forget()
        marked: Array = np.clip(heard + change, -1, 1)
        return marked

    def _forget(self) -> None:
        """Let go of what no later frame or sample needs."""
        heard = max(self._base, min(self._given, self._grid.start(self._seen)))
        self._heard, self._base = self._heard[heard - self._base :], heard
        change = max(self._at, min(self._given, self._grid.start(self._made)))
        self._change, self._at = self._change[change - self._at :], change
