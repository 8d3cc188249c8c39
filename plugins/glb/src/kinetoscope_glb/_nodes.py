"""Nodes become a skeleton: parents before children, unique names, transforms in three parts."""

from __future__ import annotations

import heapq

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _trs
from kinetoscope_glb._budget import NODE_BYTES, Budget, Warnings
from kinetoscope_glb._json import Item
from kinetoscope_spec import Skeleton, rotation

HELPER = "kinetoscope_helper"
"""Marks, in `extras`, nodes that a writer of ours made to show a mesh or to join roots: they are no
part of the skeleton, and what hangs on one hangs on the node above it."""

SHEAR = 1e-4
"""A matrix that is off by more than this, relative to its size, has shear worth a warning."""

IDENTITY = (0.0, 0.0, 0.0, 1.0)


@attrs.frozen
class Nodes:
    """The nodes of a document.

    Attributes:
        items: as they stand in the file.
        joint: by node, its index in the skeleton, or -1 for a helper.
        above: by node, the same, and for a helper that of the node above it; -1 if there is none.
        skeleton: all but the helpers.
    """

    items: list[Item]
    joint: list[int]
    above: list[int]
    skeleton: Skeleton


def read_nodes(document: Item, unit: float, budget: Budget, warnings: Warnings) -> Nodes:
    """Return the nodes; each position times `unit`.

    Raises:
        FormatError: a cycle, a node with two parents, a number that is not finite, too many nodes.
    """
    budget.take(NODE_BYTES * len(document.array("nodes")), "nodes")
    items = document.items("nodes")
    if not items:
        warnings.add("no nodes", "the file has no nodes: a skeleton of one node 'root' stands in for them")
        return Nodes([], [], [], Skeleton(("root",), [-1], np.zeros((1, 3))))
    parents = _parents(items)
    order = _parents_first(items, parents)
    helpers = {node for node in order if _is_helper(items[node])}
    kept = [node for node in order if node not in helpers]
    if not kept:
        kept, helpers = order, set()
    joint, above = [-1] * len(items), [-1] * len(items)
    parent_joint: list[int] = []
    for node in order:
        upward = -1 if parents[node] < 0 else above[parents[node]]
        above[node] = upward
        if node not in helpers:
            joint[node] = above[node] = len(parent_joint)
            parent_joint.append(upward)
    positions, turns, scales = _rest(items, kept, unit, warnings)
    names = unique_names([_name(items[node], node) for node in kept], "nodes", warnings)
    skeleton = Skeleton(names, parent_joint, positions, turns, scales)
    return Nodes(items, joint, above, skeleton)


def _parents(items: list[Item]) -> list[int]:
    parents = [-1] * len(items)
    for node, item in enumerate(items):
        for child in item.indices("children", len(items), "nodes"):
            if parents[child] >= 0 and parents[child] != node:
                item.refuse(
                    f"has the child nodes[{child}], which is a child of nodes[{parents[child]}] too",
                    "one parent a node",
                )
            parents[child] = node
    return parents


def _parents_first(items: list[Item], parents: list[int]) -> list[int]:
    """Return the nodes so that parents come first, otherwise in the order of the file."""
    children: list[list[int]] = [[] for _ in items]
    for node, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(node)
    ready = [node for node, parent in enumerate(parents) if parent < 0]
    order = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for child in children[node]:
            heapq.heappush(ready, child)
    if len(order) < len(items):
        left = min(set(range(len(items))) - set(order))
        items[left].refuse("is a descendant of itself, or hangs below one that is", "a tree of nodes")
    return order


def _is_helper(item: Item) -> bool:
    extras = item.data.get("extras")
    marked = isinstance(extras, dict) and extras.get(HELPER) is True
    return marked and not any(key in item for key in ("matrix", "translation", "rotation", "scale"))


def _name(item: Item, node: int) -> str:
    return item.text("name") or f"node_{node}"


def unique_names(names: list[str], what: str, warnings: Warnings) -> list[str]:
    """Return `names`, numbered (`arm_2`) where one stands for several things."""
    taken: set[str] = set(names)
    seen: set[str] = set()
    counts: dict[str, int] = {}
    found = []
    for name in names:
        called, count = name, counts.get(name, 1)
        while called in seen or (count > 1 and called in taken):
            count += 1
            called = f"{name}_{count}"
        counts[name] = count
        if called != name:
            warnings.add(
                f"names of {what}", f"the name {name!r} stands for several {what}; one is {called!r}"
            )
        seen.add(called)
        found.append(called)
    return found


def _rest(
    items: list[Item], kept: list[int], unit: float, warnings: Warnings
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    positions = np.zeros((len(kept), 3))
    turns = np.tile(np.array(IDENTITY), (len(kept), 1))
    scales = np.ones((len(kept), 3))
    with_matrix = []
    for place, node in enumerate(kept):
        item = items[node]
        if "matrix" in item:
            with_matrix.append(place)
            continue
        if "translation" in item:
            positions[place] = item.numbers("translation", 3)
        if "rotation" in item:
            turns[place] = item.numbers("rotation", 4)
        if "scale" in item:
            scales[place] = item.numbers("scale", 3)
    if with_matrix:
        apart = _taken_apart([items[kept[place]] for place in with_matrix], warnings)
        positions[with_matrix], turns[with_matrix], scales[with_matrix] = apart
    return positions * unit, _unit([items[node] for node in kept], turns, warnings), scales


def _taken_apart(
    items: list[Item], warnings: Warnings
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return translations, rotations and scales of items with a matrix."""
    columns = np.array([item.numbers("matrix", 16) for item in items]).reshape(-1, 4, 4)
    matrices = columns.transpose(0, 2, 1)
    wrong = np.flatnonzero(np.abs(matrices[:, 3] - np.array(IDENTITY)).max(axis=1) > 1e-6)
    if len(wrong):
        items[wrong[0]].fail("matrix", "a last row of 0, 0, 0, 1 (the 4th, 8th, 12th and 16th number)")
    positions, turns, scales, off = _trs.decompose(matrices)
    for place in np.flatnonzero(off > SHEAR).tolist():
        warnings.add(
            "shear",
            f"{items[place].place('matrix')} shears, which no translation, rotation and scale can; the closest "
            f"ones are off by {100 * off[place]:.2g} % of its largest number",
        )
    return positions, np.asarray(rotation.from_matrix(turns)), scales


def _unit(items: list[Item], turns: NDArray[np.float64], warnings: Warnings) -> NDArray[np.float64]:
    """Return the quaternions `[N, 4]` of `items`, each of length 1."""
    length = np.linalg.norm(turns, axis=1)
    for place in np.flatnonzero(np.abs(length - 1) > 1e-3).tolist():
        where = items[place].place("rotation")
        if length[place] < 1e-12:
            warnings.add("zero quaternion", f"{where} is 0, which turns nowhere: taken for none")
            turns[place], length[place] = IDENTITY, 1.0
        else:
            warnings.add("quaternion", f"{where} has length {length[place]:.4g}; it is taken to length 1")
    unit: NDArray[np.float64] = turns / length[:, None]
    return unit
