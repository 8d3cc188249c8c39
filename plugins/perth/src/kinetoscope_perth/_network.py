"""Stacks of convolutions over frames, fed piece by piece: what comes out depends on no piece's size.

A layer of seven taps sees three frames to either side. It keeps the last six frames it was given,
so that a stack gives each frame once, `DELAY` frames late, and the same as over the whole at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from kinetoscope_perth._weights import TAPS, Layer

__all__ = ["DELAY", "Stack"]

Array = NDArray[Any]

SIDE: Final = TAPS // 2
DELAY: Final = 5 * SIDE
"""Frames by which what a stack gives lags behind what it is given."""

SLOPE: Final = np.float32(0.01)
"""Of the leaky rectifier below zero."""


class Stack:
    """One run of a stack of layers over the frames of one sound."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)
        # Beyond either end every layer sees zeros, not what the layer before it makes of zeros.
        self._held = [np.zeros((SIDE, _inputs(layer)), np.float32) for layer in self._deep]

    @property
    def _deep(self) -> tuple[Layer, ...]:
        return self._layers[1:-1]

    def push(self, frames: Array, *, last: bool = False) -> Array:
        """Take frames `[T, I]` and return those `[T', O]` that are ready: all that are left with `last`."""
        x = _rectified(_affine(frames, self._layers[0]))
        for i, layer in enumerate(self._deep):
            ends = [np.zeros((SIDE, x.shape[1]), np.float32)] if last else []
            held = np.concatenate([self._held[i], x, *ends])
            self._held[i] = held[max(0, len(held) - 2 * SIDE) :]
            x = _rectified(_affine(_windows(held), layer))
        return _affine(x, self._layers[-1])


def _inputs(layer: Layer) -> int:
    return len(layer[0]) // TAPS


def _windows(frames: Array) -> Array:
    """Return `[T - 6, 7 * C]`: beside each other what the taps see."""
    if len(frames) < TAPS:
        return np.zeros((0, TAPS * frames.shape[1]), np.float32)
    seen = sliding_window_view(frames, TAPS, axis=0)  # [T - 6, C, 7]
    return seen.transpose(0, 2, 1).reshape(len(seen), -1)


def _affine(x: Array, layer: Layer) -> Array:
    weights, bias = layer
    y: Array = x @ weights
    y += bias
    return y


def _rectified(x: Array) -> Array:
    return np.maximum(x, SLOPE * x, out=x)
