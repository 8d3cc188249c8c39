"""Light from a picture of the surroundings: read, turned, and put onto the stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope.shot import settings
from kinetoscope_spec import Light
from kinetoscope_spec.daylight import Sun, sun_apart
from kinetoscope_spec.environment import Environment
from kinetoscope_spec.errors import FormatError

__all__ = ["Surroundings", "dim", "environment_file", "light_of", "surroundings"]

_OFF = 0.02
"""By how much of it a picture's width may differ from twice its height."""


@attrs.frozen(eq=False)
class Surroundings:
    """What lights a stage from all around, and the sun in it, which casts shadows.

    Attributes:
        environment: all but the sun, in what it lights by.
        sun: if there is one.
        bright: whether their picture holds what is brighter than white, however much of it is taken.
    """

    environment: Environment
    sun: Sun | None
    bright: bool = True

    def lights(self, intensity: float) -> tuple[Light, ...]:
        """Return the sun as a light of a scene, `intensity` times as strong, if there is one."""
        if self.sun is None or not self.sun.irradiance.any():
            return ()
        power = float(self.sun.irradiance.max())
        color = self.sun.irradiance / power
        return (Light("sun", color, intensity=power * intensity, direction=-self.sun.way),)


def surroundings(media: Any, path: Path, light: settings.Light, *, seen: bool = False) -> Surroundings:
    """Return the surroundings that a picture of them holds.

    Its middle column is -Z, ahead of who looks along it; what is right of it is towards +X, and both its edges
    are +Z. Its top row is straight up.

    Args:
        media: a provider of the hook `media`, who reads it.
        path: the picture, by latitude and longitude: twice as wide as high.
        light: by what it is turned (`rotation`), and how much of it is taken (`ambient`).
        seen: whether it stands behind everything.

    Raises:
        FormatError: it is no picture, not twice as wide as high, or as bright as no number is.
        ProviderUnavailable: what reads such files is not installed.
    """
    image = light_of(media, path, light)
    bright = bool(image.max() > 1.0)
    # What lies outside of a gamut may be a little below nothing. In place: pictures may be of 400 MB.
    image = np.maximum(image, 0, out=image if image.flags.writeable else None)
    image *= np.float32(light.ambient)
    environment, sun = sun_apart(Environment(image, seen=seen).turned(np.radians(light.rotation)))
    return Surroundings(environment, sun, bright)


def light_of(media: Any, path: Path, light: settings.Light) -> Any:
    """Return a picture of surroundings as it was measured, float32 `[H, W, 3]`, once it is seen that it can be one.

    Raises:
        FormatError: as of `surroundings`.
        ProviderUnavailable: what reads such files is not installed.
    """
    image = media.read_light(path)
    height, width = image.shape[:2]
    if abs(width - 2 * height) > _OFF * width:
        raise FormatError(
            f"is {width} x {height} pixels",
            path=path,
            expected="surroundings by latitude and longitude, twice as wide as high",
        )
    brightest, most = float(image.max()), float(np.finfo(np.float32).max)
    if brightest * light.ambient > most:
        raise FormatError(
            f"holds light of {brightest:.3g}, which ambient = {light.ambient:g} makes too bright for numbers",
            path=path,
            expected=f"{most:.3g} at most",
        )
    return image


def environment_file(shot_file: settings.ShotFile) -> Path | None:
    """Return the picture that the shot names, if it does.

    Raises:
        ConfigError: it is not there.
    """
    name = shot_file.shot.light.environment
    return None if name is None else shot_file.path(name, "light", "environment")


def dim(path: Path, around: Surroundings) -> str | None:
    """Return what is to be said of surroundings in which nothing is brighter than white, or None."""
    if around.bright:
        return None
    return (
        f"{path} holds no light brighter than white: lamps and the sun in it light no more than a wall would"
    )
