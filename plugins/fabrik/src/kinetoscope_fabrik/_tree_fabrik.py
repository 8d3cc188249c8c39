"""FABRIK on trees: several ends, sub-bases, loops, limits and orientations.

Aristidou and Lasenby 2011, sections 4 and 5; Aristidou, Chrysanthou and Lasenby 2016, "Extending
FABRIK with model constraints", Computer Animation and Virtual Worlds 27(1). Inwards joints are placed
as points, at sub-bases in the weighted middle of what their branches ask for; outwards each joint is
turned to where those points are, by the shortest way, and turned back into its limit.
"""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik import _poles
from kinetoscope_fabrik._cases import dot, unit
from kinetoscope_fabrik._tree import Task, fitted, stand
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import rotation


def step(task: Task, local: Array, roots: Array) -> tuple[Array, Array]:
    """Reach inwards from all goals and outwards from the root, once."""
    positions, _ = stand(task.rig, local, roots)
    wanted = _inwards(task, positions)
    if not task.free:
        wanted[:, 0] = roots
    bend(task, wanted)
    return outwards(task, local, wanted)


def _inwards(task: Task, positions: Array) -> Array:
    """Return where joints are wanted `[B, J, 3]`, from the ends to the root."""
    rig, wanted = task.rig, positions.copy()
    weights = [0.0] * len(rig.parents)
    standing = {goal.joint: goal.rotation for goal in task.goals if goal.rotation is not None}
    for joint in sorted(task.pulled, reverse=True):
        pulls = [
            (goal.position, goal.weight)
            for goal in task.goals
            if goal.joint == joint and goal.position is not None
        ]
        pulls += [(0.5 * (positions[:, a] + positions[:, b]), 1.0) for a, b in rig.loops if joint in (a, b)]
        for child in task.children(joint):
            if weights[child] == 0:
                continue
            offset = rig.offsets[child]
            if joint in standing:
                back = -rotation.rotate(standing[joint], np.broadcast_to(offset, wanted[:, child].shape))
            else:
                back = np.linalg.norm(offset) * unit(positions[:, joint] - wanted[:, child])
            pulls.append((wanted[:, child] + back, weights[child]))
        weights[joint] = sum(weight for _, weight in pulls)
        if pulls:
            wanted[:, joint] = sum(weight * place for place, weight in pulls) / weights[joint]
    return wanted


def bend(task: Task, wanted: Array) -> None:
    """Turn the points `wanted [B, J, 3]` of each limb with a pole about the line from its base to its end.

    A limb begins below the joint that others hang on, too: that one can't turn for it alone.
    """
    for goal in task.goals:
        if goal.pole is None:
            continue
        limb = [goal.joint]
        while (up := task.rig.parents[limb[-1]]) >= 0 and len(task.children(up)) == 1:
            limb.append(up)
        if len(limb) > 2:
            base = wanted[:, limb[-1]]
            points = wanted[:, limb[::-1]] - base[:, None]
            wanted[:, limb[::-1]] = _poles.towards(points, goal.pole - base) + base[:, None]


def outwards(task: Task, local: Array, wanted: Array) -> tuple[Array, Array]:
    """Turn joints to where they are wanted `[B, J, 3]`, from the root to the ends, each within its limit."""
    rig, local = task.rig, local.copy()
    positions, turned = np.empty_like(wanted), np.empty_like(local)
    standing = {goal.joint: goal.rotation for goal in task.goals if goal.rotation is not None}
    for joint, up in enumerate(rig.parents):
        if up < 0:
            positions[:, joint], above = wanted[:, joint], None
        else:
            offset = np.broadcast_to(rig.offsets[joint], wanted[:, joint].shape)
            above = turned[:, up]
            positions[:, joint] = positions[:, up] + rotation.rotate(above, offset)
        now = local[:, joint] if above is None else rotation.multiply(above, local[:, joint])
        if joint in task.pulled:
            now = (
                standing[joint]
                if joint in standing
                else _turned(task, joint, now, local, (positions, wanted))
            )
            free = now if above is None else rotation.multiply(rotation.conjugate(above), now)
            local[:, joint] = task.clamped(joint, rotation.normalize(free))
            now = local[:, joint] if above is None else rotation.multiply(above, local[:, joint])
        turned[:, joint] = rotation.normalize(now)
    return local, wanted[:, 0].copy()


def _turned(task: Task, joint: int, now: Array, local: Array, places: tuple[Array, Array]) -> Array:
    """Turn `now [B, 4]` the shortest way so that the joints below come to where they are wanted.

    `places` are the positions so far and those that are wanted, `[B, J, 3]`.
    """
    positions, wanted = places
    children = [child for child in task.children(joint) if task.rig.offsets[child].any()]
    if not children:
        return now
    before = np.stack([_carried(task, child, now) for child in children], axis=1)
    after = np.stack([wanted[:, child] - positions[:, joint] for child in children], axis=1)
    if len(children) > 1:
        return np.asarray(rotation.multiply(fitted(before, after, np.ones(len(children))), now))
    now = rotation.multiply(rotation.between(before[:, 0], after[:, 0]), now)
    return _twisted(task, children[0], now, local, (positions[:, joint], wanted))


def _twisted(task: Task, child: int, now: Array, local: Array, places: tuple[Array, Array]) -> Array:
    """Twist `now [B, 4]` about its bone so that a hinged or twistless child can turn to what hangs on it.

    A ball needs no such help: it turns there itself.
    """
    below = [joint for joint in task.children(child) if task.rig.offsets[joint].any()]
    if child not in task.rig.limits or len(below) != 1:
        return now
    here, wanted = places
    bone = _carried(task, child, now)
    axis = unit(bone)
    before = _carried(task, below[0], rotation.multiply(now, local[:, child]))
    after = wanted[:, below[0]] - (here + bone)
    a, b = (v - dot(v, axis)[:, None] * axis for v in (before, after))
    clear = np.minimum(dot(a, a), dot(b, b)) > (1e-3 * np.linalg.norm(task.rig.offsets[below[0]])) ** 2
    angle = np.arctan2(dot(np.cross(a, b), axis), dot(a, b))
    turn = rotation.from_axis_angle(axis, np.where(clear, angle, 0.0))
    return np.asarray(rotation.multiply(turn, now))


def _carried(task: Task, joint: int, turned: Array) -> Array:
    """Return the offset of `joint` in the world `[B, 3]`, its parent turned so."""
    offset = np.broadcast_to(task.rig.offsets[joint], (len(turned), 3))
    return np.asarray(rotation.rotate(turned, offset))
