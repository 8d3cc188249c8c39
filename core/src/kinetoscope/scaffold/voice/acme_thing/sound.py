"""Sounds of single letters, and silence. Put a synthesiser of yours in place of this module."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "letter_sound", "silence"]

RATE = 16_000
"""Samples per second."""

FORMANTS_HZ = {"a": (800, 1200), "e": (500, 1900), "i": (300, 2300), "o": (500, 900), "u": (320, 700)}
"""First and second formant of the vowels (after Peterson and Barney 1952, rounded)."""


@lru_cache(maxsize=4096)
def letter_sound(letter: str, count: int, pitch_hz: float) -> NDArray[np.float32]:
    """Return the sound `[N]` of a letter: vowels hum at their formants, others hiss each in its place.

    At a pitch of 0 everything is whispered.
    """
    places = FORMANTS_HZ.get(letter, (1500 + ord(letter) * 37 % 5000,))
    width = 90.0 if letter in FORMANTS_HZ else 600.0
    if letter in FORMANTS_HZ and pitch_hz:
        times, hums = np.arange(count) / RATE, pitch_hz * np.arange(1, 30)
        gains = sum(1 / (1 + ((hums - place) / width) ** 2) for place in places)
        sound = gains @ np.sin(2 * np.pi * hums[:, None] * times)
    else:
        noise = np.random.default_rng(ord(letter)).normal(size=count)
        hertz = np.fft.rfftfreq(count, 1 / RATE)
        gains = sum(1 / (1 + ((hertz - place) / width) ** 2) for place in places)
        sound = np.fft.irfft(np.fft.rfft(noise) * gains, count)
        sound *= 1 + 0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(count) / RATE)
    fade = np.minimum(1, np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.01 * RATE))
    return np.asarray(0.5 * fade * sound / np.abs(sound).max(), np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    """Return no sound, `[N]`, for so long."""
    return np.zeros(round(seconds * RATE), np.float32)
