"""The range in which joints turn, measured from motion."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec import anatomy, rotation
from kinetoscope_spec._arrays import Array, shaped
from kinetoscope_spec._value import Value
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["JointLimits"]


@attrs.frozen(eq=False, repr=False)
class JointLimits(Value):
    """For every joint the box that its rotations stay in.

    A local rotation is measured as the rotation vector that leads to it from the joint's `mean`:
    three angles without gimbal lock as long as the joint stays within half a turn of its mean.

    Attributes:
        mean: `[J, 4]` xyzw, the mean local rotation.
        low, high: `[J, 3]` rad, the least and greatest rotation vector seen.
        limited: bool `[J]`; joints that are free (the root and all above the hips, whose rotation is
            the character's heading) are False.
    """

    mean: Array
    low: Array
    high: Array
    limited: Array

    def __attrs_post_init__(self) -> None:
        size: dict[str, int] = {}
        for name, width in (("mean", 4), ("low", 3), ("high", 3)):
            array = shaped("JointLimits", name, getattr(self, name), ("J", width), sizes=size)
            object.__setattr__(self, name, array)
        limited = shaped("JointLimits", "limited", self.limited, ["J"], bool, sizes=size)
        object.__setattr__(self, "limited", limited)
        if (self.low > self.high).any():
            raise ValidationError("JointLimits.low lies above JointLimits.high")

    @classmethod
    def of(cls, motions: Sequence[Motion]) -> JointLimits:
        """Measure the range of `motions`, which all move one skeleton.

        Raises:
            ValidationError: no motion, or motions of different skeletons.
        """
        if not motions:
            raise ValidationError("JointLimits.of got no motion, expected at least one")
        skeleton = motions[0].skeleton
        for motion in motions:
            if motion.skeleton.names != skeleton.names:
                raise ValidationError(f"motion {motion.name!r} moves another skeleton than the first")
        rotations = np.concatenate([motion.rotations for motion in motions]).astype(np.float64)
        mean = _mean(rotations)
        vectors = rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(mean), rotations))
        return cls(mean, vectors.min(axis=0), vectors.max(axis=0), _limited(skeleton))

    def vectors(self, rotations: Array) -> Array:
        """Return the rotation vectors `[..., J, 3]` from the mean to `rotations [..., J, 4]`."""
        vectors: Array = rotation.to_rotation_vector(
            rotation.multiply(rotation.conjugate(self.mean), rotations)
        )
        return vectors

    def excess(self, rotations: Array) -> Array:
        """Return by how much `rotations [..., J, 4]` leave the box, rad `[..., J]`; 0 inside."""
        v = self.vectors(np.asarray(rotations, np.float64))
        out = np.maximum(np.maximum(self.low - v, v - self.high), 0.0).max(axis=-1)
        return np.where(self.limited, out, 0.0)

    def clamp(self, rotations: Array) -> Array:
        """Return `rotations [..., J, 4]` with every limited joint turned back into its box."""
        v = self.vectors(np.asarray(rotations, np.float64))
        inside = np.clip(v, self.low, self.high)
        clamped = rotation.multiply(self.mean, rotation.from_rotation_vector(inside))
        changed = self.limited & (v != inside).any(axis=-1)
        kept: Array = np.where(changed[..., None], clamped, rotations)
        return kept.astype(rotations.dtype)


def _mean(rotations: Array) -> Array:
    """Return the mean `[J, 4]` of `[N, J, 4]`: the eigenvector of the greatest eigenvalue of Σ q qᵀ.

    Markley, Cheng, Crassidis and Oshman 2007, "Averaging Quaternions", equation 12.
    """
    _, vectors = np.linalg.eigh(np.einsum("nji,njk->jik", rotations, rotations))
    mean: Array = vectors[..., -1]
    return mean


def _limited(skeleton: Skeleton) -> Array:
    hips = anatomy.roles(skeleton).get("hips")
    free = np.asarray(skeleton.parents) < 0
    while hips is not None and hips >= 0:
        free[hips] = True
        hips = int(skeleton.parents[hips])
    return ~free
