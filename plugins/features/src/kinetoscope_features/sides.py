"""What rows of joints become when the motion is mirrored: left and right exchanged, x negated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinetoscope_features.body import Array, Body
from kinetoscope_spec import anatomy, rotation

__all__ = ["mirrored_rotations", "mirrored_vectors", "partners"]

_REFLECTION = np.diag([-1.0, 1.0, 1.0])


def partners(body: Body, joints: Sequence[int] | None = None) -> list[int]:
    """Return for each of `joints` (the B of the body) its place among them on the other side.

    A joint in the middle has its own.
    """
    joints = body.joints if joints is None else joints
    other = {joint: joint for joint in joints}
    for left, right in anatomy.sided_pairs(body.skeleton):
        if left in other and right in other:
            other[left], other[right] = right, left
    place = {joint: i for i, joint in enumerate(joints)}
    return [place[other[joint]] for joint in joints]


def mirrored_vectors(
    rows: Array, body: Body, joints: Sequence[int] | None = None, *, axial: bool = False
) -> Array:
    """Return mirrored rows `[N, B 3]` of positions or velocities in root space.

    `axial` ones, such as angular velocities, keep their part across the mirror and turn the others.
    """
    order = partners(body, joints)
    vectors = rows.reshape(len(rows), len(order), 3)
    signs = [1.0, -1.0, -1.0] if axial else [-1.0, 1.0, 1.0]
    mirrored: Array = vectors[:, order] * signs
    return mirrored.reshape(rows.shape)


def mirrored_rotations(rows: Array, body: Body, joints: Sequence[int] | None = None) -> Array:
    """Return mirrored rows `[N, B 6]` of rotations in root space, two columns of each matrix.

    A joint that is turned by T out of its rest pose, R = T G, has a partner that is mirrored to
    R' = (S T S) G' = S R (G^-1 S G'), where S reflects and G, G' are how the two rest, globally.
    """
    joints = body.joints if joints is None else joints
    order = partners(body, joints)
    rest = rotation.to_matrix(body.skeleton.rest_transforms()[1])[list(joints)]
    frames = np.swapaxes(rest[order], -1, -2) @ _REFLECTION @ rest
    columns = rows.reshape(len(rows), len(joints), 2, 3)[:, order]
    third = np.cross(columns[:, :, 0], columns[:, :, 1])
    matrices = np.stack([columns[:, :, 0], columns[:, :, 1], third], axis=-1)
    mirrored: Array = np.swapaxes((_REFLECTION @ matrices @ frames)[..., :2], -1, -2)
    return mirrored.reshape(rows.shape)
