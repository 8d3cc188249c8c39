"""Sines and cosines of channel values, and the products of turns, in NumPy.

`_transforms` does the same sums in the same order, compiled, so that both give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RADIAN: Final = math.pi / 180
WHOLE: Final = 720.0
"""Degrees after which a quaternion, not only its rotation, is the same again."""

SINE: Final = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(1, 8))
COSINE: Final = tuple((-1) ** k / math.factorial(2 * k) for k in range(1, 9))
"""Taylor coefficients: at 45 degrees what is left out is below 1e-16."""


def half_sine_cosine(degrees: Floats) -> tuple[Floats, Floats]:
    """Return sine and cosine of half the angles, from whole quarter turns and a rest within 45 degrees."""
    half = 0.5 * np.fmod(degrees, WHOLE)
    quarter = np.rint(half / 90.0)
    rest = (half - 90.0 * quarter) * RADIAN
    square = rest * rest
    sine, cosine = np.full_like(rest, SINE[-1]), np.full_like(rest, COSINE[-1])
    for coefficient in SINE[-2::-1]:
        sine = sine * square + coefficient
    for coefficient in COSINE[-2::-1]:
        cosine = cosine * square + coefficient
    sine = rest + rest * square * sine
    cosine = 1.0 + square * cosine
    turn = quarter - 4.0 * np.floor(quarter * 0.25)
    odd, back, left = (turn == 1) | (turn == 3), turn >= 2, (turn == 1) | (turn == 2)
    s, c = np.where(odd, cosine, sine), np.where(odd, sine, cosine)
    return np.where(back, -s, s), np.where(left, -c, c)


def product(axes: Sequence[int], degrees: Floats) -> Floats:
    """Return quaternions `[F, 4]` of turns about `axes` by `degrees [F, len(axes)]`, each after the other."""
    q = [np.zeros(len(degrees)), np.zeros(len(degrees)), np.zeros(len(degrees)), np.ones(len(degrees))]
    for axis, angles in zip(axes, degrees.T, strict=True):
        s, c = half_sine_cosine(angles)
        i, j, k = axis, (axis + 1) % 3, (axis + 2) % 3
        qi, qj, qk, qw = q[i], q[j], q[k], q[3]
        q[i], q[j], q[k], q[3] = qi * c + qw * s, qj * c + qk * s, qk * c - qj * s, qw * c - qi * s
    return np.stack(q, axis=-1)
