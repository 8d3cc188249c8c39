"""How sure the network is, second by second, that a sound is marked."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_perth._network import Stack
from kinetoscope_perth._spectrum import QUIET, Grid, levels
from kinetoscope_perth._weights import layers

__all__ = ["Heard", "listen"]

Array = NDArray[Any]

BRANCHES: Final = {"slow": 0.8, "normal": 1.0, "fast": 4 / 3}
"""The network looks at the frames thrice; what it sees as one frame is so many."""

BATCH: Final = 480
"""Frames looked at together; a multiple of all that the branches make of one."""


@attrs.frozen(eq=False)
class Heard:
    """A sound as the network sees it, frame by frame.

    Attributes:
        levels: `[T]`, mean level of each frame, in the network's unit.
        bands: `[T, BINS]`, level of each frequency, in the network's unit.
        votes: for each branch `[T', 2]`, how much it is to count, and whether it sees the mark.
    """

    levels: Array
    bands: Array
    votes: dict[str, Array]

    def score(self, start: int, stop: int) -> float:
        """Return 0 (no mark) to 1 (marked) for frames `start` to `stop`; digital silence does not count."""
        sounding = self.levels > QUIET
        weights, marks = [], []
        for branch, step in BRANCHES.items():
            votes = self.votes[branch]
            first, last = round(start / step), min(round(stop / step), len(votes))
            at = np.minimum((np.arange(first, last) * step).astype(int), len(sounding) - 1)
            kept = votes[first:last][sounding[at]]
            if not len(kept):
                return 0.0
            weights.append(kept[:, 0].mean())
            marks.append(kept[:, 1].mean())
        share = np.exp(np.array(weights) - max(weights))
        return float(np.clip(share @ np.array(marks) / share.sum(), 0, 1))


def listen(samples: Array, rate: float) -> Heard:
    """Run the network's three branches over a sound `[N]`; another `rate` than its own is another speed."""
    grid = Grid.of(rate)
    count = grid.count(len(samples))
    stacks = {branch: Stack(layers(branch)) for branch in BRANCHES}
    bands: list[Array] = []
    votes: dict[str, list[Array]] = {branch: [] for branch in BRANCHES}
    for first in range(0, count, BATCH):
        stop = min(first + BATCH, count)
        seen = levels(_spectra(samples, grid, range(first, min(stop + 1, count))))
        for branch, step in BRANCHES.items():
            frames = _stretched(seen, stop - first, step)
            votes[branch].append(stacks[branch].push(frames, last=stop == count))
        bands.append(seen[: stop - first])
    seen = np.concatenate(bands)
    return Heard(seen.mean(axis=1), seen, {k: np.concatenate(v) for k, v in votes.items()})


def _spectra(samples: Array, grid: Grid, frames: range) -> Array:
    """Return the spectra of frames, with silence beyond the ends of the sound."""
    first, stop = grid.start(frames[0]), grid.start(frames[-1]) + grid.size
    held = samples[max(0, first) : stop]
    before, after = max(0, -first), stop - max(0, first) - len(held)
    return grid.spectra(np.pad(held, (before, after)), first, frames)


def _stretched(frames: Array, count: int, step: float) -> Array:
    """Return frames `[count / step, BINS]` at every `step`-th of a frame, interpolated."""
    if step == 1:
        return frames[:count]
    at = np.arange(int(np.ceil(count / step - 1e-9))) * step
    low = np.minimum(at.astype(int), len(frames) - 1)
    high = np.minimum(low + 1, len(frames) - 1)
    part = (at - low).astype(np.float32)[:, None]
    between: Array = frames[low] * (1 - part) + frames[high] * part
    return between
