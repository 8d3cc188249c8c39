"""Damped least squares on trees, within joint limits."""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik._cases import dot
from kinetoscope_fabrik._tree import Task, stand
from kinetoscope_fabrik.joints import Hinge
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import rotation

_FLOOR = 1e-6
"""The damping that stays when the error is gone (Sugihara 2011)."""

_CLAMPED_RAD = 1e-9


def step(task: Task, local: Array, roots: Array) -> tuple[Array, Array]:
    """Take one step, and where limits stopped joints, one more with all others."""
    held = np.zeros(local.shape[:2], bool)
    local, roots, held = _step(task, local, roots, held)
    again = np.flatnonzero(held.any(axis=1))
    if len(again):
        local[again], roots[again], _ = _step(task.at(again), local[again], roots[again], held[again])
    return local, roots


def _step(task: Task, local: Array, roots: Array, held: Array) -> tuple[Array, Array, Array]:
    """Turn joints that are not `held [B, J]`; return poses, roots and which joints their limits stopped."""
    rig = task.rig
    positions, turned = stand(rig, local, roots)
    error, rows = _system(task, positions, turned, ~held)
    damping = 0.5 * dot_all(error) + _FLOOR
    normal = rows @ rows.swapaxes(1, 2) + damping[:, None, None] * np.eye(error.shape[1])
    answer = (rows.swapaxes(1, 2) @ np.linalg.solve(normal, error[..., None]))[..., 0]
    local, stopped = local.copy(), np.zeros_like(held)
    for place, joint in enumerate(sorted(task.pulled)):
        turn = rotation.from_rotation_vector(answer[:, 3 * place : 3 * place + 3])
        up = rig.parents[joint]
        now = rotation.multiply(turn, turned[:, joint])
        free = now if up < 0 else rotation.multiply(rotation.conjugate(turned[:, up]), now)
        free = np.where(held[:, joint, None], local[:, joint], rotation.normalize(free))
        local[:, joint] = task.clamped(joint, free)
        if joint in rig.limits:
            stopped[:, joint] = rig.limits[joint].excess(free) > _CLAMPED_RAD
    roots = roots + task.reach * answer[:, -3:] if task.free else roots.copy()
    return local, roots, stopped


def dot_all(error: Array) -> Array:
    """Return the squared lengths of `[B, R]`, summed in order."""
    squared: Array = np.cumsum(error * error, axis=1)[:, -1]
    return squared


def _system(task: Task, positions: Array, turned: Array, moving: Array) -> tuple[Array, Array]:
    """Return the error `[B, R]` and how turning joints and moving the root change it, `[B, R, 3 K (+ 3)]`.

    Metres are counted in the rig's reach, weights in the greatest: so large rigs are solved as small
    ones, and what is damped is neither.
    """
    errors, rows = [], []
    heaviest = max([goal.weight for goal in task.goals] + [1.0 for _ in task.rig.loops])
    for goal in task.goals:
        weight = np.sqrt(goal.weight / heaviest)
        if goal.position is not None:
            errors.append(weight / task.reach * (goal.position - positions[:, goal.joint]))
            rows.append(weight * _moves(task, goal.joint, positions, turned, moving))
        if goal.rotation is not None:
            off = rotation.multiply(goal.rotation, rotation.conjugate(turned[:, goal.joint]))
            errors.append(weight * rotation.to_rotation_vector(off))
            rows.append(weight * _turns(task, goal.joint, turned, moving))
    for a, b in task.rig.loops:
        even = np.sqrt(1.0 / heaviest)
        errors.append(even / task.reach * (positions[:, b] - positions[:, a]))
        apart = _moves(task, a, positions, turned, moving) - _moves(task, b, positions, turned, moving)
        rows.append(even * apart)
    return np.concatenate(errors, axis=1), np.concatenate(rows, axis=1)


def _moves(task: Task, end: int, positions: Array, turned: Array, moving: Array) -> Array:
    """Return how the place of `end` changes, in reaches, `[B, 3, 3 K (+ 3)]`: turning by w moves it by w x r."""
    joints = sorted(task.pulled)
    rows = np.zeros((len(positions), 3, 3 * len(joints) + 3 * task.free))
    for place, joint in enumerate(joints):
        if joint in task.above[end] and joint != end:
            x, y, z = (positions[:, end] - positions[:, joint]).T / task.reach
            block = rows[:, :, 3 * place : 3 * place + 3]
            block[:, 0, 1], block[:, 0, 2] = z, -y
            block[:, 1, 0], block[:, 1, 2] = -z, x
            block[:, 2, 0], block[:, 2, 1] = y, -x
            _allowed(task, joint, turned, moving, block)
    if task.free:
        rows[:, :, -3:] = np.eye(3)
    return rows


def _turns(task: Task, end: int, turned: Array, moving: Array) -> Array:
    joints = sorted(task.pulled)
    rows = np.zeros((len(turned), 3, 3 * len(joints) + 3 * task.free))
    for place, joint in enumerate(joints):
        if joint in task.above[end]:
            block = rows[:, :, 3 * place : 3 * place + 3]
            block[:] = np.eye(3)
            _allowed(task, joint, turned, moving, block)
    return rows


def _allowed(task: Task, joint: int, turned: Array, moving: Array, block: Array) -> None:
    """Leave of a joint's columns what its hinge allows, and nothing where it is held."""
    limit = task.rig.limits.get(joint)
    if isinstance(limit, Hinge):
        axis = rotation.rotate(turned[:, joint], np.broadcast_to(limit.axis, (len(turned), 3)))
        along = dot(block, axis[:, None])
        block[:] = along[..., None] * axis[:, None]
    block *= moving[:, joint, None, None]
