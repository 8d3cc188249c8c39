"""Mirrored motion: left and right exchanged, for twice the data and no preferred side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import attrs
import numpy as np

from kinetoscope_features.body import Array, Body
from kinetoscope_spec import Motion, anatomy, kinematics, rotation
from kinetoscope_spec.errors import ValidationError

__all__ = ["Mirror"]

_REFLECTION = np.diag([-1.0, 1.0, 1.0])


def _improper_frames() -> Array:
    """Return the 24 reflections `[24, 3, 3]` that map coordinate axes onto coordinate axes."""
    frames = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) < 0:
                frames.append(matrix)
    return np.stack(frames)


@attrs.frozen(eq=False)
class Mirror:
    """How the motion of one skeleton is mirrored on the plane x = 0.

    A mirrored joint takes the reflected global rotation of its partner: `S G_partner K`, where S
    reflects the world and K relates the two joints' own axes. Rigs differ there (some have the same
    axes left and right, some mirrored, some negated), so K is *measured*: of all reflections that
    map axes onto axes, the one under which the partner's child offsets become this joint's and the
    partner's mean rotation becomes this joint's.

    Attributes:
        body: whose joints.
        partner: int `[J]`, the joint on the other side; a joint in the middle is its own.
        frames: `[J, 3, 3]`, K of every joint.
    """

    body: Body
    partner: tuple[int, ...]
    frames: Array

    @classmethod
    def of(cls, motions: Sequence[Motion]) -> Mirror:
        """Measure how `motions`, all of one skeleton, are mirrored.

        Raises:
            ValidationError: no motion, or no joint has a partner: names give no left and right.
        """
        if not motions:
            raise ValidationError("Mirror.of got no motion, expected at least one")
        skeleton = motions[0].skeleton
        pairs = anatomy.sided_pairs(skeleton)
        if not pairs:
            raise ValidationError(
                f"no joint of {skeleton.names[:40]} has a name with a left and a right twin"
            )
        partner = list(range(len(skeleton)))
        for left, right in pairs:
            partner[left], partner[right] = right, left
        body = Body.of(skeleton)
        mean = _mean_rotations(body, motions)
        frames = np.stack([_REFLECTION] * len(skeleton))
        for joint in body.joints:
            other = partner[joint]
            if other >= joint:
                frames[joint] = _frame(body, partner, joint, mean)
                frames[other] = frames[joint].T
        return cls(body, tuple(partner), frames)

    def __call__(self, motion: Motion) -> Motion:
        """Return `motion` mirrored; mirrored twice it is what it was."""
        positions, rotations = motion.global_transforms()
        # S G S: reflecting x keeps the x of a rotation's axis and negates y and z.
        flipped = rotations[:, list(self.partner)] * np.array([1.0, -1.0, -1.0, 1.0], rotations.dtype)
        # S G K = (S G S) (S K), and S K is proper.
        proper = rotation.from_matrix(_REFLECTION @ self.frames).astype(rotations.dtype)
        turned = rotation.multiply(flipped, proper)
        reflected = positions * np.array([-1.0, 1.0, 1.0], positions.dtype)
        local_positions, local_rotations = kinematics.local_transforms(
            motion.skeleton.parents, reflected, turned
        )
        kept = np.array(motion.positions)
        for joint in (*self.body.above(), self.body.hips):
            kept[:, joint] = local_positions[:, joint]
        return attrs.evolve(
            motion,
            positions=kept,
            rotations=rotation.normalize(local_rotations),
            name=f"{motion.name}-mirrored",
        )


def _mean_rotations(body: Body, motions: Sequence[Motion]) -> Array:
    """Return the mean rotation matrix `[J, 3, 3]` of every joint, seen from where the body faces."""
    total = np.zeros((len(body.skeleton), 3, 3))
    for motion in motions:
        positions, rotations = motion.global_transforms()
        back = rotation.from_yaw(-body.yaw(np.asarray(positions, np.float64)))[:, None]
        total += rotation.to_matrix(rotation.multiply(back, np.asarray(rotations, np.float64))).mean(axis=0)
    return total / len(motions)


def _frame(body: Body, partner: Sequence[int], joint: int, mean: Array) -> Array:
    """Return the K of `joint` that fits its children's offsets and its mean rotation best."""
    candidates = _improper_frames()
    other = partner[joint]
    if other == joint:  # mirrored twice is itself: K K = 1
        candidates = candidates[[np.array_equal(k @ k, np.eye(3)) for k in candidates]]
    expected = mean[joint].T @ _REFLECTION @ mean[other]
    score = np.einsum("kij,ji->k", candidates, expected)
    for child in body.skeleton.children(joint):
        ours, theirs = (body.skeleton.rest_positions[c] for c in (child, partner[child]))
        size = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
        if size > 1e-8:
            score += 2.0 * np.einsum("i,kij,j->k", theirs, candidates, ours) / size
    best: Array = candidates[int(np.argmax(score))]
    return best
