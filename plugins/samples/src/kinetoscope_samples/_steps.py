"""When each foot is set down, and where: steps planned along the root's path."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_samples._path import RootPath
from kinetoscope_samples._skeleton import Body
from kinetoscope_samples.recipe import Recipe

__all__ = ["Stance", "Step", "jogging", "plan"]

_WALK_RATIO = 0.0065
"""m per step/min: step length over cadence, the same for all speeds of one adult (Sekiya 1996)."""

_SLOWEST, _QUICKEST = 68.0, 200.0
"""Steps a minute."""

_WAIT_S = 0.05
"""How often somebody who stands asks whether a step is due."""

_MISPLACED_M, _MISTURNED = 0.07, np.deg2rad(14)
"""Who stands takes a step when a foot is this far from where it should be."""


_BACK_M = 0.09
"""How far behind the hips a foot stands in the middle of its stance at an ordinary walk."""

_REACH = 0.53
"""Share of the leg's length by which a foot may land in front of the body."""

_FARTHEST = 0.72
"""Share of the leg's length within which that is no trouble at any pace."""

_SLACK_M = 0.08
"""How much further than usual a foot may be from the body when it leaves or lands."""


@attrs.define
class Stance:
    """One foot on the ground, from heel strike to toe-off.

    Attributes:
        start, stop: s; the first begins and the last ends at infinity.
        place: x and z of the ankle when the foot is flat, m.
        heading: of the foot, rad.
        usual: s that a stance lasts at this pace.
        strike: how far the toes point up when the heel comes down, rad.
        lift: how far the heel has risen when the toes leave, rad.
        jog: 0 walking to 1 jogging.
    """

    start: float
    stop: float
    place: np.ndarray
    heading: float
    usual: float
    strike: float = 0.0
    lift: float = 0.0
    jog: float = 0.0


@attrs.frozen
class Step:
    """The time from one foot's landing to the other's, and how far the body gets in it."""

    start: float
    seconds: float
    length: float
    jog: float


@attrs.frozen
class _Pace:
    """How one steps at a speed."""

    seconds: float
    duty: float
    jog: float


def jogging(speed: np.ndarray | float) -> np.ndarray:
    """Return 0 for walking to 1 for jogging: people change over at about 2 m/s."""
    s = np.clip((np.asarray(speed) - 1.85) / 0.45, 0, 1)
    return s * s * (3 - 2 * s)


def _pace(speed: float, recipe: Recipe) -> _Pace:
    jog = float(jogging(speed))
    ratio = _WALK_RATIO * recipe.stride**2 * recipe.height / 1.75
    walk = np.sqrt(60 * max(speed, 1e-6) / ratio)
    run = (156 + 8 * (speed - 2.3)) / recipe.stride * np.sqrt(1.75 / recipe.height)
    cadence = float(np.clip(walk + (run - walk) * jog, _SLOWEST, _QUICKEST))
    walk_duty = np.clip(0.61 - 0.035 * (speed - 1.3), 0.58, 0.66)
    run_duty = np.clip(0.36 - 0.02 * (speed - 2.6), 0.3, 0.4)
    return _Pace(60 / cadence, float(walk_duty + (run_duty - walk_duty) * jog), jog)


@attrs.define
class _Planner:
    path: RootPath
    body: Body
    recipe: Recipe
    random: np.random.Generator
    stances: tuple[list[Stance], list[Stance]]
    steps: list[Step]

    def place(self, side: int, t: float, pace: _Pace) -> tuple[np.ndarray, float]:
        """Return where the foot of `side` (0 left, 1 right) stands for a root as it is at `t`."""
        where, heading = self.path.at(t)
        speed, turn = float(self.path.speed(t)), float(self.path.turn(t))
        outward = 1.0 if side == 0 else -1.0
        # Faster feet land nearer the line of travel.
        half = self.body.hip_half * float(np.interp(speed, [0, 0.6, 1.6, 3], [1.15, 0.95, 0.8, 0.45]))
        # In a turn the body leans inwards over its feet, which stand outside.
        bank = 0.4 * self.body.leg * np.arctan(speed * turn / 9.81)
        back = -_BACK_M * min(speed / 1.3, 1.0) * self.body.height / 1.75 + 0.03 * pace.jog
        left = np.array([np.cos(heading), -np.sin(heading)])
        forward = np.array([np.sin(heading), np.cos(heading)])
        spread = float(np.interp(speed, [0, 2.5], [9.0, 3.0]))
        return where + left * (outward * half - bank) + forward * back, heading + outward * np.deg2rad(spread)

    def step(self, side: int, t: float) -> float:
        """Let the foot of `side` land next; return the time of its landing."""
        usual = self._pace_at(t)
        pace = self._in_time(side, t, usual)
        landing = t + pace.seconds
        # The stance that follows is a usual one, however quick this step was.
        place, heading = self._reachable(side, landing, usual)
        last = self.stances[side][-1]
        reach = float(np.hypot(*(place - last.place)))
        swing = self._swing(side, t, pace)
        share = float(np.clip(reach / (1.15 * self.body.height / 1.75), 0, 1.1))
        last.stop = landing - swing
        last.lift = np.deg2rad(50 + 8 * pace.jog) * share**0.7
        place = place + self.random.normal(0, 0.006 * min(share, 1), 2)
        heading += self.random.normal(0, np.deg2rad(1.2) * min(share, 1))
        strike = np.deg2rad(22 - 15 * pace.jog) * share
        self.stances[side].append(
            Stance(landing, np.inf, place, heading, 2 * pace.duty * pace.seconds, strike, 0.0, pace.jog)
        )
        start, _ = self.path.at(t)
        stop, _ = self.path.at(landing)
        self.steps.append(Step(t, pace.seconds, float(np.hypot(*(stop - start))), pace.jog))
        return landing

    def _reachable(self, side: int, landing: float, pace: _Pace) -> tuple[np.ndarray, float]:
        """Return the place for the middle of the coming stance, or of an earlier time within reach."""
        root, _ = self.path.at(landing)
        for share in np.linspace(1, 0.2, 9):
            place, heading = self.place(side, landing + share * pace.duty * pace.seconds, pace)
            if np.hypot(*(place - root)) < _REACH * self.body.leg:
                break
        return place, heading

    def _swing(self, side: int, t: float, pace: _Pace) -> float:
        """Return the seconds for which the foot is in the air before it lands at the end of the step."""
        last, landing = self.stances[side][-1], t + pace.seconds
        longest = landing - last.start - 0.25 * pace.seconds
        swing = min((1 - pace.duty) * 2 * pace.seconds, longest)
        # Who comes out of a run leaves the ground before the body is too far ahead.
        while swing < longest - 0.02:
            root, _ = self.path.at(landing - swing)
            if np.hypot(*(root - last.place)) < _FARTHEST * self.body.leg:
                break
            swing += 0.02
        return swing

    def _in_time(self, side: int, t: float, pace: _Pace) -> _Pace:
        """Return the pace, quickened until the foot leaves before the body has left it behind.

        And until it lands within reach of the body: who speeds up or brakes takes quicker steps.
        """
        last = self.stances[side][-1]
        usual = pace.duty * pace.seconds * float(self.path.speed(np.linspace(t, t + 0.6, 7)).mean())
        behind_m = max(usual + _BACK_M + _SLACK_M, _FARTHEST * self.body.leg)
        ahead_m = max(usual + _SLACK_M, _FARTHEST * self.body.leg)
        usual_pace = pace
        for _ in range(24):
            landing = t + pace.seconds
            behind, _ = self.path.at(landing - self._swing(side, t, pace))
            ahead, _ = self.path.at(landing)
            place, _ = self._reachable(side, landing, usual_pace)
            if np.hypot(*(behind - last.place)) < behind_m and np.hypot(*(ahead - place)) < ahead_m:
                break
            pace = attrs.evolve(pace, seconds=max(0.95 * pace.seconds, 0.26))
        return pace

    def _pace_at(self, t: float) -> _Pace:
        ahead = np.linspace(t, t + 0.6, 7)
        speed = float(self.path.speed(ahead).mean())
        turning = abs(float(self.path.turn(ahead).mean()))
        pace = _pace(speed, self.recipe)
        # Turning on the spot has a rhythm although it has no speed.
        quick = float(np.interp(turning, [0.3, 1.5], [1.0, 0.8])) if speed < 0.5 else 1.0
        return attrs.evolve(pace, seconds=pace.seconds * quick * (1 + self.random.normal(0, 0.01)))

    def due(self, side: int, t: float) -> bool:
        """Tell whether a foot stands so far from its place that a step is due."""
        pace = self._pace_at(t)
        place, heading = self.place(side, t + pace.seconds * (1 + pace.duty), pace)
        last = self.stances[side][-1]
        off = float(np.hypot(*(place - last.place)))
        return off > _MISPLACED_M or abs(heading - last.heading) > _MISTURNED


def plan(
    path: RootPath, body: Body, recipe: Recipe, random: np.random.Generator
) -> tuple[tuple[list[Stance], list[Stance]], list[Step]]:
    """Return the stances of the left and right foot, and the steps, over the whole of `path`."""
    planner = _Planner(path, body, recipe, random, ([], []), [])
    t = float(path.times[0])
    pace = planner._pace_at(t)
    for side in (0, 1):
        place, heading = planner.place(side, t, pace)
        planner.stances[side].append(Stance(-np.inf, np.inf, place, heading, 0.8))
    side = int(random.integers(2))
    while t < path.times[-1] - 1.5:
        if planner.due(side, t):
            t = planner.step(side, t)
            side = 1 - side
        elif planner.due(1 - side, t):
            t = planner.step(1 - side, t)
        else:
            t += _WAIT_S
    return planner.stances, planner.steps
