"""Prefabs: what an entity is made of, with its children, to be made many times."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import numpy as np

from kinetoscope_spec import ValidationError
from kinetoscope_stage._component import Array
from kinetoscope_stage.view import View
from kinetoscope_stage.world import Parent, World

__all__ = ["Prefab"]


def _components(given: Iterable[object]) -> tuple[object, ...]:
    return tuple(given)


def _prefabs(given: Iterable[Prefab]) -> tuple[Prefab, ...]:
    return tuple(given)


@attrs.frozen(eq=False)
class Prefab:
    """Components and children of an entity.

    Attributes:
        components: one of each kind.
        children: prefabs of entities that hang on it.
    """

    components: tuple[object, ...] = attrs.field(default=(), converter=_components)
    children: tuple[Prefab, ...] = attrs.field(default=(), converter=_prefabs, kw_only=True)

    def with_(self, *components: object) -> Prefab:
        """Return the prefab with these components in place of those of the same kinds, or added."""
        kinds = {type(held) for held in components}
        kept = [held for held in self.components if type(held) not in kinds]
        return attrs.evolve(self, components=(*kept, *components))

    def spawn(self, world: World | View, count: int = 1, *components: object) -> Array:
        """Make `count` entities with their children; return the ids of the entities, int64 `[count]`.

        `components` replace the prefab's of the same kinds, or add to them; their fields may lead
        with a dimension of `count`. All is made, or nothing. In a system, `world` is the view that
        it is given, and what is returned are promises of ids: see `View.spawn`.

        Raises:
            ValidationError: as `World.spawn_many`; a child that brings a `Parent` of its own.
        """
        made = self.with_(*components)
        _check(made)
        ids = world.spawn_many(count, *made.components)
        try:
            for child in made.children:
                child._hang(world, ids)
        except Exception:
            world.despawn(ids)
            raise
        return ids

    def _hang(self, world: World | View, parents: Array) -> None:
        ids = world.spawn_many(len(parents), Parent(np.asarray(parents)), *self.components)
        for child in self.children:
            child._hang(world, ids)


def _check(prefab: Prefab) -> None:
    for child in prefab.children:
        if any(isinstance(held, Parent) for held in child.components):
            raise ValidationError("a prefab's child brings a Parent, expected to be given one")
        _check(child)
