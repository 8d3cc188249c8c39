"""Matrices taken apart into translation, rotation and scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_ROUNDS, _EXACT, _SETTLED = 400, 1e-7, 1e-10
"""Rounds of improving at most, what is no shear, and how little a rotation may change to be settled."""


def decompose(matrices: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Take `[N, 4, 4]` matrices of column vectors apart.

    Returns:
        Translations `[N, 3]`, rotation matrices `[N, 3, 3]`, scales `[N, 3]`, and what is left `[N]`:
        the largest difference between `rotation @ diag(scale)` and the matrix, relative to the
        largest number in it. It is 0 (to rounding) unless the matrix shears; then rotation and
        scale are those that come closest to it, least squares over its nine numbers. Of a mirrored
        one the first scale is negative.
    """
    linear = np.asarray(matrices[:, :3, :3], np.float64)
    size = np.abs(linear).max(axis=(1, 2), initial=0.0)
    unit = linear / np.where(size > 0, size, 1.0)[:, None, None]
    mirror = np.ones((len(unit), 1, 3))
    mirror[np.linalg.det(unit) < 0, 0, 0] = -1.0
    rotation = _nearest_rotations(unit * mirror)
    scale: Matrix = np.einsum("nij,nij->nj", rotation, unit)
    left = np.arange(len(unit))
    for _ in range(_ROUNDS):
        left = left[_off(rotation[left], scale[left], unit[left]) >= _EXACT]
        if not len(left):
            break
        # In turn the best rotations for these scales and the best scales for these rotations.
        better = _nearest_rotations(unit[left] * scale[left, None])
        moved = np.abs(better - rotation[left]).max(axis=(1, 2))
        rotation[left], scale[left] = better, np.einsum("nij,nij->nj", better, unit[left])
        left = left[moved >= _SETTLED]
    off = _off(rotation, scale, unit)
    return matrices[:, :3, 3], rotation, scale * size[:, None], off


def _off(rotation: Matrix, scale: Matrix, unit: Matrix) -> Matrix:
    found: Matrix = np.abs(rotation * scale[:, None] - unit).max(axis=(1, 2), initial=0.0)
    return found


def _nearest_rotations(linear: Matrix) -> Matrix:
    """Return the rotations nearest to `linear [N, 3, 3]` (Kabsch, 1976)."""
    u, _, vt = np.linalg.svd(linear)
    u[np.linalg.det(u @ vt) < 0, :, 2] *= -1.0
    found: Matrix = u @ vt
    return found


def scaled_translation(matrices: NDArray[Any], unit: float) -> NDArray[Any]:
    """Return `[B, 4, 4]` matrices for coordinates that count `unit` times as many metres."""
    if unit == 1.0:
        return matrices
    found = matrices.copy()
    found[:, :3, 3] *= unit
    return found
