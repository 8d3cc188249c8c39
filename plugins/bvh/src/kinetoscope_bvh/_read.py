"""From the bytes of a BVH file to an asset."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np

from kinetoscope_bvh import _channels, _units
from kinetoscope_bvh._bones import Bones, bones
from kinetoscope_bvh._cursor import line_of
from kinetoscope_bvh._figure import figure, figure_compiled
from kinetoscope_bvh._hierarchy import Header, read_header
from kinetoscope_bvh._numbers import Table, parse_table
from kinetoscope_bvh._rate import framerate
from kinetoscope_spec import Asset, ConfigError, FormatError, Motion

TRANSFORMS_PER_BYTE = 2
"""A joint with a channel takes two bytes a frame at least: four times as many joints as that."""

FEW_TRANSFORMS = 10_000_000
"""So many (300 MB) are read from a file of any size."""


def build_asset(data: bytes, path: Path, *, unit: float | None = None, end_sites: bool = False) -> Asset:
    """Return the asset in `data`; see `BvhImporter.read`."""
    if unit is not None and not (np.isfinite(unit) and 1e-6 <= unit <= 1e6):
        raise ConfigError(f"unit is {unit}, expected metres per unit of the file, above 0")
    header = read_header(data, path)
    table = parse_table(data, header.body, header.hierarchy.columns, path=path)
    if header.frames and not len(table.values):
        _no_frames(data, path, header)
    _check_size(data, path, header, len(table.values))
    unit_m, guessed = _guess(header, table) if unit is None else (float(unit), ())
    found = bones(header.hierarchy, unit_m, end_sites=end_sites)
    metadata = {
        "format": "bvh",
        "unit_m": unit_m,
        "unit_guessed": unit is None,
        "axes": "+X+Y+Z",
        "frame_time_s": float(header.frame_time),
        "channels": dict(found.channels),
        "end_sites": dict(found.end_sites),
    }
    motions = _motions(header, table, found, unit_m, path.stem)
    warnings = (*_table_warnings(header, table), *guessed, *found.warnings)
    return Asset(path.stem, found.skeleton, motions, metadata=metadata, warnings=warnings)


def _guess(header: Header, table: Table) -> tuple[float, tuple[str, ...]]:
    """Return metres per unit of the file, and the warning that says why."""
    if table.compiled and len(table.values):
        size = figure_compiled(header.hierarchy, table.values[0])
    else:
        first = table.values[0].tolist() if len(table.values) else None
        size = figure(header.hierarchy.nodes, first)
    unit, why = _units.guess(size)
    return unit, (f"{why} ({unit:.6g} m); read(unit=…) sets it",)


def _check_size(data: bytes, path: Path, header: Header, frames: int) -> None:
    """Refuse files of a few bytes a frame for thousands of joints without channels."""
    limit = max(TRANSFORMS_PER_BYTE * len(data), FEW_TRANSFORMS)
    if frames * len(header.hierarchy.nodes) > limit:
        raise FormatError(
            f"{len(header.hierarchy.nodes):,} joints, nearly all without channels, for {frames:,} frames",
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


def _motions(header: Header, table: Table, found: Bones, unit: float, stem: str) -> tuple[Motion, ...]:
    if not len(table.values):
        return ()
    skeleton = found.skeleton
    local = _channels.transforms(
        table.values, found.layout, skeleton.rest_positions, unit, compiled=table.compiled
    )
    rate = framerate(header.frame_time)
    return (Motion(skeleton, local.positions, local.rotations, rate, stem, scales=local.scales),)


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
