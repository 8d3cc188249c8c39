"""The laws of the hook `solver`, to be run on any provider of it.

    class TestMine(SolverContract):
        provider = MySolver()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kinetoscope_fabrik.protocol import Array, Solution, Solver
from kinetoscope_spec import ContractError, rotation

__all__ = ["SolverContract", "poses", "turns"]

_TOLERANCE_M = 1e-3

# One law serves many classes: examples that one of them saved are good for the others, too.
_law = settings(deadline=None, suppress_health_check=[HealthCheck.differing_executors])


def _directions(draw: Any, shape: tuple[int, ...]) -> Array:
    cube = draw(arrays(np.float64, shape, elements=st.floats(-1, 1, width=32)))
    size = np.linalg.norm(cube, axis=-1, keepdims=True)
    unit: Array = np.where(size > 1e-3, cube / np.maximum(size, 1e-3), np.array([0.0, 1.0, 0.0]))
    return unit


def _joints(directions: Array, lengths: Array) -> Array:
    steps = np.cumsum(directions * lengths[..., None], axis=-2)
    return np.concatenate([np.zeros_like(steps[..., :1, :]), steps], axis=-2)


@st.composite
def poses(draw: Any, *, bones: int = 8, batch: int = 3) -> tuple[Array, Array]:
    """Draw two poses `[B, N, 3]` of the same chains: one to begin with, the end of one to reach."""
    shape = draw(st.integers(1, batch)), draw(st.integers(1, bones))
    length = st.one_of(st.floats(0.01, 1.0), st.just(0.0), st.just(0.1))
    lengths = draw(arrays(np.float64, shape, elements=length))
    root = draw(arrays(np.float64, (shape[0], 1, 3), elements=st.floats(-5, 5, width=32)))
    return (
        _joints(_directions(draw, (*shape, 3)), lengths) + root,
        _joints(_directions(draw, (*shape, 3)), lengths) + root,
    )


@st.composite
def turns(draw: Any) -> Array:
    """Draw a unit quaternion."""
    q = draw(arrays(np.float64, 4, elements=st.floats(-1, 1, width=32)))
    unit: Array = rotation.normalize(q if np.linalg.norm(q) > 1e-3 else np.array([0.0, 0.0, 0.0, 1.0]))
    return unit


def _require(holds: Any, law: str) -> None:
    if not np.all(holds):
        raise ContractError(f"law broken: {law}")


def _lengths(p: Array) -> Array:
    lengths: Array = np.linalg.norm(np.diff(p, axis=1), axis=-1)
    return lengths


def _total(p: Array) -> Array:
    total: Array = _lengths(p).sum(axis=1)
    return total


class SolverContract:
    """What callers of a solver rely on; subclass it and set `provider`."""

    provider: Solver

    def _solve(self, chains: Array, targets: Array, **options: Any) -> Solution:
        solution = self.provider.solve(chains, targets, **options)
        _require(np.isfinite(solution.positions).all(), "no position is NaN or infinite")
        _require(solution.positions.shape == chains.shape, "positions have the shape of the chains")
        return solution

    @_law
    @given(poses(), st.floats(-2, 2), st.booleans())
    def test_lengths_and_roots_are_kept(self, drawn: tuple[Array, Array], far: float, bend: bool) -> None:
        """Whatever the target, in reach or not, no segment changes its length by 1e-5 of it."""
        chains, other = drawn
        targets = other[:, -1] * far
        poles = other[:, 0] + 1.0 if bend else None
        solved = self._solve(chains, targets, poles=poles).positions
        before, after = _lengths(chains), _lengths(solved)
        _require(np.abs(after - before) <= 1e-5 * before + 1e-12, "segments keep their lengths")
        _require(solved[:, 0] == chains[:, 0], "roots stay")

    @_law
    @given(poses())
    def test_reachable_targets_are_reached(self, drawn: tuple[Array, Array]) -> None:
        """A place where the end can be is reached at the default of 100 iterations."""
        chains, other = drawn
        solution = self._solve(chains, other[:, -1], tolerance=_TOLERANCE_M)
        off = np.linalg.norm(solution.positions[:, -1] - other[:, -1], axis=1)
        _require(off <= _TOLERANCE_M + 1e-9, f"reachable targets are reached (off by {off.max():.3g} m)")
        _require(solution.converged, "what reached its target is marked converged")

    @_law
    @given(poses(), turns(), st.floats(1.0, 1e4))
    def test_out_of_reach_is_straight(self, drawn: tuple[Array, Array], turn: Array, far: float) -> None:
        """A chain whose target is out of reach lies on the line towards it, fully stretched."""
        chains, _ = drawn
        way = rotation.rotate(turn, np.array([0.0, 0.0, 1.0]))
        total = _total(chains)
        distance = total * far + 0.01
        solution = self._solve(chains, chains[:, 0] + distance[:, None] * way)
        along = np.cumsum(np.pad(_lengths(chains), [(0, 0), (1, 0)]), axis=1)
        straight = chains[:, :1] + along[..., None] * way
        _require(
            np.abs(solution.positions - straight) <= 1e-3, "an unreachable target leaves the chain straight"
        )
        _require(~solution.converged, "what didn't reach its target is not marked converged")

    @_law
    @given(poses())
    def test_solved_chain_is_a_fixed_point(self, drawn: tuple[Array, Array]) -> None:
        """Solving what is solved changes nothing."""
        chains, other = drawn
        first = self._solve(chains, other[:, -1])
        again = self._solve(first.positions, other[:, -1])
        done = first.converged
        _require(again.positions[done] == first.positions[done], "a solved chain is a fixed point")
        _require(again.iterations[done] == 0, "a solved chain takes no iteration")

    @_law
    @given(poses(batch=20), st.booleans())
    def test_batch_equals_one_by_one(self, drawn: tuple[Array, Array], bend: bool) -> None:
        """A chain's solution doesn't depend on the batch that it is solved in."""
        chains, other = drawn
        poles = other[:, 0] + 1.0 if bend else None
        together = self._solve(chains, other[:, -1], poles=poles)
        for i in range(len(chains)):
            one = slice(i, i + 1)
            alone = self._solve(chains[one], other[one, -1], poles=None if poles is None else poles[one])
            _require(alone.positions == together.positions[one], "batch equals one by one")
            _require(
                alone.iterations == together.iterations[one], "batch equals one by one, in iterations too"
            )

    @_law
    @given(poses(), st.integers(-6, 6), turns(), arrays(np.float64, 3, elements=st.floats(-100, 100)))
    def test_world_commutes(self, drawn: tuple[Array, Array], power: int, turn: Array, move: Array) -> None:
        """Scaling and moving the world, with the tolerance, scales and moves the solution.

        So does turning it, unless a chain lies straight on the line to its target: then nothing
        but the world's axes can say to which side it is to bend.
        """
        chains, other = drawn
        plain = self._solve(chains, other[:, -1])
        scale = 2.0**power
        scaled = self._solve(chains * scale, other[:, -1] * scale, tolerance=_TOLERANCE_M * scale)
        _require(scaled.positions == plain.positions * scale, "scaling by powers of two commutes exactly")
        moved = self._solve(chains + move, other[:, -1] + move)
        size = 2 * _TOLERANCE_M + 1e-9
        off = np.linalg.norm(moved.positions[:, -1] - plain.positions[:, -1] - move, axis=-1)
        _require(off <= size, "moving commutes")
        turned = self._solve(rotation.rotate(turn, chains), rotation.rotate(turn, other[:, -1]))
        off = np.linalg.norm(turned.positions[:, -1] - rotation.rotate(turn, plain.positions[:, -1]), axis=-1)
        _require(off <= size, "turning commutes")
