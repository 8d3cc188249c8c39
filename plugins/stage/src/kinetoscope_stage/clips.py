"""Clips: motions made ready for being played by many at once."""

from __future__ import annotations

from typing import Protocol

import attrs
import numpy as np

from kinetoscope_spec import Motion, Skeleton, anatomy, kinematics, rotation
from kinetoscope_stage import _fast
from kinetoscope_stage._component import Array

__all__ = ["Clip", "Moments", "Source"]


@attrs.frozen(eq=False)
class Moments:
    """Where players stand in what they play.

    Attributes:
        time, before: `[n]`, now and at the last step: seconds of a clip, rounds of a tree.
        loop: bool `[n]`, whether it begins anew at its end.
        values: `[n, 4]`, what trees blend by.
    """

    time: Array
    before: Array
    loop: Array
    values: Array


class Source(Protocol):
    """What can be played: a `Clip`, or a `Tree` of clips.

    Attributes:
        joints: how many it moves.
    """

    @property
    def joints(self) -> int:
        """How many it moves."""
        ...

    def advanced(self, time: Array, passed: Array, values: Array) -> Array:
        """Return where players stand `[n]` that stood at `time [n]`, after `passed [n]` s."""
        ...

    def round_begin(self, time: Array) -> Array:
        """Return the time `[n]` at which the round began that `time [n]` lies in."""
        ...

    def play(self, now: Moments, rows: Array, out: tuple[Array, Array], *, moves: bool) -> Array:
        """Write poses into `rows [n]` of `out`; return the root's steps `[n, 3]` (x, z, yaw).

        With `moves` the root's way on the ground is taken out of the poses; without, steps are 0.
        """
        ...


@attrs.frozen(eq=False)
class Clip:
    """A motion made ready for sampling many times at once.

    Attributes:
        positions: `[T, J, 3]` m; rotations: `[T, J, 4]` of length 1, neighbours on the same side. A
            root above the hips is moved along on the ground under them; all else stays in its place.
        cosines: `[T-1, J]`, of the angle between neighbours as quaternions (half the turn), less 1.
        terms: how many terms of slerp's series they need.
        top: the root above the hips, which carries what is taken out.
        root: `[T, 3]`, where the hips stand: x and z in m, and the way they face, rad from +Z to +X.
        duration: seconds; 0 for a single frame.
    """

    motion: Motion
    positions: Array
    rotations: Array
    cosines: Array
    terms: int
    top: int
    root: Array
    duration: float

    @classmethod
    def of(cls, motion: Motion) -> Clip:
        """Make one."""
        p = np.array(motion.positions, np.float64)
        q = np.asarray(rotation.normalize(np.array(motion.rotations, np.float64)))
        top, hips = _carrier(motion.skeleton)
        root = _stands(motion.skeleton, hips, p, q)
        if top != hips:
            p, q = _carried(motion.skeleton, top, root, p, q)
        q = np.asarray(rotation.unroll(q))
        chord = q[1:] - q[:-1]
        # By the chord and not by the product: near 1 that has lost all digits of the difference.
        cosines = -0.5 * (chord * chord).sum(axis=-1)
        terms = _fast.series_terms(float(-cosines.min())) if cosines.size else 1
        return cls(motion, p, np.ascontiguousarray(q), cosines, terms, top, root, motion.duration)

    @property
    def joints(self) -> int:
        """How many it moves."""
        return int(self.positions.shape[1])

    def advanced(self, time: Array, passed: Array, values: Array) -> Array:
        """Return the seconds `[n]` after `passed [n]` s more."""
        held: Array = time + passed
        return held

    def round_begin(self, time: Array) -> Array:
        """Return the seconds `[n]` at which the round began that `time [n]` lies in."""
        if not self.duration:
            return np.zeros_like(time)
        begun: Array = np.floor(time / self.duration) * self.duration
        return begun

    def wrapped(self, time: Array, loop: Array) -> tuple[Array, Array]:
        """Return the times within the clip `[n]` s, and how many rounds were gone before."""
        if not self.duration:
            return np.zeros_like(time), np.zeros_like(time)
        rounds = np.where(loop, np.floor(time / self.duration), 0.0)
        inside = np.clip(time - rounds * self.duration, 0.0, self.duration)
        return inside, rounds

    def _between(self, inside: Array) -> tuple[Array, Array, Array]:
        at = inside * self.motion.framerate
        last = len(self.positions) - 1
        low = np.clip(at.astype(np.int64), 0, max(last - 1, 0))
        return low, np.minimum(low + 1, last), np.clip(at - low, 0.0, 1.0)

    def sample(self, inside: Array) -> tuple[Array, Array]:
        """Return `positions [n, J, 3]` and `rotations [n, J, 4]` at times `[n]` within the clip.

        Positions lie on the line between frames, rotations on the shorter arc, at constant speed.
        """
        out = np.empty((len(inside), self.joints, 3)), np.empty((len(inside), self.joints, 4))
        self._write(inside, np.arange(len(inside)), out)
        return out

    def _write(self, inside: Array, rows: Array, out: tuple[Array, Array]) -> None:
        low, _, share = self._between(inside)
        _fast.sample((self.positions, self.rotations, self.cosines), self.terms, low, share, rows, out)

    def play(self, now: Moments, rows: Array, out: tuple[Array, Array], *, moves: bool) -> Array:
        """Write poses into `rows` of `out` and return the root's steps; see `Source`."""
        inside, rounds = self.wrapped(now.time, now.loop)
        self._write(inside, rows, out)
        if not moves:
            return np.zeros((len(rows), 3))
        stand = self.root_at(inside)
        then, rounds_then = self.wrapped(now.before, now.loop)
        p, q = out
        p[rows, self.top], q[rows, self.top] = _in_place(p[rows, self.top], q[rows, self.top], stand)
        return self._step(self.root_at(then), stand, rounds - rounds_then)

    def root_at(self, inside: Array) -> Array:
        """Return where the root stands at times `[n]` within the clip: `[n, 3]`, x, z, yaw."""
        low, high, share = self._between(inside)
        held: Array = self.root[low] + (self.root[high] - self.root[low]) * share[:, None]
        return held

    def _step(self, then: Array, now: Array, rounds: Array) -> Array:
        """Return the way from where the root stood to where it stands, seen from the former."""
        step = _way(then, now)
        for i in np.flatnonzero(rounds):
            step[i] = self._looped(then[i], now[i], int(rounds[i]))
        return step

    def _looped(self, then: Array, now: Array, rounds: int) -> Array:
        """The same across the clip's ends: to its end, whole rounds, and on from its beginning."""
        first, last = (self.root[0], self.root[-1]) if rounds > 0 else (self.root[-1], self.root[0])
        step, once = _way(then, last), _way(first, last)
        left = abs(rounds) - 1
        while left:  # by doubling: a short clip played fast goes round millions of times in a step
            if left % 2:
                step = _joined(step, once)
            once, left = _joined(once, once), left // 2
        return _joined(step, _way(first, now))


def _line(skeleton: Skeleton, joint: int) -> list[int]:
    line = [joint]
    while skeleton.parents[line[0]] >= 0:
        line.insert(0, int(skeleton.parents[line[0]]))
    return line


def _carrier(skeleton: Skeleton) -> tuple[int, int]:
    """Return the root above the hips, and the hips; the first joint where there are none.

    Files differ in which node travels: the hips, or one above them that may as well stand still.
    """
    hips = anatomy.roles(skeleton).get("hips", 0)
    return _line(skeleton, hips)[0], hips


def _stands(skeleton: Skeleton, hips: int, p: Array, q: Array) -> Array:
    """Return x, z and yaw `[T, 3]` of the hips; they face the way that is ahead in the rest pose."""
    line = _line(skeleton, hips)
    above = tuple(range(-1, len(line) - 1))
    places, turns = kinematics.global_transforms(above, p[:, line], q[:, line])
    rest = skeleton.rest_transforms()[1][hips]
    ahead = rotation.rotate(rotation.conjugate(np.asarray(rest, np.float64)), np.array([0.0, 0.0, 1.0]))
    way = rotation.rotate(turns[:, -1], np.broadcast_to(ahead, (len(q), 3)))
    yaw = np.unwrap(np.arctan2(way[:, 0], way[:, 2]))
    return np.stack([places[:, -1, 0], places[:, -1, 2], yaw], axis=-1)


def _carried(skeleton: Skeleton, top: int, root: Array, p: Array, q: Array) -> tuple[Array, Array]:
    """Return the same poses with `top` on the ground under the hips, and facing as they do.

    Where the hips travel below a root that stands still, they would hang on an arm as long as their
    way, and mixing two poses would swing it about.
    """
    p, q = p.copy(), q.copy()
    yaw, place = rotation.from_yaw(root[:, 2]), np.zeros((len(p), 3))
    place[:, 0], place[:, 2] = root[:, 0], root[:, 1]
    back = rotation.conjugate(yaw)
    for child in np.flatnonzero(np.asarray(skeleton.parents) == top):
        stands = p[:, top] + rotation.rotate(q[:, top], p[:, child])
        p[:, child] = rotation.rotate(back, stands - place)
        q[:, child] = rotation.multiply(back, rotation.multiply(q[:, top], q[:, child]))
    p[:, top], q[:, top] = place, yaw
    return p, q


def _turned(x: Array, z: Array, yaw: Array) -> tuple[Array, Array]:
    c, s = np.cos(yaw), np.sin(yaw)
    return c * x + s * z, c * z - s * x


def _way(a: Array, b: Array) -> Array:
    """Return the way `[..., 3]` from where the root stands in `a` to `b`, in `a`'s own axes."""
    x, z = _turned(b[..., 0] - a[..., 0], b[..., 1] - a[..., 1], -a[..., 2])
    return np.stack([x, z, b[..., 2] - a[..., 2]], axis=-1)


def _joined(a: Array, b: Array) -> Array:
    """Return the way that goes `a`, then `b`."""
    x, z = _turned(b[0], b[1], a[2])
    return np.array([a[0] + x, a[1] + z, a[2] + b[2]])


def _in_place(p: Array, q: Array, stand: Array) -> tuple[Array, Array]:
    x, z = _turned(p[:, 0] - stand[:, 0], p[:, 2] - stand[:, 1], -stand[:, 2])
    return np.stack([x, p[:, 1], z], axis=-1), rotation.multiply(rotation.from_yaw(-stand[:, 2]), q)
