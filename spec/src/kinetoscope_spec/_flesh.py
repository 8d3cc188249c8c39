"""Lumps of flesh and the field they melt into: an implicit body over the bones."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array

__all__ = ["Cut", "Flesh", "Lump"]

_REACH = 7.0
"""How many blend widths away a lump still counts; exp(-7) of it is left."""


@attrs.frozen(eq=False)
class Lump:
    """A tapered, rounded, possibly flattened volume around a segment.

    Attributes:
        start, end: `[3]` m.
        radii: metres at equal steps from start to end, joined smoothly.
        side: `[3]`, the direction across in which it is wider or narrower.
        wide, deep: factors on the radius along `side` and across it.
        bulge: metres at the same steps by which the axis is moved towards `front`.
        front: `[3]`.
        carrier: what moves it: a joint, or -1 for the spine's chain.
        limb: 1 for one of the left, -1 of the right, 0 of the middle.
    """

    start: Array
    end: Array
    radii: tuple[float, ...]
    carrier: int
    side: Array = attrs.field(factory=lambda: np.array([1.0, 0.0, 0.0]))
    wide: float = 1.0
    deep: float = 1.0
    bulge: tuple[float, ...] = (0.0,)
    front: Array = attrs.field(factory=lambda: np.array([0.0, 0.0, 1.0]))
    limb: int = 0

    def bounds(self) -> tuple[Array, Array]:
        """Return the corners of a box `[3]`, `[3]` that holds it."""
        reach = max(self.radii) * max(self.wide, self.deep, 1.0) + max(map(abs, self.bulge))
        ends = np.stack([self.start, self.end])
        return ends.min(axis=0) - reach, ends.max(axis=0) + reach

    def distance(self, points: Array) -> Array:
        """Return about how far `points [N, 3]` are from its skin, in metres, negative inside."""
        bone = self.end - self.start
        length = float(np.linalg.norm(bone))
        axis = bone / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
        away = points - self.start
        along = away @ axis
        t = np.clip(along, 0.0, length)
        share = t / length if length > 1e-9 else np.zeros_like(t)
        radius = _profile(share, self.radii)
        if any(self.bulge):
            away = away - _profile(share, self.bulge)[:, None] * self.front
        across = away - (away @ axis)[:, None] * axis
        side = self.side - (self.side @ axis) * axis
        size = float(np.linalg.norm(side))
        if size < 1e-6 or (self.wide == 1.0 and self.deep == 1.0):
            rest = np.einsum("ij,ij->i", across, across)
            return np.asarray(np.sqrt(rest + (along - t) ** 2) - radius)
        u = across @ (side / size)
        v2 = np.maximum(np.einsum("ij,ij->i", across, across) - u * u, 0.0)
        # Scaled space, then back by the local stretch, so that it stays about a distance.
        beyond = (along - t) ** 2
        plain = np.sqrt(u * u + v2 + beyond) + 1e-12
        scaled = np.sqrt((u / self.wide) ** 2 + v2 / self.deep**2 + beyond) + 1e-12
        return np.asarray((scaled - radius) * plain / scaled)


@attrs.frozen(eq=False)
class Cut:
    """A gap in the shell: a disc around `centre [3]` across the unit vector `axis [3]`, metres.

    `side` is 1 for one of the left, -1 of the right, 0 of the middle: it cuts nothing else.
    `dark_beyond` gives what follows it along the axis the second material.
    """

    centre: Array
    axis: Array
    half_width: float
    radius: float
    side: int = 0
    dark_beyond: bool = False


@attrs.frozen(eq=False)
class Flesh:
    """Lumps that melt into each other over `blend` metres."""

    lumps: tuple[Lump, ...]
    blend: float

    def bounds(self) -> tuple[Array, Array]:
        """Return the corners `[3]`, `[3]` of a box that holds everything."""
        boxes = [lump.bounds() for lump in self.lumps]
        margin = 2 * self.blend
        return np.min([b[0] for b in boxes], axis=0) - margin, np.max([b[1] for b in boxes], axis=0) + margin

    def __call__(self, points: Array) -> Array:
        """Return the field at `points [N, 3]`: about the distance, negative inside."""
        total = np.zeros(len(points))
        for lump in self.lumps:
            low, high = lump.bounds()
            reach = _REACH * self.blend
            near = np.flatnonzero(np.all((points > low - reach) & (points < high + reach), axis=1))
            if len(near):
                total[near] += np.exp(np.minimum(-lump.distance(points[near]) / self.blend, 600.0))
        return -self.blend * np.log(np.maximum(total, np.exp(-_REACH)))

    def sample(self, low: Array, shape: Sequence[int], cell: float) -> Array:
        """Return the field on a grid `[X, Y, Z]` from `low` in steps of `cell`."""
        total = np.zeros(shape)
        reach = _REACH * self.blend
        for lump in self.lumps:
            near, far = lump.bounds()
            first = np.clip(np.floor((near - reach - low) / cell).astype(int), 0, shape)
            last = np.clip(np.ceil((far + reach - low) / cell).astype(int) + 1, 0, shape)
            if np.any(last <= first):
                continue
            window = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
            steps = np.meshgrid(*(np.arange(a, b) for a, b in zip(first, last, strict=True)), indexing="ij")
            points = low + np.stack(steps, axis=-1).reshape(-1, 3) * cell
            part = np.exp(np.minimum(-lump.distance(points) / self.blend, 600.0))
            total[window] += part.reshape(last - first)
        values: Array = -self.blend * np.log(np.maximum(total, np.exp(-_REACH)))
        return values

    def shares(self, points: Array, softness: float) -> Array:
        """Return how much of the flesh at `points [N, 3]` each lump is, `[N, lumps]`, summing to 1."""
        distances = np.full((len(points), len(self.lumps)), np.inf)
        reach = 6 * softness
        for i, lump in enumerate(self.lumps):
            low, high = lump.bounds()
            near = np.flatnonzero(np.all((points > low - reach) & (points < high + reach), axis=1))
            distances[near, i] = lump.distance(points[near])
        distances -= distances.min(axis=1, keepdims=True)
        part = np.exp(-distances / softness)
        shares: Array = part / part.sum(axis=1, keepdims=True)
        return shares


def _profile(share: Array, values: Sequence[float]) -> Array:
    """Interpolate `values` at equal steps, with slopes that don't overshoot (Fritsch-Carlson)."""
    if len(values) == 1:
        return np.full_like(share, values[0])
    y = np.asarray(values, np.float64)
    rise = np.diff(y)
    slope = np.zeros_like(y)
    same = rise[:-1] * rise[1:] > 0
    slope[1:-1][same] = 2 * rise[:-1][same] * rise[1:][same] / (rise[:-1] + rise[1:])[same]
    slope[0], slope[-1] = (rise[0], rise[-1]) if len(y) == 2 else (0.0, 0.0)
    at = np.clip(share, 0.0, 1.0) * (len(y) - 1)
    i = np.minimum(at.astype(int), len(y) - 2)
    t = at - i
    a, b, ma, mb = y[i], y[i + 1], slope[i], slope[i + 1]
    curve: Array = (
        a * (1 + 2 * t) * (1 - t) ** 2
        + b * t * t * (3 - 2 * t)
        + ma * t * (1 - t) ** 2
        - mb * t * t * (1 - t)
    )
    return curve
