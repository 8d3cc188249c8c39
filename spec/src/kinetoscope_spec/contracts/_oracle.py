"""Reference maths of the contracts: plain matrices in float64, sharing nothing with the spec's own.

What judges must not share code with what it judges, and providers use `kinetoscope_spec.rotation`
and `kinematics`. Loops over joints are slow and plain on purpose.
"""

from __future__ import annotations

import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.motion import Motion

__all__ = ["global_matrices", "local_matrix", "quaternion_angle", "rotation_matrix"]


def rotation_matrix(q: Array) -> Array:
    """Return the matrix `[..., 3, 3]` of unit quaternions xyzw `[..., 4]`: I + 2w[v] + 2[v]^2."""
    q = np.asarray(q, np.float64)
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    v, w = q[..., :3], q[..., 3]
    cross = np.zeros((*q.shape[:-1], 3, 3))
    cross[..., 0, 1], cross[..., 0, 2], cross[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    cross = cross - np.swapaxes(cross, -1, -2)
    turned: Array = np.eye(3) + 2 * w[..., None, None] * cross + 2 * cross @ cross
    return turned


def local_matrix(positions: Array, rotations: Array, scales: Array | None) -> Array:
    """Return `[..., 4, 4]` = translation, rotation, scale."""
    matrix = np.zeros((*positions.shape[:-1], 4, 4))
    turned = rotation_matrix(rotations)
    matrix[..., :3, :3] = turned if scales is None else turned * np.asarray(scales, np.float64)[..., None, :]
    matrix[..., :3, 3] = positions
    matrix[..., 3, 3] = 1.0
    return matrix


def global_matrices(motion: Motion) -> Array:
    """Return `[T, J, 4, 4]` by multiplying down the hierarchy, joint by joint."""
    matrices = local_matrix(np.asarray(motion.positions, np.float64), motion.rotations, motion.scales)
    for joint, parent in enumerate(motion.skeleton.parents):
        if parent >= 0:
            matrices[:, joint] = matrices[:, parent] @ matrices[:, joint]
    return matrices


def quaternion_angle(a: Array, b: Array) -> Array:
    """Return the angle `[...]` in radians between two rotations, by their chord, exact when small."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    a, b = (q / np.linalg.norm(q, axis=-1, keepdims=True) for q in (a, b))
    chord = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    angle: Array = 4 * np.arcsin(np.clip(chord / 2, 0, 1))
    return angle
