"""Solvers with one thing wrong: what shows that the laws of `SolverContract` have teeth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_fabrik.protocol import Array, Solution
from kinetoscope_fabrik.rig import Goal, Posed, Rig
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Solves(Wrapper):
    """A solver whose solutions are changed."""

    def solve(self, chains: Array, targets: Array, **options: Any) -> Solution:
        return self.changed(self.real.solve(chains, targets, **options), targets, options)

    def changed(self, solution: Solution, targets: Array, options: dict[str, Any]) -> Solution:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "lengths_and_roots_are_kept")
class Tears(_Solves):
    """pulls the second joint towards the pole and stretches the bones about it"""

    def changed(self, solution: Solution, targets: Array, options: dict[str, Any]) -> Solution:
        if options.get("poles") is None:
            return solution
        positions = np.array(solution.positions)
        positions[:, 1:2] += 0.01 * (options["poles"][:, None] - positions[:, 1:2])
        return attrs.evolve(solution, positions=positions)


@mutant(MUTANTS, "reachable_targets_are_reached")
class Doubts(_Solves):
    """marks converged only what came ten times as near as was asked for"""

    def changed(self, solution: Solution, targets: Array, options: dict[str, Any]) -> Solution:
        off = np.linalg.norm(solution.positions[:, -1] - targets, axis=-1)
        near = off <= options.get("tolerance", 1e-3) / 10
        return attrs.evolve(solution, converged=solution.converged & near)


@mutant(MUTANTS, "out_of_reach_is_straight")
class Claims(_Solves):
    """marks every chain converged"""

    def changed(self, solution: Solution, targets: Array, options: dict[str, Any]) -> Solution:
        return attrs.evolve(solution, converged=np.ones_like(solution.converged))


@mutant(MUTANTS, "solved_chain_is_a_fixed_point")
class Insists(_Solves):
    """takes an iteration where there is nothing to do"""

    def changed(self, solution: Solution, targets: Array, options: dict[str, Any]) -> Solution:
        return attrs.evolve(solution, iterations=np.maximum(solution.iterations, 1))


@mutant(MUTANTS, "batch_equals_one_by_one")
class Waits(_Solves):
    """iterates every chain as often as the slowest of its batch"""

    def changed(self, solution: Solution, targets: Array, options: dict[str, Any]) -> Solution:
        most = solution.iterations.max(initial=0)
        return attrs.evolve(solution, iterations=np.full_like(solution.iterations, most))


@mutant(MUTANTS, "world_commutes")
class Fixed(Wrapper):
    """has a tolerance of its own, a millimetre at most, whatever is asked for"""

    def solve(self, chains: Array, targets: Array, *, tolerance: float = 1e-3, **options: Any) -> Solution:
        solution: Solution = self.real.solve(chains, targets, tolerance=min(tolerance, 1e-3), **options)
        return solution


@mutant(MUTANTS, "no_joint_leaves_its_limit")
class Overshoots(Wrapper):
    """turns every joint of a rig that it had to solve a degree farther than it may"""

    def pose(self, rig: Rig, rotations: Array, goals: Sequence[Goal], **options: Any) -> Posed:
        posed: Posed = self.real.pose(rig, rotations, goals, **options)
        half = np.radians(0.5)
        x, y, z, w = np.moveaxis(posed.rotations, -1, 0)
        c, s = np.cos(half), np.sin(half)
        turned = np.stack([x * c + w * s, y * c + z * s, z * c - y * s, w * c - x * s], axis=-1)
        solved = (posed.iterations > 0)[:, None, None]
        return attrs.evolve(posed, rotations=np.where(solved, turned, posed.rotations))


@mutant(MUTANTS, "met_goals_are_left_alone")
class Fidgets(Wrapper):
    """counts an iteration for rigs that meet their goals already"""

    def pose(self, rig: Rig, rotations: Array, goals: Sequence[Goal], **options: Any) -> Posed:
        posed: Posed = self.real.pose(rig, rotations, goals, **options)
        return attrs.evolve(posed, iterations=np.maximum(posed.iterations, 1))


@mutant(MUTANTS, "poses_are_solved_alone")
class Averages(Wrapper):
    """tells every place as the mean of the batch's"""

    def pose(self, rig: Rig, rotations: Array, goals: Sequence[Goal], **options: Any) -> Posed:
        posed: Posed = self.real.pose(rig, rotations, goals, **options)
        shift = posed.positions.mean(axis=(0, 1)) - posed.positions[:, :1].mean(axis=0)
        return attrs.evolve(posed, positions=posed.positions + 1e-3 * shift)
