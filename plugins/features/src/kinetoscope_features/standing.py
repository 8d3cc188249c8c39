"""Which foot stands, and where each is in its step: features of the feet, on the array API standard."""

from __future__ import annotations

import math
from typing import Any

import attrs
from array_api_compat import array_namespace

from kinetoscope_features.body import Array, Body
from kinetoscope_features.frame import ArrayFeature, flat, picked, within
from kinetoscope_features.root import RootTrack
from kinetoscope_spec import Column, kinematics
from kinetoscope_spec.errors import ValidationError

__all__ = ["FootContacts", "FootPhase", "held", "resting_height", "step_phase"]

_LOW_END = 0.02
"""The part of a clip in which a foot is taken to rest: the low end of its heights, without outliers."""


def resting_height(feet: Any) -> Any:
    """Return the height `[K]` m at which each of `feet [T, K, 3]` rests: the 2 % quantile of its heights.

    A joint lies above the sole, by an amount that only its own low end tells.
    """
    xp = array_namespace(feet)
    heights = xp.sort(feet[..., 1], axis=0)
    place = _LOW_END * (heights.shape[0] - 1)
    low = int(place)
    high = min(low + 1, heights.shape[0] - 1)
    return heights[low, :] + (place - low) * (heights[high, :] - heights[low, :])


def _carried(sure: Any, possible: Any) -> Any:
    """Return bool `[T, K]`: `s[t] = sure[t] or (possible[t] and s[t - 1])`.

    Each frame is a function of the state before it; such functions compose, so runs of 1, 2, 4, ...
    frames are joined and no frame waits for another (Hillis and Steele 1986, "Data parallel algorithms").
    """
    xp = array_namespace(sure)
    shift, frames = 1, int(sure.shape[0])
    while shift < frames:
        none = xp.zeros_like(sure[:shift, ...])
        before = xp.concat((none, sure[:-shift, ...]), axis=0)
        sure = sure | (possible & before)
        possible = possible & xp.concat((none, possible[:-shift, ...]), axis=0)
        shift *= 2
    return sure


def held(sure: Any, possible: Any) -> Any:
    """Return bool `[T, K]`: frames of runs of `possible [T, K]` in which one frame is `sure [T, K]`.

    Hysteresis that looks both ways: what is between the two thresholds is what it hangs together with.
    The clip played backwards has the same contacts.
    """
    xp = array_namespace(sure)
    possible = possible | sure
    back = _carried(xp.flip(sure, axis=0), xp.flip(possible, axis=0))
    return _carried(sure, possible) | xp.flip(back, axis=0)


@attrs.frozen(kw_only=True)
class FootContacts(ArrayFeature):
    """Whether the left and the right foot stand on the ground, 1 or 0.

    A foot stands while it is low and slow, `release_` thresholds deciding how high and quick it may
    become before it has left: noise about one threshold does not make it flicker.

    Options:
        height_m: how far above its resting height the toe joint is when it surely stands.
        speed_m_s: how fast it moves at most then.
        release_height_m, release_speed_m_s: beyond these it surely does not.
        ground_m: its resting height; None measures it from the clip.

    Raises:
        ValidationError: a release threshold lies below the one for touching.
    """

    height_m: float = 0.03
    speed_m_s: float = 0.2
    release_height_m: float = 0.045
    release_speed_m_s: float = 0.3
    ground_m: float | None = attrs.field(default=None, validator=attrs.validators.optional(within(-1e6, 1e6)))

    def __attrs_post_init__(self) -> None:
        for name in ("height_m", "speed_m_s"):
            if not 0 < getattr(self, name) <= getattr(self, f"release_{name}"):
                raise ValidationError(
                    f"{name} is {getattr(self, name):g} and release_{name} {getattr(self, f'release_{name}'):g}, "
                    "expected the release threshold to be at least the other, and both above 0"
                )

    def touching(self, body: Body, positions: Any, framerate: float) -> Any:
        """Return bool `[T, 2]` of global `positions [T, J, 3]`: whether the left and right foot stand."""
        feet = picked(positions, body.feet)
        ground = resting_height(feet) if self.ground_m is None else self.ground_m
        sure, possible = (
            kinematics.contacts(feet, framerate, height_m=height, speed_m_s=speed, ground_m=ground)
            for height, speed in (
                (self.height_m, self.speed_m_s),
                (self.release_height_m, self.release_speed_m_s),
            )
        )
        return held(sure, possible)

    def _columns(self, body: Body) -> list[Column]:
        return [Column("contact", "1", body.skeleton.names[foot]) for foot in body.feet]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        xp = array_namespace(positions)
        return xp.astype(self.touching(body, positions, framerate), positions.dtype)

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return rows[:, ::-1]


def _running_maximum(values: Any) -> Any:
    """Return the greatest of `values [T, K]` up to each frame."""
    xp = array_namespace(values)
    shift = 1
    while shift < values.shape[0]:
        moved = xp.concat((values[:shift, ...], values[:-shift, ...]), axis=0)
        values = xp.where(moved > values, moved, values)
        shift *= 2
    return values


def _typical(length: Any, begins: Any, whole: Any, other: Any) -> Any:
    """Return the mean length `[1, K]` of the runs that begin at `begins` and are `whole`; else `other`."""
    xp = array_namespace(length)
    one = xp.ones_like(length)
    counted = xp.where(begins & whole, one, 0 * one)
    count = xp.sum(counted, axis=0, keepdims=True)
    total = xp.sum(counted * length, axis=0, keepdims=True)
    return xp.where(count > 0, total / xp.where(count > 0, count, xp.ones_like(count)), other)


def step_phase(contacts: Any, like: Any) -> tuple[Any, Any]:
    """Return the phase `[T, K]` rad of `contacts` (bool `[T, K]`), and where it is known (bool `[1, K]`).

    From touching down to lifting off it grows from 0 to pi, from there to touching down again to 2 pi.
    A run that the clip's end cuts is taken to last as long as the clip's whole runs of its kind do
    (or as long as is seen, if that is longer). A foot that never changes has no phase.

    Args:
        contacts: whether each foot stands.
        like: an array of the dtype and device to compute in.
    """
    xp = array_namespace(contacts)
    frames = int(contacts.shape[0])
    device = getattr(like, "device", None)
    now = xp.reshape(xp.arange(frames, dtype=like.dtype, device=device), (frames, 1))
    now = now + xp.zeros(contacts.shape, dtype=like.dtype, device=device)
    if frames < 2:
        return xp.zeros_like(now), xp.zeros_like(contacts[:1, ...])
    changes = contacts[1:, ...] != contacts[:-1, ...]
    never = xp.zeros_like(contacts[:1, ...])
    begins = xp.concat((never, changes), axis=0)
    ends = xp.concat((changes, never), axis=0)
    # Borders lie half-way between frames. What lies outside the clip is marked by -1 and `frames`.
    start = _running_maximum(xp.where(begins, now - 0.5, -xp.ones_like(now)))
    until = xp.where(ends, now + 0.5, frames * xp.ones_like(now))
    stop = -xp.flip(_running_maximum(-xp.flip(until, axis=0)), axis=0)
    has_start, has_stop = start >= 0, stop < frames
    length = xp.where(has_stop, stop, 0 * stop + frames - 0.5) - xp.where(has_start, start, 0 * start - 0.5)
    whole = has_start & has_stop
    none = xp.zeros_like(length[:1, ...])
    stance = _typical(length, begins & contacts, whole, none)
    swing = _typical(length, begins & ~contacts, whole, none)
    usual = xp.where(contacts, xp.where(stance > 0, stance, swing), xp.where(swing > 0, swing, stance))
    lasts = xp.where(whole | (length > usual), length, usual)
    done = xp.where(has_start, (now - start) / lasts, 1 - (stop - now) / lasts)
    phase = math.pi * xp.where(contacts, done, done + 1)
    return phase, xp.any(changes, axis=0, keepdims=True)


@attrs.frozen(kw_only=True)
class FootPhase(FootContacts):
    """Where each foot is in its step: sine and cosine of a phase that contacts time.

    The phase is 0 when the foot touches down and pi when it lifts off (`step_phase`); both columns of
    a foot that does not step are 0. Options are those of the contacts. After the local motion phases of
    Starke, Zhao, Komura and Zaman 2020, "Local Motion Phases for Learning Multi-Contact Character
    Movements", section 4, with straight lines between contacts for the fitted sinusoids.
    """

    def _columns(self, body: Body) -> list[Column]:
        names = [body.skeleton.names[foot] for foot in body.feet]
        return [Column("foot_phase", "1", name, part) for name in names for part in ("sin", "cos")]

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        xp = array_namespace(positions)
        phase, known = step_phase(self.touching(body, positions, framerate), positions)
        size = xp.astype(known, positions.dtype)
        return flat(xp.stack((size * xp.sin(phase), size * xp.cos(phase)), axis=-1))

    def _mirrored(self, rows: Array, body: Body) -> Array:
        return rows[:, [2, 3, 0, 1]]
