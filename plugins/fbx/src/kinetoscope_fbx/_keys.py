"""Keys as files hold them: flags and packed tangents since 7000, letters before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._curves import NO_CURVES, Curves, End
from kinetoscope_fbx._document import KTIME
from kinetoscope_fbx._node import Node, joined
from kinetoscope_fbx._tangents import (
    CLAMP_PROGRESSIVE,
    CONSTANT,
    CONSTANT_NEXT,
    CUBIC,
    LINEAR,
    THIRD,
    TIME_INDEPENDENT,
    Rows,
    auto_slopes,
    straighten,
    tcb_slopes,
)

__all__ = ["curves_of_records", "curves_of_takes"]

Array = NDArray[Any]

# FbxAnimCurveDef of the FBX SDK: bits of KeyAttrFlags.
_CONSTANT, _LINEAR = 0x2, 0x4
_AUTO, _TCB, _USER = 0x100, 0x200, 0x400
_NEXT = 0x100
_WEIGHTED_RIGHT, _WEIGHTED_NEXT_LEFT = 0x1000000, 0x2000000
_WEIGHT_UNIT: Final = 1e-4
_EXTRAPOLATIONS: Final = "CRMKA"


def curves_of_records(nodes: Sequence[Node]) -> tuple[Curves, list[int]]:
    """Return the curves of records `AnimationCurve` (versions since 7000), and of each its place, -1 without keys.

    Raises:
        FormatError: keys and values differ in number, times fall, attributes don't cover the keys.
    """
    if not nodes:
        return NO_CURVES, []
    held = [{child.name: child for child in reversed(node.children)} for node in nodes]
    ticks, counts = _column(held, "KeyTime", np.int64)
    values, value_counts = _column(held, "KeyValueFloat", np.float64)
    for i in np.flatnonzero(counts != value_counts)[:1]:
        raise nodes[i].place.error(f"a curve has {counts[i]} times and {value_counts[i]} values", "as many")
    flags, data = _attributes(nodes, held, counts)
    rows = Rows.of(counts[counts > 0])
    times = ticks / KTIME
    _ascending([node for node, count in zip(nodes, counts, strict=True) if count], rows, times)
    kinds = np.where(
        flags & _CONSTANT,
        np.where(flags & _NEXT, CONSTANT_NEXT, CONSTANT),
        np.where(flags & _LINEAR, LINEAR, CUBIC),
    )
    packed = data[:, 2].copy().view(np.uint32)
    left = np.where(flags & _WEIGHTED_NEXT_LEFT, (packed >> 16) * _WEIGHT_UNIT, THIRD)
    right = np.where(flags & _WEIGHTED_RIGHT, (packed & 0xFFFF) * _WEIGHT_UNIT, THIRD)
    numbers = np.nan_to_num(data.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    weights = np.stack([rows.before(left, THIRD), right], axis=1)
    slopes = np.stack([rows.before(numbers[:, 1], 0.0), numbers[:, 0]], axis=1)
    straighten(rows, times, values, kinds, slopes)
    cubic = kinds == CUBIC
    tcb = cubic & (flags & _TCB != 0) & (flags & _AUTO == 0)
    if tcb.any():
        solved = tcb_slopes(rows, times, values, *numbers[:, :3].T)
        unsaid = (
            np.flatnonzero(tcb & ~rows.tail) + 1
        )  # the key before has its continuity where a slope would be
        slopes[unsaid, 0] = 0.0
        slopes[tcb] = solved[tcb]
        weights[tcb, 1] = THIRD
    automatic = cubic & (flags & _USER == 0) & ~tcb
    if automatic.any():
        solved = auto_slopes(rows, times, values, weights, flags, slopes)
        flat = np.maximum.reduceat(values, rows.starts) == np.minimum.reduceat(values, rows.starts)
        solved[np.repeat(flat, rows.counts)] = 0.0
        slopes[automatic] = solved[automatic]
    ends = [_ends(one) for one, count in zip(held, counts, strict=True) if count]
    return Curves(rows, times, values, kinds, slopes, weights, ends), _places(counts)


def _places(counts: Array) -> list[int]:
    places: list[int] = np.where(counts > 0, np.cumsum(counts > 0) - 1, -1).tolist()
    return places


def _column(held: Sequence[Mapping[str, Node]], name: str, dtype: Any) -> tuple[Array, Array]:
    """Return the numbers of the children of one name, curve after curve, and how many each has."""
    return joined([one.get(name) for one in held], dtype)


def _attributes(
    nodes: Sequence[Node], held: Sequence[Mapping[str, Node]], counts: Array
) -> tuple[Array, Array]:
    """Return flags `[K]` and float32 data `[K, 4]` for each key; files state runs of equal ones once."""
    flags, flag_counts = _column(held, "KeyAttrFlags", np.int64)
    runs, run_counts = _column(held, "KeyAttrRefCount", np.int64)
    ends = np.cumsum(run_counts)
    covered = np.concatenate([[0], np.cumsum(np.clip(runs, 0, 1 << 32))])
    covered = covered[ends] - covered[ends - run_counts]
    less = np.concatenate([[0], np.cumsum(runs < 0)])
    wrong = (run_counts != flag_counts) | (less[ends] > less[ends - run_counts]) | (covered != counts)
    for i in np.flatnonzero(wrong & (counts > 0))[:1]:
        raise nodes[i].place.error(
            f"a curve of {counts[i]} keys has attributes for {covered[i]}", "as many as keys"
        )
    data = _data([one.get("KeyAttrDataFloat") for one in held], flag_counts)
    keyed = np.repeat(counts > 0, flag_counts)
    if not keyed.all():
        flags, data, runs = flags[keyed], data[keyed], runs[np.repeat(counts > 0, run_counts)]
    return np.repeat(flags, runs), np.repeat(data, runs, axis=0)


def _data(nodes: Sequence[Node | None], counts: Array) -> Array:
    """Return the four numbers of each of so many attributes, `[A, 4]`, zeros where a curve has none."""
    if all(node is not None and _are_bits(node) for node in nodes):
        found, numbers = joined(nodes, np.int64)
        if (numbers == 4 * counts).all():
            return found.astype(np.int32).view(np.float32).reshape(-1, 4)
    data = np.zeros((int(counts.sum()), 4), np.float32)
    for node, end, count in zip(nodes, np.cumsum(counts), counts, strict=True):
        if node is not None and node.values:
            if _are_bits(node):
                raw = node.numbers(np.int64).astype(np.int32).view(np.float32)
            else:
                raw = node.numbers(np.float32, any_bits=True)
            if len(raw) < 4 * count:
                raise node.place.error(f"{len(raw)} numbers for {count} attributes", "four for each")
            data[end - count : end] = raw[: 4 * count].reshape(-1, 4)
    return data


def _are_bits(node: Node) -> bool:
    """Tell whether there are whole numbers: text holds the bits of the floats."""
    return all(
        isinstance(held, int) or (isinstance(held, np.ndarray) and held.dtype.kind == "i")
        for held in node.values
    )


def _ascending(nodes: Sequence[Node], rows: Rows, times: Array) -> None:
    for key in np.flatnonzero((np.diff(times) < 0) & ~rows.tail[:-1])[:1]:
        curve = int(np.searchsorted(rows.starts, key, side="right")) - 1
        at = key - rows.starts[curve]
        raise nodes[curve].place.error(f"key {at + 1} of a curve stands before key {at}", "times that rise")


def _ends(held: Mapping[str, Node]) -> tuple[End, End]:
    return _end(held.get("Pre-Extrapolation")), _end(held.get("Post-Extrapolation"))


def _end(node: Node | None) -> tuple[str, int]:
    if node is None:
        return "C", -1
    child = node.find("Type")
    held = child.values[0] if child is not None and child.values else "C"
    letter = chr(held) if isinstance(held, int) and 0 < held < 128 else str(held)[:1]
    return (letter if letter in _EXTRAPOLATIONS else "C"), node.integer("Repetition", -1)


def curves_of_takes(nodes: Sequence[Node]) -> tuple[Curves, list[int]]:
    """Return the curves of `Channel`s in a take (versions before 7000), and of each its place, -1 without keys.

    `Key` lists for each key its time, value and a letter: `L` linear, `C` constant with `n` (next) or
    `s`, `U` cubic with tangents.

    Raises:
        FormatError: a letter that no version uses, or keys that end early.
    """
    found = [(node, node.find("Key")) for node in nodes]
    keys = [_keys(node, held) if held is not None else [] for node, held in found]
    counts = np.array([len(held) for held in keys], np.int64)
    table = np.array([key for held in keys for key in held], np.float64).reshape(-1, 8)
    rows = Rows.of(counts[counts > 0])
    keyed = [node for node, count in zip(nodes, counts, strict=True) if count]
    for key in np.flatnonzero(~np.isfinite(table).all(axis=1))[:1]:
        curve = int(np.searchsorted(rows.starts, key, side="right")) - 1
        raise keyed[curve].place.error("a key that is not finite", "numbers")
    times, values, kinds = table[:, 0] / KTIME, table[:, 1], table[:, 2].astype(np.int64)
    _ascending(keyed, rows, times)
    slopes = np.stack([rows.before(table[:, 4], 0.0), table[:, 3]], axis=1)
    weights = np.stack([rows.before(table[:, 6], THIRD), table[:, 5]], axis=1)
    straighten(rows, times, values, kinds, slopes)
    automatic = table[:, 7] > 0
    if automatic.any():
        flags = np.full(len(times), TIME_INDEPENDENT | CLAMP_PROGRESSIVE)
        slopes[automatic] = auto_slopes(rows, times, values, weights, flags, slopes)[automatic]
    ends = [_ends({child.name: child for child in reversed(node.children)}) for node in keyed]
    return Curves(rows, times, values, kinds, slopes, weights, ends), _places(counts)


_Key = tuple[float, float, int, float, float, float, float, bool]
"""Time, value, kind, leaving and next arriving slope, their weights, and whether the tangents are automatic."""


def _keys(node: Node, held: Node) -> list[_Key]:
    """Return the keys of a `Channel` whose record `Key` is `held`."""
    words = held.values
    if any(isinstance(part, np.ndarray) for part in words):
        words = [
            word for part in words for word in (part.tolist() if isinstance(part, np.ndarray) else [part])
        ]
    alike = _alike(words)
    if alike is not None:
        return alike
    reader = _Letters(held, words, steps_say=node.integer("KeyVer", 4005) >= 4004)
    keys = []
    while reader.left:
        keys.append(reader.key())
    return keys


def _alike(words: list[Any]) -> list[_Key] | None:
    """Return the keys of a curve that are all linear, or all cubic with slopes and no weights; None of others."""
    count = len(words)
    if words[2::3] == ["L"] * (count // 3) and count % 3 == 0:
        numbers = words[0::3], words[1::3]
        if set(map(type, numbers[0] + numbers[1])) <= {int, float}:
            return [
                (t, value, LINEAR, 0.0, 0.0, THIRD, THIRD, False) for t, value in zip(*numbers, strict=True)
            ]
    elif count % 7 == 0 and all(
        words[i::7] == [letter] * (count // 7) for i, letter in ((2, "U"), (3, "s"), (6, "n"))
    ):
        columns = words[0::7], words[1::7], words[4::7], words[5::7]
        if set(map(type, sum(columns, []))) <= {int, float}:
            return [
                (t, value, CUBIC, leave, arrive, THIRD, THIRD, False)
                for t, value, leave, arrive in zip(*columns, strict=True)
            ]
    return None


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

    def key(self) -> _Key:
        """Return the next key."""
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
