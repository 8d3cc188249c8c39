"""Where speech is stressed: what head and hands move with.

People nod and beat with the stressed syllables of what they say (McNeill, Hand and Mind, 1992; Graf et al.,
Visual prosody, 2002). A stress here is a peak of loudness among the syllables around it.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from kinetoscope_spec import Audio

__all__ = ["Accent", "accents", "loudness"]

Curve = NDArray[np.float64]

STEP_S: Final = 0.01
"""Between two values of loudness."""

SYLLABLE_S: Final = 0.05
"""Standard deviation of the bell over which loudness is taken: finer than a syllable, coarser than a pitch period."""

APART_S: Final = 0.3
"""Between two accents at least: nobody nods faster."""

PROMINENT: Final = 0.12
"""By how much a peak stands out, of the loudest."""


@attrs.frozen
class Accent:
    """A stress: seconds of the sound, and how strong it is, 0 to 1."""

    time: float
    strength: float


def loudness(audio: Audio) -> Curve:
    """Return how loud a sound is every 10 ms `[T]`, of its loudest moment: 0 to 1; zeros of silence."""
    mono = audio.samples.astype(np.float64).mean(axis=1)
    count = int(np.ceil(audio.duration / STEP_S)) + 1
    edges = np.minimum(np.arange(count + 1) * STEP_S * audio.rate, len(mono)).astype(int)
    sums = np.concatenate([[0.0], np.cumsum(mono**2)])
    power = (sums[edges[1:]] - sums[edges[:-1]]) / np.maximum(np.diff(edges), 1)
    reach = np.arange(-15, 16) * STEP_S
    bell = np.exp(-0.5 * (reach / SYLLABLE_S) ** 2)
    smooth = np.sqrt(np.convolve(power, bell / bell.sum())[15:-15].clip(min=0))
    top = float(smooth.max(initial=0.0))
    return smooth / top if top > 1e-5 else np.zeros(count)


def accents(audio: Audio) -> tuple[Accent, ...]:
    """Return the stresses of a sound, in order."""
    curve = loudness(audio)
    padded = np.concatenate([[0.0], curve, [0.0]])
    places, found = find_peaks(padded, distance=max(round(APART_S / STEP_S), 1), prominence=PROMINENT)
    strengths = found["prominences"].clip(0, 1)
    return tuple(
        Accent(float((place - 0.5) * STEP_S), float(strength))
        for place, strength in zip(places, strengths, strict=True)
    )
