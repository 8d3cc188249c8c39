"""Springs, solved exactly: the same at any frame rate."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from kinetoscope_stage._component import Array, Numbers, column, component
from kinetoscope_stage.transforms import Transform
from kinetoscope_stage.view import View

__all__ = ["SHORTEST_S", "Spring", "SpringSystem", "damp", "oscillate"]

_CRITICAL: Final = 1.6783469900166605
"""Root of (1 + a) exp(-a) = 1/2: a spring at rest has done half of its way after a halflife."""

SHORTEST_S: Final = 1e-5
"""A halflife, or a step that rates are taken over, is not shorter."""


def damp(x: Array, v: Array, goal: Any, halflife: Any, dt: float) -> tuple[Array, Array]:
    """Return position and velocity after `dt` s of a critically damped spring with its rest at `goal`.

    x'' = -2 w x' - w^2 (x - goal), whose solution is ((x0 - goal) + (v0 + w (x0 - goal)) t) e^(-w t).
    Starting at rest, half of the way is done after `halflife` s. Arrays broadcast.
    """
    w = _CRITICAL / np.maximum(halflife, SHORTEST_S)
    off = x - goal
    rate = v + w * off
    fade = np.exp(-w * dt)
    return goal + fade * (off + rate * dt), fade * (v - w * rate * dt)


def oscillate(x: Array, v: Array, goal: Any, frequency: Any, damping: Any, dt: float) -> tuple[Array, Array]:
    """Return position and velocity after `dt` s of a damped spring with its rest at `goal`.

    x'' = -2 d w x' - w^2 (x - goal) with w = 2 pi `frequency` (Hz) and d = `damping`, clipped to 0
    to 1: 0 swings for ever, 1 is critical and goes the shortest way. Arrays broadcast.
    """
    w = 2 * np.pi * np.maximum(frequency, 0.0)
    d = np.clip(damping, 0.0, 1.0)
    off = x - goal
    root = np.sqrt(1 - d * d)
    angle = w * root * dt
    # sin(angle) / (w root), and its limit dt where the spring is critical or has no stiffness.
    still = angle < 1e-6
    reach = np.where(still, dt, np.sin(angle) / np.where(still, 1.0, w * root))
    fade, swing = np.exp(-d * w * dt), np.cos(angle)
    place = goal + fade * (off * (swing + d * w * reach) + v * reach)
    return place, fade * (v * (swing - d * w * reach) - off * (w * w * reach))


@component
class Spring:
    """Something that follows its goal softly; an entity with a `Transform` is moved by it."""

    goal: Numbers = column(3, default=0)  # m
    position: Numbers = column(3, default=0)
    velocity: Numbers = column(3, default=0)  # m/s
    halflife: Numbers = column(default=0.1)  # s


class SpringSystem:
    """Moves `Spring`s, and puts where they are into `Transform.position`."""

    name = "springs"
    reads = (Spring, Transform)
    writes = (Spring, Transform)

    def step(self, world: View, dt: float) -> None:
        """Move on by `dt` s; goals are taken to stand still meanwhile."""
        for chunk in world.query(Spring):
            held = chunk[Spring]
            x, v = damp(held.position, held.velocity, held.goal, held.halflife[:, None], dt)
            held.position[:], held.velocity[:] = x, v
            if Transform in chunk:
                chunk[Transform].position[:] = x
