"""Effects as the attributes of SSML's `prosody`, in the numbers by which eSpeak NG gives what is asked for.

The library's per cents are not those of the sound. What they are was measured in four languages and three
timbres (tests/test_prosody.py measures it again): speech at `rate="50%"` takes 2.09 times as long; its
pitch is the sum of a base that `pitch` moves exponentially and of a part that `range` moves.
"""

from __future__ import annotations

from math import log2
from typing import Final

import numpy as np

from kinetoscope_spec.script import Effect

__all__ = ["attributes", "reached"]

_ASKED: Final = (46, 50, 60, 75, 90, 100, 110, 130, 150, 175, 200, 225, 257, 260, 300, 350, 400)
_GIVEN: Final = (
    0.46,
    0.48,
    0.58,
    0.74,
    0.89,
    1.0,
    1.1,
    1.31,
    1.48,
    1.74,
    1.98,
    2.12,
    2.3,
    2.39,
    2.74,
    3.2,
    3.62,
)
"""`rate` in per cent, and the factor of the speed of speech that comes of it."""

_LOUD_ASKED: Final = (5, 10, 16, 25, 35, 50, 71, 100, 141, 200)
_LOUD_GIVEN: Final = (0.021, 0.0457, 0.114, 0.198, 0.323, 0.446, 0.67, 1.0, 1.4, 2.0)
"""`volume` in per cent, and the factor of the amplitude that comes of it."""

_BASE, _SWING = 0.69, 0.15
"""Shares of the mean pitch that follow the base and the range (whose mean lies above the base)."""

_BASE_LIMITS: Final = (0.5, 1.98)
_RANGE_MOST = 2.0
"""Beyond these the library stays where it is."""


def attributes(effect: Effect, pitch: float = 1.0) -> dict[str, str]:
    """Return the attributes of `prosody` for an effect; `pitch` is a further factor of the pitch."""
    wanted = effect.pitch * pitch
    width = _width(effect, wanted)
    base = min(max(_base(wanted, width), _BASE_LIMITS[0]), _BASE_LIMITS[1])
    asked = {
        "rate": round(float(np.interp(effect.rate, _GIVEN, _ASKED))),
        "pitch": round(100 + 100 * log2(base)),
        "range": round(100 * width),
        "volume": round(float(np.interp(10 ** (effect.volume / 20), _LOUD_GIVEN, _LOUD_ASKED))),
    }
    return {key: f"{value}%" for key, value in asked.items() if value != 100}


def reached(effect: Effect) -> bool:
    """Tell whether the library can give what the effect asks for, to a tenth."""
    base = _base(effect.pitch, _width(effect, effect.pitch))
    given = 1 + _BASE * (min(max(base, _BASE_LIMITS[0]), _BASE_LIMITS[1]) - base) / effect.pitch
    return 0.9 * _GIVEN[0] <= effect.rate <= 1.1 * _GIVEN[-1] and 0.9 <= given <= 1.1


def _width(effect: Effect, pitch: float) -> float:
    """Return the factor of the range in Hz: what is heard is its ratio to the pitch."""
    return min(effect.range * pitch, _RANGE_MOST)


def _base(pitch: float, width: float) -> float:
    return 1 + (pitch - 1 - _SWING * (width - 1)) / _BASE
