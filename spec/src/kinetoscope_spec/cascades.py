"""Where the squares of a sun's shadow map lie: parts of the view from near to far, each fitted to what casts into it.

Parallel-split shadow maps (Zhang et al. 2006), with no more squares than the picture needs: where one square's
texels are about as fine as the pixels they are seen through, there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.scene import Camera

__all__ = ["SEAM", "Cascade", "SunMap", "sun_axes", "sun_map"]

SEAM = 0.1
"""The share of a part's end over which it goes over into the next."""

_VISIBLE_M = 60.0
"""How far from the camera shadows are drawn."""
_NEAREST_M = 0.5
"""Splits begin here: nearer, a log scale would spend squares on nothing."""
_LOGARITHMIC = 0.75
"""Between even splits (0) and those in which all parts look alike (1)."""
_FINE_PX = 1.5
"""A square is fine enough where its texels are no wider than this: the filter is about so wide."""
_MARGIN_TEXELS = 4.0
_STEPS_AN_OCTAVE = 8


@attrs.frozen(eq=False)
class Cascade:
    """One square of the map, for what lies up to `end` m along the camera's axis.

    Attributes:
        end: m.
        middle: `[2]` m along the first two axes of `SunMap`, relative to the camera.
        width: m.
        low, high: m along the sun's way, between which all lies that casts.
        casts: bool `[N]`, which casters reach into it.
    """

    end: float
    middle: Array
    width: float
    low: float
    high: float
    casts: Array


@attrs.frozen(eq=False)
class SunMap:
    """The squares from near to far, and the sun's `axes [3, 3]` in the world: right, up, and where its light goes."""

    axes: Array
    cascades: tuple[Cascade, ...]


def sun_axes(direction: Array) -> Array:
    """Return right, up and away `[3, 3]` of a sun whose light goes along `direction [3]`."""
    away = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    helper = np.eye(3)[np.argmin(np.abs(away))]
    right = np.cross(helper, away)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(away, right), away])


def sun_map(
    direction: Array,
    casters: Sequence[Array],
    camera: Camera,
    size: tuple[int, int],
    *,
    resolution: int,
    most: int,
    floor: float | None = None,
) -> SunMap | None:
    """Fit up to `most` squares of `resolution` texels along an edge; None where no shadow can be seen.

    What lies outside the casters' outline as the sun sees it can't be in their shadow, so of each part of
    the view a square holds what the outline of those that reach into it holds. Widths grow in steps, and
    squares move by whole texels of the world, which keeps shadows from crawling.

    Args:
        direction: `[3]`, where the sun shines to.
        casters: for each, corners `[n, 3]` m that hold it, relative to the camera.
        camera: who looks.
        size: width and height of the picture, pixels.
        floor: height of what receives beneath them, m in the world, or None.
    """
    if not casters:
        return None
    axes, turn = sun_axes(direction), camera.view_matrix()[:3, :3]
    reach = _reach(np.concatenate(casters), axes[2], camera, -turn[2], floor)
    if reach is None:
        return None
    held = [corners @ axes.T for corners in casters]
    low, high = (np.array([edge(corners, axis=0) for corners in held]) for edge in (np.min, np.max))
    up = np.tan(0.5 * camera.field_of_view)
    side = up * size[0] / size[1]
    rays = np.array([[x * side, y * up, -1.0] for x in (-1, 1) for y in (-1, 1)]) @ turn @ axes.T
    anchor = axes @ camera.position
    for count in range(1, most + 1):
        ends = _splits(*reach, count)
        starts = np.array([camera.near, *((1 - SEAM) * ends[:-1])])
        fitted = tuple(
            _fit(rays, start, end, low, high, anchor, resolution)
            for start, end in zip(starts, ends, strict=True)
        )
        pixels = np.maximum(starts, reach[0]) * 2 * up / size[1]
        if all(c.width <= _FINE_PX * pixel * resolution for c, pixel in zip(fitted, pixels, strict=True)):
            break
    return SunMap(axes, fitted) if any(c.casts.any() for c in fitted) else None


def _reach(
    corners: Array, away: Array, camera: Camera, ahead: Array, floor: float | None
) -> tuple[float, float] | None:
    """Return from where to where along the camera's axis shadows can fall: on casters, and on the floor under them."""
    places = corners
    if floor is not None and away[1] < -1e-3:
        fall = np.clip((corners[:, 1] + camera.position[1] - floor) / -away[1], 0, _VISIBLE_M)
        places = np.concatenate([corners, corners + fall[:, None] * away])
    depth = places @ ahead
    near = max(float(depth.min()), camera.near, min(_NEAREST_M, 0.5 * camera.far))
    far = min(float(depth.max()), camera.far, _VISIBLE_M)
    if far <= camera.near:
        return None
    return min(near, far), far


def _splits(near: float, far: float, count: int) -> Array:
    part = np.arange(1, count + 1) / count
    ends: Array = _LOGARITHMIC * near * (far / near) ** part + (1 - _LOGARITHMIC) * (
        near + (far - near) * part
    )
    return ends


def _fit(
    rays: Array, start: float, end: float, low: Array, high: Array, anchor: Array, resolution: int
) -> Cascade:
    """Fit a square to what `rays [4, 3]` between `start` and `end` and casters `low, high [N, 3]` share."""
    seen = np.concatenate([rays * start, rays * end])
    least, most = seen.min(axis=0), seen.max(axis=0)
    # What stands between the sun and this part counts, whatever its distance.
    casts = ((low[:, :2] < most[:2]) & (high[:, :2] > least[:2])).all(axis=1) & (low[:, 2] < most[2])
    room = 2 * _MARGIN_TEXELS / resolution * float((most - least)[:2].max())
    casts &= ~_beside(seen[:, :2], low[:, :2], high[:, :2], room)
    if not casts.any():
        return Cascade(end, np.zeros(2), 0.0, 0.0, 1.0, casts)
    least, most = np.maximum(least, low[casts].min(axis=0)), np.minimum(most, high[casts].max(axis=0))
    width = max(float((most - least)[:2].max()), 1e-3) * resolution / (resolution - 2 * _MARGIN_TEXELS)
    width = float(2.0 ** (np.ceil(np.log2(width) * _STEPS_AN_OCTAVE) / _STEPS_AN_OCTAVE))
    texel = width / resolution
    middle = np.round((0.5 * (least + most) + anchor)[:2] / texel) * texel - anchor[:2]
    deep = float(low[casts, 2].min()) - 0.01, float(high[casts, 2].max()) + 0.01
    return Cascade(end, middle, width, *deep, casts)


def _beside(seen: Array, low: Array, high: Array, room: float) -> Array:
    """Return which rectangles `low, high [N, 2]` lie apart from the outline of `seen [8, 2]`, by more than `room` m.

    Two convex shapes are apart if they are along the normal of an edge of either (Gottschalk et al. 1996). Edges of
    the outline are among the lines between its points; of the rectangles' own the caller has asked.
    """
    first, second = np.triu_indices(len(seen), 1)
    along = seen[second] - seen[first]
    across = np.stack([-along[:, 1], along[:, 0]]) / np.maximum(np.linalg.norm(along, axis=1), 1e-12)
    held = seen @ across
    middle, reach = 0.5 * (low + high) @ across, 0.5 * (high - low) @ np.abs(across)
    apart = (middle - reach > held.max(axis=0) + room) | (middle + reach < held.min(axis=0) - room)
    beside: Array = apart.any(axis=1)
    return beside
