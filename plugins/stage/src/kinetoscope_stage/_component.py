"""Components: attrs classes whose fields are columns of numbers, with a shape and a dtype.

    @component
    class Velocity:
        linear: Numbers = column(3, default=0)  # m/s
        angular: Numbers = column(3, default=0)  # rad/s

One instance holds one entity's values, or, with a leading dimension, those of many: a component
given to `World.spawn_many`, the batch of an event, the columns that a query hands out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar, dataclass_transform

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import ValidationError

__all__ = [
    "Array",
    "Column",
    "Numbers",
    "column",
    "columns_of",
    "component",
    "fitted",
    "name_of",
    "reference",
    "views",
]

Array = NDArray[Any]
Numbers = Any
"""What a field takes (anything NumPy makes an array of) and what it holds afterwards (an array)."""

Sizes = tuple[tuple[str, int], ...]
T = TypeVar("T")
_KEY: Final = "kinetoscope_stage.column"


@attrs.frozen
class Column:
    """What a field holds for one entity.

    Attributes:
        shape: sizes; a letter such as `"J"` is a size that entities may differ in, the same letter
            the same size throughout a component.
        dtype: of a number or truth value.
        default: what a row is filled with where nothing is given; broadcasts to `shape`.
        refers: whether it holds ids of entities; see `reference`.
    """

    shape: tuple[int | str, ...]
    dtype: np.dtype[Any]
    default: Any
    refers: bool = False


def column(*shape: int | str, dtype: Any = np.float64, default: Any = 0) -> Any:
    """Declare a field of a component; see `Column` for the arguments.

    Every field may be left out when a component is made; type checkers know it where `default` is
    written down.

    Raises:
        ValidationError: a dtype that is not of plain numbers, a size below 1, a default that doesn't fit.
    """
    held = _column(shape, np.dtype(dtype), default)
    return attrs.field(default=None, metadata={_KEY: held})


def reference(*shape: int | str, default: int = 0) -> Any:
    """Declare a field that holds ids of entities, int64; 0 is nobody's.

    Who is made in a system has no id until all systems have run. A reference may hold the promise
    that `View.spawn` returned, and holds the id once there is one.

    Raises:
        ValidationError: a size below 1.
    """
    held = attrs.evolve(_column(shape, np.dtype(np.int64), default), refers=True)
    return attrs.field(default=None, metadata={_KEY: held})


def _column(shape: tuple[int | str, ...], dtype: np.dtype[Any], default: Any) -> Column:
    if dtype.kind not in "biuf":
        raise ValidationError(f"column dtype is {dtype}, expected numbers or truth values")
    for size in shape:
        if isinstance(size, int) and size < 1:
            raise ValidationError(f"column shape {shape} holds {size}, expected sizes of 1 or more")
    sizes = tuple(1 if isinstance(size, str) else size for size in shape)
    try:
        np.broadcast_to(np.asarray(default, dtype), sizes)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValidationError(f"column default {default!r}, expected {dtype} [{_sizes(shape)}]") from error
    return Column(shape, dtype, default)


def _sizes(shape: tuple[int | str, ...]) -> str:
    return ", ".join(map(str, shape))


@dataclass_transform(field_specifiers=(column, reference))
def component(cls: type[T]) -> type[T]:
    """Make a component of a class whose fields are `column`s.

    Raises:
        ValidationError: a field that is none, or no field at all where one is annotated.
    """
    made: type[T] = attrs.define(eq=False, slots=True)(cls)
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(made)  # type: ignore[arg-type]
    for field in fields:
        if _KEY not in field.metadata:
            raise ValidationError(f"{cls.__name__}.{field.name} is no column: declare it with column(...)")
    made.__columns__ = {field.name: field.metadata[_KEY] for field in fields}  # type: ignore[attr-defined]
    return made


def columns_of(kind: type) -> Mapping[str, Column]:
    """Return the columns of a component class, by field.

    Raises:
        ValidationError: it is not a component.
    """
    held: Mapping[str, Column] | None = kind.__dict__.get("__columns__") if isinstance(kind, type) else None
    if held is None:
        raise ValidationError(f"{kind!r} is no component: decorate its class with @component")
    return held


def name_of(kind: type) -> str:
    """Return the name by which a component is sorted and hashed, the same in every process."""
    return f"{kind.__module__}.{kind.__qualname__}"


def views(kind: type[T], columns: Mapping[str, Array]) -> T:
    """Return an instance that holds these arrays as they are."""
    held = object.__new__(kind)
    for field, array in columns.items():
        object.__setattr__(held, field, array)
    return held


def fitted(given: object, count: int | None) -> tuple[dict[str, Array], Sizes]:
    """Return the fields of a component as arrays `[n, ...]`, and what its letters stand for.

    Args:
        given: an instance of a component class.
        count: rows; fields may lead with that dimension or lack it (one value for all). None: the
            fields tell, one without the dimension counting as one row.

    Raises:
        ValidationError: a shape that does not fit, numbers that the dtype can't hold, NaN or infinity.
    """
    declared = columns_of(type(given))
    owner = type(given).__name__
    arrays = {
        name: _numbers(f"{owner}.{name}", value, held.dtype)
        for name, held in declared.items()
        if (value := getattr(given, name)) is not None
    }
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        _learn(f"{owner}.{name}", array, declared[name].shape, sizes)
    if count is None:
        leading = {len(a) for name, a in arrays.items() if a.ndim > len(declared[name].shape)}
        if len(leading) > 1:
            raise ValidationError(f"{owner} holds columns of {sorted(leading)} rows, expected one number")
        count = leading.pop() if leading else 1
    full = {
        name: _full(f"{owner}.{name}", arrays.get(name), held, sizes, count)
        for name, held in declared.items()
    }
    return full, tuple(sorted(sizes.items()))


def _numbers(where: str, value: Any, dtype: np.dtype[Any]) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValidationError(f"{where}: {error}") from error
    if array.dtype.kind not in "biuf" and array.size:
        raise ValidationError(f"{where} holds {array.dtype}, expected numbers")
    if dtype.kind in "bui" and array.dtype.kind == "f" and not np.all(array == np.floor(array)):
        raise ValidationError(f"{where} holds fractions, expected {dtype}")
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(dtype)
    if dtype.kind in "iu" and not np.array_equal(cast, array):
        raise ValidationError(f"{where} holds numbers that {dtype} can't hold")
    if cast.dtype.kind == "f" and not np.isfinite(cast).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(cast))[0]))
        raise ValidationError(f"{where}[{place}] is not finite, expected a number")
    return cast


def _learn(where: str, array: Array, shape: tuple[int | str, ...], sizes: dict[str, int]) -> None:
    """Take the sizes that letters stand for from `array`, whose last dimensions are `shape`."""
    tail = array.shape[array.ndim - len(shape) :]
    if array.ndim - len(shape) not in (0, 1) or any(
        size != (wanted if isinstance(wanted, int) else sizes.setdefault(wanted, size))
        for size, wanted in zip(tail, shape, strict=True)
    ):
        wanted = ", ".join(f"{d}={sizes[d]}" if d in sizes else str(d) for d in shape)
        raise ValidationError(
            f"{where} has shape {list(array.shape)}, expected [{wanted}], with or without rows in front"
        )


def _full(where: str, array: Array | None, held: Column, sizes: Mapping[str, int], count: int) -> Array:
    missing = [d for d in held.shape if isinstance(d, str) and d not in sizes]
    if missing:
        raise ValidationError(f"{where}: nothing given tells the size {missing[0]!r}")
    shape = tuple(d if isinstance(d, int) else sizes[d] for d in held.shape)
    if array is None:
        array = np.asarray(held.default, held.dtype)
    elif array.ndim > len(shape) and len(array) != count:
        raise ValidationError(f"{where} has {len(array)} rows, expected {count}")
    return np.broadcast_to(array, (count, *shape))
