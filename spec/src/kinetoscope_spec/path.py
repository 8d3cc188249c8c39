"""A path on the ground to follow: a smooth curve through points, and where to go on it next."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, shaped
from kinetoscope_spec._value import Value
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.protocols import Control

__all__ = ["Path"]

_SAMPLES_PER_SPAN = 64
_LEMNISCATE = 5.244115
"""Length of a lemniscate of Bernoulli of reach 1: twice its constant (OEIS A062539)."""
_POINTS_A_ROUND = 48
_MOST_ROUNDS = 10_000


def _centripetal(points: Array) -> Array:
    """Return dense samples of the centripetal Catmull-Rom spline through `points [P, 2]`.

    Unlike the uniform one it neither overshoots nor loops where points are unevenly spaced (Yuksel,
    Schaefer and Keyser 2011, "Parameterization and applications of Catmull-Rom curves").
    """
    before = 2 * points[0] - points[1]
    after = 2 * points[-1] - points[-2]
    p = np.concatenate([before[None], points, after[None]])
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1) ** 0.5)])
    pieces = []
    for i in range(1, len(p) - 2):
        t = np.linspace(knots[i], knots[i + 1], _SAMPLES_PER_SPAN, endpoint=False)[:, None]
        pieces.append(_barry_goldman(p[i - 1 : i + 3], knots[i - 1 : i + 3], t))
    return np.concatenate([*pieces, points[-1:]])


def _barry_goldman(p: Array, k: Array, t: Array) -> Array:
    """Evaluate one span of the spline by Barry and Goldman's pyramid (SIGGRAPH 1988)."""

    def mix(a: Array, b: Array, start: float, end: float) -> Array:
        blended: Array = ((end - t) * a + (t - start) * b) / (end - start)
        return blended

    a1, a2, a3 = (mix(p[i], p[i + 1], k[i], k[i + 1]) for i in range(3))
    b1, b2 = mix(a1, a2, k[0], k[2]), mix(a2, a3, k[1], k[3])
    return mix(b1, b2, k[1], k[2])


@attrs.frozen(eq=False, repr=False)
class Path(Value):
    """A smooth curve through points on the ground, parameterised by its length.

    Attributes:
        points: `[P, 2]` m, world x and z, at least two; equal neighbours are refused.

    Raises:
        ValidationError: fewer than two points, or two equal ones in a row.
    """

    points: Array
    _curve: Array = attrs.field(init=False, repr=False, eq=False)
    _lengths: Array = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        points = shaped("Path", "points", self.points, ["P", 2], np.float64)
        if len(points) < 2:
            raise ValidationError(f"Path.points has {len(points)} points, expected at least 2")
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        if (steps < 1e-6).any():
            i = int(np.argmin(steps))
            raise ValidationError(f"Path.points[{i}] and [{i + 1}] are the same point")
        curve = _centripetal(points)
        lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
        for name, array in (("points", points), ("_curve", curve), ("_lengths", lengths)):
            object.__setattr__(self, name, array)

    @classmethod
    def figure_eight(cls, length_m: float, *, reach_m: float = 4.0) -> Path:
        """Return a figure eight, gone round and round for at least `length_m`.

        It begins at the crossing, which is the origin, and goes towards +X and +Z: a lemniscate of
        Bernoulli, nowhere more curved than a circle of a third of its reach.

        Args:
            length_m: m, above 0.
            reach_m: from the crossing to the far end of a loop, m.

        Raises:
            ValidationError: a length or a reach that is not above 0, or more than 10,000 rounds.
        """
        if not (0 < length_m < np.inf and 0 < reach_m < np.inf):
            raise ValidationError(
                f"a figure eight of {length_m} m that reaches {reach_m} m, expected above 0"
            )
        rounds = length_m / (_LEMNISCATE * reach_m)
        if rounds > _MOST_ROUNDS:
            raise ValidationError(f"{rounds:.0f} rounds of a figure eight, expected at most {_MOST_ROUNDS}")
        count = int(np.ceil(rounds * _POINTS_A_ROUND)) + 1
        angle = np.arange(count + 1) * 2 * np.pi / _POINTS_A_ROUND - np.pi / 2
        points = reach_m * np.cos(angle)[:, None] * np.stack([np.ones_like(angle), np.sin(-angle)], axis=1)
        return cls(points / (1 + np.sin(angle)[:, None] ** 2))

    @property
    def length(self) -> float:
        """Metres from the first point to the last along the curve."""
        return float(self._lengths[-1])

    def at(self, distance: Array | float) -> Array:
        """Return the points `[..., 2]` at `distance [...]` m along; before and after it goes straight on."""
        s = np.asarray(distance, dtype=np.float64)
        inside = np.clip(s, 0.0, self.length)
        x = np.interp(inside, self._lengths, self._curve[:, 0])
        z = np.interp(inside, self._lengths, self._curve[:, 1])
        return np.stack([x, z], axis=-1) + (s - inside)[..., None] * self.direction(s)

    def direction(self, distance: Array | float) -> Array:
        """Return the unit tangents `[..., 2]` at `distance [...]` m along."""
        s = np.clip(np.asarray(distance, dtype=np.float64), 0.0, self.length)
        span = max(1e-3 * self.length, 1e-4)
        ends = [np.clip(s + step, 0.0, self.length) for step in (-span, span)]
        a, b = (
            np.stack([np.interp(e, self._lengths, self._curve[:, i]) for i in (0, 1)], axis=-1) for e in ends
        )
        step = b - a
        size = np.linalg.norm(step, axis=-1, keepdims=True)
        # Where the path turns back on itself the two sides cancel: there it is the way that goes on.
        i = np.clip(np.searchsorted(self._lengths, s, "right") - 1, 0, len(self._curve) - 2)
        onward = self._curve[i + 1] - self._curve[i]
        turning = size < 0.1 * span
        step = np.where(turning, onward, step)
        size = np.where(turning, np.linalg.norm(onward, axis=-1, keepdims=True), size)
        tangent: Array = step / np.maximum(size, 1e-12)
        return tangent

    def nearest(self, point: Array, *, near: float | None = None, window: float = 2.0) -> float:
        """Return the distance along at which the path passes nearest to `point [2]`.

        `near` looks only within `window` m of that distance, so that where a path crosses itself
        one stays on one's own branch.
        """
        low, high = 0.0, self.length
        if near is not None:
            low, high = np.clip([near - window, near + window], 0.0, self.length)
        starts, ends = self._lengths[:-1], self._lengths[1:]
        first = max(int(np.searchsorted(self._lengths, low, "right")) - 1, 0)
        last = max(int(np.searchsorted(self._lengths, high, "left")), first + 1)
        part = slice(first, min(last, len(starts)))
        ahead = self._curve[1:][part] - self._curve[:-1][part]
        size = ends[part] - starts[part]
        along = np.einsum("ij,ij->i", np.asarray(point) - self._curve[:-1][part], ahead)
        share = along / np.maximum(np.einsum("ij,ij->i", ahead, ahead), 1e-300)
        bounds = [np.clip((end - starts[part]) / np.maximum(size, 1e-300), 0, 1) for end in (low, high)]
        share = np.clip(share, *bounds)
        gap = self._curve[:-1][part] + share[:, None] * ahead - point
        best = int(np.argmin(np.einsum("ij,ij->i", gap, gap)))
        return float(starts[part][best] + share[best] * size[best])

    def control(
        self,
        position: Array,
        distance: float,
        speed_m_s: Array | float,
        times: Array,
        *,
        return_s: float = 0.5,
    ) -> Control:
        """Return where to go from `position [2]`, being `distance` m along, at `speed_m_s`.

        The wanted trajectory runs along the path from there; what `position` lies off it is taken
        back within about `return_s` seconds, so that following does not drift away.

        Args:
            position: where the root is now, world x and z, m.
            distance: how far along the path it is, as `nearest` says.
            speed_m_s: metres per second along the path; where it varies, its mean up to each time, `[K]`.
            times: `[K]` s from now.
            return_s: time constant in which the offset from the path fades.
        """
        times = np.asarray(times, dtype=np.float64)
        s = distance + speed_m_s * times
        offset = np.asarray(position, np.float64) - self.at(distance)
        fade = np.exp(-times / return_s)[:, None]
        return Control(times, self.at(s) + offset * fade, self.direction(s))
