"""Chains of joints that reach for targets, by the host's solver."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np

from kinetoscope_spec import Services, ValidationError, rotation
from kinetoscope_stage._chunk import Chunk
from kinetoscope_stage._component import Array, Numbers, column, component, reference
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Pose, Rig
from kinetoscope_stage.systems.poses import alike, line_to, parents_of, posed_line
from kinetoscope_stage.transforms import GlobalTransform
from kinetoscope_stage.view import View
from kinetoscope_stage.world import Parent

__all__ = ["Reach", "ReachSystem"]


@component
class Reach:
    """A chain of joints, from `root` down to `end`, whose end is to be at a point.

    It stands on the character itself, or, where a character has several, on children of it that have
    no pose of their own; children reach after their parent, in the order of their ids.
    """

    root: Numbers = column(dtype=np.int32, default=-1)
    end: Numbers = column(dtype=np.int32, default=-1)
    target: Numbers = column(3, default=0)  # m, in the world
    entity: Numbers = reference(default=0)  # reached for instead of `target`, if it is alive
    weight: Numbers = column(default=1.0)  # 0 to 1: how far from where the clip has the end to the target


class _Solver(Protocol):
    def solve(self, chains: Array, targets: Array) -> Any: ...


class _Chains:
    """Chains of the characters of one chunk: the row of each one's character, and its `Reach`."""

    def __init__(self, world: View, rows: Array, held: Reach) -> None:
        goals, there = world.gather(held.entity, GlobalTransform)
        self.rows, self.root, self.end = rows, held.root, held.end
        self.weight = np.clip(held.weight, 0.0, 1.0)
        self.target = np.where(there[:, None], goals.position, held.target)


class ReachSystem:
    """Bends the chain of each `Reach` with the host's provider of the hook `solver`, all alike in one batch.

    Bone lengths stay, joints turn the shortest way to where the solver puts their children, and the
    end keeps its rotation relative to the bone above it.
    """

    name = "reach"
    reads = (Pose, Rig, GlobalTransform, Reach, Parent)
    writes = (Pose,)

    def __init__(self, services: Services) -> None:
        self._services = services

    @cached_property
    def _solver(self) -> _Solver:
        solver: _Solver = self._services.provider("solver")
        return solver

    def step(self, world: View, dt: float) -> None:
        """Reach; `dt` does not matter.

        Raises:
            ValidationError: a skeleton or joint that is not there; an `end` that is not below `root`.
        """
        library = world.resource(Library)
        limbs = list(world.query(Reach, Parent, without=(Pose,)))
        for chunk in world.query(Pose, Rig, GlobalTransform):
            own = chunk.get(Reach)
            if own is not None:
                self._reach(library, chunk, _Chains(world, np.arange(len(chunk)), own))
            for rank in _ranked(world, chunk, limbs):
                self._reach(library, chunk, rank)

    def _reach(self, library: Library, chunk: Chunk, held: _Chains) -> None:
        skeletons = chunk[Rig].skeleton[held.rows]
        active = (held.root >= 0) & (held.weight > 0)
        for (number, root, end), here in alike(active, skeletons, held.root, held.end):
            parents = parents_of(library, number, chunk[Pose].positions.shape[1])
            chain = _chain(parents, root, end)
            self._bend(chunk, parents, chain, held.rows[here], held.target[here], held.weight[here, None])

    def _bend(self, chunk: Chunk, parents: tuple[int, ...], chain: list[int], rows: Array, target: Array,
              weight: Array) -> None:  # fmt: skip
        pose, at = chunk[Pose], chunk[GlobalTransform]
        line = line_to(parents, chain[-1])
        # In the character's own space, so that its place, turn and scale take no part.
        way = rotation.rotate(rotation.conjugate(at.rotation[rows]), target - at.position[rows])
        goal = way / np.maximum(at.scale[rows, None], 1e-12)
        p, q = posed_line(pose, _origin(len(at.scale)), line, rows)
        first = len(line) - len(chain)
        goal = p[:, -1] + (goal - p[:, -1]) * weight
        solved = self._solver.solve(p[:, first:], goal).positions
        turn = q[:, first - 1] if first else np.broadcast_to([0.0, 0.0, 0.0, 1.0], (len(rows), 4))
        for i, joint in enumerate(chain[:-1]):
            own = rotation.multiply(turn, pose.rotations[rows, joint])
            was = rotation.rotate(own, pose.positions[rows, chain[i + 1]])
            own = rotation.multiply(rotation.between(was, solved[:, i + 1] - solved[:, i]), own)
            pose.rotations[rows, joint] = rotation.normalize(rotation.multiply(rotation.conjugate(turn), own))
            turn = own


def _ranked(world: View, chunk: Chunk, limbs: list[Chunk]) -> list[_Chains]:
    """Return the limbs of a chunk's characters: the first of each, the second of each, and so on."""
    if not limbs:
        return []
    ids = np.concatenate([held.entities for held in limbs])
    bodies = np.concatenate([held[Parent].entity for held in limbs])
    order = np.argsort(chunk.entities)
    place = np.minimum(np.searchsorted(chunk.entities, bodies, sorter=order), len(chunk) - 1)
    rows = order[place]
    mine = np.flatnonzero(chunk.entities[rows] == bodies)
    mine = mine[np.lexsort((ids[mine], rows[mine]))]
    if not len(mine):
        return []
    # How many of the same body stand before each.
    starts = np.r_[True, np.diff(rows[mine]) != 0]
    rank = np.arange(len(mine)) - np.maximum.accumulate(np.where(starts, np.arange(len(mine)), 0))
    fields = {
        name: np.concatenate([getattr(held[Reach], name) for held in limbs])
        for name in ("root", "end", "target", "entity", "weight")
    }
    found = []
    for i in range(int(rank.max()) + 1):
        here = mine[rank == i]
        found.append(_Chains(world, rows[here], Reach(**{name: held[here] for name, held in fields.items()})))
    return found


def _origin(count: int) -> GlobalTransform:
    turn = np.zeros((count, 4))
    turn[:, 3] = 1.0
    return GlobalTransform(np.zeros((count, 3)), turn, np.ones(count))


def _chain(parents: tuple[int, ...], root: int, end: int) -> list[int]:
    if not 0 <= end < len(parents):
        raise ValidationError(f"Reach.end is {end}, expected 0 to {len(parents) - 1}")
    line = line_to(parents, end)
    if root not in line:
        raise ValidationError(f"Reach.end is joint {end}, which is not below Reach.root, joint {root}")
    return line[line.index(root) :]
