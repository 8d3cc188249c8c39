"""FABRIK traced by JAX.

The formulas are `kinetoscope_fabrik.hooks.portable_fabrik`'s; what is JAX's own here is how loops and
choices are traced, so that XLA compiles the whole solve once for each shape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fabrik.hooks import ArraySolver, Library, portable_fabrik

__all__ = ["JaxFabrikSolver", "solve_arrays"]

Array = NDArray[Any]

_LEAST = 32
"""Chains in a batch, at least: XLA takes seconds to compile for a size, and next to nothing for a chain."""


class JaxFabrikSolver(ArraySolver):
    """The provider `fabrik-jax` of the hook `solver`: see `Solver`; it solves in double precision.

    Batches are filled up to the next power of two, so that XLA compiles for few sizes.
    """

    def _run(
        self, chains: Array, targets: Array, tolerance: float, iterations: int
    ) -> tuple[Array, Array, Array]:
        import jax

        batch = len(chains)
        size = max(_LEAST, 1 << max(batch - 1, 0).bit_length())
        # Copies of a chain that is solved already cost no iteration.
        spare = np.zeros((size - batch, *chains.shape[1:]))
        padded = np.concatenate([chains, spare]), np.concatenate([targets, spare[:, 0]])
        with jax.enable_x64(True):
            solved = _compiled()(*padded, tolerance, iterations)
            out, count, reached = (np.asarray(array)[:batch] for array in solved)
        return out, count, reached


def solve_arrays(
    chains: Any, targets: Any, tolerance: Any = 1e-3, iterations: Any = 100
) -> tuple[Any, Any, Any]:
    """Solve chains `[B, N, 3]` m for targets `[B, 3]` m, JAX arrays, also inside `jit` and `vmap`.

    Returns positions `[B, N, 3]`, iterations `[B]` and whether each target was reached `[B]`. In forward
    mode (`jax.jvp`, `jax.jacfwd`) it is differentiable; JAX has no reverse mode for loops that end early.
    """
    return portable_fabrik(_library(), chains, targets, tolerance, iterations)


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., tuple[Any, Any, Any]]:
    import jax

    compiled: Callable[..., tuple[Any, Any, Any]] = jax.jit(solve_arrays)
    return compiled


@lru_cache(maxsize=1)
def _library() -> Library:
    import jax
    import jax.numpy as xp

    def iterate(most: Any, going: Callable[[Any], Any], body: Callable[[Any, Any], Any], state: Any) -> Any:
        def goes_on(packed: tuple[Any, Any]) -> Any:
            return (packed[0] <= most) & going(packed[1])

        def once(packed: tuple[Any, Any]) -> tuple[Any, Any]:
            return packed[0] + 1, body(*packed)

        return jax.lax.while_loop(goes_on, once, (xp.asarray(1, xp.int32), state))[1]

    return Library(xp, jax.lax.stop_gradient, jax.lax.cond, iterate)
