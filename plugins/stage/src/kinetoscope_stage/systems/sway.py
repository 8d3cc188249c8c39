"""Secondary motion: joints that are dragged along, swing after and come to rest."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import Skeleton, ValidationError, rotation
from kinetoscope_stage._component import Array, Numbers, column, component
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Pose, Rig
from kinetoscope_stage.springs import SHORTEST_S, oscillate
from kinetoscope_stage.systems.poses import alike, line_to, parents_of, posed_line
from kinetoscope_stage.transforms import GlobalTransform
from kinetoscope_stage.view import View

__all__ = ["Sway", "SwaySystem", "sway"]


@component
class Sway:
    """Joints whose ends are weights on springs: hair, ears, a tail, a belly. `sway` makes one.

    Each has an end, a point that it carries. Where the clip would have that point is where its spring
    pulls it; it has its own inertia in the world. What moves on evenly does not lag behind: damping
    is relative to the body, not to the air. Joints stand in the order parents first.
    """

    joints: Numbers = column("K", dtype=np.int32, default=-1)  # -1: none
    ends: Numbers = column("K", 3, default=0)  # m, from the joint, in its own axes
    frequency: Numbers = column(default=2.5)  # Hz at which it swings
    damping: Numbers = column(default=0.35)  # 1 is critical: no swinging; below, it overshoots
    pull: Numbers = column(3, default=0)  # m, how far the weights hang from where the clip has them: gravity
    most: Numbers = column(default=0.9)  # rad off the clip
    weight: Numbers = column(default=1.0)  # 0 to 1
    known: Numbers = column(
        dtype=np.int8, default=0
    )  # 0 nothing yet, 1 where the goals are, 2 how fast they go
    at: Numbers = column("K", 3, default=0)  # m, in the world: where the weights are
    velocity: Numbers = column("K", 3, default=0)  # m/s
    goal: Numbers = column("K", 3, default=0)  # m, in the world: where their springs pulled them last


def sway(skeleton: Skeleton, *names: str, **options: float) -> Sway:
    """Return a `Sway` of the joints called `names`; `options` are its fields (frequency, damping, ...).

    A joint's end is its first child's place; one without children ends as far on as it is from its
    parent.

    Raises:
        ValidationError: no name, or one that the skeleton has not.
    """
    known = list(skeleton.names)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValidationError(f"joint {unknown[0] if unknown else ''!r} is not in this skeleton")
    joints = sorted({known.index(name) for name in names})
    rest = np.asarray(skeleton.rest_positions, np.float64)
    ends = []
    for joint in joints:
        children = np.flatnonzero(np.asarray(skeleton.parents) == joint)
        ends.append(rest[children[0]] if len(children) else rest[joint])
    return Sway(joints=joints, ends=ends, **options)


class SwaySystem:
    """Turns the joints of each `Sway` towards where its weights have swung to.

    Weights follow the exact solution of their springs, so that they swing alike at every frame rate.
    Bones keep their lengths, and no joint leaves the cone of `most` around where the clip has it.
    """

    name = "sway"
    reads = (Pose, Rig, GlobalTransform, Sway)
    writes = (Pose, Sway)
    after = ()

    def step(self, world: View, dt: float) -> None:
        """Swing on by `dt` s.

        Raises:
            ValidationError: a skeleton or joint that is not there.
        """
        library = world.resource(Library)
        for chunk in world.query(Pose, Rig, GlobalTransform, Sway):
            held, pose = chunk[Sway], chunk[Pose]
            for k in range(held.joints.shape[1]):
                joints = held.joints[:, k]
                for (number, joint), rows in alike(joints >= 0, chunk[Rig].skeleton, joints):
                    parents = parents_of(library, number, pose.positions.shape[1])
                    if joint >= len(parents):
                        raise ValidationError(f"joint {joint} is not in skeleton {number}")
                    _swing(pose, held, chunk[GlobalTransform], line_to(parents, joint), k, rows, dt)
            held.known[:] = np.minimum(held.known + (1 if dt >= SHORTEST_S else held.known == 0), 2)


def _swing(
    pose: Pose, held: Sway, at: GlobalTransform, line: list[int], k: int, rows: Array, dt: float
) -> None:
    positions, rotations = posed_line(pose, at, line, rows)
    p, q = positions[:, -1], rotations[:, -1]
    above = rotations[:, -2] if len(line) > 1 else at.rotation[rows]
    arm = rotation.rotate(q, at.scale[rows, None] * held.ends[rows, k])
    length = np.linalg.norm(arm, axis=-1, keepdims=True)
    goal, before = p + arm + held.pull[rows], held.goal[rows, k]
    started, moving = (held.known[rows, None] >= n for n in (1, 2))
    drift = np.where(started, goal - before, 0.0) / dt if dt >= SHORTEST_S else np.zeros_like(goal)
    x = np.where(started, held.at[rows, k], goal)
    v = np.where(moving, held.velocity[rows, k], drift)
    # Seen from a goal that moves evenly meanwhile, the spring's rest is at 0.
    swinging = held.frequency[rows, None], held.damping[rows, None]
    x, v = oscillate(x - np.where(started, before, goal), v - drift, 0.0, *swinging, dt)
    turn = rotation.to_rotation_vector(rotation.between(*_ways(arm, goal + x - p, length)))
    size = np.linalg.norm(turn, axis=-1, keepdims=True)
    most = np.maximum(held.most[rows, None], 0.0)
    turn *= np.minimum(1.0, most / np.maximum(size, 1e-12))
    # The weight stays where the bone and the cone allow it to be, and loses what speed would lead it out.
    swung = rotation.rotate(rotation.from_rotation_vector(turn), arm)
    v = _within(v, swung, arm, size > most)
    held.at[rows, k], held.goal[rows, k], held.velocity[rows, k] = p + swung, goal, v + drift
    shown = rotation.from_rotation_vector(turn * np.clip(held.weight[rows, None], 0.0, 1.0))
    turned = rotation.multiply(rotation.conjugate(above), rotation.multiply(shown, q))
    pose.rotations[rows, line[-1]] = rotation.normalize(turned)


def _within(v: Array, swung: Array, arm: Array, at_edge: Array) -> Array:
    """Return `v [n, 3]` without its part along the bone, and at the cone's edge without that outward."""
    way = swung / np.maximum(np.linalg.norm(swung, axis=-1, keepdims=True), 1e-12)
    v = v - way * (v * way).sum(axis=-1, keepdims=True)
    out = way * (arm * way).sum(axis=-1, keepdims=True) - arm
    out = out / np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-12)
    leaving = np.maximum((v * out).sum(axis=-1, keepdims=True), 0.0)
    kept: Array = np.where(at_edge, v - out * leaving, v)
    return kept


def _ways(arm: Array, way: Array, length: Array) -> tuple[Array, Array]:
    """Return where the clip and the weight point, alike where there is no telling."""
    lost = (length < 1e-9) | (np.linalg.norm(way, axis=-1, keepdims=True) < 1e-9)
    ahead = np.where(length < 1e-9, [0.0, 1.0, 0.0], arm)
    return ahead, np.where(lost, ahead, way)
