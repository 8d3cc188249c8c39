"""Columns of all entities that have the same components, of the same sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from kinetoscope_stage._component import Array, Sizes, columns_of, name_of

__all__ = ["Archetype", "Key"]

Key = frozenset[tuple[type, Sizes]]
_SMALLEST: Final = 16
"""Rows that are kept even when nobody is in them."""


class Archetype:
    """One table: row `i` of every column belongs to `entities[i]`. Rows have no gaps.

    Attributes:
        columns: by component and field, `[capacity, ...]`; rows from `count` on mean nothing.
        entities: int64 `[capacity]`, ids.
    """

    def __init__(self, key: Key, index: int) -> None:
        self.key = key
        self.index = index
        self.sizes: dict[type, Sizes] = dict(sorted(key, key=lambda held: name_of(held[0])))
        self.count = 0
        self.entities: Array = np.zeros(_SMALLEST, np.int64)
        self.columns: dict[type, dict[str, Array]] = {
            kind: self._empty(kind, sizes) for kind, sizes in self.sizes.items()
        }

    @property
    def name(self) -> tuple[tuple[str, Sizes], ...]:
        """What it is sorted by, the same in every process."""
        return tuple((name_of(kind), sizes) for kind, sizes in self.sizes.items())

    def append(self, entities: Array) -> Array:
        """Add a row for each entity and return which; what stands in them is up to the caller."""
        self.reserve(len(entities))
        end = self.count + len(entities)
        rows = np.arange(self.count, end)
        self.entities[self.count : end] = entities
        self.count = end
        return rows

    def reserve(self, count: int) -> None:
        """Make room for so many more rows, or, where memory runs out, raise and stay as it is."""
        end = self.count + count
        if end > len(self.entities):
            self._resize(max(end, 2 * len(self.entities)))

    def write(self, kind: type, rows: Array, values: Mapping[str, Array]) -> None:
        """Write a component's `values [n, ...]` into `rows [n]`."""
        held = self.columns[kind]
        for field, array in values.items():
            held[field][rows] = array

    def read(self, kind: type, rows: Array) -> dict[str, Array]:
        """Return a copy of a component's values in `rows`."""
        return {field: array[rows] for field, array in self.columns[kind].items()}

    def remove(self, rows: Array) -> tuple[Array, Array]:
        """Take out `rows`, each once; return who moved into which rows."""
        end = self.count - len(rows)
        gone = np.zeros(self.count, np.bool_)
        gone[rows] = True
        holes = np.flatnonzero(gone[:end])
        movers = end + np.flatnonzero(~gone[end:])
        for array in self._arrays():
            array[holes] = array[movers]
        self.count = end
        moved = self.entities[holes]
        if len(self.entities) > _SMALLEST and 4 * end < len(self.entities):
            self._resize(max(2 * end, _SMALLEST))
        return moved, holes

    def _arrays(self) -> Iterator[Array]:
        yield self.entities
        for held in self.columns.values():
            yield from held.values()

    def _empty(self, kind: type, sizes: Sizes) -> dict[str, Array]:
        size = dict(sizes)
        return {
            field: np.zeros(
                (_SMALLEST, *(d if isinstance(d, int) else size[d] for d in held.shape)), held.dtype
            )
            for field, held in columns_of(kind).items()
        }

    def _resize(self, capacity: int) -> None:
        def resized(array: Array) -> Array:
            other = np.empty((capacity, *array.shape[1:]), array.dtype)
            kept = min(self.count, capacity, len(array))
            other[:kept] = array[:kept]
            return other

        # All of them before any is put in place: the last may be what memory has no room for.
        entities = resized(self.entities)
        columns = {
            kind: {field: resized(array) for field, array in held.items()}
            for kind, held in self.columns.items()
        }
        self.entities, self.columns = entities, columns
