"""Where the root was and will be, and the ground there: windows over time, on the array API standard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from array_api_compat import array_namespace

from kinetoscope_features import formulas
from kinetoscope_features.body import Array, Body
from kinetoscope_features.frame import ArrayFeature, digest, flat, within
from kinetoscope_features.root import RootTrack, extended
from kinetoscope_spec import Column, FormatError
from kinetoscope_spec.errors import ValidationError

__all__ = ["Terrain", "TerrainHeight", "TrajectoryWindow", "at_offsets"]


def at_offsets(values: Any, framerate: float, offsets_s: Sequence[float]) -> list[Any]:
    """Return `values [T, ...]` as they are at each of the `offsets_s`, between frames on the straight line.

    Beyond the clip they go on along its ends' trend (`root.extended`), but no longer than the clip is: a
    line through a tenth of a second tells nothing about the next whole one. There they stay.
    """
    frames = int(values.shape[0])
    # Twice the clip's length away every frame sees where it stays: what lies farther is the same.
    places = [min(max(offset * framerate, -2.0 * frames), 2.0 * frames) for offset in offsets_s]
    lows = [math.floor(place + 1e-9) for place in places]
    before, after = max(0, -min(lows)), max(0, max(lows) + 1)
    known = frames - 1
    long = extended(values, min(before, known), min(after, known), framerate=framerate)
    parts = [long[:1, ...]] * max(before - known, 0) + [long] + [long[-1:, ...]] * max(after - known, 0)
    long = array_namespace(values).concat(parts, axis=0) if len(parts) > 1 else long
    found = []
    for place, low in zip(places, lows, strict=True):
        start, rest = before + low, max(place - low, 0.0)
        here = long[start : start + frames, ...]
        if rest >= 1e-9:
            here = here + rest * (long[start + 1 : start + 1 + frames, ...] - here)
        found.append(here)
    return found


def _offsets(values: Sequence[float]) -> tuple[float, ...]:
    made = tuple(float(value) for value in values)
    if not made or not all(math.isfinite(value) for value in made):
        raise ValidationError(f"offsets_s is {list(made)}, expected at least one number of seconds")
    return made


@attrs.frozen(kw_only=True)
class TrajectoryWindow(ArrayFeature):
    """Where the root is and faces at some times before and after, seen from where it is now.

    Beyond the clip's ends it is taken to go on as it went, for as long as it was seen at most.

    Options:
        offsets_s: the times, s; below 0 is the past. They need not fall on frames.
    """

    offsets_s: tuple[float, ...] = attrs.field(
        default=(-1.0, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0), converter=_offsets
    )

    @property
    def reach_s(self) -> tuple[float, float]:
        """The first and the last time that a row looks at, s from its own."""
        return min(0.0, *self.offsets_s), max(0.0, *self.offsets_s)

    def _columns(self, body: Body) -> list[Column]:
        return [
            Column(name, unit, None, axis, at)
            for at in self.offsets_s
            for name, unit in (("trajectory_position", "m"), ("trajectory_direction", "1"))
            for axis in "xz"
        ]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        xp = array_namespace(root.yaw)
        way = xp.stack(at_offsets(root.ground, framerate, self.offsets_s), axis=1) - root.ground[:, None, :]
        turns = xp.stack(at_offsets(root.yaw, framerate, self.offsets_s), axis=1) - root.yaw[:, None]
        rows = xp.concat((formulas.unturned(root.yaw[:, None], way), formulas.heading(turns)), axis=-1)
        return flat(rows)

    def _mirrored(self, rows: Array, body: Body) -> Array:
        negated: Array = rows * np.tile([-1.0, 1.0], 2 * len(self.offsets_s))
        return negated


@attrs.frozen(eq=False)
class Terrain:
    """Heights of the ground on a regular grid; beyond its border they go on as at the border.

    Attributes:
        heights: `[Z, X]` m.
        origin: world x and z of `heights[0, 0]`, m.
        spacing_m: between neighbouring heights.
    """

    heights: Array = attrs.field(repr=digest)
    origin: tuple[float, float] = (0.0, 0.0)
    spacing_m: float = 1.0

    def __attrs_post_init__(self) -> None:
        if np.ndim(self.heights) != 2 or not np.size(self.heights) or not np.isfinite(self.heights).all():
            raise ValidationError(
                f"Terrain.heights has shape {list(np.shape(self.heights))}, expected [Z, X], all finite"
            )
        if not self.spacing_m > 0:
            raise ValidationError(f"Terrain.spacing_m is {self.spacing_m:g}, expected above 0")

    @classmethod
    def read(cls, path: str | Path) -> Terrain:
        """Read a `.npz` archive with `heights`, and `origin` and `spacing_m` if they are not the defaults.

        Raises:
            FormatError: it is something else.
            OSError: it can't be read.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                x, z = (float(value) for value in held["origin"]) if "origin" in held else (0.0, 0.0)
                spacing = float(held["spacing_m"]) if "spacing_m" in held else 1.0
                return cls(np.asarray(held["heights"], np.float64), (x, z), spacing)
        except OSError:
            raise
        except Exception as error:
            raise FormatError(
                f"no terrain: {error}", path=path, expected="a .npz with heights [Z, X] in metres"
            ) from error

    def at(self, points: Any) -> Any:
        """Return the height `[...]` m at `points [..., 2]` (world x, z), between the grid's bilinear."""
        xp = array_namespace(points)
        rows, columns = self.heights.shape
        x = self._place(xp, points[..., 0], self.origin[0], columns)
        z = self._place(xp, points[..., 1], self.origin[1], rows)
        column, row = (self._below(xp, place, size) for place, size in ((x, columns), (z, rows)))
        fx, fz = x - xp.astype(column, x.dtype), z - xp.astype(row, z.dtype)
        device = getattr(points, "device", None)
        table = xp.asarray(
            np.ascontiguousarray(self.heights).reshape(-1).tolist(), dtype=x.dtype, device=device
        )

        def height(dz: int, dx: int) -> Any:
            far_z, far_x = min(dz, rows - 1), min(dx, columns - 1)
            index = xp.reshape((row + far_z) * columns + column + far_x, (-1,))
            return xp.reshape(xp.take(table, index, axis=0), x.shape)

        near = height(0, 0) + fx * (height(0, 1) - height(0, 0))
        far = height(1, 0) + fx * (height(1, 1) - height(1, 0))
        return near + fz * (far - near)

    def _place(self, xp: Any, values: Any, origin: float, size: int) -> Any:
        place = (values - origin) / self.spacing_m
        place = xp.where(place < 0, xp.zeros_like(place), place)
        return xp.where(place > size - 1, (size - 1) * xp.ones_like(place), place)

    def _below(self, xp: Any, place: Any, size: int) -> Any:
        index = xp.astype(xp.floor(place), xp.int64)
        return xp.where(index > max(size - 2, 0), max(size - 2, 0) * xp.ones_like(index), index)


def _terrain(given: Terrain | str | Path | None) -> Terrain | None:
    if given is not None and not isinstance(given, (str, Path, Terrain)):
        raise ValidationError(f"terrain is {given!r:.60}, expected a Terrain or the path of one")
    return Terrain.read(given) if isinstance(given, (str, Path)) else given


@attrs.frozen(kw_only=True)
class TerrainHeight(ArrayFeature):
    """The ground's height left of, on and right of the root's way, over the ground under the root now.

    After Holden, Komura and Saito 2017, "Phase-Functioned Neural Networks for Character Control",
    section 4: the terrain is given with the motion. Its rows move with the terrain, so a clip must not
    be carried without it.

    Options:
        terrain: the ground, or the path of one (`Terrain.read`); None is level ground.
        offsets_s: times along the way, s; below 0 is the past.
        aside_m: how far to the left and right.
    """

    terrain: Terrain | None = attrs.field(default=None, converter=_terrain)
    offsets_s: tuple[float, ...] = attrs.field(default=(-0.5, 0.0, 0.5, 1.0), converter=_offsets)
    aside_m: float = attrs.field(default=0.25, validator=within(0.0, 1000.0))

    @property
    def reach_s(self) -> tuple[float, float]:
        """The first and the last time that a row looks at, s from its own."""
        return min(0.0, *self.offsets_s), max(0.0, *self.offsets_s)

    def _columns(self, body: Body) -> list[Column]:
        sides = ("left", "middle", "right")
        return [Column("terrain_height", "m", None, side, at) for at in self.offsets_s for side in sides]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        xp = array_namespace(root.yaw)
        terrain = Terrain(np.zeros((1, 1))) if self.terrain is None else self.terrain
        here = terrain.at(root.ground)
        parts = []
        seen = (at_offsets(held, framerate, self.offsets_s) for held in (root.ground, root.yaw))
        for ground, yaw in zip(*seen, strict=True):
            facing = formulas.heading(yaw)
            left = xp.stack((facing[:, 1], -facing[:, 0]), axis=-1)  # up x forward: +X of one that faces +Z
            parts += [terrain.at(ground + side * self.aside_m * left) - here for side in (1.0, 0.0, -1.0)]
        return xp.stack(parts, axis=-1)

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return rows[:, [3 * i + side for i in range(len(self.offsets_s)) for side in (2, 1, 0)]]
