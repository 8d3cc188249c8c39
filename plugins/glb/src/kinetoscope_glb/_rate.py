"""At which framerate to bake a clip: glTF has keys, each channel at times of its own, and no framerate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WHOLE = (30.0, 24.0, 60.0, 25.0, 50.0, 48.0, 120.0, 100.0, 90.0, 72.0, 240.0, 144.0, 200.0)
USUAL = (*_WHOLE, *(rate * 1000 / 1001 for rate in (30.0, 24.0, 60.0, 120.0)))
"""Frames per second that cameras and tools use, likeliest first; the last are NTSC's."""

DEFAULT = 30.0
"""Where the keys tell nothing."""

SLACK = 0.02
"""A key this part of a frame from a frame stands on it: exporters round times, and float32 does."""

_FASTEST = 1000.0


def slack(rate: float, latest: float) -> float:
    """Return how far, in frames, a key may be off; float32 times are exact to 2**-24 of themselves."""
    return min(SLACK + rate * abs(latest) * 2.0**-23, 0.25)


def deduced(times: NDArray[np.float64]) -> float:
    """Return the framerate that key times, ascending seconds, most likely come from.

    The first usual rate at which all keys stand on frames, counted from the first key; else, where
    the keys are evenly spaced, their own rate; else 30, 60, 120 or 240, whichever is the least that
    has a frame for most gaps between keys.
    """
    if len(times) < 2:
        return DEFAULT
    since, latest = times - times[0], float(np.abs(times).max())
    for rate in USUAL:
        at = since * rate
        if np.abs(at - np.round(at)).max() <= slack(rate, latest) and np.round(at[-1]) >= 1:
            return rate
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return DEFAULT
    mean = float(gaps.mean())
    if np.ptp(gaps) <= SLACK * mean and 1 / mean <= _FASTEST:
        return 1 / mean
    wanted = 1 / float(np.median(gaps))
    return next((rate for rate in (30.0, 60.0, 120.0) if rate >= wanted), 240.0)
