"""Skinning: what carries each vertex, by a mean of matrices or by a blend of dual quaternions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kinetoscope_spec import rotation
from kinetoscope_spec._arrays import Array

if TYPE_CHECKING:
    from kinetoscope_spec.character import Skin

__all__ = ["dual_quaternion_blend", "polar", "vertex_matrices"]


def polar(matrices: Any) -> tuple[Array, Array]:
    """Split linear maps into what they stretch and how they then turn it: `m = to_matrix(turn) @ stretch`.

    The turn is the rotation nearest to the map (Higham 1986, "Computing the polar decomposition"), the
    stretch symmetric. A map that mirrors is taken for the one that does not, turned inside out: its
    stretch is negative. Bones that are mirrored together so turn as they would otherwise.

    Args:
        matrices: `[..., 3, 3]`, of column vectors.

    Returns:
        Turns, unit quaternions `[..., 4]` xyzw with w >= 0, and stretches `[..., 3, 3]`, float64.
    """
    given = np.asarray(matrices, np.float64)
    upright = np.where(np.linalg.det(given) < 0, -1.0, 1.0)[..., None, None] * given
    u, _, v = np.linalg.svd(upright)
    # Of a map without volume either side may be the outside; the least of its axes then decides.
    u[..., 2] *= np.where(np.linalg.det(u @ v) < 0, -1.0, 1.0)[..., None]
    turn = u @ v
    stretch = np.swapaxes(turn, -1, -2) @ given
    return rotation.from_matrix(turn), 0.5 * (stretch + np.swapaxes(stretch, -1, -2))


def vertex_matrices(skin: Skin, pose: Any) -> Array:
    """Return the affine matrices `[V, 3, 4]` that carry each vertex of a skin, float64.

    `linear` takes the weighed mean of the bones' matrices (Magnenat-Thalmann et al. 1988),
    `dual_quaternion` what `dual_quaternion_blend` makes of them.

    Args:
        skin: whose vertices.
        pose: global matrices `[J, 4, 4]` of the skeleton's nodes.
    """
    carry = np.asarray(pose, np.float64)[skin.bones] @ np.asarray(skin.inverse_bind, np.float64)
    weights = np.asarray(skin.weights, np.float64)
    if skin.blending == "linear":
        mean: Array = sum(
            (weights[:, k, None, None] * carry[skin.joints[:, k], :3] for k in range(weights.shape[1])),
            np.zeros((len(weights), 3, 4)),
        )
        return mean
    return dual_quaternion_blend(carry, skin.joints, weights)


def dual_quaternion_blend(carry: Any, joints: Any, weights: Any) -> Array:
    """Blend affine matrices by their dual quaternions, and return `[N, 3, 4]`, float64.

    The weighed mean of what the matrices stretch, about the origin of the space they come from, is turned
    and moved by the blend of their dual quaternions (Kavan, Collins, Zara, O'Sullivan 2008, "Geometric
    skinning with approximate dual quaternion blending"). Of q and -q, which turn alike, the one is taken
    that lies on the side of the heaviest matrix's, the first of equals.

    Args:
        carry: matrices `[B, 3|4, 4]` of column vectors.
        joints: `[N, K]`, indices into `carry`.
        weights: `[N, K]`, each row summing to 1.
    """
    matrices = np.asarray(carry, np.float64)
    turns, stretches = polar(matrices[:, :3, :3])
    moves = matrices[:, :3, 3]
    joints, weights = np.asarray(joints), np.asarray(weights, np.float64)
    heaviest = np.take_along_axis(joints, weights.argmax(axis=1)[:, None], axis=1)[:, 0]
    pivot, start = turns[heaviest], moves[heaviest]
    real, dual = np.zeros((2, len(joints), 4))
    stretch = np.zeros((len(joints), 3, 3))
    for k in range(joints.shape[1]):
        turn, weight = turns[joints[:, k]], weights[:, k, None]
        turn = np.where((turn * pivot).sum(axis=1, keepdims=True) < 0, -weight, weight) * turn
        # Moves are taken from the heaviest bone's, so that nothing is lost far from the origin.
        move = np.append(moves[joints[:, k]] - start, np.zeros((len(joints), 1)), axis=1)
        real += turn
        dual += 0.5 * rotation.multiply(move, turn)
        stretch += weight[..., None] * stretches[joints[:, k]]
    squared = (real * real).sum(axis=1, keepdims=True)
    turned = rotation.to_matrix(real / np.sqrt(squared)) @ stretch
    moved = start + 2.0 * rotation.multiply(dual, rotation.conjugate(real))[:, :3] / squared
    return np.concatenate([turned, moved[..., None]], axis=-1)
