"""Events: batches of rows that systems leave for the next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from kinetoscope_spec import ValidationError
from kinetoscope_stage._component import Array, columns_of, fitted, name_of, views

__all__ = ["Batch", "Events"]

T = TypeVar("T")
Batch = tuple[type, dict[str, Array]]


class Events:
    """What was emitted in one step is seen by all systems in the next one, and only then.

    So nobody sees an event earlier or later for the place at which he stands in the order.
    """

    def __init__(self) -> None:
        self._now: dict[type, dict[str, Array]] = {}
        self._next: list[Batch] = []

    def emit(self, event: object) -> None:
        """Leave an event, or many (fields with a leading dimension), for the next step.

        Raises:
            ValidationError: it is no component, its fields have different numbers of rows, or a size
                that is a letter: all events of a kind make one batch.
        """
        self._next.append(batch(event))

    def extend(self, batches: list[Batch]) -> None:
        """Leave events that were fitted before."""
        self._next += batches

    def read(self, kind: type[T]) -> T:
        """Return the events of this kind that were emitted in the last step, fields `[n, ...]`."""
        held = self._now.get(kind)
        if held is None:
            fields, _ = fitted(_fixed(kind)(), 0)
            held = dict(fields)
        for array in held.values():
            array.flags.writeable = False
        return views(kind, held)

    def turn(self) -> None:
        """Begin a step: what was to come is there, what was there is gone."""
        by_kind: dict[type, list[dict[str, Array]]] = {}
        for kind, fields in self._next:
            by_kind.setdefault(kind, []).append(fields)
        self._now = {
            kind: {name: np.concatenate([held[name] for held in batches]) for name in batches[0]}
            for kind, batches in by_kind.items()
        }
        self._next = []

    def pending(self) -> list[tuple[str, Mapping[str, Array]]]:
        """Return what is there and what is to come, for hashing."""
        now = sorted(((name_of(kind), fields) for kind, fields in self._now.items()), key=lambda e: e[0])
        return [*now, ("next", {}), *((name_of(kind), fields) for kind, fields in self._next)]


def batch(event: object) -> Batch:
    """Return an event's kind and its fields `[n, ...]`."""
    _fixed(type(event))
    fields, _ = fitted(event, None)
    return type(event), {name: np.array(array) for name, array in fields.items()}


def _fixed(kind: type[T]) -> type[T]:
    for name, held in columns_of(kind).items():
        letters = [size for size in held.shape if isinstance(size, str)]
        if letters:
            raise ValidationError(
                f"{kind.__name__}.{name} has the size {letters[0]!r}; an event's sizes are numbers"
            )
    return kind
