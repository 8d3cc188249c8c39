"""Where the root goes: speed and turning over time, integrated on the ground."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_samples._curves import Noise, smooth
from kinetoscope_samples.recipe import Recipe

__all__ = ["LEAD_S", "RootPath", "root_path"]

LEAD_S = 3.0
"""s that are walked before the clip begins and after it ends, so that it is cut from full motion."""


@attrs.frozen
class RootPath:
    """The root on the ground, sampled finely.

    Attributes:
        times: `[N]` s, even steps, from -LEAD_S.
        positions: `[N, 2]` m, x and z.
        headings: `[N]` rad about +Y, 0 is +Z, growing to the left (+X).
        speeds: `[N]` m/s.
        turns: `[N]` rad/s.
    """

    times: np.ndarray
    positions: np.ndarray
    headings: np.ndarray
    speeds: np.ndarray
    turns: np.ndarray

    def at(self, t: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return position `[..., 2]` and heading at seconds `t`."""
        x = np.interp(t, self.times, self.positions[:, 0])
        z = np.interp(t, self.times, self.positions[:, 1])
        return np.stack([x, z], -1), np.interp(t, self.times, self.headings)

    def speed(self, t: np.ndarray | float) -> np.ndarray:
        """Return speed at seconds `t`."""
        return np.asarray(np.interp(t, self.times, self.speeds))

    def turn(self, t: np.ndarray | float) -> np.ndarray:
        """Return rad/s at seconds `t`."""
        return np.asarray(np.interp(t, self.times, self.turns))


def root_path(recipe: Recipe, random: np.random.Generator, *, rate: float = 240.0) -> RootPath:
    """Return the path that `recipe` asks for."""
    count = round((recipe.seconds + 2 * LEAD_S) * rate) + 1
    times = np.arange(count) / rate - LEAD_S
    speed, turn = _wanted(recipe, times, rate)
    speed_noise, turn_noise = Noise(random), Noise(random)
    moving = np.minimum(speed / 0.5, 1)
    speed = np.maximum(speed * (1 + recipe.speed_variation * speed_noise(times)), 0)
    turn = turn + np.deg2rad(recipe.turn_variation) * turn_noise(times) * moving
    headings = _integral(turn, rate)
    headings -= np.interp(0.0, times, headings)
    velocity = speed[:, None] * np.stack([np.sin(headings), np.cos(headings)], 1)
    positions = np.stack([_integral(velocity[:, 0], rate), _integral(velocity[:, 1], rate)], 1)
    positions -= [np.interp(0.0, times, positions[:, k]) for k in range(2)]
    return RootPath(times, positions, headings, speed, turn)


def _wanted(recipe: Recipe, times: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return speed and turning before variation: constant, or through the recipe's segments."""
    if not recipe.segments:
        return np.full(len(times), recipe.speed), np.full(len(times), np.deg2rad(recipe.turn))
    ends = np.cumsum([segment.seconds for segment in recipe.segments])
    # Stretched so that the segments fill the clip, whatever they add up to.
    which = np.minimum(
        np.searchsorted(ends * (recipe.seconds / ends[-1]), times, side="right"), len(recipe.segments) - 1
    )
    speeds = np.array([segment.speed for segment in recipe.segments])[which]
    turns = np.deg2rad(np.array([segment.turn for segment in recipe.segments])[which])
    # Nobody changes pace within a step: the change takes about 1.2 s.
    return smooth(speeds, 0.3 * rate), smooth(turns, 0.3 * rate)


def _integral(values: np.ndarray, rate: float) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1])) / rate])
