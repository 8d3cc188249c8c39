"""Matrices taken apart into translation, rotation and scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def decompose(matrix: Matrix) -> tuple[Matrix, Matrix, Matrix, float]:
    """Take a `[4, 4]` matrix of column vectors apart.

    Returns:
        Translation `[3]`, rotation matrix `[3, 3]`, scale `[3]`, and what is left: the largest
        difference between `rotation @ diag(scale)` and the matrix, relative to the largest number
        in it. It is 0 (to rounding) unless the matrix shears; then rotation and scale are those
        that come closest to it, least squares over its nine numbers.
    """
    linear = np.asarray(matrix[:3, :3], np.float64)
    size = float(np.abs(linear).max())
    if size == 0.0:
        return matrix[:3, 3], np.eye(3), np.zeros(3), 0.0
    unit = linear / size
    mirror = np.ones(3)
    if np.linalg.det(unit) < 0:
        mirror[0] = -1.0  # a mirror is told from a turn by the sign of the first scale
    rotation = _nearest_rotation(unit * mirror)
    scale: Matrix = np.einsum("ij,ij->j", rotation, unit)
    for _ in range(100):
        off = float(np.abs(rotation * scale - unit).max())
        if off < 1e-7:
            break
        # In turn the best rotation for these scales and the best scales for this rotation.
        before = rotation
        rotation = _nearest_rotation(unit * scale)
        scale = np.einsum("ij,ij->j", rotation, unit)
        if np.abs(rotation - before).max() < 1e-12:
            break
    return matrix[:3, 3], rotation, scale * size, float(np.abs(rotation * scale - unit).max())


def _nearest_rotation(linear: Matrix) -> Matrix:
    """Return the rotation nearest to `linear [3, 3]` (Kabsch, 1976)."""
    u, _, vt = np.linalg.svd(linear)
    if np.linalg.det(u @ vt) < 0:
        u[:, 2] *= -1.0
    found: Matrix = u @ vt
    return found


def scaled_translation(matrices: NDArray[Any], unit: float) -> NDArray[Any]:
    """Return `[B, 4, 4]` matrices for coordinates that count `unit` times as many metres."""
    if unit == 1.0:
        return matrices
    found = matrices.copy()
    found[:, :3, 3] *= unit
    return found
