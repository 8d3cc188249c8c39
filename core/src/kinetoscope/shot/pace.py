"""What is asked of a performer at each time: speed, style, a place to face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot.settings import Action

__all__ = ["Pace"]

Array = NDArray[Any]

RAMP_M_S2 = 1.5
"""How fast a wanted speed is taken up: people begin and end a walk within about a second (Breniere and Do
1986, "When and how does steady state gait movement induced from upright posture begin?")."""
STAND_S = 3.0
"""How long a performance goes on that ends standing, where nothing else says so."""


@attrs.frozen(eq=False)
class Pace:
    """Speeds over time, in straight lines, and the actions beside them.

    Attributes:
        actions: by time.
        style: until an action names another.
        times: `[B]` s at which the speed begins or ceases to change; the first is 0.
        speeds: `[B]` m/s wanted then; after the last it stays.
        gone: `[B]` m that are gone by then.
    """

    actions: tuple[Action, ...]
    style: str | None
    times: Array
    speeds: Array
    gone: Array

    @classmethod
    def of(cls, speed_m_s: float, style: str | None = None, actions: Sequence[Action] = ()) -> Pace:
        """Return the pace that begins with a speed and a style and changes with each action."""
        marks = [(0.0, speed_m_s)]
        changes = [action for action in actions if action.speed is not None]
        for i, action in enumerate(changes):
            wanted = float(action.speed or 0.0)
            if action.at == 0.0:
                marks = [(0.0, wanted)]
                continue
            was = marks[-1][1]
            last = changes[i + 1].at if i + 1 < len(changes) else np.inf
            full = action.at + abs(wanted - was) / RAMP_M_S2
            if full > last:  # the next change comes before this one is through
                wanted = was + np.sign(wanted - was) * RAMP_M_S2 * (last - action.at)
            marks += [(action.at, was), (min(full, last), wanted)]
        times, speeds = (np.array(column, np.float64) for column in zip(*marks, strict=True))
        steps = 0.5 * (speeds[1:] + speeds[:-1]) * np.diff(times)
        return cls(tuple(actions), style, times, speeds, np.concatenate([[0.0], np.cumsum(steps)]))

    def travelled(self, seconds: Array | float) -> Array:
        """Return how many m should be gone at `seconds [...]`."""
        at = np.asarray(seconds, np.float64)
        i = np.clip(np.searchsorted(self.times, at, "right") - 1, 0, len(self.times) - 1)
        spans = np.append(np.maximum(np.diff(self.times), 1e-12), np.inf)
        rise = np.append(np.diff(self.speeds), 0.0) / spans
        since = at - self.times[i]
        gone: Array = self.gone[i] + self.speeds[i] * since + 0.5 * rise[i] * since**2
        return gone

    def ahead(self, now: float, times: Array, speed_m_s: float) -> Array:
        """Return the mean speeds `[K]` m/s from `now` to each of `times [K]` s after it.

        Who goes at `speed_m_s` now comes to the wanted speed no faster than people do. A speed that never
        changes is asked for as it is.
        """
        if len(self.times) == 1:
            return np.full(len(times), self.speeds[0])
        steps = np.diff(times, prepend=0.0)
        wanted = np.interp(now + times, self.times, self.speeds)
        means, gone, speed = np.empty(len(times)), 0.0, speed_m_s
        for k, (step, aim) in enumerate(zip(steps, wanted, strict=True)):
            then = float(np.clip(aim, speed - RAMP_M_S2 * step, speed + RAMP_M_S2 * step))
            gone += 0.5 * (speed + then) * step
            means[k], speed = gone / times[k], then
        return means

    def style_at(self, now: float) -> str | None:
        """Return the style that is wanted."""
        named = [action.style for action in self._past(now) if action.style is not None]
        return named[-1] if named else self.style

    def face_at(self, now: float) -> tuple[float, float] | None:
        """Return the place that is faced, or None for where the path leads."""
        told = [action for action in self._past(now) if action.face is not None or action.speed is not None]
        return told[-1].face if told else None

    def _past(self, now: float) -> list[Action]:
        return [action for action in self.actions if action.at <= now]

    def seconds(self, length_m: float) -> float:
        """Return when `length_m` should be gone; of who stands before that, when that has been seen."""
        if self.speeds[-1] > 0:
            beyond = length_m - float(self.gone[-1])
            if beyond >= 0:
                return float(self.times[-1] + beyond / self.speeds[-1])
        if length_m > self.gone[-1]:
            return max(float(self.times[-1]), self.actions[-1].at) + STAND_S
        # The distance never shrinks, so the time is found by halving.
        low, high = 0.0, float(self.times[-1])
        while high - low > 1e-3:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.travelled(middle) < length_m else (low, middle)
        return high

    def longest(self, length_m: float) -> float:
        """Return how long a performance may take: twice as long as it should, but for who stands in the end."""
        stands = self.speeds[-1] == 0 and length_m > self.gone[-1]
        return self.seconds(length_m) if stands else 2.0 * self.seconds(length_m) + 2.0
