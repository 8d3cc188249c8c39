"""Cameras that a person moves, or a moving character: state, input and time in, a `Camera` out.

Everything here is pure, and the same whatever the frame rate: what is wanted changes at once, and what is
seen follows by critically damped springs, solved exactly for goals that move straight on during a step
(so half as long a step, taken twice, leads to the same place). Angles are yaw, about +Y from +Z
towards +X, and pitch, downwards, of the way that the camera looks.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_spec import anatomy
from kinetoscope_spec._arrays import Array
from kinetoscope_spec.errors import ValidationError, nearest
from kinetoscope_spec.motion import Motion
from kinetoscope_spec.scene import Camera

__all__ = ["MODES", "Subject", "Viewpoint", "in_frame", "spring", "subjects"]

MODES: Final = ("orbit", "follow", "third-person", "fixed", "fly")
"""Around a point that stays; around the subject as it goes; behind it, as it turns; from where the camera
stands, turning to the subject; by its own way."""

_CRITICAL: Final = 1.6783469900166605
"""Root of (1 + a) exp(-a) = 1/2: a spring at rest has done half of its way after a halflife."""
_STEEPEST: Final = np.radians(89.0)
"""A camera that is turned by hand stops before it looks straight down or up."""
_NEAREST_M, _FARTHEST_M = 0.05, 500.0
_KEEPS: Final = frozenset({"follow", "third-person"})
_PROMISE: Final = _KEEPS | {"fixed"}
"""Modes that promise something of every picture: the subject is in frame, or the camera stands still."""
_LEVEL: Final = 0.5
"""From left to right is across, and tells a facing, only where that much of it is level."""
_FULL: Final = 1.02
"""A spring comes to its goal only in the end; what a mode promises is kept whole from 1 / 1.02 of it on."""


def spring(x: Array, v: Array, goal: Array, rate: Array, halflife: float, dt: float) -> tuple[Array, Array]:
    """Return position and velocity after `dt` s of a critically damped spring whose goal moves straight on.

    With y = x - goal(t) and goal(t) = goal + rate t, y'' = -2 w y' - w^2 y, whose solution is
    (y0 + (y0' + w y0) t) e^(-w t). At constant speed it lags behind by nothing.

    Args:
        x, v: where it is, and its velocity per s, of one shape.
        goal, rate: where its rest is at the beginning, and how fast that moves, per s.
        halflife: s in which, from rest, half of the way to a still goal is done.
        dt: s, 0 or more.
    """
    w = _CRITICAL / max(halflife, 1e-5)
    off, speed = x - goal, v - rate
    push, fade = speed + w * off, np.exp(-w * dt)
    return goal + rate * dt + fade * (off + push * dt), rate + fade * (speed - w * push * dt)


def _floats(given: Any) -> Array:
    held: Array = np.array(given, np.float64)
    return held


@attrs.frozen(eq=False)
class Subject:
    """What a camera shows: the box `low [3]` to `high [3]`, m in the world, and the yaw that it faces."""

    low: Array = attrs.field(converter=_floats)
    high: Array = attrs.field(converter=_floats)
    facing: float = 0.0

    def __attrs_post_init__(self) -> None:
        for name in ("low", "high"):
            given = getattr(self, name)
            if given.shape != (3,) or not np.isfinite(given).all():
                raise ValidationError(f"Subject.{name} is {given}, expected three finite numbers")
        if np.any(self.low > self.high):
            raise ValidationError(f"Subject.low is {self.low}, above high, {self.high}")

    @classmethod
    def around(cls, points: Array, facing: float = 0.0, *, margin: float = 0.0) -> Subject:
        """Return the box of `points [N, 3]`, wider by `margin` metres on every side."""
        return cls(points.min(axis=0) - margin, points.max(axis=0) + margin, facing)

    @property
    def centre(self) -> Array:
        """The middle of the box, `[3]` m."""
        middle: Array = 0.5 * (self.low + self.high)
        return middle

    @property
    def corners(self) -> Array:
        """The corners of the box, `[8, 3]` m."""
        pick = (np.arange(8)[:, None] >> np.arange(3)) & 1
        return np.where(pick, self.high, self.low)

    def distance(self, field_of_view: float, fill: float = 0.72) -> float:
        """Return from how far, m, the box fills that part of a picture's height, whatever the yaw."""
        reach = 0.5 * float(np.linalg.norm(self.high - self.low))
        return float(np.clip(reach / (fill * np.tan(0.5 * field_of_view)), _NEAREST_M, _FARTHEST_M))


def subjects(motion: Motion, margin: float = 0.08, steady: float = 0.5) -> list[Subject]:
    """Return what a camera shows of `motion` in every frame: a box around all joints, and where it faces.

    Nodes above the pelvis are no part of a body: often one stays at the origin while the body goes away.

    Args:
        motion: anything; what has no left and right faces +Z all the time.
        margin: added to the box on every side, as a share of the tallest pose: flesh is thicker than bones.
        steady: s before and after a frame whose poses its box holds, too: no camera shakes with a hand
            that waves.
    """
    places = motion.global_transforms()[0].astype(np.float64)
    held = places[:, _body(motion)]
    low, high = held.min(axis=1), held.max(axis=1)
    wide = margin * max(float((high - low)[:, 1].max()), 0.05)
    reach = round(min(steady * motion.framerate, len(places)))
    middle = _mean(0.5 * (low + high), reach)
    # A mean of least values, each of a stretch that holds this frame, is not above this frame's.
    low = middle + _mean(_around(low - middle, reach).min(axis=-1), reach)
    high = middle + _mean(_around(high - middle, reach).max(axis=-1), reach)
    facing = _facings(motion, places)
    return [Subject(a - wide, b + wide, f) for a, b, f in zip(low, high, facing, strict=True)]


def _body(motion: Motion) -> Array:
    """Return which nodes are of the body, bool `[J]`: all but those above the pelvis, where there is one."""
    parents = motion.skeleton.parents
    shown = np.ones(len(parents), bool)
    node = anatomy.roles(motion.skeleton).get("hips", -1)
    while node >= 0 and (node := int(parents[node])) >= 0:
        shown[node] = False
    return shown


def _around(values: Array, reach: int) -> Array:
    """Return `[T, N, 2 reach + 1]`: the values `[T, N]` of each frame and those around it; ends go on as they are."""
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)


def _mean(values: Array, reach: int) -> Array:
    mean: Array = _around(values, reach).mean(axis=-1)
    return mean


def _facings(motion: Motion, places: Array) -> Array:
    """Return yaws `[T]`: across from right to left is +X for who looks along +Z."""
    pairs = np.array(anatomy.sided_pairs(motion.skeleton), np.int64).reshape(-1, 2)
    if not len(pairs):
        return np.zeros(len(places))
    across = (places[:, pairs[:, 0]] - places[:, pairs[:, 1]]).mean(axis=1)
    # Who lies on a side or turns a cartwheel faces nowhere for a while: the yaw goes on to where it is known again.
    level, whole = np.hypot(across[:, 0], across[:, 2]), np.linalg.norm(across, axis=1)
    known = np.flatnonzero(level > _LEVEL * np.maximum(whole, 1e-9))
    if not len(known):
        return np.zeros(len(places))
    turned = np.unwrap(np.arctan2(-across[known, 2], across[known, 0]))
    yaw: Array = np.interp(np.arange(len(places)), known, turned)
    return yaw


def _axes(yaw: float, pitch: float) -> Array:
    """Return right, up and back `[3, 3]` of a camera, as rows; there is no angle at which they flip."""
    s, c, rise, level = np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch)
    return np.array([[-c, 0.0, s], [s * rise, level, c * rise], [-s * level, rise, -c * level]])


def in_frame(position: Array, axes: Array, points: Array, tangents: tuple[float, float]) -> Array:
    """Return where a camera must stand to see all `points [N, 3]`, without turning it.

    It moves aside if that is enough, and back where the points are too far apart. A camera that sees
    them all stays. Where it goes depends continuously on everything.

    Args:
        position: `[3]` m.
        axes: right, up and back `[3, 3]`, as rows.
        points: m, in the world.
        tangents: half the picture's width and height at one metre, as far as it may be filled.
    """
    seen, at = points @ axes.T, axes @ position
    # |p_x - c_x| <= t (c_z - p_z) for all p: two lines for each axis, between which c stands.
    sides = []
    for axis, tangent in enumerate(tangents):
        high = float((seen[:, axis] + tangent * seen[:, 2]).max())
        low = float((seen[:, axis] - tangent * seen[:, 2]).min())
        sides.append((low, high, tangent))
    back = max(at[2], seen[:, 2].max() + _NEAREST_M, *((high - low) / (2 * t) for low, high, t in sides))
    aside = [np.clip(at[i], high - t * back, low + t * back) for i, (low, high, t) in enumerate(sides)]
    moved: Array = axes.T @ np.array([*aside, back])
    return moved


@attrs.frozen(eq=False, kw_only=True)
class Viewpoint:
    """A camera in one of `MODES`: what is wanted of it, and where it is on the way there.

    Attributes:
        mode: one of `MODES`.
        yaw, pitch: rad, wanted; in third person the yaw counts from the way the subject faces.
        distance: m from what is looked at, wanted.
        pivot: `[3]` m: what `orbit` goes around; where `fixed` stands; what `fly` looks at.
        aim: `[3]` m from the middle of the subject, where the moving modes look.
        halflife: s in which half of a way is done.
        field_of_view: vertical, rad.
        margin: share of the picture that stays free around a subject that is held in frame, on each side.
        target, arm: what is looked at, m; yaw, pitch and log of the distance: as they are now.
        target_velocity, arm_velocity: the same per second.
        held: how much of what the mode promises is in force, 0 to 1, and its velocity.
    """

    mode: str
    yaw: float
    pitch: float
    distance: float
    pivot: Array
    aim: Array = attrs.field(factory=lambda: np.zeros(3))
    halflife: float = 0.12
    field_of_view: float = np.radians(36.0)
    margin: float = 0.05
    target: Array
    arm: Array
    target_velocity: Array = attrs.field(factory=lambda: np.zeros(3))
    arm_velocity: Array = attrs.field(factory=lambda: np.zeros(3))
    held: Array = attrs.field(factory=lambda: np.zeros(2))

    @classmethod
    def begin(
        cls,
        mode: str,
        subject: Subject,
        *,
        yaw: float = 0.0,
        pitch: float = 0.12,
        distance: float | None = None,
        **options: Any,
    ) -> Viewpoint:
        """Return a camera that stands where `mode` wants it, at rest.

        Args:
            mode: one of `MODES`.
            subject: what is shown; `orbit` goes around where it is now.
            yaw, pitch: rad.
            distance: m; from where the subject can be seen well if None.
            options: `halflife`, `field_of_view`, `margin`, `aim`.

        Raises:
            ValidationError: there is no such mode.
        """
        _check(mode)
        fov = float(options.get("field_of_view") or np.radians(36.0))
        far = subject.distance(fov) if distance is None else float(distance)
        around = yaw + (subject.facing if mode == "third-person" else 0.0)
        arm = np.array([around, pitch, np.log(far)])
        made = cls(
            mode=mode,
            yaw=yaw,
            pitch=pitch,
            distance=far,
            pivot=subject.centre,
            target=subject.centre,
            arm=arm,
            held=np.array([1.0 if mode in _PROMISE else 0.0, 0.0]),
            **options,
        )
        if mode == "fixed":
            made = attrs.evolve(made, pivot=made._stands())
        target, arm = made._wanted(subject)
        return attrs.evolve(made, target=target, arm=arm)

    def switched(self, mode: str, subject: Subject, aspect: float = 16 / 9) -> Viewpoint:
        """Go over to another mode, or another subject, from where the camera is: no cut.

        Raises:
            ValidationError: there is no such mode.
        """
        _check(mode)
        shift = self.camera(subject, aspect).position - self._stands()
        target = self.target + shift
        facing = subject.facing if mode == "third-person" else 0.0
        stands = {"fixed": self._stands() + shift, "fly": target}
        return attrs.evolve(
            self,
            mode=mode,
            yaw=0.0 if mode == "third-person" else float(self.arm[0] - facing),
            pitch=float(np.clip(self.arm[1], -_STEEPEST, _STEEPEST)),
            distance=float(np.exp(self.arm[2])),
            pivot=stands.get(mode, subject.centre if self.mode in _PROMISE else self.pivot),
            target=target,
            held=np.zeros(2),
        )

    def turned(self, yaw: float, pitch: float) -> Viewpoint:
        """Turn by so many radians, as a hand does it; it stops before the poles. Who flies turns on the spot."""
        steep = float(np.clip(self.pitch + pitch, -_STEEPEST, _STEEPEST))
        turned = attrs.evolve(self, yaw=self.yaw + yaw, pitch=steep)
        if self.mode != "fly":
            return turned
        swing = _axes(self.yaw, self.pitch)[2] - _axes(turned.yaw, turned.pitch)[2]
        return attrs.evolve(turned, pivot=self.pivot + swing * self.distance)

    def zoomed(self, factor: float) -> Viewpoint:
        """Go nearer (below 1) or farther (above 1)."""
        far = float(np.clip(self.distance * factor, _NEAREST_M, _FARTHEST_M))
        return attrs.evolve(self, distance=far)

    def panned(self, right: float, up: float) -> Viewpoint:
        """Shift what is looked at, by shares of the picture's height."""
        size = 2 * float(np.exp(self.arm[2])) * np.tan(0.5 * self.field_of_view)
        way = size * (np.array([right, up, 0.0]) @ _axes(self.arm[0], self.arm[1]))
        field = "aim" if self.mode in _PROMISE else "pivot"
        return attrs.evolve(self, **{field: getattr(self, field) + way})

    def carried(self, before: Subject, after: Subject) -> Viewpoint:
        """Go along with a subject that is suddenly elsewhere, as at a loop's end: a cut, of the same view."""
        if self.mode not in _KEEPS:
            return self
        turn = after.facing - before.facing if self.mode == "third-person" else 0.0
        return attrs.evolve(
            self,
            target=self.target + after.centre - before.centre,
            arm=self.arm + np.array([turn, 0.0, 0.0]),
        )

    def advanced(
        self, dt: float, subject: Subject, before: Subject | None = None, *, move: Any = (0.0, 0.0, 0.0)
    ) -> Viewpoint:
        """Go on by `dt` seconds, in which the subject goes straight on from `before` to `subject`.

        Args:
            dt: s, 0 or more.
            subject: what is shown, at the end of the step.
            before: the same at its beginning; it has stood still if None.
            move: m/s right, up and ahead, by which the pivot goes on; `fly` flies by it.
        """
        if dt <= 0:
            return self
        way = np.asarray(move, np.float64) * (1.0, 1.0, -1.0) @ _axes(self.arm[0], self.arm[1])
        after = attrs.evolve(self, pivot=self.pivot + way * dt)
        first, turn = self._wanted(subject if before is None else before)
        last, ended = after._wanted(subject)
        # A facing that passes half a turn goes on, and does not come back the long way.
        ended[0] += 2 * np.pi * np.round((turn[0] - ended[0]) / (2 * np.pi))
        target, speed = spring(
            self.target, self.target_velocity, first, (last - first) / dt, self.halflife, dt
        )
        arm, sweep = spring(self.arm, self.arm_velocity, turn, (ended - turn) / dt, self.halflife, dt)
        goal = np.array(1.0 if self.mode in _PROMISE else 0.0)
        held = spring(self.held[0], self.held[1], goal, np.zeros(()), self.halflife, dt)
        return attrs.evolve(
            after,
            target=target,
            target_velocity=speed,
            arm=arm,
            arm_velocity=sweep,
            held=np.array(held),
        )

    def camera(self, subject: Subject | None = None, aspect: float = 16 / 9, **options: float) -> Camera:
        """Return what is seen now; with `subject` and in a mode that follows, that is in frame.

        Args:
            subject: what is to be in frame, or None.
            aspect: width over height.
            options: `near` and `far`, m.
        """
        axes, position = _axes(self.arm[0], self.arm[1]), self._stands()
        share = float(np.clip(_FULL * self.held[0], 0.0, 1.0))
        if self.mode == "fixed":
            position = position + share * (self.pivot - position)
        elif subject is not None and share > 0:
            tangent = np.tan(0.5 * self.field_of_view) * (1 - 2 * self.margin)
            kept = in_frame(position, axes, subject.corners, (tangent * aspect, tangent))
            position = position + share * (kept - position)
        ahead = -axes[2] * max(float(np.exp(self.arm[2])), _NEAREST_M)
        return Camera(position, position + ahead, axes[1], field_of_view=self.field_of_view, **options)

    def _stands(self) -> Array:
        stands: Array = self.target + _axes(self.arm[0], self.arm[1])[2] * np.exp(self.arm[2])
        return stands

    def _wanted(self, subject: Subject) -> tuple[Array, Array]:
        """Return what is to be looked at, and by which arm: the way around that is nearest to the one there is."""
        target = subject.centre + self.aim if self.mode in _PROMISE else self.pivot
        yaw, pitch, distance = self.yaw, self.pitch, self.distance
        if self.mode == "third-person":
            yaw += subject.facing
        elif self.mode == "fixed":
            way = target - self.pivot
            flat, distance = float(np.hypot(way[0], way[2])), float(np.linalg.norm(way))
            # Straight above the subject every yaw is right: the one there is stays.
            yaw = float(np.arctan2(way[0], way[2])) if flat > _NEAREST_M else float(self.arm[0])
            pitch = float(np.arctan2(-way[1], flat))
        yaw += 2 * np.pi * np.round((self.arm[0] - yaw) / (2 * np.pi))
        return target, np.array([yaw, pitch, np.log(max(distance, _NEAREST_M))])


def _check(mode: str) -> None:
    if mode not in MODES:
        raise ValidationError(
            f"camera mode is {mode!r}, expected one of {', '.join(MODES)}{nearest(str(mode), MODES)}"
        )
