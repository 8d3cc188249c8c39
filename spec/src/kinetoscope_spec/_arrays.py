"""Checks that every value type shares: shapes, finite numbers, read-only arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetoscope_spec.errors import ValidationError

Array = NDArray[Any]
Dimension = int | str


def numbers(given: ArrayLike) -> Array:
    """Let type checkers accept whatever NumPy makes an array of: `shaped` does it afterwards."""
    array: Array = given  # type: ignore[assignment]
    return array


def numbers_or_none(given: ArrayLike | None) -> Array:
    """The same for an attribute whose None is replaced when the value is built."""
    array: Array = given  # type: ignore[assignment]
    return array


def curves(given: Mapping[str, ArrayLike]) -> Mapping[str, Array]:
    """The same for numbers by name."""
    arrays: Mapping[str, Array] = given  # type: ignore[assignment]
    return arrays


def shaped(
    owner: str,
    name: str,
    value: Any,
    shape: Sequence[Dimension],
    dtype: Any = None,
    *,
    sizes: dict[str, int] | None = None,
    finite: bool = True,
) -> Array:
    """Return `value` as a read-only array, or say what is wrong with it.

    `shape` names its dimensions: an int is that size, a letter stands for one size wherever it
    occurs (`sizes` carries letters from one attribute to the next). `dtype=None` keeps float32
    and float64 and makes float64 of anything else. The array is not copied when it already fits:
    whoever hands one over must not write to it afterwards.

    Raises:
        ValidationError: naming `owner.name`, what was found, and where.
    """
    where = f"{owner}.{name}"
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged nesting
        raise ValidationError(f"{where}: {error}") from error
    if dtype is None:
        dtype = array.dtype if array.dtype in (np.float32, np.float64) else np.float64
    if array.dtype.kind not in "biuf":
        raise ValidationError(f"{where} holds {array.dtype}, expected numbers")
    _check_shape(where, array, shape, {} if sizes is None else sizes)
    if np.dtype(dtype).kind in "iu" and array.dtype.kind == "f" and not np.all(array == np.floor(array)):
        raise ValidationError(f"{where} holds fractions, expected whole numbers")
    array = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
        raise ValidationError(f"{where}[{place}] is not finite, expected a number")
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def _check_shape(where: str, array: Array, shape: Sequence[Dimension], sizes: dict[str, int]) -> None:
    expected = ", ".join(f"{d}={sizes[d]}" if d in sizes else str(d) for d in shape)
    if array.ndim != len(shape):
        raise ValidationError(f"{where} has shape {list(array.shape)}, expected [{expected}]")
    for size, dimension in zip(array.shape, shape, strict=True):
        wanted = dimension if isinstance(dimension, int) else sizes.setdefault(dimension, size)
        if size != wanted:
            raise ValidationError(f"{where} has shape {list(array.shape)}, expected [{expected}]")


def unit_quaternions(where: str, array: Array, tolerance: float = 1e-3) -> Array:
    """Return `array` if its last axis holds unit quaternions, within `tolerance` of length 1."""
    length = np.sqrt(np.einsum("...i,...i->...", array, array))
    wrong = np.abs(length - 1) > tolerance
    if wrong.any():
        place = np.argwhere(wrong)[0]
        raise ValidationError(
            f"{where}[{', '.join(map(str, place))}] has length {length[tuple(place)]:.6g}, "
            "expected a unit quaternion (xyzw)"
        )
    return array


def in_range(where: str, array: Array, low: float, high: float) -> Array:
    """Return `array` if all of it lies in [low, high]."""
    wrong = (array < low) | (array > high)
    if wrong.any():
        place = np.argwhere(wrong)[0]
        raise ValidationError(
            f"{where}[{', '.join(map(str, place))}] is {array[tuple(place)]}, expected {low} to {high}"
        )
    return array
