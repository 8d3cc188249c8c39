"""Checks of single values in shot files, for attrs fields."""

from __future__ import annotations

import math
from typing import Any

import attrs

from kinetoscope.toml import WrongValue

__all__ = ["above", "between", "each_between", "each_of", "one_of"]


def above(low: float, unit: str) -> Any:
    """Return a validator of numbers above `low`, or None."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
        if value is not None and not (math.isfinite(value) and value > low):
            raise WrongValue(attribute.name, f"is {value}, expected {unit} above {low:g}")

    check.above = low  # type: ignore[attr-defined] # the schema of shot files states it
    return check


def between(low: float, high: float, unit: str) -> Any:
    """Return a validator of numbers from `low` to `high`, or None."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
        if value is not None and not low <= value <= high:
            raise WrongValue(attribute.name, f"is {value}, expected {unit} from {low:g} to {high:g}")

    check.limits = (low, high)  # type: ignore[attr-defined]
    return check


def one_of(*words: str) -> Any:
    """Return a validator of words."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: str) -> None:
        if value not in words:
            raise WrongValue(attribute.name, f"is {value!r}, expected {' or '.join(map(repr, words))}")

    check.words = words  # type: ignore[attr-defined]
    return check


def each_of(*words: str) -> Any:
    """Return a validator of several words."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
        for word in value:
            if word not in words:
                raise WrongValue(attribute.name, f"has {word!r}, expected {', '.join(map(repr, words))}")

    check.each = words  # type: ignore[attr-defined] # the schema of shot files states it
    return check


def each_between(low: float, high: float, unit: str) -> Any:
    """Return a validator of several numbers from `low` to `high`."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: tuple[float, ...]) -> None:
        for number in value:
            if not low <= number <= high:
                raise WrongValue(attribute.name, f"has {number}, expected {unit} from {low:g} to {high:g}")

    check.each_limits = (low, high)  # type: ignore[attr-defined]
    return check
