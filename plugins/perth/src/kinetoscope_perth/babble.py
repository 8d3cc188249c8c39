"""Sound like speech, for tests: syllables of vowels and hisses, with a voice's pitch and pauses.

    sound = babble(seed=3, seconds=4.0, rate=22050)

Source and filter (Fant 1960): pulses of a wandering pitch through three resonances, the vowels'
formants after Peterson and Barney (1952), rounded. No word can be made out, but it has what detectors
of speech look for, and needs nothing installed.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Audio

__all__ = ["babble"]

Array = NDArray[Any]

FORMANTS_HZ: Final = np.array(
    [
        (730, 1090, 2440),
        (530, 1840, 2480),
        (270, 2290, 3010),
        (570, 840, 2410),
        (300, 870, 2240),
        (640, 1190, 2390),
    ],
    float,
)
WIDTHS_HZ: Final = np.array([90.0, 110.0, 170.0])
SYLLABLE_S: Final = (0.12, 0.28)
STEP_S: Final = 0.005
"""How often pitch and formants change."""


def babble(*, seed: int, seconds: float, rate: int, pitch_hz: float | None = None) -> Audio:
    """Return mono babble; the same arguments give the same samples."""
    random = np.random.default_rng(seed)
    pitch = pitch_hz or float(random.uniform(85, 230))
    steps = int(np.ceil(seconds / STEP_S)) + 1
    loud, hiss, places = _score(random, steps)
    drift = np.cumsum(random.normal(0, 0.006, steps))
    bend = 0.12 * np.sin(2 * np.pi * np.arange(steps) * STEP_S / random.uniform(0.7, 1.6))
    count = round(seconds * rate)
    times, knots = np.arange(count) / rate, np.arange(steps) * STEP_S
    hertz = np.interp(times, knots, pitch * np.exp(bend + drift - drift.mean()))
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    voiced = np.zeros(count)
    for number in range(1, int(min(4000, rate / 2.1) / pitch)):
        gain = _gain(number * np.interp(knots, times, hertz), places) / number**0.5
        voiced += np.interp(times, knots, gain) * np.sin(number * phase + number**2)
    noise = np.diff(random.normal(size=count + 1))
    sound = np.interp(times, knots, loud) * voiced / np.abs(voiced).max(initial=1e-9)
    sound += 0.08 * np.interp(times, knots, hiss) * noise + 2e-4 * random.normal(size=count)
    peak = float(np.abs(sound).max(initial=1e-9))
    return Audio((0.6 * sound / peak)[:, None], rate)


def _score(random: np.random.Generator, steps: int) -> tuple[Array, Array, Array]:
    """Return by steps how loud the voice and the hiss are `[S]`, and where the formants lie `[S, 3]`."""
    loud, hiss, places = np.zeros(steps), np.zeros(steps), np.zeros((steps, 3))
    at, before = 0, FORMANTS_HZ[0]
    while at < steps:
        length = max(8, round(random.uniform(*SYLLABLE_S) / STEP_S))
        after = FORMANTS_HZ[random.integers(len(FORMANTS_HZ))] * random.uniform(0.92, 1.08)
        part = np.linspace(0, 1, length)
        stop = min(at + length, steps)
        loud[at:stop] = (random.uniform(0.5, 1) * np.sin(np.pi * part**0.7) ** 0.8)[: stop - at]
        hiss[at:stop] = (random.choice([0, 0.3, 1]) * (part < 0.25))[: stop - at]
        ease = np.minimum(1, 2.5 * part)[:, None]
        places[at:stop] = (before + (after - before) * ease)[: stop - at]
        at, before = stop, after
        if random.random() < 0.12:  # a breath between phrases
            rest = min(round(0.15 / STEP_S), steps - at)
            places[at : at + rest] = after
            at += rest
    return loud, hiss, places


def _gain(hertz: Array, places: Array) -> Array:
    """Return what three resonances let through at a frequency, step by step."""
    off = (hertz[:, None] - places) / WIDTHS_HZ
    gain: Array = (np.array([1.0, 0.6, 0.3]) / (1 + off**2)).sum(axis=1) + 0.01
    return gain
