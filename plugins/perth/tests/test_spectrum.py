"""Fourier sums over frames: at any rate, there and back again."""

from __future__ import annotations

import numpy as np
import pytest

from kinetoscope_perth._spectrum import Grid


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 32000, 44100, 47999])
def test_sound_below_2_kHz_comes_back_whole(rate: int) -> None:
    grid = Grid.of(rate)
    times = np.arange(rate) / rate
    sound = 0.2 + sum(0.1 * np.sin(2 * np.pi * hertz * times + hertz) for hertz in (15.6, 220, 997, 1900))
    frames = range(grid.count(rate))
    padded = np.pad(sound, grid.size).astype(np.float32)
    pieces = grid.spectra(padded, -grid.size, frames) @ grid.backward
    back = np.zeros(len(padded))
    for frame, piece in zip(frames, pieces, strict=True):
        at = grid.start(frame) + grid.size
        back[at : at + grid.size] += piece
    inner = slice(2 * grid.size, rate)
    np.testing.assert_allclose(back[inner], padded[inner], atol=2e-3)


def test_frames_cover_the_sound_and_no_more() -> None:
    for rate in (8000, 22050, 22050 / 1.03):
        grid = Grid.of(rate)
        for samples in (0, 1, 100, 4321):
            last = grid.count(samples) - 1
            assert grid.start(last) + grid.size // 2 <= samples < grid.start(last + 1) + grid.size // 2
