"""Lights in the camera's axes, and where the shadow map of the strongest sun lies."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.scene import Scene

__all__ = ["Sun", "find_sun", "light_table"]

Array = NDArray[np.float64]
_KINDS = {"sun": 0.0, "point": 1.0, "spot": 2.0}


@attrs.frozen(eq=False)
class Sun:
    """The light that casts shadows: its place in the list (-1: none) and the square of its map.

    Attributes:
        basis: `[3, 3]`, the map's two axes and the way of the light, in the camera's axes.
        low: `[2]` m, the square's first corner along them; span: its edge, m.
    """

    index: int
    basis: Array
    low: Array
    span: float


def find_sun(
    scene: Scene, rotation: Array, points: Array, depth: Array, tangents: tuple[float, float], wanted: bool
) -> Sun:
    """Choose the strongest sun and fit its map to what casts shadows and what is seen."""
    strongest, index = 0.0, -1
    for i, light in enumerate(scene.lights):
        power = light.intensity * float(light.color.mean())
        if light.kind == "sun" and light.shadow and power > strongest:
            strongest, index = power, i
    finite = depth[np.isfinite(depth)]
    if index < 0 or not wanted or not len(points) or not len(finite):
        return Sun(-1, np.eye(3), np.zeros(2), 1.0)
    basis = _axes(rotation @ scene.lights[index].direction)
    casters = points @ basis[:2].T
    receivers = _corners(float(finite.min()), float(finite.max()), tangents) @ basis[:2].T
    low = np.maximum(casters.min(axis=0), receivers.min(axis=0))
    high = np.minimum(casters.max(axis=0), receivers.max(axis=0))
    span = float((high - low).max())
    if not (np.isfinite(span) and (high >= low).all()):
        return Sun(-1, np.eye(3), np.zeros(2), 1.0)
    # A little wider, so that the filter at the rim finds what is open there.
    span = span * 1.02 + 1e-3
    return Sun(index, basis, (low + high - span) / 2, span)


def light_table(scene: Scene, rotation: Array, origin: Array) -> Array:
    """Return `[N, 14]`, the table that `_lighting.light` reads, in the order of `scene.lights`."""
    table = np.zeros((len(scene.lights), 14))
    for row, light in zip(table, scene.lights, strict=True):
        axis = rotation @ light.direction
        axis /= max(float(np.linalg.norm(axis)), 1e-12)
        row[0] = _KINDS[light.kind]
        row[1:4] = -axis if light.kind == "sun" else rotation @ (light.position - origin)
        row[4:7] = light.color * light.intensity
        row[7:10] = axis
        row[10] = light.radius
        row[11], row[12] = np.cos(light.angles[1]), np.cos(light.angles[0])
    return table


def _axes(way: Array) -> Array:
    way = way / np.linalg.norm(way)
    # The camera's axes, not the world's: turning both together leaves the map as it is.
    side = np.cross(way, [0.0, 1.0, 0.0] if abs(way[1]) < 0.9 else [1.0, 0.0, 0.0])
    side = side / np.linalg.norm(side)
    return np.ascontiguousarray(np.stack([side, np.cross(way, side), way]))


def _corners(near: float, far: float, tangents: tuple[float, float]) -> Array:
    flat = np.array([[x * tangents[0], y * tangents[1], -1.0] for x in (-1, 1) for y in (-1, 1)])
    return np.concatenate([flat * near, flat * far])
