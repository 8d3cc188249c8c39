"""FABRIK on any array library: the formulas of `_plain` and `_cases`, without a branch on values.

Everything is chosen by `where`, so PyTorch differentiates and JAX traces through all of it. Roots and
quotients are taken of safe numbers where they aren't used: their gradients would be NaN otherwise.
Chains are lists of joints `[B, 3]`, relative to their roots. What differs between the libraries is in
`Library`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import attrs

from kinetoscope_fabrik._arrays_close import close
from kinetoscope_fabrik._arrays_start import prepare
from kinetoscope_fabrik._arrays_vectors import Library, Vectors
from kinetoscope_fabrik._constants import BURST

__all__ = ["Library", "portable_fabrik"]


@attrs.frozen(eq=False)
class _State:
    """What is iterated: joints, whether each chain is done, and how many iterations it took."""

    joints: tuple[Any, ...]
    done: Any
    count: Any


def portable_fabrik(
    library: Library, chains: Any, targets: Any, tolerance: float, iterations: int
) -> tuple[Any, Any, Any]:
    """Solve chains `[B, N, 3]` for targets `[B, 3]`, as `FabrikSolver` does; all chains wait for the slowest.

    Returns the solved chains, how many iterations each took and whether it reached its target.
    """
    xp, v = library.xp, Vectors(library)
    root, limit = chains[:, 0, :], tolerance * tolerance
    joints = tuple(chains[:, i, :] - root for i in range(chains.shape[1]))
    goal = targets - root
    solved = _squared_error(v, joints, goal) <= limit
    if len(joints) == 1:
        return chains, xp.zeros_like(solved, dtype=xp.int64), solved
    lengths = [v.size(b - a) for a, b in pairwise(joints)]
    start, closed = prepare(v, joints, lengths, goal)
    still = solved | (~closed & (iterations == 0))
    joints = tuple(v.where(still, p, q) for p, q in zip(joints, start, strict=True))

    def one(number: Any, state: _State) -> _State:
        def passes() -> tuple[Any, ...]:
            return _passes(v, state.joints, lengths, goal)

        def bend() -> tuple[Any, ...]:
            return close(v, state.joints, lengths, goal)

        after = library.choose(number % (BURST + 1) == 0, bend, passes)
        moved = tuple(v.where(state.done, p, q) for p, q in zip(state.joints, after, strict=True))
        count = state.count + xp.astype(~state.done, state.count.dtype)
        return _State(moved, state.done | (_squared_error(v, moved, goal) <= limit), count)

    state = _State(joints, still | closed, xp.zeros_like(solved, dtype=xp.int64))
    done = library.iterate(iterations, lambda it: ~xp.all(it[1]), _packed(one), _pack(state))
    state = _State(*done)
    out = xp.stack([p + root for p in state.joints], axis=1)
    return (
        xp.where(still[:, None, None], chains, out),
        state.count,
        _squared_error(v, state.joints, goal) <= limit,
    )


def _pack(state: _State) -> tuple[Any, ...]:
    return state.joints, state.done, state.count


def _packed(one: Callable[[Any, _State], _State]) -> Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]:
    return lambda number, packed: _pack(one(number, _State(*packed)))


def _squared_error(v: Vectors, joints: tuple[Any, ...], goal: Any) -> Any:
    return v.dot(joints[-1] - goal, joints[-1] - goal)


def _passes(v: Vectors, joints: tuple[Any, ...], lengths: list[Any], goal: Any) -> tuple[Any, ...]:
    placed = [*joints[:-1], goal]
    for i in range(len(placed) - 2, -1, -1):
        placed[i] = _placed(v, placed[i], placed[i + 1], lengths[i])
    placed[0] = v.xp.zeros_like(goal)
    for i in range(len(placed) - 1):
        placed[i + 1] = _placed(v, placed[i + 1], placed[i], lengths[i])
    return tuple(placed)


def _placed(v: Vectors, joint: Any, anchor: Any, length: Any) -> Any:
    way = joint - anchor
    squared = v.dot(way, way)
    lost = squared < 1e-200
    ratio = length / v.xp.sqrt(v.xp.where(lost, v.xp.ones_like(squared), squared))
    return anchor + v.where(lost, v.along_x(length), way * ratio[:, None])
