"""Keys as files hold them since 7000: flags, and tangents packed into floats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._curves import NO_CURVES, Curves, End
from kinetoscope_fbx._document import KTIME
from kinetoscope_fbx._node import Node, joined
from kinetoscope_fbx._tangents import (
    CONSTANT,
    CONSTANT_NEXT,
    CUBIC,
    LINEAR,
    THIRD,
    Rows,
    auto_slopes,
    straighten,
    tcb_slopes,
)

__all__ = ["check_ascending", "curves_of_records", "ends_of", "places_of"]

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
    check_ascending([node for node, count in zip(nodes, counts, strict=True) if count], rows, times)
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
    ends = [ends_of(one) for one, count in zip(held, counts, strict=True) if count]
    return Curves(rows, times, values, kinds, slopes, weights, ends), places_of(counts)


def places_of(counts: Array) -> list[int]:
    """Return of each curve its place among those that have keys, -1 for the others."""
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


def check_ascending(nodes: Sequence[Node], rows: Rows, times: Array) -> None:
    """Raise FormatError where the keys of a curve, that of one of the nodes, go back in time."""
    for key in np.flatnonzero((np.diff(times) < 0) & ~rows.tail[:-1])[:1]:
        curve = int(np.searchsorted(rows.starts, key, side="right")) - 1
        at = key - rows.starts[curve]
        raise nodes[curve].place.error(f"key {at + 1} of a curve stands before key {at}", "times that rise")


def ends_of(held: Mapping[str, Node]) -> tuple[End, End]:
    """Return how a curve goes on before and after its keys, its records being `held`."""
    return _end(held.get("Pre-Extrapolation")), _end(held.get("Post-Extrapolation"))


def _end(node: Node | None) -> tuple[str, int]:
    if node is None:
        return "C", -1
    child = node.find("Type")
    held = child.values[0] if child is not None and child.values else "C"
    letter = chr(held) if isinstance(held, int) and 0 < held < 128 else str(held)[:1]
    return (letter if letter in _EXTRAPOLATIONS else "C"), node.integer("Repetition", -1)
