"""Which framerate a file's frame time stands for."""

from __future__ import annotations

from functools import lru_cache

_WHOLE = (
    5,
    8,
    10,
    12,
    15,
    20,
    24,
    25,
    30,
    48,
    50,
    60,
    72,
    75,
    90,
    96,
    100,
    120,
    144,
    150,
    180,
    200,
    240,
    250,
)
_FAST = (300, 360, 400, 480, 500, 600, 960, 1000)
_RATES = (*map(float, _WHOLE + _FAST), *(rate * 1000 / 1001 for rate in (24, 30, 48, 60, 120, 240)))
"""Frames per second that cameras and tools use; those over 1.001 are NTSC's."""


@lru_cache(maxsize=64)
def framerate(frame_time: str) -> float:
    """Return the frames per second that a frame time, rounded to its digits, stands for.

    Files say 0.0333333 and mean 30. The usual rate nearest to it within one unit of the last
    digit written, and within half a percent, is what was meant; anything else is taken as it stands.
    """
    seconds = float(frame_time)
    digits, _, power = frame_time.lower().partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    nearest = min(_RATES, key=lambda rate: abs(1 / rate - seconds))
    if abs(1 / nearest - seconds) <= min(last, 0.005 * seconds):
        return nearest
    return 1 / seconds
