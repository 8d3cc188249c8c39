"""Looking for the mark: windows, then speeds, and not answering where there is no answer."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_perth._guards import doubt, objection
from kinetoscope_perth._scores import Heard, listen
from kinetoscope_perth._spectrum import FRAMES_PER_S
from kinetoscope_perth.protocol import Verdict, Window
from kinetoscope_spec import ValidationError

__all__ = ["verify"]

Array = NDArray[Any]

WINDOW: Final = 2 * FRAMES_PER_S
HOP: Final = FRAMES_PER_S
SHORTEST_S: Final = 0.5
"""Below, unmarked speech scores up to .48 (and .14 in windows of 2 s)."""

LEVEL: Final = 0.1
"""Root mean square at which a sound is judged, -20 dB: the same speech unmarked scores the higher the quieter."""

MARKED: Final = 0.55
"""Windows of unmarked speech had 0.22 at most, of 500 unmarked babbles 0.52."""

MARKED_WHOLE: Final = 0.38
"""For all frames of a sound at once, which says more than the best of its windows. Unmarked speech had
0.18 at most, of 400 unmarked babbles 4 more than this, all of them of one second."""

MARKED_SEEN: Final = 0.26
"""The same from 2 s on, where the mark's curve is seen in the spectrum, too: of two witnesses neither need
be sure. No babble came to both; of 540 marked sentences after Opus at 24 kbit/s 6 came to this alone."""

SPEEDS: Final = tuple(1 + percent / 100 for percent in (2, -2, 4, -4, 6, -6, 8, -8))
"""The mark is found within 1.5 % of the speed that is assumed."""

SEARCHED_S: Final = 12
"""Of the sound that is tried at other speeds; the loudest of it."""

FAINTEST: Final = 1e-4
"""Root mean square below which a sound is not made louder than this would be."""

LOW_HZ: Final = 2000
LOWEST_HZ: Final = 7000
"""Of the rate: sound marked at 8 kHz may play 10 % slower."""


def verify(samples: Array, rate: int, *, search: bool = True) -> Verdict:
    """Look for the mark in `[N, C]`: in the mean of the channels, then in each.

    Raises:
        ValidationError: the rate is below 7 kHz.
    """
    if rate < LOWEST_HZ:
        raise ValidationError(f"sound at {rate} samples a second carries no mark, expected 8000 at least")
    channels = samples.shape[1]
    mixed = samples.mean(axis=1) if channels > 1 else samples[:, 0]
    sounds = [mixed, *(samples.T if channels > 1 else ())]
    best = None
    for sound in sounds:
        verdict = _verified(np.ascontiguousarray(sound, np.float32), rate, search=search)
        if verdict.marked:
            return verdict
        best = verdict if best is None or (best.abstained and not verdict.abstained) else best
    assert best is not None
    return best


def _verified(sound: Array, rate: int, *, search: bool) -> Verdict:
    if len(sound) < SHORTEST_S * rate:
        return Verdict(False, abstained=f"shorter than {SHORTEST_S} s")
    here = _at_speed(sound, rate, 1.0)
    if here.marked or not search or here.abstained:
        return here
    part = _loudest(sound, rate)
    found = [_at_speed(part, rate, speed) for speed in SPEEDS]
    best = max(found, key=lambda verdict: verdict.score or 0.0)
    if best.marked:
        whole = _at_speed(sound, rate, best.speed)
        # What follows a marked part makes the whole less sure, and does not take back what was found.
        return whole if whole.marked else attrs.evolve(whole, marked=True, score=best.score, abstained="")
    # Sound at the border of what can be judged may be judged as it is, and not at the speed at which it
    # would be found: then nothing was found, and nothing is known.
    silent = next((verdict.abstained for verdict in found if verdict.abstained), "")
    return attrs.evolve(here, score=None, abstained=silent) if silent else here


def _loudest(sound: Array, rate: int) -> Array:
    """Return the stretch of `SEARCHED_S` that has the most energy."""
    size = int(SEARCHED_S * rate)
    if len(sound) <= size:
        return sound
    steps = np.append(np.arange(0, len(sound) - size, rate), len(sound) - size)
    sums = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    start = int(steps[np.argmax(sums[steps + size] - sums[steps])])
    return sound[start : start + size]


def _at_speed(sound: Array, rate: int, speed: float) -> Verdict:
    """Judge the sound as one that plays `speed` times as fast as it was marked."""
    assumed = rate / speed
    gain = LEVEL / max(float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))), FAINTEST)
    heard = listen(sound * np.float32(gain), assumed)
    frames = len(heard.levels)
    windows = [_judged(sound, heard, assumed, ends, gain, speed != 1) for ends in _windows(frames)]
    scale = 1 / FRAMES_PER_S / speed
    told = tuple(Window(a * scale, b * scale, score, reason) for a, b, score, reason in windows)
    scores = [window.score for window in told if window.score is not None]
    if not scores:
        reason = Counter(window.abstained for window in told).most_common(1)[0][0]
        return Verdict(False, None, told, reason, speed)
    marked = max(scores) >= MARKED
    if not marked and len(scores) == len(told):  # nothing in it that the network can't judge
        whole = heard.score(0, frames)
        seen = frames >= WINDOW and whole >= MARKED_SEEN and not doubt(heard.bands)
        marked = seen or (whole >= MARKED_WHOLE and speed == 1)
        scores.append(whole)
    return Verdict(marked, max(scores), told, "", speed)


def _windows(frames: int) -> list[tuple[int, int]]:
    """Return windows that overlap by half; the last one ends with the sound."""
    last = max(0, frames - WINDOW)
    starts = [*range(0, last, HOP), last]
    return [(start, min(start + WINDOW, frames)) for start in starts]


def _judged(
    sound: Array, heard: Heard, rate: float, ends: tuple[int, int], gain: float, searched: bool
) -> tuple[int, int, float | None, str]:
    start, stop = ends
    first, last = round(start * rate / FRAMES_PER_S), round(stop * rate / FRAMES_PER_S)
    bands = heard.bands[start:stop]
    reason = objection(bands, *_energies(sound[first:last], rate), gain)
    if reason:
        return start, stop, None, reason
    score = heard.score(start, stop)
    # Eight other speeds are eight chances to be wrong: there the network alone is not believed.
    if searched and score >= MARKED and (reason := doubt(bands)):
        return start, stop, None, reason
    return start, stop, score, ""


def _energies(sound: Array, rate: float) -> tuple[float, float]:
    """Return the energy of a window, and that of what lies below 2 kHz."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    return float(power.sum()), float(power[: round(LOW_HZ * len(sound) / rate)].sum())
