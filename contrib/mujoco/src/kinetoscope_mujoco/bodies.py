"""What an entity is to the engine: its shape, its mass, how fast it goes."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_spec import ValidationError
from kinetoscope_stage.hooks import Numbers, column, component

__all__ = ["BOX", "CAPSULE", "SPHERE", "Body", "Physics"]

SPHERE: Final = 0
"""`size[0]` is the radius."""
CAPSULE: Final = 1
"""Upright along its own y: `size[0]` is the radius, `size[1]` half the length between the centres of its ends."""
BOX: Final = 2
"""`size` is half its width, height and depth."""


@component
class Body:
    """A rigid body with its centre where the entity's `Transform` is; entities with a `Parent` are none.

    A body of mass 0 goes where others move it and pushes what is in its way: the capsule of a
    character that its clip carries.
    """

    shape: Numbers = column(dtype=np.int8, default=BOX)
    size: Numbers = column(3, default=0.25)  # m; the transform's scale multiplies it
    center: Numbers = column(3, default=0)  # m, from the transform to the middle of the shape, in its axes
    mass: Numbers = column(default=1.0)  # kg
    friction: Numbers = column(default=0.8)  # sliding; of two bodies in contact the larger counts
    velocity: Numbers = column(3, default=0)  # m/s, of the transform's origin, in the world
    spin: Numbers = column(3, default=0)  # rad/s, in the world
    force: Numbers = column(3, default=0)  # N, at the centre of mass, in the world; holds until changed


def _vector(value: Any) -> tuple[float, float, float]:
    numbers = np.asarray(value, np.float64)
    if numbers.shape != (3,) or not np.isfinite(numbers).all():
        raise ValidationError(f"gravity is {value!r}, expected three finite numbers in m/s2")
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def _height(value: float | None) -> float | None:
    if value is not None and not np.isfinite(value):
        raise ValidationError(f"ground is {value!r}, expected a height in m, or None")
    return value


def _step(value: float) -> float:
    if not 1e-5 <= value <= 0.02:
        raise ValidationError(f"longest_step is {value!r}, expected 1e-5 to 0.02 s")
    return value


@attrs.frozen
class Physics:
    """The world that bodies are in: a resource; `world.provide(Physics(ground=None))` changes it.

    Attributes:
        gravity: m/s2.
        ground: height of an endless floor, m, or None.
        longest_step: s; a step of the stage is made of as many equal ones as this asks for.
    """

    gravity: tuple[float, float, float] = attrs.field(default=(0.0, -9.81, 0.0), converter=_vector)
    ground: float | None = attrs.field(default=0.0, converter=_height)
    longest_step: float = attrs.field(default=0.004, converter=_step)
