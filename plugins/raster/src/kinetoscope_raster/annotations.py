"""Debug drawing: what `Scene.annotations` holds, turned into triangles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.scene import Scene

__all__ = ["Ribbon", "ribbons"]

_COLORS = ((0.85, 0.23, 0.06), (0.05, 0.30, 0.70), (0.10, 0.45, 0.16), (0.75, 0.55, 0.05))
_WIDTH_M = 0.035
_LIFT_M = 0.004
_LEAST_PIXELS = 1.5


@attrs.frozen(eq=False)
class Ribbon:
    """`triangles [N, 3, 3]` m relative to the camera, and their linear RGB colour."""

    triangles: NDArray[np.float64]
    color: tuple[float, ...]


def ribbons(scene: Scene, origin: NDArray[np.float64], pixel: float) -> Iterator[Ribbon]:
    """Yield one ribbon for each trajectory of the scene, relative to the camera at `origin`.

    A `pixel` is so high, in metres, a metre away.

    `annotations["trajectory"]` is `[K, 2]` (world x and z, on the floor) or `[K, 3]` m, a list of
    those, or mappings with `points`, `color` (linear RGB) and `width` (m).

    Raises:
        ValidationError: it is something else.
    """
    given = scene.annotations.get("trajectory")
    if given is None:
        return
    items = given if isinstance(given, list | tuple) and not _is_points(given) else [given]
    for i, item in enumerate(items):
        options = item if isinstance(item, Mapping) else {"points": item}
        points = _points(options.get("points"), 0.0 if scene.ground is None else scene.ground.height)
        color = tuple(float(c) for c in options.get("color", _COLORS[i % len(_COLORS)]))
        if len(points) >= 2:
            yield Ribbon(_strip(points - origin, pixel, float(options.get("width", _WIDTH_M))), color)


def _is_points(given: Any) -> bool:
    try:
        return np.asarray(given, dtype=np.float64).ndim == 2
    except (ValueError, TypeError):
        return False


def _points(given: Any, height: float) -> NDArray[np.float64]:
    try:
        points = np.asarray(given, np.float64)
    except (ValueError, TypeError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise ValidationError(
            "Scene.annotations['trajectory'] holds something other than finite points [K, 2|3]"
        )
    if points.shape[1] == 2:
        points = np.insert(points, 1, height, axis=1)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    kept: NDArray[np.float64] = points[np.concatenate([[True], steps > 1e-6])]
    return kept


def _strip(points: NDArray[np.float64], pixel: float, width: float) -> NDArray[np.float64]:
    """Lay a flat band along `points`, mitred at its corners, never thinner than pixels can show."""
    ahead = np.gradient(points, axis=0)
    side = np.cross([0.0, 1.0, 0.0], ahead)
    length = np.linalg.norm(side, axis=1, keepdims=True)
    side = np.where(length > 1e-9, side / np.maximum(length, 1e-9), [1.0, 0.0, 0.0])
    away = np.linalg.norm(points, axis=1, keepdims=True)
    half = 0.5 * np.maximum(width, _LEAST_PIXELS * away * pixel)
    lifted = points + np.array([0.0, _LIFT_M, 0.0])
    left, right = lifted + side * half, lifted - side * half
    first = np.stack([left[:-1], right[:-1], right[1:]], axis=1)
    second = np.stack([left[:-1], right[1:], left[1:]], axis=1)
    return np.concatenate([first, second])
