"""The sun in a picture of the surroundings, apart from all else: a light that casts shadows."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.environment import Environment, directions, reduced

__all__ = ["Sun", "sun_apart"]

_WIDTH = 1024
"""Pixels across the picture in which the sun is looked for: a third of a degree each, less than the sun is."""
_DISC = np.cos(np.radians(4.0))
_AROUND = np.cos(np.radians(8.0))
"""Within the first angle of the brightest pixel everything is the sun's that outshines what lies between both."""
_ROUNDS = 3
_SHARE = 0.2
"""Of all other light on what faces it: what gives less is no sun, and its shadow would hardly be seen."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@attrs.frozen(eq=False)
class Sun:
    """A small bright light, infinitely far away.

    Attributes:
        way: unit vector `[3]` to it.
        irradiance: linear RGB `[3]` of a surface that faces it; of a scene's light, colour times intensity.
    """

    way: Array
    irradiance: Array


def sun_apart(environment: Environment) -> tuple[Environment, Sun | None]:
    """Return the surroundings with their sun taken out of what they light by, and the sun; or as they are, and None.

    Where they are seen it still stands in them. Both together light a rough surface as the whole did: what
    the sun's disc gave comes from its middle.
    """
    image = np.asarray(reduced(environment.image, _WIDTH), np.float64)
    height, width = image.shape[:2]
    ways = directions(height, width)
    edges = np.cos(np.arange(height + 1) * np.pi / height)
    solid = ((edges[:-1] - edges[1:]) * 2 * np.pi / width)[:, None]
    bright = image @ _LUMINANCE
    way = ways[np.unravel_index(bright.argmax(), bright.shape)]
    for _ in range(_ROUNDS):  # the brightest pixel may lie at the disc's edge
        near = ways @ way
        ring = (near < _DISC) & (near > _AROUND)
        if not ring.any():
            return environment, None
        around = np.median(image[ring], axis=0)
        excess = np.where((near >= _DISC)[..., None], np.maximum(image - around, 0), 0)
        given = (excess @ _LUMINANCE) * solid
        others = (bright * solid - given) * np.maximum(near, 0)
        if given.sum() <= _SHARE * others.sum():
            return environment, None
        way = np.einsum("hw,hwc->c", given, ways)
        way /= np.linalg.norm(way)
    sun = Sun(way, np.einsum("hwc,hw->c", excess, np.broadcast_to(solid, given.shape)))
    return attrs.evolve(environment, lighting=image - excess), sun
