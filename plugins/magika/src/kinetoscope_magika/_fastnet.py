"""Magika's network restructured: the same answers from two fifths of the multiplications.

The network is: one-hot bytes, a dense layer to 64, GELU, four neighbours side by side (512 positions
of 256), layer norm over the positions, a convolution of width 5 to 512 channels, GELU, the maximum
over positions, layer norm, a dense layer, softmax. Three rearrangements change nothing but rounding:

1. Dense layer and GELU of a one-hot input depend on one byte: a table of 257 rows.
2. GELU falls, then rises, so the maximum of GELU over positions is that of GELU of the largest and
   of the smallest: 1,024 activations instead of 260,000.
3. The convolution by Cook and Toom's algorithm, four outputs at a time: 8 products instead of 20
   (Winograd 1980, "Arithmetic Complexity of Computations", ch. 5), points 0, +-1, +-2, +-1/2, infinity.
"""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from kinetoscope_magika._blas import one_blas_thread
from kinetoscope_magika._knowledge import MODEL, model_file
from kinetoscope_magika._weights import initializers
from kinetoscope_spec import ProviderUnavailable

__all__ = ["NumpyNetwork", "toom_cook"]

_POINTS = tuple(map(Fraction, ("0", "1", "-1", "2", "-2", "1/2", "-1/2")))
_OUTPUTS, _TAPS = 4, 5
_PRODUCTS = _OUTPUTS + _TAPS - 1


def toom_cook() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `A [8, 4]`, `G [8, 5]`, `B [8, 8]`: `A.T @ ((G @ taps) * (B @ inputs))` correlates.

    `inputs [8]`, `taps [5]`, four results; exact in rational arithmetic.
    """
    at_infinity = len(_POINTS)
    a = [[p**k for k in range(_OUTPUTS)] for p in _POINTS] + [[0] * (_OUTPUTS - 1) + [1]]
    g: list[list[Any]] = []
    b: list[list[Any]] = []
    for i, point in enumerate(_POINTS):
        others = [other for j, other in enumerate(_POINTS) if j != i]
        scale = Fraction(1)
        for other in others:
            scale *= point - other
        g.append([point**k / scale for k in range(_TAPS)])
        b.append([*_from_roots(others), 0])
    g.append([0] * (_TAPS - 1) + [1])
    b.append(_from_roots(_POINTS))
    assert len(a) == len(g) == len(b) == at_infinity + 1 == _PRODUCTS
    return tuple(np.array(m, dtype=np.float64) for m in (a, g, b))  # type: ignore[return-value]


def _from_roots(roots: tuple[Fraction, ...] | list[Fraction]) -> list[Fraction]:
    """Return the coefficients, constant first, of the polynomial with these roots."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        coefficients = [s - root * c for s, c in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
    return coefficients


def _gelu(x: np.ndarray) -> np.ndarray:
    """Return GELU by its tanh formula (Hendrycks and Gimpel 2016)."""
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x**3))))


@attrs.frozen(eq=False)
class _Weights:
    table: np.ndarray
    norm_scale: np.ndarray
    norm_shift: np.ndarray
    kernels: np.ndarray
    conv_bias: np.ndarray
    last_scale: np.ndarray
    last_shift: np.ndarray
    dense: np.ndarray
    dense_bias: np.ndarray
    combine: np.ndarray
    spread: np.ndarray


class NumpyNetwork:
    """The network in plain NumPy, loaded when it is first asked; may be asked from many threads."""

    def __init__(self) -> None:
        self._weights: _Weights | None = None
        self._lock = threading.Lock()

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Return probabilities float32 `[N, labels]` for tokens int32 `[N, 2048]`."""
        weights = self._loaded()
        # The products are small: threads that wait for each other would cost twenty times the work.
        rows = []
        for row in tokens:
            with one_blas_thread():
                rows.append(_forward(weights, row))
        return np.stack(rows)

    def _loaded(self) -> _Weights:
        with self._lock:
            if self._weights is None:
                self._weights = _load()
            return self._weights


_EPSILON = np.float32(1e-6)


def _forward(w: _Weights, row: np.ndarray) -> np.ndarray:
    x = w.table[row].reshape(512, 256)
    mean = x.mean(axis=0)
    variance = np.maximum((x * x).mean(axis=0) - mean * mean, 0)
    x = (x - mean) * (w.norm_scale / np.sqrt(variance + _EPSILON)) + w.norm_shift
    high, low = _extremes(w, x)
    best = np.maximum(_gelu(high + w.conv_bias), _gelu(low + w.conv_bias))
    mean = best.mean()
    variance = max(np.float32((best * best).mean() - mean * mean), np.float32(0))
    best = (best - mean) / np.sqrt(variance + _EPSILON) * w.last_scale + w.last_shift
    logits = best @ w.dense + w.dense_bias
    power = np.exp(logits - logits.max())
    return np.asarray(power / power.sum())


def _extremes(w: _Weights, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest and smallest value `[512]` of each channel of the convolution over all positions."""
    tiles = (len(x) - _TAPS + 1) // _OUTPUTS
    # Tile t looks at positions 4 t to 4 t + 7: the same place in all tiles is a strided slice.
    inputs = np.stack([x[i : i + _OUTPUTS * tiles : _OUTPUTS][:tiles] for i in range(_PRODUCTS)])
    spread = (w.spread @ inputs.reshape(_PRODUCTS, -1)).reshape(inputs.shape)
    products = np.matmul(spread, w.kernels)
    outputs = w.combine @ products.reshape(_PRODUCTS, -1)
    outputs = outputs.reshape(_OUTPUTS * tiles, -1)
    return outputs.max(axis=0), outputs.min(axis=0)


def _load() -> _Weights:
    found = initializers(model_file("model.onnx"))

    def take(ending: str, *shape: int) -> np.ndarray:
        array = next((v for k, v in found.items() if k.endswith(ending)), None)
        if array is None or array.size != np.prod(shape):
            raise ProviderUnavailable(f"the model {MODEL} of the installed magika has no {ending}")
        return array.reshape(shape)

    table = _gelu(take("_/Const:0", 257, 64).astype(np.float64) + take("Dense_0/Reshape:0", 64))
    conv = take("Conv_0/transpose_3:0", 512, 256, 5).astype(np.float64)
    combine, taps, spread = toom_cook()
    kernels = np.einsum("jk,oik->jio", taps, conv)
    norm = [take(f"LayerNorm_0/Reshape_{i}:0", 512, 1) for i in (2, 3)]
    last = [take(f"LayerNorm_1/Reshape_{i}:0", 512) for i in (2, 3)]
    parts = (
        table, *norm, kernels, take("const_fold_opt__209", 512), *last, take("Const_24:0", 512, 214),
        take("Dense_1/Reshape:0", 214), combine.T, spread,
    )  # fmt: skip
    return _Weights(*(np.ascontiguousarray(part, np.float32) for part in parts))
