"""From the bytes of a BVH file to an asset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from kinetoscope_bvh import _channels, _units
from kinetoscope_bvh._cursor import line_of
from kinetoscope_bvh._hierarchy import Header, Node, read_header
from kinetoscope_bvh._numbers import Table, parse_table
from kinetoscope_bvh._rate import framerate
from kinetoscope_spec import Asset, ConfigError, FormatError, Motion, Skeleton, kinematics

TRANSFORMS_PER_BYTE = 2
"""A joint with a channel takes two bytes a frame at least: four times as many joints as that."""

FEW_TRANSFORMS = 10_000_000
"""So many (300 MB) are read from a file of any size."""

_BOM = b"\xef\xbb\xbf"


def build_asset(data: bytes, path: Path, *, unit: float | None = None, end_sites: bool = False) -> Asset:
    """Return the asset in `data`; see `BvhImporter.read`."""
    if unit is not None and not (np.isfinite(unit) and 1e-6 <= unit <= 1e6):
        raise ConfigError(f"unit is {unit}, expected metres per unit of the file, above 0")
    header = read_header(data, path, len(_BOM) if data.startswith(_BOM) else 0)
    table = parse_table(data, header.body, header.columns, path=path)
    if header.frames and not len(table.values):
        _no_frames(data, path, header)
    _check_size(data, path, header, len(table.values))
    warnings = _table_warnings(header, table)
    names = _names(header.nodes, warnings)
    if unit is None:
        unit_m, why = _units.guess(_figure(header.nodes, table.values))
        warnings.append(f"{why} ({unit_m:.6g} m); read(unit=…) sets it")
    else:
        unit_m = float(unit)
    kept = [i for i, node in enumerate(header.nodes) if end_sites or not node.is_end]
    skeleton, motions = _moving(header, kept, [names[i] for i in kept], table, unit_m, path.stem)
    metadata = {
        "format": "bvh",
        "unit_m": unit_m,
        "unit_guessed": unit is None,
        "axes": "+X+Y+Z",
        "frame_time_s": float(header.frame_time),
        "channels": {names[i]: node.channels for i, node in enumerate(header.nodes) if not node.is_end},
        "end_sites": _end_sites(header.nodes, names, unit_m, warnings),
    }
    return Asset(path.stem, skeleton, motions, metadata=metadata, warnings=tuple(warnings))


def _check_size(data: bytes, path: Path, header: Header, frames: int) -> None:
    """Refuse files of a few bytes a frame for thousands of joints without channels."""
    limit = max(TRANSFORMS_PER_BYTE * len(data), FEW_TRANSFORMS)
    if frames * len(header.nodes) > limit:
        raise FormatError(
            f"{len(header.nodes):,} joints, nearly all without channels, for {frames:,} frames",
            path=path,
            line=line_of(data, header.body),
            expected=f"at most {limit:,} joint transforms in a file of this size",
        )


def _no_frames(data: bytes, path: Path, header: Header) -> NoReturn:
    raise FormatError(
        f"{header.frames} frames are declared and there is none",
        path=path,
        line=line_of(data, len(data)),
        expected="a line of numbers for each frame; 'Frames: 0' for a skeleton alone",
    )


def _moving(
    header: Header,
    kept: Sequence[int],
    names: Sequence[str],
    table: Table,
    unit: float,
    stem: str,
) -> tuple[Skeleton, tuple[Motion, ...]]:
    nodes = [header.nodes[i] for i in kept]
    place = {old: new for new, old in enumerate(kept)} | {-1: -1}
    rest = np.array([node.offset for node in nodes], np.float64) * unit
    skeleton = Skeleton(tuple(names), np.array([place[node.parent] for node in nodes]), rest)
    if not len(table.values):
        return skeleton, ()
    layout = _layout(nodes, rest, unit)
    local = _channels.transforms(table.values, layout, compiled=table.compiled)
    rate = framerate(header.frame_time)
    motion = Motion(skeleton, local.positions, local.rotations, rate, stem, scales=local.scales)
    return skeleton, (motion,)


def _layout(nodes: Sequence[Node], rest: NDArray[np.float64], unit: float) -> _channels.Layout:
    return _channels.Layout(rest, [node.channels for node in nodes], [node.column for node in nodes], unit)


def _table_warnings(header: Header, table: Table) -> list[str]:
    found = len(table.values)
    warnings = []
    if found != header.frames:
        warnings.append(f"{header.frames} frames are declared and {found} found; those found are taken")
    if not found:
        warnings.append("the file holds no frames: a skeleton without a motion")
    if table.wrapped:
        warnings.append(f"frames go on over several lines ({table.wrapped} lines end inside one)")
    return warnings


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
) -> dict[str, tuple[float, float, float]]:
    ends: dict[str, tuple[float, float, float]] = {}
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


def _figure(nodes: Sequence[Node], values: NDArray[np.float64]) -> float:
    """Return how large the figure is, in file units: the longest side of the box around it.

    The larger of the rest pose and the first frame counts. Joints above the first one that
    branches are left out: how far they are from it is where the figure stands.
    """
    parents = tuple(node.parent for node in nodes)
    rest = np.array([node.offset for node in nodes], np.float64)
    turns = np.tile([0.0, 0.0, 0.0, 1.0], (len(nodes), 1))
    poses = [kinematics.global_transforms(parents, rest, turns)[0]]
    if len(values):
        local = _channels.transforms(values[:1], _layout(nodes, rest, 1.0), compiled=False)
        poses.append(kinematics.global_transforms(parents, local.positions, local.rotations)[0][0])
    trunk = _branching(parents)
    return max(_units.extent(pose[trunk:]) for pose in poses)


def _branching(parents: Sequence[int]) -> int:
    """Return the first joint with two children or more; 0 if the joints are one chain."""
    seen: set[int] = set()
    branching = [p for p in parents if p in seen or seen.add(p)]  # type: ignore[func-returns-value]
    return min(branching, default=0)
