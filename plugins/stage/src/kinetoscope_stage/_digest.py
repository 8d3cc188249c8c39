"""The hash of a world's state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope_spec import ValidationError
from kinetoscope_stage._component import Array

if TYPE_CHECKING:
    from kinetoscope_stage._archetype import Archetype
    from kinetoscope_stage._events import Events

__all__ = ["State", "digest"]

State = Any
"""Arrays, numbers, text, None, and tuples, lists, mappings and attrs classes of them."""


class _Hash:
    """Every piece goes in with its name, dtype and shape, so that no two states read alike."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)

    def text(self, text: str) -> None:
        self._hash.update(f"{len(text)}:{text};".encode())

    def array(self, name: str, array: Array) -> None:
        little = array.dtype.newbyteorder("<")
        self.text(f"{name} {little.str} {array.shape}")
        self._hash.update(np.ascontiguousarray(array, little).tobytes())

    def value(self, value: State) -> None:
        """Hash a value and all that it holds.

        Raises:
            ValidationError: something in it has no value that could be hashed.
        """
        if isinstance(value, np.ndarray):
            self.array("array", value)
        elif value is None or isinstance(value, bool | int | float | str | np.generic):
            self.text(repr(value))
        elif isinstance(value, Mapping):
            self.value([(str(key), value[key]) for key in sorted(value, key=str)])
        elif isinstance(value, tuple | list):
            self.text(f"{len(value)} values")
            for held in value:
                self.value(held)
        elif attrs.has(type(value)):
            self.text(type(value).__qualname__)
            self.value([getattr(value, field.name) for field in attrs.fields(type(value))])
        else:
            raise ValidationError(f"state holds a {type(value).__name__}, which can't be hashed")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def digest(
    archetypes: Iterable[Archetype],
    tables: Iterable[Array],
    events: Events,
    inputs: Mapping[str, Array],
    seed: Any,
    generators: Mapping[str, Any],
    resources: Iterable[tuple[str, Iterable[State]]],
) -> str:
    """Return the hash of all that a world's future depends on."""
    hashed = _Hash()
    for archetype in sorted((held for held in archetypes if held.count), key=lambda held: held.name):
        hashed.text(repr(archetype.name))
        hashed.array("entities", archetype.entities[: archetype.count])
        for kind, fields in archetype.columns.items():
            for field, array in fields.items():
                hashed.array(f"{kind.__qualname__}.{field}", array[: archetype.count])
    for i, table in enumerate(tables):
        hashed.array(f"table {i}", table)
    for name, batch in events.pending():
        hashed.text(name)
        for field, array in batch.items():
            hashed.array(field, array)
    for name in sorted(inputs):
        hashed.array(name, inputs[name])
    hashed.text(str(seed))  # as text: a float would not tell large ones apart
    for name in sorted(generators):
        hashed.text(name)
        hashed.text(json.dumps(generators[name], sort_keys=True, default=str))
    for name, states in sorted(resources, key=lambda held: held[0]):
        hashed.text(name)
        hashed.value(list(states))
    return hashed.hexdigest()
