"""Which framerate a file's frame time stands for."""

from __future__ import annotations

from fractions import Fraction

_RATES = (Fraction(1), Fraction(1000, 1001))


def framerate(frame_time: str) -> float:
    """Return the frames per second that a frame time, rounded to its digits, stands for.

    Files say 0.0333333 and mean 30. A whole rate, or one over 1.001 (29.97), within one unit of
    the last digit written is what was meant; anything else is taken as it stands.
    """
    seconds = float(frame_time)
    digits, _, power = frame_time.lower().partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    for step in _RATES:
        rate = float(round(1 / seconds / float(step)) * step)
        if rate > 0 and abs(1 / rate - seconds) <= min(last, 0.005 * seconds):
            return rate
    return 1 / seconds
