"""Keys as files hold them before 7000: a list of times and values, with letters between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kinetoscope_fbx._curves import Curves
from kinetoscope_fbx._document import KTIME
from kinetoscope_fbx._keys import check_ascending, ends_of, places_of
from kinetoscope_fbx._node import Node
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
)

__all__ = ["curves_of_takes"]


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
    check_ascending(keyed, rows, times)
    slopes = np.stack([rows.before(table[:, 4], 0.0), table[:, 3]], axis=1)
    weights = np.stack([rows.before(table[:, 6], THIRD), table[:, 5]], axis=1)
    straighten(rows, times, values, kinds, slopes)
    automatic = table[:, 7] > 0
    if automatic.any():
        flags = np.full(len(times), TIME_INDEPENDENT | CLAMP_PROGRESSIVE)
        slopes[automatic] = auto_slopes(rows, times, values, weights, flags, slopes)[automatic]
    ends = [ends_of({child.name: child for child in reversed(node.children)}) for node in keyed]
    return Curves(rows, times, values, kinds, slopes, weights, ends), places_of(counts)


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
        if set(map(type, [*columns[0], *columns[1], *columns[2], *columns[3]])) <= {int, float}:
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
