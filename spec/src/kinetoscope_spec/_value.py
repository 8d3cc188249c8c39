"""What makes a frozen attrs class a value here: equality that looks into arrays, frozen mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, dataclass_transform

import attrs
import numpy as np

T = TypeVar("T")


def same(a: object, b: object) -> bool:
    """Equality that looks into arrays, sequences and mappings, for attrs' generated `__eq__`."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and bool(np.array_equal(a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _equal(self: object, other: object) -> bool:
    if type(self) is not type(other):
        return NotImplemented  # type: ignore[no-any-return]
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(self))  # type: ignore[arg-type]
    return self is other or all(
        same(getattr(self, f.name), getattr(other, f.name)) for f in fields if f.eq is not False
    )


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field,))
def value(cls: type[T]) -> type[T]:
    """Make a frozen attrs class whose instances are equal when their arrays are.

    Values are unhashable unless the class defines `__hash__`: hashing arrays would be costly.
    """
    own_hash = cls.__dict__.get("__hash__")
    cls = attrs.frozen(eq=False)(cls)
    cls.__eq__ = _equal  # type: ignore[method-assign]
    cls.__hash__ = own_hash  # type: ignore[method-assign,assignment]
    _keep_read_only(cls)
    return cls


def _keep_read_only(cls: type[Any]) -> None:
    """Let a value that comes out of a pickle refuse to be written to as the one that went in."""
    restore = cls.__setstate__

    def __setstate__(self: object, state: Any) -> None:
        restore(self, state)
        for field in attrs.fields(cls):
            held = getattr(self, field.name)
            if isinstance(held, np.ndarray):
                held.flags.writeable = False

    cls.__setstate__ = __setstate__


def evolve(instance: T, **changes: Any) -> T:
    """Return a copy of a value with some attributes changed, validated anew."""
    return attrs.evolve(instance, **changes)  # type: ignore[misc]


class FrozenDict(dict[str, Any]):
    """A dict that refuses to change, so that a frozen value stays what it is."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("this mapping is part of a frozen value; copy it with dict() to change it")

    __setitem__ = __delitem__ = update = pop = popitem = _refuse
    clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenDict, (dict(self),)


def frozen_mapping(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `value` as a mapping that can't be written to, and that pickles."""
    return value if isinstance(value, FrozenDict) else FrozenDict(value)
