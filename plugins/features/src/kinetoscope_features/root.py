"""The root's trajectory: where the character is on the ground and which way it faces."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from array_api_compat import array_namespace

from kinetoscope_features.body import Body

__all__ = ["RootTrack", "extended", "root_track", "smoothed"]

SMOOTHING_S = 0.2
"""Standard deviation of the Gaussian window: half a step of a walk, so that sway averages out."""

_REACH = 3.0
"""Standard deviations after which the window ends: what is cut off weighs 0.3 %."""

_TREND_S = 0.6
"""How much of a clip's end tells how it would have gone on: a step; longer would miss a turn."""


@attrs.frozen(eq=False)
class RootTrack:
    """A root trajectory.

    Attributes:
        ground: `[T, 2]` m, world x and z.
        yaw: `[T]` rad, without jumps of a turn.
    """

    ground: Any
    yaw: Any


@lru_cache(maxsize=64)
def _line_weights(count: int, span: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return weights `[K]` of a series' last frames for the line through it: its last value, its slope.

    The line is that of least squares through the series drawn as straight strokes between frames, over
    the last `span` frames (all of `count` if they are fewer), whole or not: the integrals
    are exact, so the same series at another framerate has the same line.
    """
    length = min(span, count - 1.0)
    if length <= 0:
        return (1.0,), (0.0,)
    strokes = math.ceil(length - 1e-9)
    area, moment = np.zeros(strokes + 1), np.zeros(strokes + 1)  # at k frames before the last
    for k in range(strokes):
        r = min(length - k, 1.0)  # of the stroke from k to k + 1, the part that counts
        later, earlier = r - r * r / 2, r * r / 2
        area[k : k + 2] += later, earlier
        moment[k : k + 2] -= k * later + r * r / 2 - r**3 / 3, k * earlier + r**3 / 3
    slope = 12 / length**3 * (moment + length / 2 * area)
    value = area / length + length / 2 * slope
    return tuple(value[::-1].tolist()), tuple(slope[::-1].tolist())


def _trend(values: Any, span: float) -> tuple[Any, Any]:
    """Return value at the last frame and slope per frame of the line through the last `span` frames."""
    xp = array_namespace(values)
    value, slope = _line_weights(int(values.shape[0]), span)
    tail = values[-len(value) :, ...]
    off = tail - tail[-1:, ...]  # far from the origin nothing is lost
    return (
        tail[-1, ...] + xp.sum(_series(value, values) * off, axis=0),
        xp.sum(_series(slope, values) * off, axis=0),
    )


def _series(numbers: Iterable[float], like: Any) -> Any:
    """Return `numbers [N]` with the library, dtype and device of `like [T, ...]`, shaped `[N, 1, ...]`."""
    xp = array_namespace(like)
    made = xp.asarray(list(numbers), dtype=like.dtype, device=getattr(like, "device", None))
    return xp.reshape(made, (-1,) + (1,) * (like.ndim - 1))


def extended(values: Any, before: int, after: int, *, framerate: float) -> Any:
    """Return `values [T, ...]` continued `before` and `after` frames along the ends' linear trend."""
    xp = array_namespace(values)
    first, back = _trend(xp.flip(values, axis=0), _TREND_S * framerate)
    last, ahead = _trend(values, _TREND_S * framerate)
    head = first + back * _series(range(before, 0, -1), values)
    tail = last + ahead * _series(range(1, after + 1), values)
    return xp.concat((head, values, tail), axis=0)


def smoothed(values: Any, framerate: float, sigma_s: float) -> Any:
    """Return `values [T, ...]` averaged under a Gaussian window of standard deviation `sigma_s`.

    Beyond its ends the series goes on along its linear trend, so that a straight walk at constant
    speed stays exactly what it is. Linear in `values`, of any array library.
    """
    sigma = sigma_s * framerate
    reach = int(np.ceil(_REACH * sigma))
    if reach < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded, count = extended(values, reach, reach, framerate=framerate), int(values.shape[0])
    total = float(kernel[0]) * padded[:count, ...]
    for shift, weight in enumerate(kernel[1:].tolist(), start=1):
        total = total + weight * padded[shift : shift + count, ...]
    return total


def root_track(
    body: Body, positions: Any, framerate: float, *, smoothing_s: float = SMOOTHING_S
) -> RootTrack:
    """Return the root trajectory of global `positions [T, J, 3]`, of any array library.

    It follows the *global* hips: some files carry the travel in the root's channels, others in the
    hips'. Position and facing are smoothed with a Gaussian window (`smoothing_s`, 0 for none).
    """
    xp = array_namespace(positions)
    hips = positions[:, body.hips, :]
    ground = xp.stack((hips[:, 0], hips[:, 2]), axis=-1)
    yaw = body.yaw(positions)
    return RootTrack(smoothed(ground, framerate, smoothing_s), smoothed(yaw, framerate, smoothing_s))
