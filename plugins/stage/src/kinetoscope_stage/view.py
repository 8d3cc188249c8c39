"""The world as one system sees it while it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from kinetoscope_spec import ValidationError
from kinetoscope_stage._chunk import Chunk
from kinetoscope_stage._component import Array, columns_of, fitted, views
from kinetoscope_stage._events import Batch, batch
from kinetoscope_stage.world import NOBODY, World

__all__ = ["View"]

T = TypeVar("T")


class View:
    """Shows what a system declared, and keeps what it wants changed until all systems have run.

    Attributes:
        time: seconds of simulated time at the beginning of the step.
        step_count: fixed steps before this one.
        alpha: how far a rendered frame lies between the last two fixed steps, 0 to 1; 1 in a step.
    """

    def __init__(self, world: World, system: Any, alpha: float = 1.0) -> None:
        self._world = world
        self._name: str = system.name
        self._writes: Collection[type] = frozenset(system.writes)
        self._shown: Collection[type] = frozenset(system.reads) | frozenset(system.writes)
        self._changes: list[Callable[[World, Array], None]] = []
        self._emitted: list[Batch] = []
        self._promised = 0
        self.time = world.time
        self.step_count = world.step_count
        self.alpha = alpha

    def query(self, *kinds: type, without: Sequence[type] = ()) -> Iterator[Chunk]:
        """Yield the entities that have all of `kinds` and none of `without`; see `World.query`.

        Raises:
            ValidationError: the system did not declare one of `kinds`.
        """
        for kind in kinds:
            self._check_declared(kind)
        for archetype in self._world._matches(kinds, tuple(without)):
            if archetype.count:
                yield Chunk(archetype, self._shown, self._writes)

    def gather(self, entities: Any, kind: type[T]) -> tuple[T, Array]:
        """Return copies of a component of many entities and who has it; see `World.gather`.

        Raises:
            ValidationError: the system did not declare `kind`.
        """
        self._check_declared(kind)
        return self._world.gather(entities, kind)

    def alive(self, entities: Any) -> Array:
        """Tell for each id whether it is a living entity's."""
        return self._world.alive(entities)

    def resource(self, kind: type[T]) -> T:
        """Return the resource of this class; what several systems see is only read."""
        return self._world.resource(kind)

    def input(self, name: str, default: Any = 0.0) -> Array:
        """Return the input of this name as the loop was given it, read-only, or `default`."""
        held = self._world.inputs.get(name)
        return np.asarray(default) if held is None else held

    @property
    def random(self) -> np.random.Generator:
        """The system's own random numbers: its seed is the world's and the system's name."""
        return self._world.random(self._name)

    # -- events and changes -----------------------------------------------------------------------

    def events(self, kind: type[T]) -> T:
        """Return the events of this kind that were emitted in the last step, fields `[n, ...]`."""
        return self._world.events.read(kind)

    def emit(self, event: object) -> None:
        """Leave an event, or many, for the next step; its references may be promises of this view."""
        self._emitted.append(batch(event))

    def spawn(self, *components: object) -> int:
        """Ask for an entity; return a promise of its id, good in this view only, for this step.

        A promise may be given to the view's other methods, and stand in the references (see
        `reference`) of components and events that they are given. Written into a column it is
        nobody's id.
        """
        return int(self.spawn_many(1, *components)[0])

    def spawn_many(self, count: int, *components: object) -> Array:
        """Ask for `count` entities; return promises of their ids."""
        if count < 0:
            raise ValidationError(f"count is {count}, expected 0 or more")
        kept = [_copied(held, count) for held in components]
        promises = -np.arange(self._promised + 1, self._promised + count + 1)
        self._promised += count

        def change(world: World, known: Array) -> None:
            # Before they are written down: nobody hangs on itself.
            told = [_told(held, known) for held in kept]
            known[-promises] = world.spawn_many(count, *told)

        self._changes.append(change)
        return promises

    def despawn(self, entities: Any, *, children: bool = True) -> None:
        """Ask for entities to be taken away; who is gone already stays gone."""
        asked = _asked(entities)

        def change(world: World, known: Array) -> None:
            ids = _resolved(asked, known)
            world.despawn(ids[world.alive(ids)], children=children)

        self._changes.append(change)

    def insert(self, entity: Any, *components: object) -> None:
        """Ask for components to be given to one entity; nothing happens if it is gone by then."""
        asked = _asked(entity)
        if len(asked) != 1:
            raise ValidationError(f"insert was given {len(asked)} entities, expected one")
        kept = [_copied(held, 1) for held in components]

        def change(world: World, known: Array) -> None:
            ids = _resolved(asked, known)
            if world.alive(ids).all():
                world.insert(ids, *(_told(held, known) for held in kept))

        self._changes.append(change)

    def remove(self, entities: Any, *kinds: type) -> None:
        """Ask for components to be taken away; who is gone by then is left alone."""
        asked = _asked(entities)

        def change(world: World, known: Array) -> None:
            ids = _resolved(asked, known)
            world.remove(ids[world.alive(ids)], *kinds)

        self._changes.append(change)

    def apply(self) -> None:
        """Carry out what was asked for, in that order. The schedule calls this."""
        known = np.full(self._promised + 1, NOBODY, np.int64)
        for change in self._changes:
            change(self._world, known)
        self._world.events.extend([_event(kind, fields, known) for kind, fields in self._emitted])
        self._changes, self._emitted = [], []

    def _check_declared(self, kind: type) -> None:
        if kind not in self._shown:
            raise ValidationError(
                f"system {self._name!r} asks for {kind.__name__}, which is neither in its reads nor its writes"
            )


def _asked(entities: Any) -> Array:
    ids = np.array(entities, ndmin=1)
    if ids.size and ids.dtype.kind not in "iu":
        raise ValidationError(f"entities holds {ids.dtype}, expected ids")
    return ids.astype(np.int64)


def _resolved(ids: Array, known: Array) -> Array:
    """Return `ids` with the entities that promises among them, `-1` and below, have become."""
    promised = (ids < 0) & (ids > -len(known))
    return np.where(promised, known[np.where(promised, -ids, 0)], ids)


def _told(held: object, known: Array) -> object:
    """Return a component whose references to promises are ids."""
    kind = type(held)
    return views(kind, _event(kind, {name: getattr(held, name) for name in columns_of(kind)}, known)[1])


def _event(kind: type, fields: dict[str, Array], known: Array) -> Batch:
    declared = columns_of(kind)
    return kind, {
        name: _resolved(array, known) if declared[name].refers else array for name, array in fields.items()
    }


def _copied(given: object, count: int) -> object:
    """Return the component as it is now: its fields may be views that the system goes on writing to."""
    fields, _ = fitted(given, count)
    return views(type(given), {name: np.array(array) for name, array in fields.items()})
