"""Solving batches of chains: what comes in is checked, what goes out is turned to its poles."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from kinetoscope_fabrik import _poles
from kinetoscope_fabrik._cases import lengths_of, unit
from kinetoscope_fabrik._planter import Planter
from kinetoscope_fabrik.protocol import Array, Solution
from kinetoscope_spec import ValidationError

__all__ = ["ArraySolver", "check_iterations", "checked", "numbers"]

_LARGEST: Final = 1e40
"""Metres from the origin within which all solvers have room for their products."""


class ArraySolver(Planter):
    """A solver of chains but for its algorithm, `_run`: checks, warm starts, poles, planting.

    The solvers here are built on it, and so may others be that run on arrays.
    """

    def _run(
        self, chains: Array, targets: Array, tolerance: float, iterations: int
    ) -> tuple[Array, Array, Array]:
        """Return solved chains, iterations and whether each target was reached: see `_plain.solve`."""
        raise NotImplementedError

    def solve(
        self,
        chains: Array,
        targets: Array,
        *,
        tolerance: float = 1e-3,
        iterations: int = 100,
        poles: Array | None = None,
        start: Array | None = None,
    ) -> Solution:
        """Move the last joint of each chain to its target; see `Solver.solve`.

        A target out of reach is met by the nearest pose there is: straight towards it, or, nearer
        to the root than a long segment lets the chain fold, folded back on the line to it.

        Args:
            chains, targets, tolerance, iterations, poles: as `Solver.solve` takes them.
            start: `[B, N, 3]` m, poses to begin with, such as the last frame's solution; roots and
                segment lengths are still those of `chains`, so that they never wear down. None
                begins with `chains`.
        """
        given, goal, pole = checked(chains, targets, poles, tolerance, iterations)
        if start is not None:
            given = _warm(given, numbers("start", start, given.shape))
        out, count, reached = self._run(given, goal, tolerance, iterations)
        if pole is not None:
            root = given[:, :1]
            bent = _poles.towards(out - root, pole - given[:, 0])
            out = np.where((bent == out - root).all(axis=(1, 2), keepdims=True), out, bent + root)
        return Solution(
            out.astype(np.result_type(np.asarray(chains), np.float32), copy=False), count, reached
        )


def _warm(chains: Array, start: Array) -> Array:
    """Return `chains [B, N, 3]` in the poses of `start`; one that stands there already stays as it is."""
    steps = np.diff(chains, axis=1)
    way = unit(np.diff(start, axis=1), unit(steps)) * lengths_of(chains)[..., None]
    posed = np.concatenate([chains[:, :1], chains[:, :1] + np.cumsum(way, axis=1)], axis=1)
    same = (start == chains).all(axis=(1, 2), keepdims=True)
    return np.where(same, chains, posed)


def checked(
    chains: Array, targets: Array, poles: Array | None, tolerance: float, iterations: int
) -> tuple[Array, Array, Array | None]:
    """Return chains, targets and poles as float64.

    Raises:
        ValidationError: a shape, NaN, an infinity or the like of 1e41, a negative tolerance, iterations that are no number
            of times.
    """
    chains = numbers("chains", chains, (None, None, 3))
    if not chains.shape[1]:
        raise ValidationError("chains have no joint, expected at least one")
    targets = numbers("targets", targets, (len(chains), 3))
    if poles is not None:
        poles = numbers("poles", poles, (len(chains), 3))
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise ValidationError(f"tolerance is {tolerance}, expected metres, 0 or more")
    check_iterations(iterations)
    return chains, targets, poles


def check_iterations(iterations: Any) -> None:
    """Refuse what is no number of times: a whole one, of 31 bits, as compiled solvers count.

    Raises:
        ValidationError: it is none.
    """
    if not isinstance(iterations, int | np.integer) or not 0 <= iterations < 1 << 31:
        raise ValidationError(f"iterations is {iterations!r}, expected a whole number, 0 to {(1 << 31) - 1}")


def numbers(name: str, value: Any, shape: tuple[int | None, ...]) -> Array:
    """Return `value` as a finite float64 array of `shape`, in which None is any size."""
    array = np.asarray(value)
    fits = array.ndim == len(shape) and all(w in (None, s) for s, w in zip(array.shape, shape, strict=True))
    if not fits or array.dtype.kind not in "iuf":
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValidationError(f"{name} is {array.dtype} {list(array.shape)}, expected numbers [{wanted}]")
    if not np.isfinite(array).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
        raise ValidationError(f"{name}[{place}] is not finite, expected a number")
    # Of the largest a float64 holds even the squares overflow, and what comes out is NaN.
    large = np.abs(array) > np.float64(_LARGEST)
    if large.any():
        place = ", ".join(map(str, np.argwhere(large)[0]))
        raise ValidationError(f"{name}[{place}] is {array[large][0]:g}, expected at most {_LARGEST:g}")
    return np.ascontiguousarray(array, np.float64)
