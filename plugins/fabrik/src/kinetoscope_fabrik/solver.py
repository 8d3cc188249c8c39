"""FABRIK: forward and backward reaching inverse kinematics.

Aristidou and Lasenby 2011, "FABRIK: A fast, iterative solver for the Inverse Kinematics problem",
Graphical Models 73(5), algorithm 1; the cases it leaves open (dead lock on a line, slow convergence
of nearly stretched chains, targets too near) are closed as `_cases` says.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kinetoscope_fabrik import _poles
from kinetoscope_fabrik.protocol import Array, Planting, Solution
from kinetoscope_spec import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinetoscope_spec import Motion
    from kinetoscope_spec.limits import JointLimits

__all__ = ["FabrikSolver"]


class FabrikSolver:
    """The provider `fabrik` of the hook `solver`: see `Solver` for what it keeps to."""

    def __init__(self, *, compiled: bool | None = None) -> None:
        """`compiled` chooses Numba or NumPy, whose results are equal; None takes what is there.

        Numba compiles when the first batch is solved, once for each installation: some 15 seconds.
        """
        self._compiled = compiled

    @cached_property
    def _run(self) -> Callable[..., tuple[Array, Array, Array]]:
        return _implementation(self._compiled)

    def solve(
        self,
        chains: Array,
        targets: Array,
        *,
        tolerance: float = 1e-3,
        iterations: int = 100,
        poles: Array | None = None,
    ) -> Solution:
        """Move the last joint of each chain to its target; see `Solver.solve`.

        A target out of reach is met by the nearest pose there is: straight towards it, or, nearer
        to the root than a long segment lets the chain fold, folded back on the line to it.
        """
        given, goal, pole = _checked(chains, targets, poles, tolerance, iterations)
        out, count, reached = self._run(given, goal, tolerance, iterations)
        if pole is not None:
            root = given[:, :1]
            bent = _poles.towards(out - root, pole - given[:, 0])
            out = np.where((bent == out - root).all(axis=(1, 2), keepdims=True), out, bent + root)
        return Solution(out.astype(np.result_type(chains, np.float32), copy=False), count, reached)

    def plant(
        self,
        motion: Motion,
        *,
        contacts: Array | None = None,
        height_m: float = 0.05,
        speed_m_s: float = 0.4,
        ground_m: float | None = None,
        limits: JointLimits | None = None,
        blend_s: float = 0.2,
        close_gaps_s: float = 0.1,
        drop_blips_s: float = 0.0,
    ) -> Planting:
        """Hold the toes still wherever they touch the ground.

        Args:
            motion: of a skeleton whose legs `kinetoscope_spec.anatomy` knows.
            contacts: bool `[T, 2]`, left and right; None finds them by `height_m` and `speed_m_s`.
            height_m: height of the toes over the ground under which they may be in contact.
            speed_m_s: speed under which they are.
            ground_m: height at which toes rest; None takes the fifth percentile of the clip's.
            limits: joint limits that the legs are to respect as far as the contacts let them.
            blend_s: time over which a foot comes to where it is held and leaves it.
            close_gaps_s: gaps in contact of up to this time are closed.
            drop_blips_s: contacts of up to this time are dropped.

        Raises:
            ValidationError: joints that no name tells, contacts of another shape.
        """
        from kinetoscope_fabrik.planting import plant

        return plant(
            motion,
            contacts=contacts,
            height_m=height_m,
            speed_m_s=speed_m_s,
            ground_m=ground_m,
            limits=limits,
            blend_s=blend_s,
            close_gaps_s=close_gaps_s,
            drop_blips_s=drop_blips_s,
        )


def _implementation(compiled: bool | None) -> Callable[..., tuple[Array, Array, Array]]:
    if compiled is not False:
        try:
            from kinetoscope_fabrik._kernel import solve

            return solve
        except ImportError:
            if compiled:
                raise
    from kinetoscope_fabrik._plain import solve as plain

    return plain


def _checked(
    chains: Array, targets: Array, poles: Array | None, tolerance: float, iterations: int
) -> tuple[Array, Array, Array | None]:
    chains = _numbers("chains", chains, (None, None, 3))
    if not chains.shape[1]:
        raise ValidationError("chains have no joint, expected at least one")
    targets = _numbers("targets", targets, (len(chains), 3))
    if poles is not None:
        poles = _numbers("poles", poles, (len(chains), 3))
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise ValidationError(f"tolerance is {tolerance}, expected metres, 0 or more")
    if iterations < 0:
        raise ValidationError(f"iterations is {iterations}, expected 0 or more")
    return chains, targets, poles


def _numbers(name: str, value: Any, shape: tuple[int | None, ...]) -> Array:
    array = np.asarray(value)
    fits = array.ndim == len(shape) and all(w in (None, s) for s, w in zip(array.shape, shape, strict=True))
    if not fits or array.dtype.kind not in "iuf":
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValidationError(f"{name} is {array.dtype} {list(array.shape)}, expected numbers [{wanted}]")
    if not np.isfinite(array).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
        raise ValidationError(f"{name}[{place}] is not finite, expected a number")
    return np.ascontiguousarray(array, np.float64)
