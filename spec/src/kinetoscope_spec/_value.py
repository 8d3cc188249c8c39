"""What makes a frozen attrs class a value here: equality that looks into arrays, frozen mappings."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

import attrs
import numpy as np

T = TypeVar("T")

SHOWN_NUMBERS = 24
"""As many numbers of an array are shown in full."""


def same(a: object, b: object) -> bool:
    """Equality that looks into arrays, sequences and mappings, for attrs' generated `__eq__`."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and bool(np.array_equal(a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def short(held: object) -> str:
    """Return the repr of an attribute; arrays of many numbers are told by dtype, shape and range."""
    if isinstance(held, np.ndarray):
        if held.size <= SHOWN_NUMBERS:
            return str(held.tolist())
        text = f"<{held.dtype} {list(held.shape)}"
        return f"{text}, {held.min():.4g} to {held.max():.4g}>"
    if isinstance(held, tuple) and len(held) > SHOWN_NUMBERS:
        return f"<{len(held)}: {', '.join(short(item) for item in held[:3])}, ...>"
    if isinstance(held, tuple):
        return f"({', '.join(short(item) for item in held)}{',' * (len(held) == 1)})"
    return repr(held)


def as_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return `values` as a tuple: the converter of attributes that hold several of something."""
    return tuple(values)


class Value:
    """Base of the value types: equal when their arrays are, unhashable, read-only out of a pickle.

    Subclasses are made with `@attrs.frozen(eq=False, repr=False)`: attrs' own equality would compare
    arrays number by number, hashing them would be costly, and a clip printed in full fills a screen.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self is other or all(
            same(getattr(self, name), getattr(other, name)) for name in _compared(cast(Hashable, type(self)))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (field.name for field in _fields(type(self)) if field.repr)
        inner = ", ".join(f"{name}={short(getattr(self, name))}" for name in shown)
        return f"{type(self).__name__}({inner})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print short in IPython and in the examples of hypothesis, too."""
        printer.text(f"{type(self).__name__}(...)" if cycle else repr(self))

    def __reduce__(self) -> tuple[object, ...]:
        names = [field.name for field in _fields(type(self))]
        return _restored, (type(self), {name: getattr(self, name) for name in names})


def _fields(cls: type[Any]) -> tuple[attrs.Attribute[Any], ...]:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    return fields


@cache
def _compared(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in _fields(cls) if field.eq is not False)


def _restored(cls: type[T], attributes: Mapping[str, Any]) -> T:
    """Build a value from a pickle. It was valid when it went in; arrays come out writeable, though."""
    value = cls.__new__(cls)
    for name, held in attributes.items():
        for array in held.values() if isinstance(held, FrozenDict) else (held,):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        object.__setattr__(value, name, held)
    return value


class FrozenDict(dict[str, Any]):
    """A dict that refuses to change, so that a frozen value stays what it is."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("this mapping is part of a frozen value; copy it with dict() to change it")

    __setitem__ = __delitem__ = update = pop = popitem = _refuse
    clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenDict, (dict(self),)


def frozen_mapping(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `value` as a mapping that can't be written to, nor the arrays in it, and that pickles."""
    if isinstance(value, FrozenDict):
        return value
    return FrozenDict({name: _read_only(held) for name, held in value.items()})


def _read_only(held: Any) -> Any:
    if isinstance(held, np.ndarray) and held.flags.writeable:
        held = held.view()  # whoever handed it over may go on writing to it
        held.flags.writeable = False
    return held
