"""Debug drawing: what `Scene.annotations` holds, turned into triangles that any renderer can draw.

Everything is flat: bands that lie on the floor, and bands and discs that face what they are seen by.
Nothing is thinner than pixels can show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.scene import Scene

__all__ = ["KINDS", "Ribbon", "ribbons"]

KINDS = ("trajectory", "bones", "contacts", "velocities")
"""What of `Scene.annotations` is drawn."""

_COLORS = ((0.85, 0.23, 0.06), (0.05, 0.30, 0.70), (0.10, 0.45, 0.16), (0.75, 0.55, 0.05))
_WIDTHS_M = {"trajectory": 0.035, "bones": 0.02, "contacts": 0.12, "velocities": 0.015}
_LIFT_M = 0.004
_LEAST_PIXELS = 1.5
_SHOWN_S = 0.2
"""An arrow is as long as a point goes in this time."""
_ROUND = 16
"""Corners of a disc."""


@attrs.frozen(eq=False)
class Ribbon:
    """`triangles [N, 3, 3]` m relative to the camera, and their linear RGB colour."""

    triangles: Array
    color: tuple[float, ...]


def ribbons(scene: Scene, origin: Array, pixel: float) -> Iterator[Ribbon]:
    """Yield what the scene's annotations hold, relative to the camera at `origin [3]` m.

    A `pixel` is so high, in metres, a metre away. Each kind is an array, a list of arrays, or mappings
    with `points`, `color` (linear RGB) and `width` (m):

    - `trajectory`: `[K, 2]` (world x and z, on the floor) or `[K, 3]` m, a flat band along them.
    - `bones`: `[K, 2, 3]` m, from joint to joint.
    - `contacts`: `[K, 3]` m, level discs of `width` across, where feet touch.
    - `velocities`: `[K, 2, 3]`, points in m and their velocities in m/s, as arrows of a fifth of a second.

    Raises:
        ValidationError: an annotation of these kinds is something else; others are left out.
    """
    floor = 0.0 if scene.ground is None else scene.ground.height
    for kind, (dimensions, draw) in _DRAWN.items():
        given = scene.annotations.get(kind)
        if given is None:
            continue
        listed = isinstance(given, list | tuple) and not _has_dimensions(given, dimensions)
        for i, item in enumerate(given if listed else [given]):
            options = item if isinstance(item, Mapping) else {"points": item}
            points = _points(kind, options.get("points"), floor)
            color = tuple(float(c) for c in options.get("color", _COLORS[i % len(_COLORS)]))
            triangles = draw(points, np.asarray(origin), pixel, float(options.get("width", _WIDTHS_M[kind])))
            if len(triangles):
                yield Ribbon(triangles, color)


def _has_dimensions(given: Any, dimensions: int) -> bool:
    try:
        return np.asarray(given, dtype=np.float64).ndim == dimensions
    except (ValueError, TypeError):
        return False


def _points(kind: str, given: Any, height: float) -> Array:
    try:
        points = np.asarray(given, np.float64)
    except (ValueError, TypeError):
        points = np.empty(0)
    paired = kind in ("bones", "velocities")
    lengths = (2, 3) if kind == "trajectory" else (3,)
    if (
        points.ndim != (3 if paired else 2)
        or points.shape[-1] not in lengths
        or (paired and points.shape[1] != 2)
        or not np.isfinite(points).all()
    ):
        shape = "[K, 2, 3]" if paired else "[K, 2|3]" if kind == "trajectory" else "[K, 3]"
        raise ValidationError(f"Scene.annotations[{kind!r}] holds something other than finite points {shape}")
    return np.insert(points, 1, height, axis=1) if points.shape[-1] == 2 else points


def _trajectory(points: Array, origin: Array, pixel: float, width: float) -> Array:
    """Lay a flat band along `points`, mitred at its corners."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    points = points[np.concatenate([[True], steps > 1e-6])] if len(points) else points
    if len(points) < 2:
        return np.zeros((0, 3, 3))
    points = points - origin
    side = _unit(np.cross([0.0, 1.0, 0.0], np.gradient(points, axis=0)))
    half = _half_width(points, pixel, width)
    lifted = points + np.array([0.0, _LIFT_M, 0.0])
    left, right = lifted + side * half, lifted - side * half
    return _quads(left[:-1], right[:-1], right[1:], left[1:])


def _segments(points: Array, origin: Array, pixel: float, width: float) -> Array:
    """Draw bands from `points[:, 0]` to `points[:, 1]` that face the camera."""
    start, end = points[:, 0] - origin, points[:, 1] - origin
    side = _unit(np.cross(end - start, 0.5 * (start + end)))
    near, far = side * _half_width(start, pixel, width), side * _half_width(end, pixel, width)
    return _quads(start + near, start - near, end - far, end + far)


def _discs(points: Array, origin: Array, pixel: float, width: float) -> Array:
    """Lay level discs at `points`, wide enough to be seen."""
    centre = points - origin + np.array([0.0, _LIFT_M, 0.0])
    angle = np.linspace(0.0, 2 * np.pi, _ROUND + 1)
    rim = np.stack([np.cos(angle), np.zeros(_ROUND + 1), -np.sin(angle)], axis=-1)
    rim = centre[:, None] + rim * _half_width(centre, pixel, width)[:, None]
    middle = np.broadcast_to(centre[:, None], rim[:, 1:].shape)
    triangles: Array = np.stack([middle, rim[:, :-1], rim[:, 1:]], axis=2).reshape(-1, 3, 3)
    return triangles


def _arrows(points: Array, origin: Array, pixel: float, width: float) -> Array:
    """Draw shafts with heads, as long as each point goes in a fifth of a second."""
    start, way = points[:, 0], points[:, 1] * _SHOWN_S
    moving = np.linalg.norm(way, axis=1) > 1e-6
    start, way = start[moving], way[moving]
    neck = start + 0.75 * way
    shafts = _segments(np.stack([start, neck], axis=1), origin, pixel, width)
    base, tip = neck - origin, start + way - origin
    side = _unit(np.cross(way, base)) * 3 * _half_width(base, pixel, width)
    heads = np.stack([base + side, base - side, tip], axis=1)
    return np.concatenate([shafts, heads])


_DRAWN: Mapping[str, tuple[int, Callable[[Array, Array, float, float], Array]]] = {
    "trajectory": (2, _trajectory),
    "bones": (3, _segments),
    "contacts": (2, _discs),
    "velocities": (3, _arrows),
}


def _half_width(points: Array, pixel: float, width: float) -> Array:
    away = np.linalg.norm(points, axis=-1, keepdims=True)
    half: Array = 0.5 * np.maximum(width, _LEAST_PIXELS * away * pixel)
    return half


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Array = np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), [1.0, 0.0, 0.0])
    return unit


def _quads(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Return the triangles of quadrilaterals whose corners `[K, 3]` go around."""
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
