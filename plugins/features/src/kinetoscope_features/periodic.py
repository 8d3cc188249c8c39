"""The periodic phase of hands and feet: how each swings now, as a sinusoid fitted to a window."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from array_api_compat import array_namespace

from kinetoscope_features import formulas
from kinetoscope_features.body import Array, Body
from kinetoscope_features.frame import MOST_S, ArrayFeature, picked, within
from kinetoscope_features.root import RootTrack
from kinetoscope_spec import Column

__all__ = ["PeriodicPhase", "oscillation"]

_FREQUENCIES_HZ = tuple(0.25 * k for k in range(1, 17))
"""At which the spectrum is looked at: strides of people are about 1 Hz, and of none above 4 Hz."""

_SILENCE = 1e-4
"""Amplitude below which there is nothing whose frequency could be told."""


_BLOCK = 4096
"""Frames that are worked on together, so that memory does not grow with a clip's windows."""


def _taps(framerate: float, window_s: float) -> tuple[Array, Array]:
    """Return shifts in frames and weights of a Hann window that is `window_s` wide."""
    reach = max(int(0.5 * window_s * framerate), 1)
    shifts = np.arange(-reach, reach + 1)
    return shifts, 0.5 + 0.5 * np.cos(2 * np.pi * shifts / max(window_s * framerate, 2 * reach))


def oscillation(signal: Any, framerate: float, window_s: float) -> tuple[Any, Any, Any]:
    """Fit a sinusoid `a sin(phase)` about the mean to a window around each frame of `signal [T, C]`.

    Frequency is the mean of the spectrum's, weighted by power; amplitude and phase are those of the
    Fourier coefficient there. After Starke, Mason and Komura 2022, "DeepPhase", equations 3 to 6, on
    given signals instead of learned ones. Frames beyond the clip do not count.

    Returns:
        `a sin(phase)`, `a cos(phase)` and the frequency in Hz, each `[T, C]`; the frequency of what
        does not move is 0.
    """
    xp = array_namespace(signal)
    shifts, weights = _taps(framerate, window_s)
    reach, frames = (len(shifts) - 1) // 2, int(signal.shape[0])
    blank = xp.zeros((reach, *signal.shape[1:]), dtype=signal.dtype, device=getattr(signal, "device", None))
    around = xp.concat((blank, signal, blank), axis=0)
    inside = xp.concat((blank, xp.ones_like(signal), blank), axis=0)
    parts = [
        _fitted(
            around[start : stop + 2 * reach, ...],
            inside[start : stop + 2 * reach, ...],
            shifts / framerate,
            weights,
        )
        for start, stop in ((at, min(at + _BLOCK, frames)) for at in range(0, frames, _BLOCK))
    ]
    sines, cosines, frequencies = (xp.concat(held, axis=0) for held in zip(*parts, strict=True))
    return sines, cosines, frequencies


def _windows(values: Any, width: int) -> Any:
    """Return the windows `[T - width + 1, C, width]` of `values [T, C]`."""
    count = int(values.shape[0]) - width + 1
    return array_namespace(values).stack([values[at : at + count, ...] for at in range(width)], axis=-1)


def _fitted(around: Any, inside: Any, times: Array, weights: Array) -> tuple[Any, Any, Any]:
    """Fit one block; `around` has the frames before and after it, `inside` is 0 beyond the clip."""
    xp = array_namespace(around)

    def like(numbers: Array) -> Any:
        return xp.asarray(numbers.tolist(), dtype=around.dtype, device=getattr(around, "device", None))

    counted = _windows(inside, len(times)) * like(weights)
    held = _windows(around, len(times)) * counted
    mass = xp.sum(counted, axis=-1, keepdims=True)
    held = held - counted * (xp.sum(held, axis=-1, keepdims=True) / mass)
    scale = 2 / mass[..., 0]
    turns = 2 * math.pi * np.outer(times, _FREQUENCIES_HZ)
    squares = [xp.matmul(held, like(part)) ** 2 for part in (np.cos(turns), np.sin(turns))]
    power = (squares[0] + squares[1]) * scale[..., None] ** 2
    first = xp.sum(power * like(np.asarray(_FREQUENCIES_HZ)), axis=-1)
    frequency = first / (xp.sum(power, axis=-1) + _SILENCE**2)
    # a sin(w k + phase) = a sin(phase) cos(w k) + a cos(phase) sin(w k), so the sums give both.
    angle = frequency[..., None] * like(2 * math.pi * times)
    sine, cosine = (scale * xp.sum(held * part, axis=-1) for part in (xp.cos(angle), xp.sin(angle)))
    return sine, cosine, frequency


@attrs.frozen(kw_only=True)
class PeriodicPhase(ArrayFeature):
    """How each foot and hand swings fore and aft of the root: a sinusoid's phase, amplitude, frequency.

    The columns `sin` and `cos` are the phase times the amplitude in leg lengths, as in DeepPhase: what
    hardly swings has next to no phase (see `oscillation`).

    Options:
        window_s: how long a piece of motion is looked at, s; about two strides.
    """

    window_s: float = attrs.field(default=2.0, validator=within(1e-3, MOST_S))

    def _joints(self, body: Body) -> tuple[int, int, int, int]:
        return (*body.feet, *body.hands)

    def _columns(self, body: Body) -> list[Column]:
        names = [body.skeleton.names[joint] for joint in self._joints(body)]
        parts = (("periodic_phase", "1", "sin"), ("periodic_phase", "1", "cos"), ("frequency", "Hz", None))
        return [Column(name, unit, joint, part) for joint in names for name, unit, part in parts]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        xp = array_namespace(positions)
        places = formulas.to_root(root.ground, root.yaw, picked(positions, self._joints(body)))
        signal = places[..., 2] / max(body.leg_length_m, 1e-6)
        parts = xp.stack(oscillation(signal, framerate, self.window_s), axis=-1)
        return xp.reshape(parts, (signal.shape[0], 12))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return rows[:, np.r_[3:6, 0:3, 9:12, 6:9]]
