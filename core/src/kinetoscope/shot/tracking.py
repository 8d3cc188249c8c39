"""Following a head and two hands that are known over time: what a headset and its controllers tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Motion, Path, Skeleton, anatomy, kinematics, rotation
from kinetoscope_spec.errors import ValidationError

__all__ = ["TRACKED", "Targets", "follow", "led", "misses"]

Array = NDArray[np.float64]
TRACKED = ("head", "left_hand", "right_hand")
"""Roles of the joints that are tracked, in the order of arrays."""
BLEND_S = 0.3
"""In which a body goes over to a target that appears, and leaves one that will be gone."""
MOST_SHIFT_M = 0.25
"""How far the pelvis goes along with the head; what is more the spine bends for."""
SMOOTH_S = 0.5
"""Over which facings are averaged: a body does not turn with every glance."""
_TOLERANCE_M = 1e-4
_MOVING_M_S = 0.2
_APART_M = 0.25


def _floats(values: Any) -> Array:
    try:
        return np.array(values, np.float64)
    except (ValueError, TypeError) as error:
        raise ValidationError(f"Targets holds rows of different lengths, or no numbers: {error}") from None


@attrs.frozen(eq=False)
class Targets:
    """Where the head and the hands are to be, frame by frame.

    Attributes:
        framerate: frames per second.
        positions: `[T, 3, 3]` m in the world, of the joints `TRACKED`; NaN where one is not known.
        rotations: `[T, 3, 4]` xyzw in the world, heeded where positions are known, or None.

    Raises:
        ValidationError: another shape, no frame, an infinity, a quaternion that is not of length 1.
    """

    framerate: float = attrs.field(converter=float)
    positions: Array = attrs.field(converter=_floats)
    rotations: Array | None = attrs.field(default=None, converter=attrs.converters.optional(_floats))

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.framerate <= 1000:
            raise ValidationError(f"Targets.framerate is {self.framerate}, expected 1 to 1000")
        shape = self.positions.shape
        if len(shape) != 3 or shape[1:] != (3, 3) or not shape[0]:
            raise ValidationError(f"Targets.positions is {list(shape)}, expected [T, 3, 3]")
        if np.isinf(self.positions).any():
            raise ValidationError(
                "Targets.positions holds an infinity, expected numbers, or NaN where not known"
            )
        if self.rotations is None:
            return
        if self.rotations.shape != (len(self.positions), 3, 4):
            raise ValidationError(
                f"Targets.rotations is {list(self.rotations.shape)}, expected [{len(self.positions)}, 3, 4]"
            )
        turns = np.where(self.known[..., None], self.rotations, [0.0, 0.0, 0.0, 1.0])
        lengths = np.linalg.norm(turns, axis=-1)
        if not (np.abs(lengths - 1) <= 1e-3).all():
            raise ValidationError("Targets.rotations holds a quaternion that is not of length 1")
        object.__setattr__(self, "rotations", turns)  # frozen for everyone else

    @classmethod
    def of(cls, motion: Motion) -> Targets:
        """Return what one would know of the body that moves so.

        Raises:
            ValidationError: it has no head, or a hand is missing.
        """
        joints = [_joint(motion.skeleton, role) for role in TRACKED]
        positions, rotations = motion.global_transforms()
        return cls(motion.framerate, positions[:, joints], rotations[:, joints])

    @property
    def known(self) -> NDArray[np.bool_]:
        """`[T, 3]`, where each is known."""
        return np.asarray(np.isfinite(self.positions).all(axis=-1))

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return len(self.positions) / self.framerate

    def resampled(self, framerate: float) -> Targets:
        """Return the targets at another rate; between a known and an unknown one none is known."""
        last = len(self.positions) - 1
        times = np.arange(int(last / self.framerate * framerate + 1e-6) + 1) / framerate
        at = np.minimum(times * self.framerate, last)
        # What falls on a frame but for rounding needs no neighbour, which may be unknown.
        at = np.where(np.abs(at - np.round(at)) < 1e-6, np.round(at), at)
        low, high = np.floor(at).astype(int), np.ceil(at).astype(int)
        weight = at - low
        a, b = self.positions[low], self.positions[high]
        rotations = None
        if self.rotations is not None:
            share = np.broadcast_to(weight[:, None], (len(at), 3))
            rotations = rotation.slerp(self.rotations[low], self.rotations[high], share)
        return Targets(framerate, a + weight[:, None, None] * (b - a), rotations)

    def way(self, ahead: Array) -> tuple[Array, Array]:
        """Return where the head is above the ground, `[T, 2]` m, and where it faces, `[T, 2]` unit, smoothed.

        Where the head is not known it goes straight on to where it is again. Where it faces its rotation tells,
        or, without rotations, where it goes.

        Args:
            ahead: `[3]`, the direction in the head's own frame that faces ahead.

        Raises:
            ValidationError: the head is never known.
        """
        ground = self._ground()
        if self.rotations is None:
            ways = _smooth(kinematics.velocities(ground, self.framerate), self.framerate)
            told = np.linalg.norm(ways, axis=-1) > _MOVING_M_S
        else:
            ways = rotation.rotate(self.rotations[:, 0], ahead)[:, [0, 2]]
            told = self.known[:, 0]
        return ground, _unit(_smooth(_held(_unit(ways), told), self.framerate))

    def _ground(self) -> Array:
        seen = np.flatnonzero(self.known[:, 0])
        if not len(seen):
            raise ValidationError("the head is known in no frame, expected one that tells where to go")
        frames, head = np.arange(len(self.positions)), self.positions[seen, 0]
        return np.stack([np.interp(frames, seen, head[:, axis]) for axis in (0, 2)], axis=1)

    def path(self) -> Path:
        """Return the head's way above the ground, for pictures.

        Raises:
            ValidationError: it leads nowhere.
        """
        points: list[Array] = []
        for point in self._ground():
            if not points or float(np.linalg.norm(point - points[-1])) >= _APART_M:
                points.append(point)
        if len(points) < 2:
            raise ValidationError("the head stays where it is, expected one that goes somewhere")
        return Path(np.array(points))


def _held(ways: Array, told: NDArray[np.bool_]) -> Array:
    """Return directions `[T, 2]`, each the last that was `told`, before the first the first, +Z for none."""
    if not told.any():
        return np.tile([0.0, 1.0], (len(ways), 1))
    last = np.maximum.accumulate(np.where(told, np.arange(len(ways)), -1))
    found: Array = ways[np.where(last < 0, np.argmax(told), last)]
    return found


def _unit(ways: Array) -> Array:
    found: Array = ways / np.maximum(np.linalg.norm(ways, axis=-1, keepdims=True), 1e-9)
    return found


def _smooth(values: Array, framerate: float) -> Array:
    """Return the means of `values [T, D]` over `SMOOTH_S`; the ends go on as they are."""
    reach = int(SMOOTH_S / 2 * framerate)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), padded]), axis=0)
    found: Array = (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)
    return found


def _joint(skeleton: Skeleton, role: str) -> int:
    try:
        return anatomy.roles(skeleton)[role]
    except KeyError:
        raise ValidationError(
            f"no joint is known as {role!r}, expected one to follow targets; joints: {', '.join(skeleton.names[:40])}"
        ) from None


def _chain(skeleton: Skeleton, first: int, last: int) -> list[int]:
    """Return the joints from `first` down to `last`."""
    found = [last]
    while found[-1] != first:
        found.append(int(skeleton.parents[found[-1]]))
        if found[-1] < 0:
            raise ValidationError(f"{skeleton.names[last]!r} does not hang on {skeleton.names[first]!r}")
    return found[::-1]


def _weights(known: NDArray[np.bool_], frames: int) -> Array:
    """Return `[T, 3]` how much each target counts: 0 where it is not known, 1 from `frames` on after that.

    Before it is gone it counts less again; the beginning is as if nothing had been known before.
    """
    numbers = np.arange(len(known))[:, None]
    gone = np.maximum.accumulate(np.where(known, -1, numbers), axis=0)
    never = len(known) + frames + 1
    going = np.minimum.accumulate(np.where(known, never, numbers)[::-1], axis=0)[::-1]
    share = np.clip(np.minimum(numbers - gone, going - numbers) / (frames + 1), 0.0, 1.0)
    found: Array = share**2 * (3 - 2 * share)
    return found


@attrs.define
class _Poses:
    """Poses that are being changed.

    Attributes:
        skeleton: theirs.
        local: positions `[T, J, 3]` m and rotations `[T, J, 4]`, from each joint's parent.
        places, turns: the same in the world, `[T, J, 3]` and `[T, J, 4]`.
        solver: moves chains.
    """

    skeleton: Skeleton
    local: tuple[Array, Array]
    solver: Any
    places: Array = attrs.field(init=False)
    turns: Array = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.stand()

    def stand(self) -> None:
        """Work out the world's transforms anew."""
        self.places, self.turns = kinematics.global_transforms(self.skeleton.parents, *self.local)

    def shift(self, by: Array) -> None:
        """Move the hips, and all that hangs on them, by `[T, 3]` m."""
        hips = _joint(self.skeleton, "hips")
        parent = int(self.skeleton.parents[hips])
        self.local[0][:, hips] += (
            by if parent < 0 else rotation.rotate(rotation.inverse(self.turns[:, parent]), by)
        )
        self.stand()

    def reach(self, chain: Sequence[int], goals: Array, turn: Array | None) -> None:
        """Bring the last joint of a chain to `goals [T, 3]` m, turned in the world as `turn [T, 4]` says.

        None lets it turn with the joint above it.
        """
        places = self.places[:, chain]
        # Elbows and knees are hinges: a limb swings as a whole, and the rest is bent within its plane.
        swing, poles = _swung(places, goals) if len(chain) == 3 else (None, None)
        found = self.solver.solve(places, goals, poles=poles, tolerance=_TOLERANCE_M).positions
        above = int(self.skeleton.parents[chain[0]])
        parent = rotation.identity(self.turns[:, 0]) if above < 0 else self.turns[:, above]
        for i, (joint, child) in enumerate(pairwise(chain)):
            turned = rotation.multiply(parent, self.local[1][:, joint])
            if swing is not None and not i:
                turned = rotation.multiply(swing, turned)
            bone, way = rotation.rotate(turned, self.local[0][:, child]), found[:, i + 1] - found[:, i]
            if (np.linalg.norm(bone, axis=-1) > 1e-6).all():  # who has no length has no direction
                turned = rotation.multiply(rotation.between(bone, way), turned)
            self.local[1][:, joint] = rotation.multiply(rotation.inverse(parent), turned)
            parent = turned
        if turn is not None:
            self.local[1][:, chain[-1]] = rotation.multiply(rotation.inverse(parent), turn)
        self.stand()


def _swung(places: Array, goals: Array) -> tuple[Array, Array]:
    """Return how limbs `places [T, 3, 3]` m swing to point at `goals`, `[T, 4]`, and where they bend to, `[T, 3]` m.

    The middle joint keeps its side of the line from the limb's root to its end.
    """
    root, middle, end = (places[:, i] for i in range(3))
    line = _unit(end - root)
    swing = rotation.between(line, _unit(goals - root))
    out = middle - root
    out = out - (out * line).sum(axis=-1, keepdims=True) * line
    poles: Array = (root + goals) / 2 + _unit(rotation.rotate(swing, out))
    return swing, poles


def led(motion: Motion, ground: Array) -> Motion:
    """Return `motion` moved so that its head stays above `ground [T, 2]` m but for what it sways.

    Models lag behind, and go on as fast as they have learned: the difference is taken away smoothly, for
    planting to put the feet right.
    """
    head = motion.global_transforms()[0][:, _joint(motion.skeleton, TRACKED[0])]
    off = _smooth(ground - head[:, [0, 2]], motion.framerate)
    roots = np.flatnonzero(motion.skeleton.parents < 0)
    positions = motion.positions.copy()
    positions[:, roots] += np.insert(off, 1, 0.0, axis=1)[:, None]
    return attrs.evolve(motion, positions=positions)


def follow(solver: Any, motion: Motion, targets: Targets) -> Motion:
    """Return `motion` with head and hands where `targets` want them, frame by frame from the first.

    The pelvis goes along with the head, up to `MOST_SHIFT_M`, while legs bend to leave the feet where they
    are (where the legs are too short, feet give way); the spine bends for the rest, the arms for the hands.
    What appears or will be gone is blended within `BLEND_S`. Frames in which nothing is known stay as they
    are, to the last bit.

    Args:
        solver: a provider of the hook `solver`.
        motion: one without scales.
        targets: at any framerate; a motion that is longer stays as it is from their end on.

    Raises:
        ValidationError: a joint is missing, or the motion has scales.
    """
    if motion.scales is not None:
        raise ValidationError(f"{motion.name!r} has scales, expected bones that keep their lengths")
    wanted = targets.resampled(motion.framerate)
    count = min(len(wanted.positions), motion.frame_count)
    weights = _weights(wanted.known[:count], round(BLEND_S * motion.framerate))
    rows = np.flatnonzero(weights.any(axis=1))
    if not len(rows):
        return motion
    local = tuple(array[rows].astype(np.float64) for array in (motion.positions, motion.rotations))
    poses = _Poses(motion.skeleton, (local[0], local[1]), solver)
    turns = None if wanted.rotations is None else wanted.rotations[rows]
    _bend(poses, wanted.positions[rows], turns, weights[rows])
    positions, rotations = motion.positions.copy(), motion.rotations.copy()
    positions[rows], rotations[rows] = poses.local
    return attrs.evolve(motion, positions=positions, rotations=rotations)


def _bend(poses: _Poses, wanted: Array, turns: Array | None, weights: Array) -> None:
    """Bring head and hands to `wanted [T, 3, 3]` m, `turns [T, 3, 4]`, as far as `weights [T, 3]` say."""
    skeleton = poses.skeleton
    hips, head = _joint(skeleton, "hips"), _joint(skeleton, "head")

    def aim(number: int, joint: int) -> tuple[Array, Array]:
        """Return where a joint is to be and to turn; where nothing is known, as it does."""
        weight = weights[:, number, None]
        now, turn = poses.places[:, joint], poses.turns[:, joint]
        goal = np.where(weight > 0, now + weight * (wanted[:, number] - now), now)
        if turns is not None:
            turn = rotation.nlerp(turn, turns[:, number], weight[:, 0])
        return goal, turn

    feet = []
    for side in ("left", "right"):
        leg = _chain(skeleton, _joint(skeleton, f"{side}_upper_leg"), _joint(skeleton, f"{side}_foot"))
        feet.append((leg, poses.places[:, leg[-1]].copy(), poses.turns[:, leg[-1]].copy()))
    goal, turn = aim(0, head)
    off = goal - poses.places[:, head]
    far = np.linalg.norm(off, axis=-1, keepdims=True)
    poses.shift(off * np.minimum(1.0, MOST_SHIFT_M / np.maximum(far, 1e-9)))
    for leg, place, stand in feet:
        poses.reach(leg, place, stand)
    poses.reach(_chain(skeleton, hips, head)[1:], goal, turn)  # hips that turned would take the legs along
    for number, side in enumerate(("left", "right"), start=1):
        hand = _joint(skeleton, f"{side}_hand")
        goal, turn = aim(number, hand)
        arm = _chain(skeleton, _joint(skeleton, f"{side}_upper_arm"), hand)
        poses.reach(arm, goal, None if turns is None else turn)


def misses(motion: Motion, targets: Targets) -> Array:
    """Return how far head and hands are from their targets, `[T, 3]` m; NaN where there is none."""
    wanted = targets.resampled(motion.framerate).positions
    joints = [_joint(motion.skeleton, role) for role in TRACKED]
    places = motion.global_transforms()[0][:, joints]
    count = min(len(wanted), len(places))
    found: Array = np.linalg.norm(places[:count] - wanted[:count], axis=-1)
    return found
