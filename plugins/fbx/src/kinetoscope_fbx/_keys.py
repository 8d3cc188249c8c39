"""Keys as files hold them: flags and packed tangents since 7000, letters before."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._curves import (
    CLAMP_PROGRESSIVE,
    CONSTANT,
    CONSTANT_NEXT,
    CUBIC,
    LINEAR,
    THIRD,
    TIME_INDEPENDENT,
    Curve,
    auto_slopes,
    tcb_slopes,
)
from kinetoscope_fbx._document import KTIME
from kinetoscope_fbx._node import Node

__all__ = ["curve_of_record", "curve_of_take"]

Array = NDArray[Any]

# FbxAnimCurveDef of the FBX SDK: bits of KeyAttrFlags.
_CONSTANT, _LINEAR = 0x2, 0x4
_AUTO, _TCB, _USER = 0x100, 0x200, 0x400
_NEXT = 0x100
_WEIGHTED_RIGHT, _WEIGHTED_NEXT_LEFT = 0x1000000, 0x2000000
_WEIGHT_UNIT: Final = 1e-4
_EXTRAPOLATIONS: Final = "CRMKA"


def curve_of_record(node: Node) -> Curve:
    """Return the curve of an `AnimationCurve` (versions since 7000).

    Raises:
        FormatError: keys and values differ in number, times fall, attributes don't cover the keys.
    """
    ticks = _array(node, "KeyTime", np.int64)
    values = _array(node, "KeyValueFloat", np.float64)
    if len(ticks) != len(values):
        raise node.place.error(f"a curve has {len(ticks)} times and {len(values)} values", "as many")
    flags, data = _attributes(node, len(ticks))
    times = ticks / KTIME
    _ascending(node, times)
    kinds = np.where(
        flags & _CONSTANT,
        np.where(flags & _NEXT, CONSTANT_NEXT, CONSTANT),
        np.where(flags & _LINEAR, LINEAR, CUBIC),
    )
    weights = np.full((len(times), 2), THIRD)
    packed = data[:, 2].copy().view(np.uint32)
    right = (packed & 0xFFFF) * _WEIGHT_UNIT
    left = (packed >> 16) * _WEIGHT_UNIT
    weights[:, 1] = np.where(flags & _WEIGHTED_RIGHT, right, THIRD)
    weights[1:, 0] = np.where(flags & _WEIGHTED_NEXT_LEFT, left, THIRD)[:-1]
    slopes = np.zeros((len(times), 2))
    numbers = data.astype(np.float64)
    slopes[:, 1] = numbers[:, 0]
    slopes[1:, 0] = numbers[:-1, 1]
    slopes = np.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)
    _straight(times, values, kinds, slopes)
    cubic = kinds == CUBIC
    tcb = cubic & (flags & _TCB != 0) & (flags & _AUTO == 0)
    if tcb.any():
        bias = np.nan_to_num(numbers[:, 2], posinf=0.0, neginf=0.0)
        solved = tcb_slopes(times, values, np.nan_to_num(numbers[:, 0]), np.nan_to_num(numbers[:, 1]), bias)
        unsaid = np.flatnonzero(tcb[:-1]) + 1  # where a slope would stand the key before has its continuity
        slopes[unsaid, 0] = 0.0
        slopes[tcb] = solved[tcb]
        weights[tcb, 1] = THIRD
    automatic = cubic & (flags & _USER == 0) & ~tcb
    if automatic.any() and not (values == values[0]).all():  # most curves of most files stand still
        slopes[automatic] = auto_slopes(times, values, weights, flags, slopes)[automatic]
    else:
        slopes[automatic] = 0.0
    return Curve(times, values, kinds, slopes, weights, *_ends(node))


def _array(node: Node, name: str, dtype: Any) -> Array:
    held = node.array(name, dtype)
    return np.empty(0, dtype) if held is None else held


def _attributes(node: Node, count: int) -> tuple[Array, Array]:
    """Return flags `[K]` and float32 data `[K, 4]` for each key; files state runs of equal ones once."""
    flags = _array(node, "KeyAttrFlags", np.int64)
    runs = _array(node, "KeyAttrRefCount", np.int64)
    held = node.find("KeyAttrDataFloat")
    data = np.zeros((len(flags), 4), np.float32)
    if held is not None and held.values:
        raw = held.numbers(np.int64) if _whole(held) else held.numbers(np.float32, any_bits=True)
        if raw.dtype.kind == "i":  # text holds the bits of the floats
            raw = raw.astype(np.int32).view(np.float32)
        if len(raw) < 4 * len(flags):
            raise held.place.error(f"{len(raw)} numbers for {len(flags)} attributes", "four for each")
        data = np.ascontiguousarray(raw[: 4 * len(flags)], np.float32).reshape(-1, 4)
    if count == 0:
        return np.zeros(0, np.int64), np.zeros((0, 4), np.float32)
    if len(runs) != len(flags) or (runs < 0).any() or int(runs.sum()) != count:
        raise node.place.error(
            f"a curve of {count} keys has attributes for {int(runs.clip(0).sum())}", "as many as keys"
        )
    return np.repeat(flags, runs), np.repeat(data, runs, axis=0)


def _whole(node: Node) -> bool:
    return all(
        isinstance(held, int) or (isinstance(held, np.ndarray) and held.dtype.kind == "i")
        for held in node.values
    )


def _ascending(node: Node, times: Array) -> None:
    if (np.diff(times) < 0).any():
        at = int(np.flatnonzero(np.diff(times) < 0)[0])
        raise node.place.error(f"key {at + 1} of a curve stands before key {at}", "times that rise")


def _straight(times: Array, values: Array, kinds: Array, slopes: Array) -> None:
    """Give segments that are no curves the slopes they have, for what goes on with them beyond the ends."""
    step = np.flatnonzero((kinds == CONSTANT) | (kinds == CONSTANT_NEXT))
    slopes[step, 1] = 0.0
    slopes[step[step < len(times) - 1] + 1, 0] = 0.0
    line = np.flatnonzero(kinds[:-1] == LINEAR)
    if len(line):
        rate = (values[line + 1] - values[line]) / np.maximum(times[line + 1] - times[line], 1e-300)
        slopes[line, 1] = rate
        slopes[line + 1, 0] = rate


def _ends(node: Node) -> tuple[tuple[str, int], tuple[str, int]]:
    return _end(node.find("Pre-Extrapolation")), _end(node.find("Post-Extrapolation"))


def _end(node: Node | None) -> tuple[str, int]:
    if node is None:
        return "C", -1
    child = node.find("Type")
    held = child.values[0] if child is not None and child.values else "C"
    letter = chr(held) if isinstance(held, int) and 0 < held < 128 else str(held)[:1]
    return (letter if letter in _EXTRAPOLATIONS else "C"), node.integer("Repetition", -1)


def curve_of_take(node: Node) -> Curve | None:
    """Return the curve of a `Channel` in a take (versions before 7000); None where it has no keys.

    `Key` lists for each key its time, value and a letter: `L` linear, `C` constant with `n` (next) or
    `s`, `U` cubic with tangents.

    Raises:
        FormatError: a letter that no version uses, or keys that end early.
    """
    held = node.find("Key")
    if held is None:
        return None
    words = [
        word for part in held.values for word in (part.tolist() if isinstance(part, np.ndarray) else [part])
    ]
    reader = _Letters(held, words, steps_say=node.integer("KeyVer", 4005) >= 4004)
    keys: list[tuple[float, float, int, float, float, float, float, bool]] = []
    while reader.left:
        keys.append(reader.key())
    if not keys:
        return None
    rows = np.array([key[:7] for key in keys], np.float64)
    times, values, kinds = rows[:, 0] / KTIME, rows[:, 1], rows[:, 2].astype(np.int64)
    if not np.isfinite(rows).all():
        raise held.place.error("a key that is not finite", "numbers")
    _ascending(held, times)
    slopes, weights = np.zeros((len(rows), 2)), np.full((len(rows), 2), THIRD)
    slopes[:, 1], slopes[1:, 0] = rows[:, 3], rows[:-1, 4]
    weights[:, 1], weights[1:, 0] = rows[:, 5], rows[:-1, 6]
    _straight(times, values, kinds, slopes)
    automatic = np.array([key[7] for key in keys])
    if automatic.any():
        flags = np.full(len(times), TIME_INDEPENDENT | CLAMP_PROGRESSIVE)
        slopes[automatic] = auto_slopes(times, values, weights, flags, slopes)[automatic]
    return Curve(times, values, kinds, slopes, weights, *_ends(node))


class _Letters:
    """Reads the mixed list of numbers and letters of a take's keys."""

    def __init__(self, node: Node, words: list[Any], *, steps_say: bool) -> None:
        self.node = node
        self.words = words
        self.steps_say = steps_say  # keys of older versions do not say whose value a constant one holds
        self.at = 0

    @property
    def left(self) -> bool:
        return self.at < len(self.words)

    def number(self) -> float:
        held = self._next()
        if not isinstance(held, int | float):
            raise self.node.place.error(f"{held!r} among the numbers of a key", "a number")
        return float(held)

    def letter(self) -> str:
        held = self._next()
        return chr(held) if isinstance(held, int) and 0 < held < 128 else str(held)

    def _next(self) -> Any:
        if not self.left:
            raise self.node.place.error("the keys of a channel end early", "time, value and kind of each")
        self.at += 1
        return self.words[self.at - 1]

    def key(self) -> tuple[float, float, int, float, float, float, float, bool]:
        """Return time, value, kind, leaving and next arriving slope, their weights, and whether automatic."""
        time, value, letter = self.number(), self.number(), self.letter()
        if letter == "L":
            return time, value, LINEAR, 0.0, 0.0, THIRD, THIRD, False
        if letter == "C":
            kind = CONSTANT_NEXT if self.steps_say and self.letter() == "n" else CONSTANT
            return time, value, kind, 0.0, 0.0, THIRD, THIRD, False
        if letter != "U":
            raise self.node.place.error(f"a key of kind {letter!r}", "L, C or U")
        return (time, value, CUBIC, *self._tangents())

    def _tangents(self) -> tuple[float, float, float, float, bool]:
        mode = self.letter()
        leave = arrive = 0.0
        weights = 1
        if mode in "sb":
            leave, arrive = self.number(), self.number()
        elif mode == "p":
            self.number(), self.number()
            weights = 2
        elif mode == "t":
            self.number(), self.number(), self.number()
            weights = 0
        elif mode != "a":
            raise self.node.place.error(f"a tangent of kind {mode!r}", "s, b, a, p or t")
        out = into = THIRD
        for _ in range(weights):
            kind = self.letter()
            if kind in "ar":
                out = self.number()
            if kind in "al":
                into = self.number()
            if kind not in "nalrc":
                raise self.node.place.error(f"a weight of kind {kind!r}", "n, a, l, r or c")
        return leave, arrive, out, into, mode not in "sb"
