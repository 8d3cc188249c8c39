"""How far the pelvis has to come along so that both feet reach where they are held."""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik.protocol import Array

_STRETCH = 0.99
"""Share of a leg's length that planting may stretch it to; a leg that was straighter may stay so."""

_SPLIT = 0.95
"""Share of that reach beyond which a foot drags the pelvis sideways, not only down."""


def pelvis_shift(hips: Array, ankles: Array, lengths: Array, before: Array, frames: int) -> Array:
    """Return `[T, 3]` m by which to move the pelvis.

    Lowered as far as the farther foot asks for, and sideways where lowering would not do. The shift
    is smoothed over `frames` to both sides; the lowering is first widened by as much, so that
    smoothing never takes back what a frame needs.

    Args:
        hips, ankles: `[T, 2, 3]` m, the hip joints as they are and the ankles as they shall be.
        lengths: `[T, 2]` m, upper plus lower leg.
        before: `[T, 2]` m, distance from hip to ankle as it was.
        frames: half the width of the smoothing, at least 1.
    """
    reach = np.maximum(_STRETCH * lengths, np.minimum(before, lengths))
    line = ankles - hips
    shift = np.zeros((len(hips), 3))
    sideways = _sideways(line, reach)
    if sideways.any():
        shift[:, [0, 2]] = smooth(sideways, frames)
        line = line - shift[:, None]
    across = np.sum(line[..., [0, 2]] ** 2, axis=-1)
    down = -line[..., 1] - np.sqrt(np.maximum(reach * reach - across, 0.0))
    # What is left by rounding is no reason to move.
    need = np.where(down > 1e-7 * lengths, down, 0.0).max(axis=1)
    if need.any():
        shift[:, 1] = -smooth(_widened(need, frames), frames)
    return shift


def _sideways(line: Array, reach: Array) -> Array:
    across = line[..., [0, 2]]
    distance = np.linalg.norm(across, axis=-1)
    excess = np.maximum(distance - _SPLIT * reach, 0.0)
    pulled: Array = (across * (excess / np.maximum(distance, 1e-9))[..., None]).sum(axis=1)
    return pulled


def _widened(values: Array, frames: int) -> Array:
    padded = np.pad(values, frames, mode="edge")
    wide: Array = np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1).max(axis=-1)
    return wide


def smooth(values: Array, frames: int) -> Array:
    """Return the weighted mean of `values [T, ...]` over `frames` to both sides (Hann's window)."""
    weights = np.hanning(2 * frames + 3)[1:-1]
    weights /= weights.sum()
    padded = np.pad(values, [(frames, frames)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1, axis=0)
    mean: Array = windows @ weights
    return mean
