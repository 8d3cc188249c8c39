"""Clips, skeletons and paths that components name by number."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from kinetoscope_spec import Motion, Path, Skeleton, ValidationError, rotation
from kinetoscope_stage._component import Array

__all__ = ["Clip", "Library"]

_PARALLEL: Final = 1e-7
"""rad; below, neighbouring rotations are mixed straight, which differs by less than rounding."""

_BLOCK: Final = 32
"""Samples that are worked on together: few enough that what lies in between stays in the cache."""


@attrs.frozen(eq=False)
class Clip:
    """A motion made ready for sampling many times at once.

    Attributes:
        positions: `[T, J, 3]` m; rotations: `[T, J, 4]`, neighbours on the same side.
        angles: `[T-1, J]` rad, between neighbours as quaternions (half the turn); sines: theirs.
        root: `[T, 3]`, where the root stands: x and z in m, and the way it faces, rad from +Z to +X.
        duration: seconds; 0 for a single frame.
    """

    motion: Motion
    positions: Array
    rotations: Array
    angles: Array
    sines: Array
    root: Array
    duration: float

    @classmethod
    def of(cls, motion: Motion) -> Clip:
        """Make one."""
        q = np.asarray(rotation.unroll(np.asarray(motion.rotations, np.float64)))
        cosine = np.clip((q[1:] * q[:-1]).sum(axis=-1), -1, 1)
        chord = np.linalg.norm(q[1:] - q[:-1], axis=-1)
        # Near zero the arc sine of the chord keeps the digits that the arc cosine loses.
        angles = np.where(cosine > 0.9, 2 * np.arcsin(np.minimum(chord / 2, 1)), np.arccos(cosine))
        p = np.array(motion.positions, np.float64)
        ahead = rotation.rotate(q[:, 0], np.broadcast_to([0.0, 0.0, 1.0], (len(q), 3)))
        yaw = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2]))
        root = np.stack([p[:, 0, 0], p[:, 0, 2], yaw], axis=-1)
        return cls(motion, p, q, angles, np.sin(angles), root, motion.duration)

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
        joints = self.positions.shape[1]
        positions, rotations = np.empty((len(inside), joints, 3)), np.empty((len(inside), joints, 4))
        for start in range(0, len(inside), _BLOCK):
            rows = slice(start, start + _BLOCK)
            self._sample(inside[rows], positions[rows], rotations[rows])
        return positions, rotations

    def _sample(self, inside: Array, positions: Array, rotations: Array) -> None:
        low, high, share = self._between(inside)
        t = share[:, None]
        np.subtract(self.positions[high], self.positions[low], out=positions)
        positions *= t[..., None]
        positions += self.positions[low]
        if not len(self.angles):
            rotations[:] = self.rotations[low]
            return
        angle, sine = self.angles[low], self.sines[low]
        straight = angle < _PARALLEL
        safe = np.where(straight, 1.0, sine)
        a = np.where(straight, 1 - t, np.sin((1 - t) * angle) / safe)
        b = np.where(straight, t, np.sin(t * angle) / safe)
        np.multiply(a[..., None], self.rotations[low], out=rotations)
        rotations += b[..., None] * self.rotations[high]
        rotations /= np.sqrt(np.einsum("...i,...i->...", rotations, rotations))[..., None]

    def root_at(self, inside: Array) -> Array:
        """Return where the root stands at times `[n]` within the clip: `[n, 3]`, x, z, yaw."""
        low, high, share = self._between(inside)
        held: Array = self.root[low] + (self.root[high] - self.root[low]) * share[:, None]
        return held


class Library:
    """What components name by number: a resource of the world, filled before the stage runs."""

    def __init__(self) -> None:
        self.clips: list[Clip] = []
        self.skeletons: list[Skeleton] = []
        self.paths: list[Path] = []

    def skeleton(self, skeleton: Skeleton) -> int:
        """Return the number of a skeleton, taken in if it is new."""
        for number, held in enumerate(self.skeletons):
            if held is skeleton or held == skeleton:
                return number
        self.skeletons.append(skeleton)
        return len(self.skeletons) - 1

    def clip(self, motion: Motion) -> int:
        """Take in a clip and return its number.

        Raises:
            ValidationError: it scales joints, which poses on the stage can't.
        """
        if motion.scales is not None and not np.all(motion.scales == 1):
            raise ValidationError(f"motion {motion.name!r} scales joints; poses on the stage have no scales")
        self.skeleton(motion.skeleton)
        self.clips.append(Clip.of(motion))
        return len(self.clips) - 1

    def path(self, path: Path) -> int:
        """Take in a path on the ground and return its number."""
        self.paths.append(path)
        return len(self.paths) - 1
