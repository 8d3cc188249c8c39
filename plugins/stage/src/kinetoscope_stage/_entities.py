"""Who is alive: integer ids with generations, and where each entity's row lies.

An id is `generation << 32 | slot`. A slot that is used again has a higher generation, so the id of
an entity that is gone never becomes another's; 0 is nobody's.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kinetoscope_stage._component import Array

__all__ = ["NOBODY", "EntityTable"]

NOBODY: Final = 0
"""The id that no entity has: what an empty reference holds."""

_SHIFT: Final = 32
_SLOT: Final = (1 << _SHIFT) - 1
_LAST_GENERATION: Final = (1 << 31) - 1
_SMALLEST: Final = 256
"""Slots that are kept even when nobody is alive."""


class EntityTable:
    """Ids, and for each living one its archetype and row.

    Tables grow by doubling and are cut when their upper part is empty. What is cut is forgotten but
    for the highest generation in it, at which all new slots begin.
    """

    def __init__(self) -> None:
        self.count = 0
        self._slots = 0
        self._first = 1
        self._generation = np.zeros(_SMALLEST, np.int32)
        self._archetype = np.full(_SMALLEST, -1, np.int32)
        self._row = np.zeros(_SMALLEST, np.int64)
        self._free = np.zeros(_SMALLEST, np.int64)
        self._free_count = 0
        self._released = 0

    def allocate(self, count: int) -> Array:
        """Return `count` new ids, int64; the slots freed last are used first."""
        reused = min(count, self._free_count)
        fresh = count - reused
        slots = np.empty(count, np.int64)
        self._reserve(self._slots + fresh)  # first, so that where memory runs out nothing has changed
        self._free_count -= reused
        slots[:reused] = self._free[self._free_count : self._free_count + reused][::-1]
        if fresh:
            slots[reused:] = np.arange(self._slots, self._slots + fresh)
            self._generation[self._slots : self._slots + fresh] = self._first
            self._slots += fresh
        self.count += count
        ids: Array = (self._generation[slots].astype(np.int64) << _SHIFT) | slots
        return ids

    def alive(self, ids: Array) -> Array:
        """Tell for each of `ids` whether it is a living entity's."""
        ids = np.asarray(ids, np.int64)
        slots, generations = ids & _SLOT, ids >> _SHIFT
        inside = (slots < self._slots) & (generations > 0)
        slots = np.where(inside, slots, 0)
        living: Array = inside & (self._generation[slots] == generations) & (self._archetype[slots] >= 0)
        return living

    def place(self, ids: Array, archetype: int, rows: Array) -> None:
        """Write down where these entities lie."""
        slots = ids & _SLOT
        self._archetype[slots] = archetype
        self._row[slots] = rows

    def find(self, ids: Array) -> tuple[Array, Array]:
        """Return archetype and row of living entities."""
        slots = ids & _SLOT
        return self._archetype[slots], self._row[slots]

    def release(self, ids: Array) -> None:
        """Take these living ids, each once, out of use for good."""
        slots = ids & _SLOT
        self._archetype[slots] = -1
        self.count -= len(ids)
        # A slot whose generations are used up stays empty for ever.
        slots = slots[self._generation[slots] < _LAST_GENERATION]
        self._generation[slots] += 1
        end = self._free_count + len(slots)
        if end > len(self._free):
            self._free = np.concatenate([self._free[: self._free_count], np.empty(end, np.int64)])
        self._free[self._free_count : end] = slots
        self._free_count = end
        self._released += len(ids)
        # Looking for the highest living slot costs a pass: once for each quarter that died.
        if self._slots > _SMALLEST and self.count < self._slots // 4 and 4 * self._released > self._slots:
            self._trim()

    def state(self) -> tuple[Array, ...]:
        """Return all that future ids depend on."""
        numbers = np.array([self._slots, self._first, self._released], np.int64)
        return numbers, self._generation[: self._slots], self._free[: self._free_count]

    def _reserve(self, slots: int) -> None:
        if slots > _SLOT:
            raise MemoryError(f"{slots} entities, expected at most {_SLOT}")
        if slots > len(self._generation):
            self._resize(max(slots, 2 * len(self._generation)))

    def _resize(self, capacity: int) -> None:
        kept = min(self._slots, capacity)

        def resized(old: Array, empty: int) -> Array:
            other = np.full(capacity, empty, old.dtype)
            other[:kept] = old[:kept]
            return other

        self._generation, self._archetype, self._row = (
            resized(self._generation, 0),
            resized(self._archetype, -1),
            resized(self._row, 0),
        )

    def _trim(self) -> None:
        self._released = 0
        living = np.flatnonzero(self._archetype[: self._slots] >= 0)
        keep = max(int(living[-1]) + 1 if len(living) else 0, _SMALLEST)
        if keep > self._slots // 2:
            return
        highest = int(self._generation[keep : self._slots].max())
        if highest >= _LAST_GENERATION:
            return
        # Free slots already have the generation that they will be used with next.
        self._first = max(self._first, highest)
        self._slots = keep
        self._resize(keep)
        free = self._free[: self._free_count]
        self._free = free[free < keep].copy()
        self._free_count = len(self._free)
