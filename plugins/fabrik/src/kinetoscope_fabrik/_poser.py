"""Solving batches of poses of a rig: what comes in is checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_fabrik import _poles, _tree, _tree_fabrik
from kinetoscope_fabrik._chain import ArraySolver, check_iterations, numbers
from kinetoscope_fabrik.protocol import Array
from kinetoscope_fabrik.rig import Goal, Posed, Rig
from kinetoscope_spec import ValidationError, rotation

__all__ = ["RigSolver"]


class RigSolver(ArraySolver):
    """What the solvers of rigs share; each has its own `_steps`, which take turns."""

    def _steps(self) -> Sequence[_tree.Step]:
        raise NotImplementedError

    def pose(
        self,
        rig: Rig,
        rotations: Array,
        goals: Sequence[Goal],
        *,
        roots: Array | None = None,
        free_root: bool = False,
        tolerance: float = 1e-3,
        angle: float = 1e-3,
        iterations: int = 100,
    ) -> Posed:
        """Solve a batch of poses of one rig; see `PoseSolver.pose`."""
        local = _unit("rotations", numbers("rotations", rotations, (None, len(rig.parents), 4)))
        batch = len(local)
        places = np.zeros((batch, 3)) if roots is None else numbers("roots", roots, (batch, 3))
        for name, value in (("tolerance", tolerance), ("angle", angle)):
            if not (np.isfinite(value) and value >= 0):
                raise ValidationError(f"{name} is {value}, expected a number, 0 or more")
        check_iterations(iterations)
        task = _tree.Task.of(rig, [_checked(rig, goal, batch) for goal in goals], free_root)
        if not task.pulled:
            raise ValidationError("there is no goal and no loop, expected at least one")
        for joint in rig.limits:
            local[:, joint] = task.clamped(joint, local[:, joint])
        if _is_chain(task):
            return self._chain(task, local, places, (tolerance, angle, iterations))
        posed = _tree.solve(task, local, places, self._steps(), (tolerance, angle, iterations))
        return self._bent(task, posed) if any(goal.pole is not None for goal in goals) else posed

    def _bent(self, task: _tree.Task, posed: Posed) -> Posed:
        """Turn solved limbs to their poles, in the poses that miss no more for it (limits may say no)."""
        wanted = posed.positions.copy()
        _tree_fabrik.bend(task, wanted)
        moves = np.abs(wanted - posed.positions).max(axis=(1, 2)) > 1e-9
        local, _ = _tree_fabrik.outwards(task, posed.rotations, wanted)
        positions, turned = _tree.stand(task.rig, local, posed.roots)
        metres, radians, _ = _tree.misses(task, positions, turned)
        taken = moves & (metres <= posed.off_m + 1e-9) & (radians <= posed.off_rad + 1e-9)
        rows = taken[:, None, None]
        return attrs.evolve(
            posed,
            rotations=np.where(rows, local, posed.rotations),
            positions=np.where(rows, positions, posed.positions),
        )

    def _chain(self, task: _tree.Task, local: Array, roots: Array, limits: tuple[float, float, int]) -> Posed:
        """Solve the chain from the root to the one goal as a chain of points, and turn the joints to it."""
        goal, (tolerance, angle, iterations) = task.goals[0], limits
        assert goal.position is not None
        positions, turned = _tree.stand(task.rig, local, roots)
        path = list(task.above[goal.joint])
        wanted = positions.copy()
        wanted[:, path], count, _ = self._run(positions[:, path], goal.position, tolerance, iterations)
        if goal.pole is not None:
            base = roots[:, None]
            wanted[:, path] = _poles.towards(wanted[:, path] - base, goal.pole - roots) + base
        metres, radians, _ = _tree.misses(task, positions, turned)
        near = tolerance * (1 + 1e-9) + 1e-12 * task.reach  # what points met, joints meet but for rounding
        solved = (metres <= near) & (radians <= angle)
        still = solved if goal.pole is None else solved & (np.abs(wanted - positions).max(axis=(1, 2)) < 1e-9)
        still |= iterations == 0
        after, _ = _tree_fabrik.outwards(task, local, wanted)
        local = np.where(still[:, None, None], local, after)
        positions, turned = _tree.stand(task.rig, local, roots)
        metres, radians, _ = _tree.misses(task, positions, turned)
        count = np.where(still, 0, np.maximum(count, 1))
        met = (metres <= near) & (radians <= angle)
        return Posed(local, roots, positions, count, met, metres, radians)


def _is_chain(task: _tree.Task) -> bool:
    """Tell whether a task is one place to reach, by joints that turn freely, from a root that stays."""
    one = len(task.goals) == 1 and task.goals[0].position is not None
    return one and not (task.free or task.rig.loops or task.pulled & task.rig.limits.keys())


def _checked(rig: Rig, goal: Goal, batch: int) -> Goal:
    if not 0 <= goal.joint < len(rig.parents):
        raise ValidationError(f"a goal is at joint {goal.joint}, expected 0 to {len(rig.parents) - 1}")
    if not (np.isfinite(goal.weight) and goal.weight > 0):
        raise ValidationError(f"the goal at joint {goal.joint} has weight {goal.weight}, expected above 0")
    parts: dict[str, Any] = {}
    for name, width in (("position", 3), ("rotation", 4), ("pole", 3)):
        value = getattr(goal, name)
        if value is not None:
            parts[name] = numbers(f"the goal's {name} at joint {goal.joint}", value, (batch, width))
    if "rotation" in parts:
        parts["rotation"] = _unit(f"the goal's rotation at joint {goal.joint}", parts["rotation"])
    return attrs.evolve(goal, **parts)


def _unit(name: str, q: Array) -> Array:
    if (np.abs((q * q).sum(axis=-1) - 1) > 1e-3).any():
        raise ValidationError(f"{name} holds a quaternion that is not of length 1")
    exact = np.abs((q * q).sum(axis=-1, keepdims=True) - 1) < 1e-12
    return np.where(exact, q, rotation.normalize(q))
