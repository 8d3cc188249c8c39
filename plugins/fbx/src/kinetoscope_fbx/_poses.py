"""Local transforms of the nodes over time, in the file's own space."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._animation import Stack
from kinetoscope_fbx._axes import euler_quaternions
from kinetoscope_fbx._models import Nodes
from kinetoscope_spec import rotation

__all__ = ["Pose", "Poses", "posed"]

Array = NDArray[Any]


@attrs.frozen(eq=False)
class Pose:
    """Transforms of N nodes at F times: `[N, F, 3]`, `[N, F, 4]`, `[N, F, 3]`."""

    positions: Array
    rotations: Array
    scales: Array


@attrs.frozen(eq=False)
class Poses:
    """Transforms of all N nodes at F times, most of which stand still.

    Attributes:
        still: at one time, `[N, 1, C]`.
        moved: of the M nodes that move, `[M, F, C]`.
        rows: `[M]`, which those are.
        frames: F.
    """

    still: Pose
    moved: Pose
    rows: Array
    frames: int

    def over(self, nodes: Array, what: str, frames: int) -> Array:
        """Return `positions`, `rotations` or `scales` of some nodes at all times, or of still ones at one."""
        found: Array = np.repeat(getattr(self.still, what)[nodes], frames, axis=1)
        if frames > 1 and len(self.rows):
            place = np.full(len(self.still.scales), -1)
            place[self.rows] = np.arange(len(self.rows))
            moving = place[nodes]
            found[moving >= 0] = getattr(self.moved, what)[moving[moving >= 0]]
        return found


def posed(nodes: Nodes, stack: Stack | None, times: Array, rest: Pose | None = None) -> Poses:
    """Evaluate the nodes at `times [F]`, or at rest without a stack.

    `rest`, where given, serves for those that the stack leaves alone; nodes that stand still in the stack,
    wherever that is, are evaluated once for all times.
    """
    nowhere = np.zeros(0, np.int64)
    if stack is None or rest is None:
        still = _local_poses(nodes, np.arange(len(nodes.models)), None, times[:1])
        return Poses(still, _local_poses(nodes, nowhere, None, times), nowhere, 1)
    touched, changing = stack.touched
    ids = [model.held.id for model in nodes.models]
    moved = np.array([i for i, key in enumerate(ids) if key in changing], np.int64)
    held = np.array([i for i, key in enumerate(ids) if key in touched and key not in changing], np.int64)
    still = rest
    if len(held):
        found = _local_poses(nodes, held, stack, times[:1])
        still = Pose(rest.positions.copy(), rest.rotations.copy(), rest.scales.copy())
        still.positions[held], still.rotations[held], still.scales[held] = attrs.astuple(found, recurse=False)
    return Poses(still, _local_poses(nodes, moved, stack, times), moved, len(times))


def _local_poses(nodes: Nodes, rows: Array, stack: Stack | None, times: Array) -> Pose:
    """Return the local transforms of some nodes at `times [F]`, or at rest without a stack.

    `T Roff Rp Rpre R Rpost^-1 Rp^-1 Soff Sp S Sp^-1`, as the FBX SDK's documentation gives it ("Computing
    transformation matrices"); the linear part of that is a turn after a scale, pivots only move.
    """
    if not len(rows):
        return Pose(*(np.empty((0, len(times), width)) for width in (3, 4, 3)))
    orders = nodes.orders[rows]
    held = [nodes.models[i].held for i in rows]

    def rest(name: str) -> Array:
        found: Array = nodes.vectors[name][rows]
        return found

    def value(name: str) -> Array:
        return rest(name) if stack is None else stack.values(held, name, rest(name), times, orders)

    moved, scales = value("Lcl Translation"), value("Lcl Scaling")
    turned = _turns(value("Lcl Rotation"), orders)
    before, after = rest("PreRotation"), rest("PostRotation")
    if before.any():
        turned = _joined(euler_quaternions(before), turned)
    if after.any():
        turned = _joined(turned, rotation.conjugate(euler_quaternions(after)))
    turn_pivot, scale_pivot = rest("RotationPivot"), rest("ScalingPivot")
    inner = rest("ScalingOffset") - turn_pivot + scale_pivot - scales * scale_pivot
    if inner.any():
        inner = rotation.rotate(*_alike(turned, inner))
    return Pose(moved + rest("RotationOffset") + turn_pivot + inner, turned, scales)


def _turns(angles: Array, orders: Array) -> Array:
    turned = np.empty((*angles.shape[:2], 4))
    for order in np.unique(orders):
        rows = orders == order
        turned[rows] = euler_quaternions(angles[rows], int(order))
    return turned


def _joined(a: Array, b: Array) -> Array:
    joined: Array = rotation.multiply(*_alike(a, b))
    return joined


def _alike(a: Array, b: Array) -> tuple[Array, Array]:
    """Return arrays `[N, F, C]` and `[N, 1, D]` over the same frames."""
    frames = max(a.shape[1], b.shape[1])
    return tuple(np.broadcast_to(held, (len(held), frames, held.shape[2])) for held in (a, b))  # type: ignore[return-value]
