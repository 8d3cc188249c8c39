"""Lights in the camera's axes, and where the shadow map of the strongest sun lies."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.cascades import sun_axes, sun_map
from kinetoscope_spec.rendering import Quality
from kinetoscope_spec.scene import Camera, Scene

__all__ = ["NO_SUN", "Sun", "find_sun", "light_table"]

Array = NDArray[np.float64]
_KINDS = {"sun": 0.0, "point": 1.0, "spot": 2.0}


@attrs.frozen(eq=False)
class Sun:
    """The light that casts shadows: its place in the list (-1: none) and the squares of its map.

    Attributes:
        basis: `[3, 3]`, the map's two axes and the way of the light, in the camera's axes.
        squares: `[C, 4]` m: the first corner along the axes, the edge (0: nothing casts), and up to where along
            the camera's axis the square serves.
        casts: bool `[C, P]`, which parts reach into which square.
    """

    index: int
    basis: Array
    squares: Array
    casts: NDArray[np.bool_]


def find_sun(
    scene: Scene,
    camera: Camera,
    rotation: Array,
    casters: Sequence[Array],
    size: tuple[int, int],
    quality: Quality,
) -> Sun:
    """Choose the strongest sun and fit its map; `casters` are corners `[n, 3]` m around each part, from the camera."""
    strongest, index = 0.0, -1
    for i, light in enumerate(scene.lights):
        power = light.intensity * float(light.color.mean())
        if light.kind == "sun" and light.shadow and power > strongest:
            strongest, index = power, i
    if index < 0 or "shadow" not in quality.passes:
        return NO_SUN
    axes = sun_axes(scene.lights[index].direction)
    fitted = sun_map(
        scene.lights[index].direction, casters, camera, size, resolution=quality.shadow_size, most=quality.cascades,
        floor=None if scene.ground is None else scene.ground.height,
    )  # fmt: skip
    if fitted is None:
        return NO_SUN
    squares = [[*(c.middle - c.width / 2), c.width, c.end] for c in fitted.cascades]
    casts = np.array([c.casts for c in fitted.cascades])
    return Sun(index, np.ascontiguousarray(axes @ rotation.T), np.array(squares), casts)


NO_SUN = Sun(-1, np.eye(3), np.zeros((1, 4)), np.zeros((1, 0), np.bool_))


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
