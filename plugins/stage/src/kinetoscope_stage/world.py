"""The world: entities, their components in columns, events, and what systems share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from kinetoscope_spec import KinetoscopeError, ValidationError
from kinetoscope_stage._archetype import Archetype, Key
from kinetoscope_stage._chunk import Chunk
from kinetoscope_stage._component import (
    Array,
    Numbers,
    Sizes,
    columns_of,
    component,
    fitted,
    name_of,
    reference,
    views,
)
from kinetoscope_stage._digest import digest
from kinetoscope_stage._entities import NOBODY, EntityTable
from kinetoscope_stage._events import Events

__all__ = ["NOBODY", "DeadEntity", "Parent", "World", "WorldLocked"]

T = TypeVar("T")


class DeadEntity(KinetoscopeError, LookupError):
    """An id is that of no living entity."""


class WorldLocked(KinetoscopeError, RuntimeError):
    """Entities were to be made or changed directly while systems run."""


@component
class Parent:
    """Whom an entity hangs on: it moves with its parent, and goes with it."""

    entity: Numbers = reference(default=0)


class World:
    """Entities are integer ids; each has at most one component of a kind.

    While a schedule runs, systems see the world through a `View`; entities are made, changed and
    taken away between steps only.

    Attributes:
        seed: of all random numbers that systems draw.
        time: seconds of simulated time.
        step_count: fixed steps so far.
        inputs: arrays by name, what the loop was last given.
        events: what systems tell each other.
    """

    def __init__(self, *, seed: int = 0) -> None:
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise ValidationError(f"seed is {seed!r}, expected a whole number, 0 or more")
        self.seed = seed
        self.time = 0.0
        self.step_count = 0
        self.inputs: dict[str, Array] = {}
        self.events = Events()
        self.locked = False
        self._resources: dict[type, Any] = {}
        self._random: dict[str, np.random.Generator] = {}
        self._entities = EntityTable()
        self._archetypes: dict[Key, Archetype] = {}
        self._by_index: list[Archetype] = []
        self._matching: dict[tuple[tuple[type, ...], tuple[type, ...]], list[Archetype]] = {}

    def __len__(self) -> int:
        return self._entities.count

    # -- entities ---------------------------------------------------------------------------------

    def spawn(self, *components: object) -> int:
        """Make an entity of these components and return its id."""
        return int(self.spawn_many(1, *components)[0])

    def spawn_many(self, count: int, *components: object) -> Array:
        """Make `count` entities and return their ids, int64 `[count]`.

        A component's fields hold one value for all, or lead with a dimension of `count`.

        Raises:
            ValidationError: a component twice, a field that does not fit.
            WorldLocked: systems are running.
        """
        self._check_open()
        if count < 0:
            raise ValidationError(f"count is {count}, expected 0 or more")
        values, sizes = self._fitted(components, count)
        archetype = self._archetype(frozenset(sizes.items()))
        archetype.reserve(count)  # first, so that where memory runs out nothing has changed
        ids = self._entities.allocate(count)
        rows = archetype.append(ids)
        for kind, fields in values.items():
            archetype.write(kind, rows, fields)
        self._entities.place(ids, archetype.index, rows)
        return ids

    def despawn(self, entities: Any, *, children: bool = True) -> None:
        """Take entities away, and with them all that hangs on them (unless `children` is False).

        Raises:
            DeadEntity: one is not alive.
            WorldLocked: systems are running.
        """
        self._check_open()
        ids = np.unique(self._living(entities))
        if children:
            ids = self._with_descendants(ids)
        for archetype, rows, held in self._grouped(ids):
            self._close_gaps(archetype, rows)
            self._entities.release(held)

    def insert(self, entities: Any, *components: object) -> None:
        """Give entities these components, in place of those of the same kind that they have.

        Fields hold one value for all, or one for each of `entities`.

        Raises:
            DeadEntity, ValidationError, WorldLocked: as in `spawn_many` and `despawn`.
        """
        self._check_open()
        ids = self._living(entities)
        if len(np.unique(ids)) < len(ids):
            raise ValidationError("entities holds an id twice, expected each once")
        values, sizes = self._fitted(components, len(ids))
        order = np.argsort(ids)
        for archetype, rows, held in self._grouped(ids):
            chosen = order[np.searchsorted(ids, held, sorter=order)]
            target = self._archetype(frozenset((archetype.sizes | sizes).items()))
            new_rows = self._moved(archetype, rows, held, target)
            for kind, fields in values.items():
                target.write(kind, new_rows, {name: array[chosen] for name, array in fields.items()})

    def remove(self, entities: Any, *kinds: type) -> None:
        """Take components of these kinds away from entities, where they have them.

        Raises:
            DeadEntity, WorldLocked: as in `despawn`.
        """
        self._check_open()
        for kind in kinds:
            columns_of(kind)
        for archetype, rows, held in self._grouped(np.unique(self._living(entities))):
            kept = {kind: sizes for kind, sizes in archetype.sizes.items() if kind not in kinds}
            self._moved(archetype, rows, held, self._archetype(frozenset(kept.items())))

    def alive(self, entities: Any) -> Array:
        """Tell for each id whether it is a living entity's; never raises."""
        return self._entities.alive(np.asarray(entities, np.int64))

    # -- components -------------------------------------------------------------------------------

    def query(self, *kinds: type, without: Sequence[type] = ()) -> Iterator[Chunk]:
        """Yield the entities that have all of `kinds` and none of `without`, archetype by archetype.

        Every matching entity stands in exactly one chunk. Empty chunks are left out.
        """
        for archetype in self._matches(kinds, tuple(without)):
            if archetype.count:
                yield Chunk(archetype, None, None)

    def has(self, entity: int, kind: type) -> bool:
        """Tell whether a living entity has a component of this kind."""
        index, _ = self._entities.find(self._living(entity))
        return kind in self._by_index[int(index[0])].columns

    def get(self, entity: int, kind: type[T]) -> T:
        """Return an entity's component: its fields are views `[...]` that can be written to.

        Raises:
            DeadEntity: it is not alive.
            ValidationError: it has no such component.
        """
        index, rows = self._entities.find(self._living(entity))
        archetype, row = self._by_index[int(index[0])], int(rows[0])
        if kind not in archetype.columns:
            raise ValidationError(f"entity {entity} has no {kind.__name__}")
        held = archetype.columns[kind]
        return views(kind, {name: array[row, ...] for name, array in held.items()})

    def gather(self, entities: Any, kind: type[T]) -> tuple[T, Array]:
        """Return copies of a component of many entities, `[n, ...]`, and bool `[n]`, who has it.

        Whoever is not alive or has none gets the columns' defaults. For components whose sizes are
        the same for all.
        """
        ids = np.atleast_1d(np.asarray(entities, np.int64))
        fields, _ = fitted(kind(), len(ids))
        out = {name: array.copy() for name, array in fields.items()}
        found = np.zeros(len(ids), np.bool_)
        living = np.flatnonzero(self._entities.alive(ids))
        archetypes, rows = self._entities.find(ids[living])
        for index in np.unique(archetypes):
            held = self._by_index[int(index)].columns.get(kind)
            if held is not None:
                here = archetypes == index
                found[living[here]] = True
                for name, array in held.items():
                    out[name][living[here]] = array[rows[here]]
        return views(kind, out), found

    # -- what is shared ---------------------------------------------------------------------------

    def provide(self, resource: object) -> None:
        """Let systems see `resource` under its class: something shared that is no component."""
        self._resources[type(resource)] = resource

    def resource(self, kind: type[T]) -> T:
        """Return the resource of this class, made when it is first asked for."""
        if kind not in self._resources:
            self._resources.setdefault(kind, kind())  # two threads that ask at once get the same
        held: T = self._resources[kind]
        return held

    def random(self, name: str) -> np.random.Generator:
        """Return the generator of this name; it depends on the world's seed and the name alone."""
        if name not in self._random:
            self._random[name] = np.random.default_rng([self.seed, *name.encode()])
        return self._random[name]

    def digest(self) -> str:
        """Return a hash of the whole state: equal if, and only if, the states are, bit for bit.

        Resources are material (clips, skeletons) and left out, but for those that have a method
        `state()`, which returns what of them the future depends on.
        """
        generators = {name: held.bit_generator.state for name, held in self._random.items()}
        numbers = np.array([self.time, self.step_count], np.float64)
        resources = [
            (name_of(kind), held.state()) for kind, held in self._resources.items() if hasattr(held, "state")
        ]
        tables = (*self._entities.state(), numbers)
        return digest(self._by_index, tables, self.events, self.inputs, self.seed, generators, resources)

    # -- inside -----------------------------------------------------------------------------------

    def _matches(self, kinds: tuple[type, ...], without: tuple[type, ...]) -> list[Archetype]:
        found = self._matching.get((kinds, without))
        if found is None:
            for kind in (*kinds, *without):
                columns_of(kind)
            found = [
                held
                for held in self._by_index
                if all(kind in held.columns for kind in kinds)
                and not any(kind in held.columns for kind in without)
            ]
            # By name and not by age: worlds in the same state go on alike, whatever they were before.
            found.sort(key=lambda held: held.name)
            self._matching[kinds, without] = found
        return found

    def _check_open(self) -> None:
        if self.locked:
            raise WorldLocked(
                "systems are running: make and change entities through the view that a system is given"
            )

    def _living(self, entities: Any) -> Array:
        ids = np.atleast_1d(np.asarray(entities))
        if ids.size and ids.dtype.kind not in "iu":
            raise ValidationError(f"entities holds {ids.dtype}, expected ids")
        ids = ids.astype(np.int64)
        wrong = ~self._entities.alive(ids)
        if wrong.any():
            raise DeadEntity(f"entity {ids[wrong][0]} is not alive")
        return ids

    def _fitted(
        self, components: Sequence[object], count: int
    ) -> tuple[dict[type, dict[str, Array]], dict[type, Sizes]]:
        values: dict[type, dict[str, Array]] = {}
        sizes: dict[type, Sizes] = {}
        for held in components:
            if type(held) in values:
                raise ValidationError(f"{type(held).__name__} is given twice, expected each component once")
            values[type(held)], sizes[type(held)] = fitted(held, count)
        return values, sizes

    def _archetype(self, key: Key) -> Archetype:
        if key not in self._archetypes:
            made = Archetype(key, len(self._by_index))
            self._archetypes[key] = made
            self._by_index.append(made)
            self._matching.clear()
        return self._archetypes[key]

    def _grouped(self, ids: Array) -> list[tuple[Archetype, Array, Array]]:
        """Split entities by archetype, in the order of their names: archetype, rows, ids."""
        archetypes, rows = self._entities.find(ids)
        found = [(self._by_index[int(index)], archetypes == index) for index in np.unique(archetypes)]
        found.sort(key=lambda held: held[0].name)
        return [(archetype, rows[here], ids[here]) for archetype, here in found]

    def _close_gaps(self, archetype: Archetype, rows: Array) -> None:
        moved, holes = archetype.remove(rows)
        self._entities.place(moved, archetype.index, holes)

    def _moved(self, source: Archetype, rows: Array, ids: Array, target: Archetype) -> Array:
        """Move entities from one archetype to another; return their new rows."""
        if source is target:
            return rows
        new_rows = target.append(ids)
        for kind, sizes in source.sizes.items():
            if target.sizes.get(kind) == sizes:
                target.write(kind, new_rows, source.read(kind, rows))
        self._close_gaps(source, rows)
        self._entities.place(ids, target.index, new_rows)
        return new_rows

    def _with_descendants(self, ids: Array) -> Array:
        chunks = list(self.query(Parent))
        if not chunks:
            return ids
        children = np.concatenate([chunk.entities for chunk in chunks])
        parents = np.concatenate([chunk[Parent].entity for chunk in chunks])
        order = np.argsort(parents, kind="stable")
        children, parents = children[order], parents[order]
        reached, above = np.zeros(len(children), np.bool_), ids
        while len(above):
            first, last = (np.searchsorted(parents, above, side) for side in ("left", "right"))
            counts = last - first
            rows = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            rows = rows[~reached[rows]]  # in a circle, too, each once
            reached[rows] = True
            above = children[rows]
        return np.union1d(ids, children[reached])
