"""What a loop was told, tick by tick, so that it can be done again."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_spec import FormatError
from kinetoscope_spec.files import write_text
from kinetoscope_stage._component import Array

__all__ = ["LONGEST_S", "Recording", "Tick"]

_FORMAT: Final = "kinetoscope stage recording 1"
LONGEST_S: Final = 1e6
"""A tick longer than eleven days is a mistake."""


@attrs.frozen(eq=False)
class Tick:
    """One tick.

    Attributes:
        dt: seconds that passed, or None for a single step.
        time_scale: simulated over real time; 0 while paused.
        inputs: arrays by name, or None where those before still hold.
    """

    dt: float | None
    time_scale: float = 1.0
    inputs: Mapping[str, Array] | None = None


@attrs.define(eq=False)
class Recording:
    """The ticks of a loop, in order. Saved as JSON lines: numbers survive to the last bit.

    Attributes:
        ticks: in order.
        step_ns: the loop's fixed step, ns, or None where it is not known.
        most_steps: its most steps a tick, or None where they are not known.
    """

    ticks: list[Tick] = attrs.field(factory=list)
    step_ns: int | None = None
    most_steps: int | None = None

    def save(self, path: str) -> None:
        """Write to a file, one line a tick; it is there whole or not at all."""
        lines = [json.dumps({"format": _FORMAT, "step_ns": self.step_ns, "most_steps": self.most_steps})]
        for tick in self.ticks:
            inputs = None if tick.inputs is None else {name: _told(a) for name, a in tick.inputs.items()}
            lines.append(json.dumps({"dt": tick.dt, "time_scale": tick.time_scale, "inputs": inputs}))
        write_text(Path(path), "\n".join(lines) + "\n")

    @classmethod
    def load(cls, path: str) -> Recording:
        """Read a file that `save` wrote.

        Raises:
            FormatError: it is something else; names the line.
        """
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise FormatError("holds bytes that are no text", path=path, expected=_FORMAT) from error
        ticks = [_tick(line, number, path) for number, line in enumerate(lines[1:], start=2)]
        head = _parsed(lines[0], 1, path) if lines else {}
        if head.get("format") != _FORMAT:
            raise FormatError("is no recording", path=path, line=1, expected=f'{{"format": "{_FORMAT}"}}')
        return cls(ticks, *(_count(head, name, path) for name in ("step_ns", "most_steps")))


def _told(array: Array) -> dict[str, Any]:
    held: dict[str, Any] = {"dtype": array.dtype.str, "values": array.tolist()}
    if not array.size:
        held["shape"] = list(array.shape)  # lists of nothing don't tell
    return held


def _parsed(line: str, number: int, path: str) -> dict[str, Any]:
    try:
        held = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON: {error}", path=path, line=number) from error
    if not isinstance(held, dict):
        raise FormatError("holds no object", path=path, line=number, expected="a JSON object")
    return held


def _count(head: Mapping[str, Any], name: str, path: str) -> int | None:
    value = head.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise FormatError(f"{name} is {value!r:.60}", path=path, line=1, expected="a whole number above 0")
    return value


def _dtype(name: Any) -> np.dtype[Any]:
    # NumPy knows far more names than numbers have, some of which ask for any amount of memory.
    if not isinstance(name, str) or not re.fullmatch(r"[<>|=]?[biuf](1|2|4|8)", name):
        raise ValueError(f"dtype is {name!r}, expected one of numbers or truth values, such as '<f8'")
    return np.dtype(name)


def _array(one: Mapping[str, Any]) -> Array:
    array = np.array(one["values"], _dtype(one["dtype"]))
    shape = one.get("shape")
    return array if shape is None or array.size else array.reshape(shape)


def _tick(line: str, number: int, path: str) -> Tick:
    held = _parsed(line, number, path)
    dt: Any = held.get("dt")
    scale: Any = held.get("time_scale")
    inputs: Any = held.get("inputs")
    value: Any
    for name, value in (("dt", 0.0 if dt is None else dt), ("time_scale", scale)):
        wrong = isinstance(value, bool) or not isinstance(value, int | float)
        if wrong or not (math.isfinite(value) and 0 <= value <= LONGEST_S):
            raise FormatError(f"{name} is {value!r}", path=path, line=number, expected="0 to 1e6")
    if inputs is None:
        return Tick(dt, scale, None)
    try:
        arrays = {name: _array(one) for name, one in inputs.items()}
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"inputs: {error}", path=path, line=number, expected="arrays as dtype and values"
        ) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and not np.isfinite(array).all()):
            raise FormatError(
                f"input {name!r} holds {array.dtype}", path=path, line=number, expected="numbers"
            )
        array.flags.writeable = False
    return Tick(dt, scale, arrays)
