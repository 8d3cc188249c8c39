"""Animation samplers: keys on a time axis of their own, and the values between them (glTF 2.0, appendix C)."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb._json import Item
from kinetoscope_spec import FormatError, rotation

INTERPOLATIONS = ("LINEAR", "STEP", "CUBICSPLINE")

Values = NDArray[np.float64]


@attrs.frozen
class Sampler:
    """Keys of one property.

    Attributes:
        item: where it stands in the file.
        times: `[K]` s, ascending, one at least.
        values: `[K, N]`; for CUBICSPLINE `[K, 3, N]`: in-tangent, value, out-tangent, per second.
        interpolation: LINEAR, STEP or CUBICSPLINE.
        turns: the values are unit quaternions, interpolated along the shorter arc.
    """

    item: Item
    times: Values
    values: Values
    interpolation: str
    turns: bool

    def baked(self, frames: int, rate: float, start: float, slack: float) -> Values:
        """Return the values `[T, N]` at `frames` frames from `start` s on; the ends hold beyond the keys.

        Keys within `slack` of a frame stand on it.
        """
        keys = (self.times - start) * rate
        near = np.round(keys)
        keys = np.where(np.abs(keys - near) <= slack, near, keys)
        at = np.arange(frames)
        if self._is_dense(keys, frames):
            found = self._keyed()
        elif len(keys) == 1:
            found = np.repeat(self._keyed(), frames, axis=0)
        else:
            low = np.clip(np.searchsorted(keys, at, side="right") - 1, 0, len(keys) - 2)
            gap = keys[low + 1] - keys[low]
            share = np.clip((at - keys[low]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)
            found = self._between(low, np.where(gap > 0, share, 1.0)[:, None])
        return self._checked(found) if self.interpolation == "CUBICSPLINE" else found

    def _is_dense(self, keys: Values, frames: int) -> bool:
        return len(keys) == frames and bool(np.array_equal(keys, np.arange(frames)))

    def _keyed(self) -> Values:
        return self.values[:, 1] if self.interpolation == "CUBICSPLINE" else self.values

    def _between(self, low: NDArray[np.int64], share: Values) -> Values:
        values = self._keyed()
        if self.interpolation == "STEP":
            found: Values = values[low + (share[:, 0] >= 1.0)]
        elif self.interpolation == "CUBICSPLINE":
            found = self._spline(low, share)
        elif self.turns:
            found = np.asarray(rotation.slerp(values[low], values[low + 1], share[:, 0]))
        else:
            found = values[low] + (values[low + 1] - values[low]) * share
        return found

    def _spline(self, low: NDArray[np.int64], u: Values) -> Values:
        """Cubic Hermite spline: value and out-tangent of one key, value and in-tangent of the next."""
        span = (self.times[low + 1] - self.times[low])[:, None]
        here, there = self.values[low], self.values[low + 1]
        u2, u3 = u * u, u * u * u
        found: Values = (
            (2 * u3 - 3 * u2 + 1) * here[:, 1]
            + span * (u3 - 2 * u2 + u) * here[:, 2]
            + (3 * u2 - 2 * u3) * there[:, 1]
            + span * (u3 - u2) * there[:, 0]
        )
        if self.turns:  # a spline of quaternions leaves the unit sphere, and may pass through its centre
            lost = np.einsum("ij,ij->i", found, found) < 1e-12
            found[lost] = here[lost, 1]
        return found

    def _checked(self, found: Values) -> Values:
        """Return what a spline gives, within bounds and turns of length 1; other values are both already."""
        if not np.abs(found).max(initial=0.0) <= np.finfo(np.float32).max:
            raise FormatError(
                f"{self.item.where} swings beyond all bounds between its keys",
                path=self.item.path,
                expected="tangents that stay within float32's range",
            )
        return np.asarray(rotation.normalize(found)) if self.turns else found
