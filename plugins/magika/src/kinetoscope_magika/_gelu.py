"""The network's activation, to the last bit where the last bit is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["gelu", "tanh_of_the_runtime"]

_HALF, _CUBIC, _SCALE = np.float32(0.5), np.float32(0.044715), np.float32(np.sqrt(2 / np.pi))

_BOUND = np.float32(9)
_ABOVE = (
    *(-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08),
    *(1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03),
)
_BELOW = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)
"""Coefficients of tanh as a quotient of polynomials in the square, the highest power first: those of
ONNX Runtime (onnxruntime/core/mlas/lib/tanh.cpp), and of Eigen before it."""


def gelu(x: np.ndarray, tanh: Callable[[np.ndarray], np.ndarray] = np.tanh) -> np.ndarray:
    """Return GELU of float32 by its tanh formula (Hendrycks and Gimpel 2016), in the model's order."""
    inner = _SCALE * (x + x * (x * (_CUBIC * x)))
    return np.asarray(x * (_HALF * (1 + tanh(inner))))


def tanh_of_the_runtime(x: np.ndarray) -> np.ndarray:
    """Return tanh of float32 as ONNX Runtime rounds it.

    The first norm takes the difference of nearly equal squares of activations: where positions hardly
    vary, as in short files and tables of numbers, a true tanh gave scores that were 3e-4 off.
    """
    x = np.clip(x, -_BOUND, _BOUND)
    square = x * x
    return np.asarray((_polynomial(square, _ABOVE) * x) / _polynomial(square, _BELOW))


def _polynomial(x: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """Evaluate by Horner's rule with fused multiply-add: a product of float32 is exact in float64."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = (total.astype(np.float64) * x + np.float64(np.float32(coefficient))).astype(np.float32)
    return total
