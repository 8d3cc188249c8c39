"""The laws of the hook `solver`, to be run on any provider of it.

    class TestMine(SolverContract):
        provider = MySolver()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from typing import Any, ClassVar
from unittest import SkipTest

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kinetoscope_fabrik.contract_rigs import Drawn, beyond, rigs
from kinetoscope_fabrik.protocol import Array, Solution
from kinetoscope_fabrik.rig import Posed, PoseSolver
from kinetoscope_spec.contracts import Contract, law, require

__all__ = ["SolverContract", "poses", "turns"]

_TOLERANCE_M = 1e-3


def _directions(draw: Any, shape: tuple[int, ...]) -> Array:
    # Without a fill every number is drawn; with one most directions would be the same.
    cube = draw(arrays(np.float64, shape, elements=st.floats(-1, 1, width=32), fill=st.nothing()))
    size = np.linalg.norm(cube, axis=-1, keepdims=True)
    unit: Array = np.where(size > 1e-3, cube / np.maximum(size, 1e-3), np.array([0.0, 1.0, 0.0]))
    return unit


def _joints(directions: Array, lengths: Array) -> Array:
    steps = np.cumsum(directions * lengths[..., None], axis=-2)
    return np.concatenate([np.zeros_like(steps[..., :1, :]), steps], axis=-2)


@st.composite
def poses(draw: Any, *, bones: int = 8, batch: int = 3) -> tuple[Array, Array]:
    """Draw two poses `[B, N, 3]` of the same chains: one to begin with, the end of one to reach.

    Of few sizes: one, two or `bones` bones, alone or `batch` together. Some libraries compile
    code for every size, a second each.
    """
    shape = draw(st.sampled_from((1, batch))), draw(st.sampled_from((1, 2, bones)))
    length = st.one_of(st.floats(0.01, 1.0), st.just(0.0), st.just(0.1))
    lengths = draw(arrays(np.float64, shape, elements=length, fill=st.nothing()))
    root = draw(arrays(np.float64, (shape[0], 1, 3), elements=st.floats(-5, 5, width=32)))
    return (
        _joints(_directions(draw, (*shape, 3)), lengths) + root,
        _joints(_directions(draw, (*shape, 3)), lengths) + root,
    )


@st.composite
def turns(draw: Any) -> Array:
    """Draw a unit quaternion."""
    q = draw(arrays(np.float64, 4, elements=st.floats(-1, 1, width=32)))
    size = np.linalg.norm(q)
    unit: Array = q / size if size > 1e-3 else np.array([0.0, 0.0, 0.0, 1.0])
    return unit


def _matrix(q: Array) -> Array:
    """Return the rotation `[3, 3]` of a quaternion: I + 2w[v] + 2[v]^2, by none of the solvers' code."""
    x, y, z, w = q
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix: Array = np.eye(3) + 2 * w * cross + 2 * cross @ cross
    return matrix


def _lengths(p: Array) -> Array:
    lengths: Array = np.linalg.norm(np.diff(p, axis=1), axis=-1)
    return lengths


class SolverContract(Contract):
    """What callers of a solver rely on; subclass it and set `provider`.

    A provider for chains of some sizes only has an attribute `bones`, the least and the greatest.
    """

    hook: ClassVar[str] = "solver"
    mutants: ClassVar[str | None] = "kinetoscope_fabrik.contract_mutants:MUTANTS"

    @law(poses(), st.floats(-2, 2), st.booleans())
    def test_lengths_and_roots_are_kept(self, drawn: tuple[Array, Array], far: float, bend: bool) -> None:
        """Whatever the target, in reach or not, no segment changes its length by 1e-5 of it."""
        chains, other = self._fitting(drawn)
        targets = other[:, -1] * far
        poles = other[:, 0] + 1.0 if bend else None
        solved = self._solve(chains, targets, poles=poles).positions
        before, after = _lengths(chains), _lengths(solved)
        off = np.abs(after - before)
        require(off <= 1e-5 * before + 1e-12, f"a segment changed its length by {off.max():.3g} m")
        away = np.abs(solved[:, 0] - chains[:, 0]).max()
        require(away == 0, f"a root moved by {away:.3g} m, expected it to stay")

    @law(poses())
    def test_reachable_targets_are_reached(self, drawn: tuple[Array, Array]) -> None:
        """A place where the end can be is reached at the default of 100 iterations."""
        chains, other = self._fitting(drawn)
        solution = self._solve(chains, other[:, -1], tolerance=_TOLERANCE_M)
        off = np.linalg.norm(solution.positions[:, -1] - other[:, -1], axis=1)
        require(
            off <= _TOLERANCE_M + 1e-9, f"a target in reach was missed by {off.max():.3g} m, expected 1e-3 m"
        )
        require(solution.converged, "a chain reached its target, but is not marked converged")

    @law(poses(), turns(), st.floats(1.0, 1e4))
    def test_out_of_reach_is_straight(self, drawn: tuple[Array, Array], turn: Array, far: float) -> None:
        """A chain whose target is out of reach lies on the line towards it, fully stretched."""
        chains, _ = self._fitting(drawn)
        way = _matrix(turn)[:, 2]
        distance = _lengths(chains).sum(axis=1) * far + 0.01
        solution = self._solve(chains, chains[:, 0] + distance[:, None] * way)
        along = np.cumsum(np.pad(_lengths(chains), [(0, 0), (1, 0)]), axis=1)
        off = np.abs(solution.positions - chains[:, :1] - along[..., None] * way).max()
        require(off <= 1e-3, f"a joint is {off:.3g} m off the straight line to a target out of reach")
        require(~solution.converged, "a chain did not reach its target, but is marked converged")

    @law(poses())
    def test_solved_chain_is_a_fixed_point(self, drawn: tuple[Array, Array]) -> None:
        """Solving what is solved changes nothing."""
        chains, other = self._fitting(drawn)
        first = self._solve(chains, other[:, -1])
        again = self._solve(first.positions, other[:, -1])
        done = first.converged
        off = np.abs(again.positions[done] - first.positions[done]).max(initial=0)
        require(off == 0, f"a solved chain moved by {off:.3g} m when it was solved again")
        took = again.iterations[done].max(initial=0)
        require(took == 0, f"a solved chain took {took} iterations, expected none")

    @law(poses(batch=20), st.booleans())
    def test_batch_equals_one_by_one(self, drawn: tuple[Array, Array], bend: bool) -> None:
        """A chain's solution doesn't depend on the batch that it is solved in."""
        chains, other = self._fitting(drawn)
        poles = other[:, 0] + 1.0 if bend else None
        together = self._solve(chains, other[:, -1], poles=poles)
        for i in range(len(chains)):
            one = slice(i, i + 1)
            alone = self._solve(chains[one], other[one, -1], poles=None if poles is None else poles[one])
            off = np.abs(alone.positions - together.positions[one]).max()
            require(off == 0, f"chain {i} of {len(chains)} is {off:.3g} m elsewhere when solved alone")
            took = int(alone.iterations[0]), int(together.iterations[i])
            require(took[0] == took[1], f"chain {i} takes {took[0]} iterations alone, {took[1]} in its batch")

    @law(
        poses(),
        st.sampled_from((3, -3, 6, -6, 1, -1)),
        turns(),
        arrays(np.float64, 3, elements=st.floats(-100, 100)),
    )
    def test_world_commutes(self, drawn: tuple[Array, Array], power: int, turn: Array, move: Array) -> None:
        """Scaling and moving the world, with the tolerance, scales and moves the solution.

        So does turning it, unless a chain lies straight on the line to its target: then nothing
        but the world's axes can say to which side it is to bend.
        """
        chains, other = self._fitting(drawn)
        plain = self._solve(chains, other[:, -1])
        scale = 2.0**power
        scaled = self._solve(chains * scale, other[:, -1] * scale, tolerance=_TOLERANCE_M * scale)
        off = np.abs(scaled.positions - plain.positions * scale).max()
        require(off == 0, f"in a world {scale:g} times as large the solution is {off:.3g} m elsewhere")
        size = 2 * _TOLERANCE_M + 1e-9
        moved = self._solve(chains + move, other[:, -1] + move)
        off = np.linalg.norm(moved.positions[:, -1] - plain.positions[:, -1] - move, axis=-1)
        require(off <= size, f"in a world moved by {move.tolist()} m ends are {off.max():.3g} m elsewhere")
        turning = _matrix(turn).T
        turned = self._solve(chains @ turning, other[:, -1] @ turning)
        off = np.linalg.norm(turned.positions[:, -1] - plain.positions[:, -1] @ turning, axis=-1)
        require(
            off <= size, f"in a world turned by {turn.round(3).tolist()} ends are {off.max():.3g} m elsewhere"
        )

    @law(rigs())
    def test_no_joint_leaves_its_limit(self, drawn: Drawn) -> None:
        """Whatever a rig's goals, in reach or not, hinges and cones hold and offsets keep their lengths."""
        posed = self._pose(drawn)
        over = beyond(drawn.rig, posed.rotations)
        require(over <= 1e-6, f"a joint is {over:.3g} rad beyond its limit")
        up = np.array(drawn.rig.parents[1:])
        bones = np.linalg.norm(posed.positions[:, 1:] - posed.positions[:, up], axis=-1)
        off = np.abs(bones - np.linalg.norm(drawn.rig.offsets[1:], axis=-1)).max(initial=0)
        require(off <= 1e-6, f"a bone of a rig changed its length by {off:.3g} m")

    @law(rigs(met=True))
    def test_met_goals_are_left_alone(self, drawn: Drawn) -> None:
        """A rig within its limits whose goals are met is returned as it came."""
        posed = self._pose(drawn)
        off = np.abs(posed.rotations - drawn.rotations).max(initial=0)
        require(off == 0, f"a rig that met its goals turned by {off:.3g}")
        require(posed.iterations == 0, "a rig that met its goals took iterations, expected none")
        require(posed.converged, "a rig meets its goals, but is not marked converged")

    @law(rigs())
    def test_poses_are_solved_alone(self, drawn: Drawn) -> None:
        """A rig's pose doesn't depend on the batch that it is solved in."""
        together = self._pose(drawn)
        for i in range(len(drawn.rotations)):
            alone = self._pose(drawn.one(i))
            off = np.abs(alone.positions[0] - together.positions[i]).max()
            require(
                off == 0, f"pose {i} of {len(drawn.rotations)} is {off:.3g} m elsewhere when solved alone"
            )

    def _pose(self, drawn: Drawn) -> Posed:
        if not isinstance(self.subject, PoseSolver):
            raise SkipTest("solves chains, not rigs")
        posed = self.subject.pose(drawn.rig, drawn.rotations, drawn.goals, free_root=drawn.free, iterations=6)
        shape = drawn.rotations.shape
        require(
            posed.rotations.shape == shape, f"rotations have shape {posed.rotations.shape}, expected {shape}"
        )
        require(np.isfinite(posed.rotations) & np.isfinite(posed.positions).all(), "a pose is not finite")
        return posed

    def _fitting(self, drawn: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return the poses with as many bones as the provider takes: cut off, or the last one repeated."""
        least, most = getattr(self.subject, "bones", (1, drawn[0].shape[1]))
        first, second = (poses[:, : most + 1] for poses in drawn)
        while first.shape[1] <= least:
            first, second = (
                np.concatenate([poses, 2 * poses[:, -1:] - poses[:, -2:-1]], axis=1)
                for poses in (first, second)
            )
        return first, second

    def _solve(self, chains: Array, targets: Array, **options: Any) -> Solution:
        solution: Solution = self.subject.solve(chains, targets, **options)
        require(
            solution.positions.shape == chains.shape,
            f"positions have shape {solution.positions.shape}, the chains {chains.shape}",
        )
        require(np.isfinite(solution.positions), "a position is not finite")
        return solution
