"""How large the figure in a BVH file is, in file units.

One pose of a few dozen joints: plain numbers take a tenth of the time of arrays here, and compiled
ones a tenth of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from kinetoscope_bvh._channels import CODES, Layout
from kinetoscope_bvh._hierarchy import Hierarchy, Node

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

_STILL: Quaternion = (0.0, 0.0, 0.0, 1.0)


def figure(nodes: Sequence[Node], row: Sequence[float] | None) -> float:
    """Return the longest side of the box around the figure.

    The larger of the rest pose and the first frame (`row`, its channel values) counts. Joints above
    the first one that branches are left out: how far they are from it is where the figure stands.
    """
    trunk = _branching([node.parent for node in nodes])
    poses = [_rest(nodes)] if row is None else [_rest(nodes), _pose(nodes, row)]
    return max(max(map(_spread, zip(*pose[trunk:], strict=True))) for pose in poses)


def figure_compiled(hierarchy: Hierarchy, row: Any) -> float:
    """Return the same of a hierarchy and its first frame `[C]`, but for the rounding of a few sums."""
    from kinetoscope_bvh import _transforms

    size, first, numbers = (_remembered if hierarchy.is_small else _still)(hierarchy)
    extent: Any = _transforms.extent
    return max(size, float(extent(row, *numbers, first)))


def _still(hierarchy: Hierarchy) -> tuple[float, int, tuple[Any, ...]]:
    """Return what no frame changes: the rest pose's size, the first joint that counts, and arrays."""
    nodes = hierarchy.nodes
    parents = [node.parent for node in nodes]
    offsets = np.array([node.offset or (0.0, 0.0, 0.0) for node in nodes], np.float64)
    layout = Layout([node.channels for node in nodes], [node.column for node in nodes])
    return figure(nodes, None), _branching(parents), (*layout.arrays, np.array(parents, np.int64), offsets)


_remembered = lru_cache(maxsize=16)(_still)


def _spread(numbers: Sequence[float]) -> float:
    return max(numbers) - min(numbers)


def _branching(parents: Sequence[int]) -> int:
    """Return the first joint with two children or more; 0 if the joints are one chain."""
    seen: set[int] = set()
    branching = [p for p in parents if p in seen or seen.add(p)]  # type: ignore[func-returns-value]
    return min(branching, default=0)


def _rest(nodes: Sequence[Node]) -> list[Vector]:
    places: list[Vector] = []
    for node in nodes:
        x, y, z = node.offset or (0.0, 0.0, 0.0)
        if node.parent >= 0:
            px, py, pz = places[node.parent]
            x, y, z = x + px, y + py, z + pz
        places.append((x, y, z))
    return places


def _pose(nodes: Sequence[Node], row: Sequence[float]) -> list[Vector]:
    places: list[Vector] = []
    turns: list[Quaternion] = []
    for node in nodes:
        place, turn = _local(node, row)
        if node.parent >= 0:
            above = turns[node.parent]
            x, y, z = _rotate(above, place)
            px, py, pz = places[node.parent]
            place, turn = (x + px, y + py, z + pz), _multiply(above, turn)
        places.append(place)
        turns.append(turn)
    return places


def _local(node: Node, row: Sequence[float]) -> tuple[Vector, Quaternion]:
    place = list(node.offset or (0.0, 0.0, 0.0))
    turn = _STILL
    for column, name in enumerate(node.channels, node.column):
        code = CODES[name]
        if code < 3:
            place[code] = row[column]
        elif code < 6:
            half = math.radians(0.5 * math.fmod(row[column], 720.0))
            about = [0.0, 0.0, 0.0, math.cos(half)]
            about[code - 3] = math.sin(half)
            turn = _multiply(turn, (about[0], about[1], about[2], about[3]))
    return (place[0], place[1], place[2]), turn


def _multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def _rotate(q: Quaternion, v: Vector) -> Vector:
    qx, qy, qz, qw = q
    x, y, z = v
    tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
    return (
        x + qw * tx + qy * tz - qz * ty,
        y + qw * ty + qz * tx - qx * tz,
        z + qw * tz + qx * ty - qy * tx,
    )
