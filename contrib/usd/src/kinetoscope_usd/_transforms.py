"""Matrices as USD has them, and positions, rotations and scales as we do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import rotation

__all__ = ["Z_UP", "compose", "decompose", "ours"]

Floats = NDArray[Any]

Z_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""From Z up to Y up: a quarter turn about X, which leaves right where it was."""


def ours(matrices: Any) -> Floats:
    """Return matrices of column vectors, float64 `[..., 4, 4]`: USD multiplies row vectors."""
    return np.swapaxes(np.asarray(matrices, np.float64), -1, -2)


def decompose(matrices: Floats) -> tuple[Floats, Floats, Floats, bool]:
    """Return positions `[..., 3]`, rotations `[..., 4]`, scales `[..., 3]`, and whether shear was lost.

    A mirrored matrix gets a negative scale along x. Columns of length 0 become any direction that
    makes a rotation.
    """
    linear = matrices[..., :3, :3]
    scales = np.linalg.norm(linear, axis=-2)
    safe = np.where(scales > 1e-12, scales, 1.0)
    columns = np.where((scales > 1e-12)[..., None, :], linear / safe[..., None, :], 0.0)
    mirrored = np.linalg.det(columns) < 0
    sign = np.ones_like(scales)
    sign[..., 0] = np.where(mirrored, -1.0, 1.0)
    columns = columns * sign[..., None, :]
    u, s, vt = np.linalg.svd(columns)
    flip = np.where(np.linalg.det(u @ vt) < 0, -1.0, 1.0)
    u[..., :, 2] *= flip[..., None]
    sheared = bool(
        (np.abs(s - 1) > 1e-4)[np.broadcast_to((scales > 1e-12).all(-1)[..., None], s.shape)].any()
    )
    quaternions: Floats = rotation.from_matrix(u @ vt)
    return matrices[..., :3, 3].copy(), quaternions, scales * sign, sheared


def compose(positions: Floats, rotations: Floats, scales: Floats) -> Floats:
    """Return matrices of column vectors, float64 `[..., 4, 4]`."""
    from kinetoscope_spec import kinematics

    built: Floats = kinematics.matrices(
        np.asarray(positions, np.float64), np.asarray(rotations, np.float64), np.asarray(scales, np.float64)
    )
    return built
