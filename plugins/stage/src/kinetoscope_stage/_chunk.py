"""What a query hands out: the rows of one archetype, as arrays."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from kinetoscope_spec import ValidationError
from kinetoscope_stage._archetype import Archetype
from kinetoscope_stage._component import Array, views

__all__ = ["Chunk"]

T = TypeVar("T")


class Chunk:
    """All entities of one archetype. `chunk[Velocity].linear` is `[n, 3]`, row `i` that of `entities[i]`.

    Columns are views: writing to them writes to the world, where that was declared; others are
    read-only. They hold until entities are made or taken away.

    Attributes:
        entities: int64 `[n]`, ids; read-only.
    """

    __slots__ = ("_archetype", "_kinds", "_writes", "entities")

    def __init__(
        self, archetype: Archetype, kinds: Collection[type] | None, writes: Collection[type] | None
    ) -> None:
        self._archetype = archetype
        self._kinds = kinds
        self._writes = writes
        self.entities = _view(archetype.entities, archetype.count, False)

    def __len__(self) -> int:
        return self._archetype.count

    def __contains__(self, kind: type) -> bool:
        return kind in self._archetype.columns and (self._kinds is None or kind in self._kinds)

    def __getitem__(self, kind: type[T]) -> T:
        if kind not in self:
            known = ", ".join(held.__name__ for held in self._archetype.columns if held in self)
            raise ValidationError(f"this chunk shows no {kind.__name__}, only {known or 'entities'}")
        writeable = self._writes is None or kind in self._writes
        count = self._archetype.count
        held = self._archetype.columns[kind]
        return views(kind, {field: _view(array, count, writeable) for field, array in held.items()})

    def get(self, kind: type[T]) -> T | None:
        """Return the columns of `kind`, or None where these entities have none."""
        if kind not in self:
            return None
        return self[kind]


def _view(array: Array, count: int, writeable: bool) -> Array:
    shown = array[:count]
    if not writeable:
        shown.flags.writeable = False
    return shown
