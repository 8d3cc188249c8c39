"""Cyclic coordinate descent on trees: each joint turns so that all goals below it fit best."""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik._tree import Task, fitted, restand, stand
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import rotation


def step(task: Task, local: Array, roots: Array) -> tuple[Array, Array]:
    """Turn every joint once, from the ends to the root; then move the root, if it may, and turn the ends."""
    rig, local = task.rig, local.copy()
    positions, turned = stand(rig, local, roots)
    ends = sorted({goal.joint for goal in task.goals if goal.rotation is not None})
    for joint in (*sorted(task.pulled, reverse=True), *ends):
        before, after, weights = _pairs(task, joint, positions, turned)
        if not before:
            continue
        if len(before) == 1:
            turn = rotation.between(before[0], after[0])
        else:
            turn = fitted(np.stack(before, axis=1), np.stack(after, axis=1), np.array(weights))
        up = rig.parents[joint]
        now = rotation.multiply(turn, turned[:, joint])
        free = now if up < 0 else rotation.multiply(rotation.conjugate(turned[:, up]), now)
        local[:, joint] = task.clamped(joint, rotation.normalize(free))
        if up < 0:
            turned[:, joint] = local[:, joint]
        else:
            turned[:, joint] = rotation.normalize(rotation.multiply(turned[:, up], local[:, joint]))
        below = [j for j in range(joint + 1, len(rig.parents)) if joint in task.above[j]]
        restand(rig, local, positions, turned, below)
    if task.free:
        goals = [goal for goal in task.goals if goal.position is not None]
        if goals:
            off = [goal.weight * (goal.position - positions[:, goal.joint]) for goal in goals]
            roots = roots + sum(off) / sum(goal.weight for goal in goals)
    return local, roots


def _pairs(
    task: Task, joint: int, positions: Array, turned: Array
) -> tuple[list[Array], list[Array], list[float]]:
    """Return what hangs on `joint`, where each of it is to point, `[B, 3]`, and how much it counts."""
    here = positions[:, joint]
    before, after, weights = [], [], []
    for goal in task.goals:
        if joint not in task.above[goal.joint]:
            continue
        if goal.position is not None and goal.joint != joint:
            before.append(positions[:, goal.joint] - here)
            after.append(goal.position - here)
            weights.append(goal.weight)
        # The end turns to its orientation by itself: above, that would be torn from the places.
        if goal.rotation is not None and goal.joint == joint:
            for axis in task.reach * np.eye(3):
                before.append(rotation.rotate(turned[:, goal.joint], np.broadcast_to(axis, here.shape)))
                after.append(rotation.rotate(goal.rotation, np.broadcast_to(axis, here.shape)))
                weights.append(goal.weight)
    for pair in task.rig.loops:
        for a, b in (pair, pair[::-1]):
            if joint in task.above[a] and joint != a and joint not in task.above[b]:
                before.append(positions[:, a] - here)
                after.append(positions[:, b] - here)
                weights.append(1.0)
    return before, after, weights
