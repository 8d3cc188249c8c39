"""FABRIK in PyTorch: on any device, and differentiable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kinetoscope_fabrik._arrays import Library, portable_fabrik
from kinetoscope_fabrik._chain import ArraySolver
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import ValidationError

__all__ = ["TorchFabrikSolver"]


class TorchFabrikSolver(ArraySolver):
    """The provider `fabrik-torch` of the hook `solver`.

    `solve` takes and gives NumPy arrays as all solvers do; `solve_tensors` takes and gives tensors, on
    their device, and what comes out can be differentiated by chains and targets.
    """

    def _run(
        self, chains: Array, targets: Array, tolerance: float, iterations: int
    ) -> tuple[Array, Array, Array]:
        import torch

        with torch.no_grad():
            solved = self.solve_tensors(
                torch.tensor(chains),
                torch.tensor(targets),
                tolerance=tolerance,
                iterations=iterations,
            )
        out, count, reached = (np.asarray(tensor) for tensor in solved)
        return out, count, reached

    def solve_tensors(
        self, chains: Any, targets: Any, *, tolerance: float = 1e-3, iterations: int = 100
    ) -> tuple[Any, Any, Any]:
        """Solve chains `[B, N, 3]` m for targets `[B, 3]` m, tensors of one dtype and device.

        Returns positions `[B, N, 3]`, iterations int64 `[B]` and converged bool `[B]`. A chain that is
        solved as it came, or by so many iterations, is differentiated through just those. Where a target
        crosses the reach, or the number of iterations changes, there is no derivative: it is one-sided.

        Raises:
            ValidationError: shapes or dtypes that don't fit.
        """
        fits = chains.ndim == 3 and chains.shape[2] == 3 and tuple(targets.shape) == (len(chains), 3)
        if (
            not fits
            or chains.shape[1] == 0
            or chains.dtype != targets.dtype
            or not chains.is_floating_point()
        ):
            raise ValidationError(
                f"chains are {chains.dtype} {list(chains.shape)} and targets {targets.dtype} "
                f"{list(targets.shape)}, expected floating-point [B, N, 3] and [B, 3] of one dtype"
            )
        return portable_fabrik(_library(), chains, targets, tolerance, iterations)


def _library() -> Library:
    import array_api_compat.torch as xp

    return Library(xp, lambda array: array.detach(), lambda flag, yes, no: yes() if flag else no(), _iterate)


def _iterate(most: int, going: Callable[[Any], Any], body: Callable[[Any, Any], Any], state: Any) -> Any:
    for number in range(1, most + 1):
        if not going(state):
            break
        state = body(number, state)
    return state
