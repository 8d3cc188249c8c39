"""Cues as curves: how much of each viseme the mouth shows, frame by frame.

Sounds run into one another: each spreads a little before and after its time, and where several reach
the same moment each gets a share by its dominance (Cohen and Massaro, Modeling Coarticulation in
Synthetic Visual Speech, 1993). Lips that must meet (p, b, m) or touch the teeth (f, v) dominate what
stands beside them. The curves are functions of time, sampled where frames are: at any framerate the
same moments have the same values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_align.visemes import JAW_OPEN, VISEMES
from kinetoscope_spec import Audio, Cue
from kinetoscope_spec.errors import ValidationError

__all__ = ["SPREAD_S", "frame_times", "jaw_curve", "viseme_curves", "viseme_weights"]

Curve = NDArray[np.float64]

SPREAD_S: Final = 0.06
"""How far a sound is seen before and after its time."""

_QUICK_S: Final = 0.04
"""The same for what the lips must do in full."""

_DOMINANCE: Final = {"PP": 6.0, "FF": 4.0, "TH": 1.5, "CH": 1.5, "ou": 1.5, "oh": 1.2}
_QUICK: Final = ("PP", "FF")


def frame_times(duration: float, framerate: float) -> Curve:
    """Return the times of frames, seconds `[T]`: from 0 to the first at or after the end.

    Raises:
        ValidationError: the framerate is not above 0.
    """
    if not (np.isfinite(framerate) and framerate > 0):
        raise ValidationError(f"framerate is {framerate}, expected frames per second above 0")
    # A hair less, so that a whole number of frames is not one more by rounding.
    count = int(np.ceil(duration * framerate * (1 - 1e-9) - 1e-9)) + 1
    return np.arange(count) / framerate


def viseme_curves(audio: Audio, framerate: float) -> dict[str, Curve]:
    """Return a curve `[T]`, 0 to 1, of each of the 15 visemes; in every frame they sum to 1.

    Raises:
        ValidationError: the sound has no visemes (an aligner gives it some), or the framerate is not
            above 0.
    """
    times = frame_times(audio.duration, framerate)
    if not any(cue.kind == "viseme" for cue in audio.cues):
        raise ValidationError(
            "the sound has no cues of visemes; an aligner adds them: host.provider('aligner')"
        )
    return viseme_weights(audio.cues, times, audio.duration)


def viseme_weights(cues: Sequence[Cue], times: Curve, duration: float) -> dict[str, Curve]:
    """Return how much of each viseme is seen at `times`, ascending, of speech that ends at `duration`.

    The mouth is at rest (`sil` is 1) before the first sound, and from `duration` on.

    Raises:
        ValidationError: a viseme is none of the 15.
    """
    shown = {viseme: np.zeros(len(times)) for viseme in VISEMES}
    for cue in cues:
        if cue.kind != "viseme" or cue.value == "sil":
            continue
        if cue.value not in shown:
            raise ValidationError(f"viseme {cue.value!r}, expected one of {', '.join(VISEMES)}")
        spread = _QUICK_S if cue.value in _QUICK else SPREAD_S
        last = max(duration - spread, 0.0)  # so that it has ended when the sound has
        start, end = min(cue.start, last), min(cue.end, last)
        a, b = np.searchsorted(times, [start - spread, end + spread])
        shown[cue.value][a:b] += _step(times[a:b] - start, spread) - _step(times[a:b] - end, spread)
    rest = np.maximum(1.0 - sum(shown.values()), 0.0)
    weighted = {viseme: _DOMINANCE.get(viseme, 1.0) * curve for viseme, curve in shown.items()}
    weighted["sil"] = rest
    total = sum(weighted.values())
    return {viseme: curve / total for viseme, curve in weighted.items()}


def _step(times: Curve, spread: float) -> Curve:
    """Return a step from 0 to 1 at time 0, smoothed by a raised cosine from -spread to spread."""
    at = np.clip(times / spread, -1.0, 1.0)
    smooth: Curve = 0.5 * (1 + at + np.sin(np.pi * at) / np.pi)
    return smooth


def jaw_curve(curves: dict[str, Curve]) -> Curve:
    """Return how far the jaw is open, `[T]`, 0 to 1, for curves of visemes."""
    opened: Curve = np.sum([JAW_OPEN[viseme] * curve for viseme, curve in curves.items()], axis=0)
    return opened
