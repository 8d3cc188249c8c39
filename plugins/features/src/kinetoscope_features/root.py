"""The root's trajectory: where the character is on the ground and which way it faces."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_features.body import Array, Body

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

    ground: Array
    yaw: Array


def _trend(values: Array, frames: int) -> tuple[Array, Array]:
    """Return value at the last frame and slope per frame of the line through the last `frames`."""
    tail = values[-max(min(frames, len(values)), 1) :]
    if len(tail) < 2:
        return tail[-1], np.zeros_like(tail[-1])
    t = np.arange(len(tail)) - (len(tail) - 1)
    slope = np.tensordot(t - t.mean(), tail - tail.mean(axis=0), axes=1) / ((t - t.mean()) ** 2).sum()
    return tail.mean(axis=0) - slope * t.mean(), slope


def extended(values: Array, before: int, after: int, *, framerate: float) -> Array:
    """Return `values [T, ...]` continued `before` and `after` frames along the ends' linear trend."""
    frames = max(round(_TREND_S * framerate), 2)
    first, back = _trend(values[::-1], frames)
    last, ahead = _trend(values, frames)
    shape = (-1,) + (1,) * (values.ndim - 1)
    head = first + back * np.arange(before, 0, -1).reshape(shape)
    tail = last + ahead * np.arange(1, after + 1).reshape(shape)
    return np.concatenate([head, values, tail])


def smoothed(values: Array, framerate: float, sigma_s: float) -> Array:
    """Return `values [T, ...]` averaged under a Gaussian window of standard deviation `sigma_s`.

    Beyond its ends the series goes on along its linear trend, so that a straight walk at constant
    speed stays exactly what it is.
    """
    sigma = sigma_s * framerate
    reach = int(np.ceil(_REACH * sigma))
    if reach < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = extended(values, reach, reach, framerate=framerate)
    columns = padded.reshape(len(padded), -1)
    smooth = np.stack([np.convolve(column, kernel, mode="valid") for column in columns.T], axis=-1)
    return smooth.reshape(values.shape)


def root_track(
    body: Body, positions: Array, framerate: float, *, smoothing_s: float = SMOOTHING_S
) -> RootTrack:
    """Return the root trajectory of global `positions [T, J, 3]`.

    It follows the *global* hips: some files carry the travel in the root's channels, others in the
    hips'. Position and facing are smoothed with a Gaussian window (`smoothing_s`, 0 for none).
    """
    positions = np.asarray(positions, np.float64)
    ground = positions[:, body.hips][:, [0, 2]]
    yaw = body.yaw(positions)
    return RootTrack(smoothed(ground, framerate, smoothing_s), smoothed(yaw, framerate, smoothing_s))
