"""Speech of which it is known when each word is said: a source and its resonances, phoneme by phoneme.

It is for the contract of aligners, needs nothing installed, and sounds like a machine of 1960.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from kinetoscope_align._phones import ARPABET
from kinetoscope_spec import Audio, Script

__all__ = ["WORDS", "Said", "say"]

WORDS: Final = {
    "moon": "M UW N", "river": "R IH V ER", "seven": "S EH V AH N", "lamp": "L AE M P", "yellow": "Y EH L OW",
    "garden": "G AA R D AH N", "music": "M Y UW Z IH K", "fish": "F IH SH", "window": "W IH N D OW",
    "nothing": "N AH TH IH NG", "paper": "P EY P ER", "water": "W AO T ER",
}  # fmt: skip
"""What it can say."""

_FORMANTS: Final = {
    "IY": (270, 2290, 3010), "IH": (390, 1990, 2550), "EH": (530, 1840, 2480), "AE": (660, 1720, 2410),
    "AA": (730, 1090, 2440), "AO": (570, 840, 2410), "UH": (440, 1020, 2240), "UW": (300, 870, 2240),
    "AH": (640, 1190, 2390), "ER": (490, 1350, 1690), "EY": (450, 2050, 2600), "OW": (500, 900, 2400),
    "M": (280, 1000, 2200), "N": (280, 1700, 2600), "NG": (280, 2300, 2750), "L": (360, 1000, 2700),
    "R": (330, 1060, 1500), "W": (290, 610, 2150), "Y": (260, 2070, 3020), "V": (220, 1100, 2080),
    "Z": (240, 1390, 2530), "D": (200, 1600, 2600), "G": (200, 1990, 2850), "TH": (320, 1290, 2540),
}  # fmt: skip
"""Hz. Vowels: men's means of Peterson and Barney, Control Methods Used in a Study of the Vowels, 1952;
consonants: Klatt, Software for a cascade/parallel formant synthesizer, 1980, table III, rounded."""

_NOISE: Final = {
    "S": 6000,
    "Z": 5500,
    "SH": 3000,
    "F": 4500,
    "V": 4500,
    "TH": 5000,
    "K": 2000,
    "T": 4500,
    "P": 1000,
}
_LOUDNESS: Final = dict.fromkeys(("M", "N", "NG", "V", "Z", "D", "G", "TH"), 0.35)
_HIGH: Final = (3500, 4500)
_TILT: Final = 0.9
_STOPS: Final = ("P", "T", "K", "D", "G")
_PITCH_HZ: Final = 110
_RATE: Final = 16_000
_FADE_S: Final = 0.006


@attrs.frozen(eq=False)
class Said:
    """Speech and the truth about it.

    Attributes:
        audio: without cues.
        script: what was said.
        words: when each word begins and ends, seconds.
    """

    audio: Audio
    script: Script
    words: tuple[tuple[float, float], ...]


def say(
    phrases: Sequence[Sequence[str]], *, pause_s: float = 0.4, pace: float = 1.7, language: str = "en"
) -> Said:
    """Say phrases of `WORDS`, with a silence after each, at 16 kHz.

    At a pace of 1 sounds are as long as in single stressed syllables; people speak at 1.4 to 2.
    """
    pieces: list[NDArray[np.float64]] = [np.zeros(round(0.1 * _RATE))]
    times = []
    for phrase in phrases:
        for word in phrase:
            start = sum(map(len, pieces)) / _RATE
            sounds = WORDS[word].split()
            pieces += [_sound(sound, max(ARPABET[sound].seconds, 0.06) / pace) for sound in sounds]
            times.append((start, sum(map(len, pieces)) / _RATE))
        pieces.append(np.zeros(round(pause_s * _RATE)))
    samples = np.concatenate(pieces)
    samples *= 0.5 / np.abs(samples).max()
    script = Script.of(". ".join(" ".join(phrase) for phrase in phrases) + ".", language=language)
    return Said(Audio(samples[:, None].astype(np.float32), _RATE), script, tuple(times))


def _sound(name: str, seconds: float) -> NDArray[np.float64]:
    count = round(seconds * _RATE)
    made = np.zeros(count)
    rng = np.random.default_rng(len(name) + count)
    if name in _FORMANTS:
        pulses = np.zeros(count)
        pulses[:: _RATE // _PITCH_HZ] = 1.0
        voiced = lfilter([1.0], [1.0, -_TILT], pulses + 0.01 * rng.normal(size=count))
        for hertz, width in zip((*_FORMANTS[name], *_HIGH), (60, 90, 150, 200, 250), strict=True):
            voiced = _resonance(voiced, hertz, width)
        made += _LOUDNESS.get(name, 1.0) * voiced / max(float(np.sqrt((voiced**2).mean())), 1e-9)
    if name in _NOISE:
        hiss = _resonance(rng.normal(size=count), _NOISE[name], 1500)
        made += 0.35 * hiss / max(float(np.sqrt((hiss**2).mean())), 1e-9)
    if name in _STOPS:  # closed for most of it
        made[: 2 * count // 3] *= 0.03
    fade = np.minimum(1.0, np.minimum(np.arange(count) + 1, np.arange(count)[::-1] + 1) / (_FADE_S * _RATE))
    return made * fade


def _resonance(samples: NDArray[np.float64], hertz: float, width: float) -> NDArray[np.float64]:
    """Return what a resonator of two poles makes of it."""
    radius = np.exp(-np.pi * width / _RATE)
    cosine = 2 * radius * np.cos(2 * np.pi * hertz / _RATE)
    passed: NDArray[np.float64] = lfilter([1 - cosine + radius**2], [1, -cosine, radius**2], samples)
    return passed
