"""Where entities stand: relative to their parents, and in the world."""

from __future__ import annotations

from typing import Final

import numpy as np

from kinetoscope_spec import ValidationError, rotation
from kinetoscope_stage._component import Array, Numbers, column, component
from kinetoscope_stage.view import View
from kinetoscope_stage.world import Parent, World

__all__ = ["GlobalTransform", "PreviousTransform", "Transform", "TransformSystem", "interpolated"]

_IDENTITY: Final = (0.0, 0.0, 0.0, 1.0)


@component
class Transform:
    """Relative to the parent, or to the world where there is none. Scales, then turns, then moves."""

    position: Numbers = column(3, default=0)  # m
    rotation: Numbers = column(4, default=_IDENTITY)  # unit quaternion xyzw
    scale: Numbers = column(default=1.0)  # the same along all axes, so that transforms compose


@component
class GlobalTransform:
    """In the world: what `TransformSystem` makes of `Transform` and `Parent`."""

    position: Numbers = column(3, default=0)
    rotation: Numbers = column(4, default=_IDENTITY)
    scale: Numbers = column(default=1.0)


@component
class PreviousTransform:
    """The `GlobalTransform` before the last fixed step, for frames in between."""

    position: Numbers = column(3, default=0)
    rotation: Numbers = column(4, default=_IDENTITY)
    scale: Numbers = column(default=1.0)
    known: Numbers = column(dtype=np.bool_, default=0)  # whether it has been anywhere yet


class TransformSystem:
    """Computes `GlobalTransform` of all entities that have one and a `Transform`.

    A parent that is gone, or has no `Transform`, counts as none. `PreviousTransform`, where an entity
    has it, takes what `GlobalTransform` was before; who is new has been where it is.
    """

    name = "transforms"
    reads = (Transform, Parent)
    writes = (GlobalTransform, PreviousTransform)

    def step(self, world: View, dt: float) -> None:
        """Compute; `dt` does not matter.

        Raises:
            ValidationError: entities that hang on each other in a circle; names one.
        """
        for chunk in world.query(GlobalTransform, PreviousTransform):
            for field in ("position", "rotation", "scale"):
                getattr(chunk[PreviousTransform], field)[:] = getattr(chunk[GlobalTransform], field)
        chunks = list(world.query(Transform, GlobalTransform))
        if not chunks:
            return
        entities = np.concatenate([chunk.entities for chunk in chunks])
        local = [chunk[Transform] for chunk in chunks]
        position = np.concatenate([held.position for held in local])
        turn = np.concatenate([held.rotation for held in local])
        scale = np.concatenate([held.scale for held in local])
        parents = np.concatenate(
            [chunk[Parent].entity if Parent in chunk else np.zeros(len(chunk), np.int64) for chunk in chunks]
        )
        above = _rows_of(parents, entities)
        if (above >= 0).any():
            _compose(position, turn, scale, above, _levels(above, entities))
        start = 0
        for chunk in chunks:
            rows = slice(start, start + len(chunk))
            out = chunk[GlobalTransform]
            out.position[:], out.rotation[:], out.scale[:] = position[rows], turn[rows], scale[rows]
            start = rows.stop
            if (before := chunk.get(PreviousTransform)) is not None:
                new = np.flatnonzero(~before.known)
                before.position[new], before.rotation[new] = out.position[new], out.rotation[new]
                before.scale[new], before.known[new] = out.scale[new], True


def _rows_of(wanted: Array, entities: Array) -> Array:
    """Return the row of each of `wanted` in `entities`, -1 where it is not there."""
    order = np.argsort(entities)
    place = np.minimum(np.searchsorted(entities, wanted, sorter=order), len(entities) - 1)
    rows = order[place]
    found: Array = np.where(entities[rows] == wanted, rows, -1)
    return found


def _levels(above: Array, entities: Array) -> list[Array]:
    """Return the rows of each depth below the roots, from the first on."""
    # Depth by pointer jumping: every pass doubles how far up each entity has looked.
    depth = (above >= 0).astype(np.int64)
    jump = above.copy()
    for _ in range(len(above).bit_length() + 1):
        inner = np.flatnonzero(jump >= 0)
        if not len(inner):
            break
        depth[inner] += depth[jump[inner]]
        jump[inner] = jump[jump[inner]]
    else:
        raise ValidationError(f"entity {entities[jump >= 0][0]} hangs on itself, by way of its parents")
    order = np.argsort(depth, kind="stable")
    ends = np.searchsorted(depth[order], np.arange(1, depth.max() + 2))
    return [order[ends[i] : ends[i + 1]] for i in range(len(ends) - 1)]


def _compose(position: Array, turn: Array, scale: Array, above: Array, levels: list[Array]) -> None:
    for rows in levels:
        parent = above[rows]
        position[rows] = position[parent] + rotation.rotate(
            turn[parent], scale[parent, None] * position[rows]
        )
        turn[rows] = rotation.multiply(turn[parent], turn[rows])
        scale[rows] *= scale[parent]


def interpolated(world: World, alpha: float) -> tuple[Array, Array, Array]:
    """Return who to draw where, `alpha` of the way from the last fixed step but one to the last.

    Returns:
        `entities [n]` that have a `GlobalTransform` and a `PreviousTransform`, `positions [n, 3]`,
        `rotations [n, 4]`.
    """
    found: list[tuple[Array, Array, Array]] = []
    for chunk in world.query(GlobalTransform, PreviousTransform):
        now, before = chunk[GlobalTransform], chunk[PreviousTransform]
        turns = rotation.nlerp(before.rotation, now.rotation, np.full(len(chunk), alpha))
        found.append((chunk.entities, before.position + alpha * (now.position - before.position), turns))
    if not found:
        return np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 4))
    entities, positions, rotations = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return entities, positions, rotations
