"""The kit's own maths against SciPy: what judges others is judged first."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from scipy.spatial.transform import Rotation

from kinetoscope_spec import Motion
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._oracle import global_matrices, quaternion_angle, rotation_matrix


@given(strategies.quaternions(shape=(5,)), strategies.quaternions(shape=(5,)))
@settings(max_examples=100, deadline=None)
def test_matrices_and_angles_are_scipys(a: np.ndarray, b: np.ndarray) -> None:
    ours, theirs = rotation_matrix(a), Rotation.from_quat(a)
    np.testing.assert_allclose(ours, theirs.as_matrix(), atol=1e-12)
    turn = (theirs.inv() * Rotation.from_quat(b)).magnitude()
    np.testing.assert_allclose(quaternion_angle(a, b), turn, atol=1e-6)


@given(strategies.motions(strategies.skeletons(rest_scales=False), scales=False))
@settings(max_examples=30, deadline=None)
def test_global_matrices_are_a_walk_up_the_parents(motion: Motion) -> None:
    """Each joint's point carried up to the world one parent at a time, by SciPy."""
    matrices = global_matrices(motion)
    for joint in range(0, len(motion.skeleton), max(1, len(motion.skeleton) // 5)):
        point, turn, at = np.zeros(3), Rotation.identity(), joint
        while at >= 0:
            q, p = Rotation.from_quat(motion.rotations[0, at]), motion.positions[0, at]
            point, turn = q.apply(point) + p, q * turn
            at = int(motion.skeleton.parents[at])
        np.testing.assert_allclose(matrices[0, joint, :3, 3], point, atol=1e-4)
        np.testing.assert_allclose(matrices[0, joint, :3, :3], turn.as_matrix(), atol=1e-4)
