"""What follows from a file's joints and its unit: the skeleton, and where each joint's channels stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import attrs
import numpy as np

from kinetoscope_bvh._channels import Layout
from kinetoscope_bvh._hierarchy import Hierarchy, Node
from kinetoscope_spec import Skeleton

Vector = tuple[float, float, float]


@attrs.frozen(eq=False)
class Bones:
    """What a hierarchy means in metres.

    Attributes:
        skeleton: the joints, and the end sites if they were wanted.
        layout: where the channels of each of its nodes stand.
        channels: the names of the channels by joint.
        end_sites: the offset of its end site in metres by joint.
        warnings: what was changed or left out.
    """

    skeleton: Skeleton
    layout: Layout
    channels: Mapping[str, tuple[str, ...]]
    end_sites: Mapping[str, Vector]
    warnings: tuple[str, ...]


def bones(hierarchy: Hierarchy, unit: float, *, end_sites: bool) -> Bones:
    """Return what `hierarchy` means if a unit of the file has `unit` metres."""
    build = _remembered if hierarchy.is_small else _remembered.__wrapped__
    return build(hierarchy, unit, end_sites)


@lru_cache(maxsize=16)
def _remembered(hierarchy: Hierarchy, unit: float, end_sites: bool) -> Bones:
    warnings: list[str] = []
    names = _names(hierarchy.nodes, warnings)
    kept = [i for i, node in enumerate(hierarchy.nodes) if end_sites or not node.is_end]
    nodes = [hierarchy.nodes[i] for i in kept]
    place = {old: new for new, old in enumerate(kept)} | {-1: -1}
    rest = np.array([node.offset for node in nodes], np.float64) * unit
    return Bones(
        Skeleton(tuple(names[i] for i in kept), np.array([place[node.parent] for node in nodes]), rest),
        Layout([node.channels for node in nodes], [node.column for node in nodes]),
        {names[i]: node.channels for i, node in enumerate(hierarchy.nodes) if not node.is_end},
        _end_sites(hierarchy.nodes, names, unit, warnings),
        tuple(warnings),
    )


def _names(nodes: Sequence[Node], warnings: list[str]) -> list[str]:
    """Return unique names for all nodes; end sites are called after their joint."""
    names: list[str] = []
    taken: set[str] = set()
    for node in nodes:
        wanted = f"{names[node.parent]}_end" if node.is_end else _decoded(node.name)
        name, count = wanted, 1
        while name in taken:
            count += 1
            name = f"{wanted}_{count}"
        if name != wanted and not node.is_end:
            warnings.append(f"the name {wanted!r} stands for several joints; one is called {name!r} here")
        taken.add(name)
        names.append(name)
    return names


def _decoded(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _end_sites(
    nodes: Sequence[Node], names: Sequence[str], unit: float, warnings: list[str]
) -> dict[str, Vector]:
    ends: dict[str, Vector] = {}
    for node in nodes:
        if not node.is_end or node.offset is None:
            continue
        joint = names[node.parent]
        if joint in ends:
            warnings.append(f"joint {joint!r} has several end sites; metadata holds the first")
            continue
        x, y, z = node.offset
        ends[joint] = (x * unit, y * unit, z * unit)
    return ends
