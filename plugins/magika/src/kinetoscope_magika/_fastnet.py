"""Magika's network restructured: the same answers from a fraction of the multiplications.

The network is: one-hot bytes, a dense layer to 64, GELU, four neighbours side by side (512 positions
of 256), layer norm over the positions, a convolution of width 5 to 512 channels, GELU, the maximum
over positions, layer norm, a dense layer, softmax. Three rearrangements change nothing but rounding:

1. Dense layer and GELU of a one-hot input depend on one byte: a table of 257 rows.
2. The norm scales a channel by one number a file, and a position by one number for all files. So
   what a byte at one of the four places gives to one tap of the convolution is the same wherever it
   stands, but for the position's factor: it is multiplied out once for each of the file's different
   bytes at each place (some 60 of 512 in a text, 220 in noise) and then only looked up and added.
   The multiplications go from 333 million to 40 million (a text) or 140 million (noise).
3. GELU falls, then rises, so the maximum of GELU over positions is that of GELU of the largest and
   of the smallest: 1,024 activations instead of 260,000.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import numpy as np

from kinetoscope_magika import _loops
from kinetoscope_magika._blas import one_blas_thread
from kinetoscope_magika._gelu import gelu, tanh_of_the_runtime
from kinetoscope_magika._knowledge import MODEL, model_file
from kinetoscope_magika._weights import initializers
from kinetoscope_spec import ProviderUnavailable

__all__ = ["NumpyNetwork"]

_POSITIONS, _PLACES, _WIDTH = 512, 4, 64
_TAPS, _CHANNELS, _LABELS = 5, 512, 214
_BYTES = 257
"""The values of a token: a byte, or padding."""

_BLOCK = 128
"""Channels that are worked on together: what a text's bytes give to them fits the second cache."""

_EPSILON = np.float32(1e-6)

_MANY = 200
"""Files after which a network turns to compiled code: the import of Numba costs as much (0.4 s) as
plain NumPy loses on them."""

_SHARE = 8
"""Files that are worth a thread."""


@attrs.frozen(eq=False)
class _Weights:
    """The constants, as the restructured network needs them.

    Attributes:
        table: `[4 * 257, 64]`, the activations of every byte at every place.
        scale: `[512]`, the norm's factor of each position.
        shift: `[blocks, 508, block]`, the convolution of the norm's shifts, and its bias.
        kernels: `[blocks, 4, 64, 5 * block]`, by place.
        last_scale, last_shift: `[512]`, of the second norm.
        dense, dense_bias: `[512, 214]` and `[214]`.
    """

    table: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    kernels: np.ndarray
    last_scale: np.ndarray
    last_shift: np.ndarray
    dense: np.ndarray
    dense_bias: np.ndarray


class NumpyNetwork:
    """The network in NumPy, loaded when it is first asked; may be asked from many threads at once.

    Of few files everything is done in plain NumPy, which starts at once. After `_MANY` the look-up is
    done in compiled code where Numba is installed, with the same result to the last bit.
    """

    def __init__(self, *, compiled: bool | None = None) -> None:
        """Take compiled code from the first file on (True), never (False), or after `_MANY` (None)."""
        self._weights: _Weights | None = None
        self._lock = threading.Lock()
        self._compiled = compiled
        self._seen = 0

    def __call__(self, tokens: np.ndarray, jobs: int = 1) -> np.ndarray:
        """Return probabilities float32 `[N, labels]` for tokens int32 `[N, 2048]`, on `jobs` threads."""
        weights = self._loaded()
        self._seen += len(tokens)  # a hint: threads that race here lose a count, nothing else
        loops = self._loops()
        out = np.empty((len(tokens), _LABELS), np.float32)
        workers = min(jobs, len(tokens) // _SHARE)

        def work(first: int) -> None:
            room = np.empty((_PLACES * _BYTES, _TAPS * _BLOCK), np.float32)
            for i in range(first, len(tokens), max(1, workers)):
                out[i] = _forward(weights, tokens[i], loops, room)

        # The products are small: threads that wait for each other would cost twenty times the work.
        with one_blas_thread():
            if workers < 2:
                work(0)
            else:
                with ThreadPoolExecutor(workers) as pool:
                    list(pool.map(work, range(workers)))
        return out

    def _loops(self) -> _loops.Loops:
        wanted = self._seen > _MANY if self._compiled is None else self._compiled
        return _loops.compiled() if wanted and _loops.available() else _loops.PLAIN

    def _loaded(self) -> _Weights:
        with self._lock:
            if self._weights is None:
                self._weights = _load()
            return self._weights


def _forward(w: _Weights, row: np.ndarray, loops: _loops.Loops, room: np.ndarray) -> np.ndarray:
    """Return the probabilities `[214]` of one file's tokens `[2048]`."""
    codes = row.reshape(_POSITIONS, _PLACES) + _BYTES * np.arange(_PLACES, dtype=np.int32)
    present = np.flatnonzero(np.bincount(codes.reshape(-1), minlength=_PLACES * _BYTES))
    slots = np.zeros(_PLACES * _BYTES, np.int32)
    slots[present] = np.arange(len(present), dtype=np.int32)
    starts = np.searchsorted(present, _BYTES * np.arange(_PLACES + 1))
    rows = _normed(w.table, present, starts, *loops.moments(w.table, codes))
    indices = slots[codes]
    both = np.empty((2, _CHANNELS), np.float32)
    parts = room[: len(present)]
    for block, kernels in enumerate(w.kernels):
        for place, kernel in enumerate(kernels):
            begin, end = starts[place], starts[place + 1]
            np.matmul(rows[begin:end], kernel, out=parts[begin:end])
        channels = slice(block * _BLOCK, (block + 1) * _BLOCK)
        loops.extremes(parts, indices, w.scale, w.shift[block], both[:, channels])
    return _answered(w, gelu(both).max(axis=0))


def _normed(
    table: np.ndarray, present: np.ndarray, starts: np.ndarray, mean: np.ndarray, square: np.ndarray
) -> np.ndarray:
    """Return the rows `[D, 64]` of what is present, less the mean and over the deviation of their channel.

    Both are taken over all positions in float32 and by the difference of squares, as the model has it:
    where positions hardly vary, rounding decides the norm, and a better variance gave other scores.
    """
    factor = 1 / np.sqrt(np.maximum(square - mean * mean, 0) + _EPSILON)
    rows = table[present]
    for place in range(_PLACES):
        some = rows[starts[place] : starts[place + 1]]
        np.subtract(some, mean[place], out=some)
        np.multiply(some, factor[place], out=some)
    return np.asarray(rows)


def _answered(w: _Weights, best: np.ndarray) -> np.ndarray:
    """Return the probabilities for the activations `[512]`: second norm, dense layer, softmax."""
    mean = best.mean()
    variance = np.maximum((best * best).mean() - mean * mean, 0)
    scaled = (best - mean) / np.sqrt(variance + _EPSILON) * w.last_scale + w.last_shift
    logits = scaled @ w.dense + w.dense_bias
    power = np.exp(logits - logits.max())
    return np.asarray(power / power.sum())


def _load() -> _Weights:
    """Read the constants of the installed model, and multiply out what is the same for all files."""
    found = initializers(model_file("model.onnx"))

    def take(ending: str, *shape: int) -> Any:
        array = next((v for k, v in found.items() if k.endswith(ending)), None)
        if array is None or array.size != np.prod(shape):
            raise ProviderUnavailable(f"the model {MODEL} of the installed magika has no {ending}")
        return array.reshape(shape).astype(np.float64)

    embedded = take("_/Const:0", _BYTES, _WIDTH) + take("Dense_0/Reshape:0", _WIDTH)
    table = gelu(embedded.astype(np.float32), tanh_of_the_runtime)
    conv = take("Conv_0/transpose_3:0", _CHANNELS, _PLACES, _WIDTH, _TAPS)
    shifts = take("LayerNorm_0/Reshape_3:0", _POSITIONS)
    summed = conv.sum(axis=(1, 2)).T
    shift = sum(shifts[k : _POSITIONS - _TAPS + 1 + k, None] * summed[k] for k in range(_TAPS))
    shift = shift + take("const_fold_opt__209", _CHANNELS)
    kernels = conv.reshape(-1, _BLOCK, _PLACES, _WIDTH, _TAPS)
    parts = (
        np.tile(table, (_PLACES, 1)),
        take("LayerNorm_0/Reshape_2:0", _POSITIONS),
        shift.reshape(len(shift), -1, _BLOCK).transpose(1, 0, 2),
        kernels.transpose(0, 2, 3, 4, 1).reshape(-1, _PLACES, _WIDTH, _TAPS * _BLOCK),
        *(take(f"LayerNorm_1/Reshape_{i}:0", _CHANNELS) for i in (2, 3)),
        take("Const_24:0", _CHANNELS, _LABELS),
        take("Dense_1/Reshape:0", _LABELS),
    )
    return _Weights(*(np.ascontiguousarray(part, np.float32) for part in parts))
