"""The camera of a plate: still, or turned by so much in each frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_composite import _follow, _turning
from kinetoscope_composite.protocol import CameraSolve
from kinetoscope_spec import Mask, Progress, ValidationError, Video

__all__ = ["solve"]

Array = NDArray[Any]

STILL_PX = 0.08
"""Corners of a locked-off camera move by less on the whole, by noise alone: pixels of what is looked at."""

PARALLAX_PX = 1.5
"""What three quarters of the corners may be off by, on the whole: pixels of what is looked at."""

GUESS = np.radians(40.0)
"""The vertical field of view of a plate that does not tell it: a normal lens."""


def solve(
    plate: Video,
    *,
    mask: Mask | None = None,
    field_of_view: float | None = None,
    progress: Progress | None = None,
) -> CameraSolve:
    """Find how the plate's camera turned; see `protocol.Compositor.solve`."""
    if field_of_view is not None and not 0 < field_of_view < np.pi:
        raise ValidationError(f"field_of_view is {field_of_view} rad, expected above 0 and below pi")
    seen = _follow.follow(plate, mask, progress)
    if not seen:
        raise ValidationError("the plate has no frame")
    size = _follow.looked_at_size(plate)
    pairs = _turning.pairs_of(seen, size)
    tied = {pair.second for pair in pairs if pair.second == pair.first + 1}
    loose = sorted(set(range(1, len(seen))) - tied)
    if loose:
        raise ValidationError(
            f"frame {loose[0]} of the plate shares fewer than {_turning.FEWEST} corners with the one before: it is "
            "a cut, too plain or too blurred, or the mask covers it"
        )
    count = len(seen)
    if _stands_still(pairs):
        view = GUESS if field_of_view is None else field_of_view
        return CameraSolve(np.tile(np.eye(3), (count, 1, 1)), view, False, True, 0.0, False)
    view, measured = _turning.best_view(pairs, size[1]) if field_of_view is None else (field_of_view, False)
    if field_of_view is None and not measured:
        view = GUESS
    focal = size[1] / 2 / np.tan(view / 2)
    fits = [_turning.fitted(pair, focal) for pair in pairs]
    rotations = _turning.averaged(pairs, [turn for turn, _ in fits], count)
    near = [
        off
        for pair, (_, off) in zip(pairs, fits, strict=True)
        if pair.second - pair.first <= _turning.GAPS[2]
    ]
    off = np.concatenate(near)
    good = off[off <= np.quantile(off, 0.75)]
    parallax = bool(np.mean([np.quantile(held, 0.75) for held in near]) > PARALLAX_PX)
    error = float(np.sqrt(np.mean(good**2))) * plate.height / size[1]
    return CameraSolve(rotations, float(view), measured, False, error, parallax)


def _stands_still(pairs: list[_turning.Pair]) -> bool:
    """Whether most corners stay where they are, from the first frame to the last of each pair."""
    gone = [float(np.median(np.linalg.norm(pair.there - pair.here, axis=1))) for pair in pairs]
    return not gone or (max(gone) < STILL_PX * 4 and float(np.median(gone)) < STILL_PX)
