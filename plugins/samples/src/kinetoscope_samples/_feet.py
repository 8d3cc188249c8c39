"""The feet over time: heel, ball and toes rolling in stance, an arc without scuffing in swing."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np

from kinetoscope_samples._curves import hermite, knots, smoothstep
from kinetoscope_samples._path import RootPath
from kinetoscope_samples._skeleton import Body
from kinetoscope_samples._steps import Stance

__all__ = ["Foot", "foot_track"]

_FLAT, _RISE = 0.13, 0.48
"""Shares of a stance at which the sole has come down flat and the heel begins to rise."""

_CLEARANCE_M = 0.012
"""How far the lowest point of a swinging foot stays above the ground in the middle of the swing."""


@attrs.define
class Foot:
    """One foot, sampled at N times.

    Attributes:
        ankle: `[N, 3]` m.
        heading, pitch: `[N]` rad; pitch is above 0 with the toes up.
        toes: `[N]` rad, pitch of the toes against the ground.
        planted: bool `[N]`, the toe joint does not move.
        load: `[N]`, 0 in the air to 1 on the ground, smooth.
    """

    ankle: np.ndarray
    heading: np.ndarray
    pitch: np.ndarray
    toes: np.ndarray
    planted: np.ndarray
    load: np.ndarray


def foot_track(stances: list[Stance], times: np.ndarray, path: RootPath, body: Body) -> Foot:
    """Return the track of the foot that stands as `stances` say, at `times [N]` s."""
    n = len(times)
    foot = Foot(np.zeros((n, 3)), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(n))
    for stance in stances:
        now = (times >= stance.start) & (times < stance.stop)
        if now.any():
            _stand(foot, now, stance, times[now], body)
    for before, after in pairwise(stances):
        now = (times >= before.stop) & (times < after.start)
        if now.any():
            _swing(foot, now, before, after, times[now], path, body)
    return foot


def _pitch(stance: Stance, t: np.ndarray) -> np.ndarray:
    flat_s = _FLAT * stance.usual
    pitch = np.zeros(len(t))
    if stance.strike > 0:
        s = np.clip((t - stance.start) / flat_s, 0, 1)
        pitch += stance.strike * (1 - s) ** 2 * (1 + 2 * s) - 0.6 * stance.strike * s * (1 - s) ** 2
    if stance.lift > 0:
        rise_s = min((1 - _RISE) * stance.usual, 0.8 * (stance.stop - stance.start))
        s = np.clip((t - (stance.stop - rise_s)) / rise_s, 0, 1)
        pitch -= stance.lift * (0.3 * s**2 + 0.7 * s**3.2)
    return pitch


def _ankle(stance: Stance, pitch: np.ndarray, body: Body) -> np.ndarray:
    """Return the ankle `[N, 3]` of a foot that rolls over its heel (toes up) or its ball."""
    sin, cos = np.sin(pitch), np.cos(pitch)
    over_heel = pitch > 0
    # Forward and up from the point that stays on the ground.
    f = np.where(over_heel, body.heel_back, -body.ball_forward)
    u = np.where(over_heel, body.ankle, body.ankle - body.ball_height)
    forward = f * cos - u * sin - f
    up = f * sin + u * cos + np.where(over_heel, 0, body.ball_height)
    x = stance.place[0] + forward * np.sin(stance.heading)
    z = stance.place[1] + forward * np.cos(stance.heading)
    return np.stack([x, up, z], 1)


def _stand(foot: Foot, now: np.ndarray, stance: Stance, t: np.ndarray, body: Body) -> None:
    pitch = _pitch(stance, t)
    foot.pitch[now] = pitch
    foot.ankle[now] = _ankle(stance, pitch, body)
    foot.heading[now] = stance.heading
    foot.toes[now] = np.maximum(pitch, 0)
    foot.planted[now] = pitch <= 0
    ramp_s = 0.28 * stance.usual
    into = smoothstep((t - stance.start) / ramp_s) if np.isfinite(stance.start) else 1.0
    out = smoothstep((stance.stop - t) / ramp_s) if np.isfinite(stance.stop) else 1.0
    foot.load[now] = into * out


def _end(stance: Stance, t: float, body: Body) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return ankle, its velocity, pitch and its rate at an end of a stance."""
    # From inside the stance, where the roll is defined.
    inside = 1e-4 if t == stance.start else -1e-4
    pair = _pitch(stance, np.array([t, t + inside]))
    ankle = _ankle(stance, pair, body)
    return ankle[0], (ankle[1] - ankle[0]) / inside, float(pair[0]), float((pair[1] - pair[0]) / inside)


def _swing(
    foot: Foot, now: np.ndarray, before: Stance, after: Stance, t: np.ndarray, path: RootPath, body: Body
) -> None:
    span = after.start - before.stop
    track = _Swing(before, after, span, path, body)
    s = (t - before.stop) / span
    ankle, pitch, toes = track(s)
    foot.ankle[now], foot.pitch[now], foot.toes[now] = ankle, pitch, toes
    foot.heading[now] = before.heading + (after.heading - before.heading) * smoothstep(s, 0.1, 0.95)


class _Swing:
    """The way of one foot through the air, for s from 0 to 1."""

    def __init__(self, before: Stance, after: Stance, span: float, path: RootPath, body: Body) -> None:
        self._before, self._after, self._span, self._path, self._body = before, after, span, path, body
        self._p0, self._v0, self._a0, self._r0 = _end(before, before.stop, body)
        self._p1, self._v1, self._a1, self._r1 = _end(after, after.start, body)
        reach = float(np.hypot(*(after.place - before.place)))
        self._kick = 0.10 * after.jog * min(reach / 1.3, 1)
        self._kick += self._needed()

    def __call__(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pitch = self._pitches(s)
        ankle = self._base(s)
        ankle[:, 1] += self._kick * _bump(s)
        ankle[:, [0, 2]] += self._around(s)
        return ankle, pitch, self._toes(s, pitch)

    def _base(self, s: np.ndarray) -> np.ndarray:
        start, stop = self._v0 * self._span, self._v1 * self._span
        return np.stack([hermite(s, self._p0[k], start[k], self._p1[k], stop[k]) for k in range(3)], 1)

    def _pitches(self, s: np.ndarray) -> np.ndarray:
        a0, a1, span = self._a0, self._a1, self._span
        after = 0.12 + 0.14 * self._after.jog
        places = [0, after, 0.5, 0.85, 1]
        values = [a0, 1.05 * a0, 0.12 * a0, 0.9 * a1, a1]
        rates = (float(np.clip(self._r0 * span, -3, 0)), float(np.clip(self._r1 * span, -1.5, 0)))
        return knots(s, places, values, *rates)

    def _toes(self, s: np.ndarray, pitch: np.ndarray) -> np.ndarray:
        """Return the toes' pitch: flat on the ground when they leave it, then in line with the foot."""
        share = np.where(pitch < 0, 0.45 * smoothstep(s, 0.0, 0.3), 1.0)
        return pitch * share

    def _needed(self) -> float:
        """Return how much higher the arc must be for the foot not to scuff."""
        # Nearer its ends the arc hardly rises; there the foot rolls off and on.
        s = np.linspace(0.15, 0.85, 36)
        pitch = self._pitches(s)
        height = self._base(s)[:, 1] + self._kick * _bump(s)
        lowest = _lowest(height, pitch, self._toes(s, pitch), self._body)
        wanted = _CLEARANCE_M * np.minimum(1, 5 * s * (1 - s))
        return float(np.clip((wanted - lowest) / _bump(s), 0, 0.12).max())

    def _around(self, s: np.ndarray) -> np.ndarray:
        """Return x and z by which the foot follows the body's curve instead of its chord, `[N, 2]`."""
        start, stop = self._before.stop, self._after.start
        where, _ = self._path.at(start + s * self._span)
        (first, last), _ = self._path.at(np.array([start, stop]))
        chord = last - first
        length = float(np.hypot(*chord))
        if length < 0.05:
            return np.zeros((len(s), 2))
        normal = np.array([-chord[1], chord[0]]) / length
        aside = (where - first) @ normal
        return np.asarray((aside * np.sin(np.pi * s) ** 2)[:, None] * normal)


def _bump(s: np.ndarray) -> np.ndarray:
    """Return an arc with level ends that is highest, 1, at s = 0.4."""
    return np.asarray(s**2 * (1 - s) ** 3 / (0.4**2 * 0.6**3))


def _lowest(ankle: np.ndarray, pitch: np.ndarray, toes: np.ndarray, body: Body) -> np.ndarray:
    """Return the height of the lowest of heel, ball and tip of a foot with its ankle this high."""
    sin, cos = np.sin(pitch), np.cos(pitch)
    heel = ankle - body.heel_back * sin - body.ankle * cos
    ball = ankle + body.ball_forward * sin - (body.ankle - body.ball_height) * cos
    tip = ball + body.toes * np.sin(toes) - body.ball_height * np.cos(toes)
    return np.asarray(np.minimum(np.minimum(heel, ball - body.ball_height * np.cos(pitch)), tip))
