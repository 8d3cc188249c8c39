"""Where the network's answer means nothing: it was trained on speech, and fires on much that is none.

A tone, a chord, a chirp, speech without its low or middle frequencies: with nothing in parts of the
band the network scores up to 1, marked or not. What is asked here of a window is whether its band is
filled the way speech fills it. Bounds were set between what 300 synthesised sentences in ten voices,
through codecs too, came to, and what tones and filtered speech did (see the tests).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_perth._network import Stack
from kinetoscope_perth._spectrum import FLOOR_DB, SPAN_DB, STEP_HZ
from kinetoscope_perth._weights import BINS, layers

__all__ = ["doubt", "objection"]

Array = NDArray[Any]

SOUND_DB: Final = -25.0
"""As it was recorded, of the loudest frame's band; a full-scale sine reaches 60, speech 40, 16 bits of noise -45."""

LOW_SHARE: Final = 0.1
"""Of the energy that is to lie in the band; speech has .43 at least."""

FLAT_DB: Final = -14.5
"""Mean level over the frequencies less the level of the mean; speech has -13 at least over 2 s."""

LOWEST_DB: Final = -12.0
"""Mean level from 125 to 750 Hz, where voices have their first formant, over that of all; speech: -5."""

STEADY_DB: Final = 3.0
"""Deviation over time of a frequency's level; speech moves by 8 at least over 2 s, a tone in it by 2."""

STRONG_DB: Final = -25.0
"""Mean level of a frequency, against all together, from which on it disturbs if it is steady."""

CURVE_T: Final = 1.2
"""How surely, in deviations, the mark's curve must be in the spectrum. Whole marked sentences had 2.9 at
least (1.5 after Opus at 24 kbit/s), windows of 2 s of them 2; half of all else is below 0.5."""

FIRST: Final = 8
"""The frequency, 125 Hz, from which on a tone disturbs: mains hum below does not."""


def objection(bands: Array, energy: float, low_hz_energy: float, gain: float = 1.0) -> str:
    """Return why a window is none that can be judged, or an empty string.

    `bands` `[T, BINS]` are its levels in the network's unit once it was made `gain` times as loud,
    the energies those of the whole window and of what lies below 2 kHz.
    """
    levels = bands.astype(np.float32) * SPAN_DB + FLOOR_DB
    power = 10 ** (levels / 10)
    if 10 * np.log10(power.sum(axis=1).max(initial=1e-18)) < SOUND_DB + 20 * np.log10(gain):
        return "silence"
    if low_hz_energy < LOW_SHARE * energy:
        return "nothing below 2 kHz, where the mark would be"
    if _is_steady(levels, power):
        return "a steady tone"
    mean = power.mean(axis=0)[FIRST:] + 1e-12
    if 10 * np.log10(mean).mean() - 10 * np.log10(mean.mean()) < FLAT_DB:
        return "too few frequencies, a tone or filtered sound"
    if 10 * np.log10(mean[: len(mean) // 3].mean() / mean.mean()) < LOWEST_DB:
        return "too little below 750 Hz, where voices are"
    return ""


def _is_steady(levels: Array, power: Array) -> bool:
    total = 10 * np.log10(power.mean(axis=0).sum() + 1e-20)
    strong = levels.mean(axis=0) > total + STRONG_DB
    strong[:FIRST] = False
    return bool(strong.any() and levels[:, strong].std(axis=0).min() < STEADY_DB)


def doubt(bands: Array) -> str:
    """Return why the network alone is not believed that a window is marked, or an empty string.

    The mark is, but for some hundredths, one and the same curve over the frequencies. It must be seen
    in the window's mean spectrum, once what changes slowly over the frequencies is taken out.
    """
    levels = bands.astype(np.float32) * SPAN_DB + FLOOR_DB
    loudness = 10 * np.log10((10 ** (levels / 10)).sum(axis=1) + 1e-20)
    loud = levels[loudness > loudness.max() - 40, _ODD:]
    curve, smooth = _curve()
    # Single frames stand out by harmonics, tens of decibels; the mark is two: clipped, none rules the mean.
    rough = np.clip(loud - loud @ smooth @ smooth.T, -6, 6).mean(axis=0)
    rough = rough - smooth @ (smooth.T @ rough)
    size = float(rough @ curve / (curve @ curve))
    rest = rough - size * curve
    deviation = np.sqrt(rest @ rest / (len(curve) - smooth.shape[1] - 1) / (curve @ curve))
    return (
        "" if size > CURVE_T * deviation else "no speech, it seems: the mark's curve is not in its spectrum"
    )


_ODD: Final = 6
"""Frequencies, to 94 Hz, that are left out of the curve: speech is not there, and rumble is."""


@cache
def _curve() -> tuple[Array, Array]:
    """Return the mark's curve over the frequencies, dB, and the smooth shapes `[F, 10]` taken out of it."""
    plain = np.full((100, BINS), 0.6, np.float32)
    curve = Stack(layers("encoder")).push(plain, last=True)[20:80].mean(axis=0) * SPAN_DB
    places = (np.arange(BINS) + 0.5) * STEP_HZ
    waves = np.cos(np.pi * np.arange(10) * places[_ODD:, None] / (BINS * STEP_HZ))
    smooth = np.linalg.qr(waves)[0]
    rough = curve[_ODD:] - smooth @ (smooth.T @ curve[_ODD:])
    return rough.astype(np.float32), smooth.astype(np.float32)
