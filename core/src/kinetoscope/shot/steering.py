"""Where to go, told as velocities over time: what a stick or a keyboard gives, instead of a path."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Control
from kinetoscope_spec import Path as GroundPath
from kinetoscope_spec.errors import ValidationError

__all__ = ["Velocities"]

Array = NDArray[np.float64]
_STANDING_M_S = 0.05
"""Below it a wish has no direction to face."""


def _floats(values: Any) -> Array:
    return np.array(values, np.float64)


@attrs.frozen(eq=False)
class Velocities:
    """Velocities that are wanted, each from its time until the next one's.

    Attributes:
        times: `[K]` s, increasing, the first 0.
        velocities: `[K, 2]` m/s, world x and z.

    Raises:
        ValidationError: other shapes, or times in another order.
    """

    times: Array = attrs.field(converter=_floats)
    velocities: Array = attrs.field(converter=_floats)

    def __attrs_post_init__(self) -> None:
        count = len(self.times) if self.times.ndim == 1 else 0
        if not count or self.velocities.shape != (count, 2):
            raise ValidationError(
                f"times {list(self.times.shape)} and velocities {list(self.velocities.shape)}, expected [K], [K, 2]"
            )
        if self.times[0] != 0 or not (np.diff(self.times) > 0).all():
            raise ValidationError(f"times are {self.times.tolist()}, expected increasing ones from 0 on")
        if not np.isfinite(self.velocities).all():
            raise ValidationError("velocities are not all finite")

    def at(self, seconds: Any) -> Array:
        """Return the velocities `[..., 2]` m/s wanted at `seconds [...]`."""
        found: Array = self.velocities[np.searchsorted(self.times, seconds, side="right") - 1]
        return found

    def travelled(self, seconds: Any) -> Array:
        """Return how far one would have come `[..., 2]` m by `seconds [...]`, world x and z."""
        steps = np.diff(self.times)[:, None] * self.velocities[:-1]
        corners = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        last = np.searchsorted(self.times, seconds, side="right") - 1
        found: Array = corners[last] + (np.asarray(seconds) - self.times[last])[..., None] * self.at(seconds)
        return found

    def control(self, now_s: float, position: Array, facing: Array, times: Array) -> Control:
        """Return where to go from `position [2]` in `times [K]` s; who is to stand keeps `facing [2]`."""
        points = position + self.travelled(now_s + times) - self.travelled(np.float64(now_s))
        wanted = self.at(now_s + times)
        speed = np.linalg.norm(wanted, axis=-1, keepdims=True)
        ways = np.where(speed < _STANDING_M_S, facing, wanted / np.maximum(speed, _STANDING_M_S))
        return Control(times, points, ways)

    def path(self, seconds: float) -> GroundPath:
        """Return the way of one who does as wanted, for pictures.

        Raises:
            ValidationError: it leads nowhere.
        """
        corners = [time for time in self.times if time < seconds]
        points = self.travelled(np.array([*corners, seconds]))
        moved = np.concatenate([[True], np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-3])
        if moved.sum() < 2:
            raise ValidationError("the velocities lead nowhere, expected one that is not 0")
        return GroundPath(points[moved])
