"""Debug drawing: what `Scene.annotations` holds, turned into triangles that any renderer can draw.

Everything is flat: bands that lie on the floor, and bands, discs and letters that face what they are seen
by. Nothing is thinner than pixels can show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec._lettering import CAPITAL, lettering
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.scene import Scene

__all__ = ["KINDS", "Ribbon", "ribbons", "text_width"]

KINDS = ("trajectory", "bones", "contacts", "velocities", "axes", "text")
"""What of `Scene.annotations` is drawn."""

_COLORS = ((0.85, 0.23, 0.06), (0.05, 0.30, 0.70), (0.10, 0.45, 0.16), (0.75, 0.55, 0.05))
_WIDTHS_M = {"trajectory": 0.035, "bones": 0.02, "contacts": 0.12, "velocities": 0.015, "axes": 0.006}
_AXES = ((0.90, 0.04, 0.04), (0.05, 0.55, 0.06), (0.05, 0.12, 0.85))
"""Linear RGB of x, y and z."""
_AXIS_M = 0.12
_INK = (0.9, 0.9, 0.9)
_LETTER_M = 0.08
_PEN = 0.1
"""Width of a letter's strokes, in heights of capitals."""
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
    - `axes`: `[K, 4, 4]`, frames of joints or of anything: x in red, y in green, z in blue. A mapping has
      `matrices`, `length` and `width` (m). Scale is left out; an axis of no length is not drawn.
    - `text`: a mapping, or a list of them, with `strings`, as many `points [K, 3]` m, `color`, and the height
      of capitals: `size` (m), or `pixels` at any distance. Letters face the camera, upright in the world,
      centred over their point; beyond ASCII they lose their marks or are boxes.

    Raises:
        ValidationError: an annotation of these kinds is something else; others are left out.
    """
    floor = 0.0 if scene.ground is None else scene.ground.height
    for kind in KINDS:
        given = scene.annotations.get(kind)
        if given is None:
            continue
        listed = isinstance(given, list | tuple) and not _has_dimensions(given, _DIMENSIONS[kind])
        for i, item in enumerate(given if listed else [given]):
            options = _options(kind, item)
            for triangles, color in _drawn(kind, options, (np.asarray(origin), pixel, floor)):
                if len(triangles):
                    yield Ribbon(triangles, color or _color(kind, options, _COLORS[i % len(_COLORS)]))


def text_width(text: str) -> float:
    """Return how wide `text` is, its widest line if it has several, in heights of a capital."""
    strokes = lettering(text)
    return float(np.ptp(strokes[..., 0])) / CAPITAL if len(strokes) else 0.0


def _drawn(
    kind: str, options: Mapping[str, Any], seen: tuple[Array, float, float]
) -> Iterator[tuple[Array, tuple[float, ...] | None]]:
    """Yield triangles and their colour, or None for that of the options."""
    origin, pixel, floor = seen
    if kind == "text":
        yield _text(options, origin, pixel), _color(kind, options, _INK)
        return
    width = _positive(kind, options, "width", _WIDTHS_M[kind])
    if kind == "axes":
        matrices = _finite(kind, options.get("matrices"), "matrices", (None, 4, 4))
        length = _positive(kind, options, "length", _AXIS_M)
        for column, color in enumerate(_AXES):
            yield _segments(_axis(matrices, column, length), origin, pixel, width), color
        return
    yield _DRAWN[kind](_points(kind, options.get("points"), floor), origin, pixel, width), None


def _options(kind: str, item: Any) -> Mapping[str, Any]:
    """Return an item as a mapping of the keys that its kind has."""
    keys = _KEYS.get(kind, ("points", "color", "width"))
    if not isinstance(item, Mapping):
        if kind == "text":
            raise _wrong(kind, f"something other than mappings with {', '.join(keys)}")
        return {keys[0]: item}
    unknown = sorted(str(key) for key in item if key not in keys)
    if unknown:
        raise _wrong(kind, f"{unknown[0]!r}, expected {', '.join(keys)}")
    return item


def _wrong(kind: str, what: str) -> ValidationError:
    return ValidationError(f"Scene.annotations[{kind!r}] holds {what}")


def _positive(kind: str, options: Mapping[str, Any], key: str, default: float) -> float:
    given = options.get(key, default)
    if isinstance(given, bool) or not np.isscalar(given) or isinstance(given, str | bytes | complex):
        raise _wrong(kind, f"{key} {given!r:.40}, expected a number above 0")
    number = float(given)
    if not (np.isfinite(number) and number > 0):
        raise _wrong(kind, f"{key} {number:g}, expected a number above 0")
    return number


def _color(kind: str, options: Mapping[str, Any], default: tuple[float, ...]) -> tuple[float, ...]:
    color = _finite(kind, options.get("color", default), "color", (3,))
    return tuple(float(part) for part in color)


def _finite(kind: str, given: Any, key: str, shape: tuple[int | None, ...]) -> Array:
    """Return an array of finite numbers; None in `shape` is any length."""
    try:
        array = np.asarray(given, np.float64)
    except (ValueError, TypeError):
        array = np.empty(())
    fits = array.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if not fits or not np.isfinite(array).all():
        asked = ", ".join("K" if n is None else str(n) for n in shape)
        raise _wrong(kind, f"something other than finite {key} [{asked}]")
    return array


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
        raise _wrong(kind, f"something other than finite points {shape}")
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


def _axis(matrices: Array, column: int, length: float) -> Array:
    """Return an axis of each frame `[K, 4, 4]`, from its origin on, `[K, 2, 3]`."""
    way, start = matrices[:, :3, column], matrices[:, :3, 3]
    scale = np.linalg.norm(way, axis=1, keepdims=True)
    shown = scale[:, 0] > 1e-9
    start, way = start[shown], way[shown] / scale[shown]
    return np.stack([start, start + length * way], axis=1)


def _text(options: Mapping[str, Any], origin: Array, pixel: float) -> Array:
    """Return strings as strokes that face the camera."""
    strings = options.get("strings")
    if not isinstance(strings, list | tuple) or not all(isinstance(each, str) for each in strings):
        raise _wrong("text", "something other than a list of strings")
    points = _finite("text", options.get("points", []) if strings else np.zeros((0, 3)), "points", (None, 3))
    if len(points) != len(strings):
        raise _wrong("text", f"{len(strings)} strings for {len(points)} points")
    if "size" in options and "pixels" in options:
        raise _wrong("text", "size and pixels, expected one of them")
    size = _positive("text", options, "size", _LETTER_M)
    pixels = _positive("text", options, "pixels", 1.0) if "pixels" in options else 0.0
    away = points - origin
    far = np.linalg.norm(away, axis=1)
    tall = pixels * pixel * far if pixels else np.full(len(points), size)
    made = [
        _written(text, point, height, max(_PEN * height, _LEAST_PIXELS * distance * pixel))
        for text, point, height, distance in zip(strings, away, tall, far, strict=True)
    ]
    return np.concatenate([np.zeros((0, 3, 3)), *made])


def _written(text: str, place: Array, height: float, pen: float) -> Array:
    """Return `text` at `place [3]` from the camera, capitals `height` m high, in strokes `pen` m wide."""
    strokes = lettering(text) * (height / CAPITAL)
    way = strokes[:, 1] - strokes[:, 0]
    length = np.linalg.norm(way, axis=1, keepdims=True)
    along = 0.5 * pen * np.where(length > 0, way / np.where(length > 0, length, 1.0), [1.0, 0.0])
    aside = along[:, ::-1] * [-1.0, 1.0]
    # Half a pen longer at both ends: strokes of one letter leave no notch where they meet.
    start, end = strokes[:, 0] - along, strokes[:, 1] + along
    right = _unit(np.cross(place, [0.0, 1.0, 0.0]))
    plane = np.stack([right, _unit(np.cross(right, place))])
    return _quads(
        *(place + corner @ plane for corner in (start + aside, start - aside, end - aside, end + aside))
    )


_DRAWN: Mapping[str, Callable[[Array, Array, float, float], Array]] = {
    "trajectory": _trajectory,
    "bones": _segments,
    "contacts": _discs,
    "velocities": _arrows,
}
_DIMENSIONS = {"trajectory": 2, "bones": 3, "contacts": 2, "velocities": 3, "axes": 3, "text": 0}
_KEYS = {
    "axes": ("matrices", "length", "width"),
    "text": ("strings", "points", "color", "size", "pixels"),
}
"""What mappings of a kind hold that is more than points."""


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
