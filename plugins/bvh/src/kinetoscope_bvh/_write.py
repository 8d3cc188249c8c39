"""From an asset to the text of a BVH file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_bvh._channels import axis_columns, rotation_order
from kinetoscope_bvh._plan import Order, angles, check_names, plan
from kinetoscope_bvh._rate import framerate
from kinetoscope_spec import Asset, ConfigError, Motion

CENTIMETRE = 0.01


@attrs.frozen
class _Item:
    """A node to write: its index, depth, channels; an end site has index -1 and an offset."""

    name: str
    depth: int
    offset: Sequence[float]
    channels: tuple[str, ...] | None


def bvh_lines(asset: Asset, *, motion: int | None, order: Order | None, unit: float | None) -> Iterator[str]:
    """Return the lines of the file; see `BvhImporter.write`. Everything is checked before the first."""
    check_names(asset.skeleton)
    unit_m = _unit(asset, unit)
    moving = _motion(asset, motion)
    channels = plan(asset, moving, order)
    ends = _end_nodes(asset, moving, channels)
    joints = [joint for joint in _depth_first(asset) if joint not in ends]
    digits = 9 if moving is None or moving.rotations.dtype == np.float32 else 17
    return _lines(asset, moving, channels, joints, ends, unit_m, digits)


def _lines(
    asset: Asset,
    motion: Motion | None,
    channels: Sequence[tuple[str, ...]],
    joints: Sequence[int],
    ends: set[int],
    unit: float,
    digits: int,
) -> Iterator[str]:
    yield "HIERARCHY"
    yield from _hierarchy(asset, channels, joints, ends, unit)
    yield "MOTION"
    yield f"Frames: {0 if motion is None else motion.frame_count}"
    yield f"Frame Time: {_frame_time(asset, motion)}"
    if motion is not None:
        yield from _rows(_table(motion, channels, joints, unit), digits)


def _unit(asset: Asset, unit: float | None) -> float:
    if unit is None:
        unit = float(asset.metadata["unit_m"]) if asset.metadata.get("format") == "bvh" else CENTIMETRE
    if not (np.isfinite(unit) and 1e-6 <= unit <= 1e6):
        raise ConfigError(f"unit is {unit}, expected metres per unit of the file, above 0")
    return unit


def _motion(asset: Asset, index: int | None) -> Motion | None:
    if index is None or (index == 0 and not asset.motions):
        return None
    if not -len(asset.motions) <= index < len(asset.motions):
        raise ConfigError(f"motion is {index}, but the asset {asset.name!r} has {len(asset.motions)}")
    return asset.motions[index]


def _end_nodes(asset: Asset, motion: Motion | None, channels: Sequence[tuple[str, ...]]) -> set[int]:
    """Return the nodes that were end sites in the BVH file they come from, and still can be."""
    read: Mapping[str, object] = asset.metadata.get("channels", {})
    skeleton = asset.skeleton
    parents = set(skeleton.parents.tolist())
    return {
        joint
        for joint, name in enumerate(skeleton.names)
        if read
        and name not in read
        and joint not in parents
        and name.startswith(_parent(asset, joint) + "_end")
        if motion is None or _still(motion, joint)
    }


def _parent(asset: Asset, joint: int) -> str:
    return asset.skeleton.names[int(asset.skeleton.parents[joint])]


def _still(motion: Motion, joint: int) -> bool:
    rest = motion.skeleton.rest_positions[joint]
    moved = np.abs(motion.positions[:, joint] - rest) > 1e-6 * (1 + np.abs(rest))
    return not moved.any() and bool((np.abs(motion.rotations[:, joint, :3]) <= 1e-6).all())


def _depth_first(asset: Asset) -> list[int]:
    """Return the joints in the order of the file: each followed by all that hang on it."""
    children: list[list[int]] = [[] for _ in asset.skeleton.names]
    stack: list[int] = []
    for joint, parent in enumerate(asset.skeleton.parents.tolist()):
        (children[parent] if parent >= 0 else stack).append(joint)
    order = []
    while stack:
        joint = stack.pop()
        order.append(joint)
        stack.extend(reversed(children[joint]))
    return order


def _items(
    asset: Asset, channels: Sequence[tuple[str, ...]], joints: Sequence[int], ends: set[int]
) -> Iterator[_Item]:
    skeleton = asset.skeleton
    depth = {-1: -1}
    stated: Mapping[str, Sequence[float]] = asset.metadata.get("end_sites", {})
    with_children = set(skeleton.parents[list(joints)].tolist())
    for joint in joints:
        depth[joint] = depth[int(skeleton.parents[joint])] + 1
        name = skeleton.names[joint]
        yield _Item(name, depth[joint], skeleton.rest_positions[joint], channels[joint])
        tips = [skeleton.rest_positions[end] for end in sorted(ends) if skeleton.parents[end] == joint]
        if not tips and name in stated:
            tips = [np.asarray(stated[name])]
        if not tips and joint not in with_children and "end_sites" not in asset.metadata:
            tips = [np.zeros(3)]  # readers expect an end site below every last joint
        for tip in tips:
            yield _Item("", depth[joint] + 1, tip, None)


def _hierarchy(
    asset: Asset, channels: Sequence[tuple[str, ...]], joints: Sequence[int], ends: set[int], unit: float
) -> Iterator[str]:
    open_depth = -1
    for item in _items(asset, channels, joints, ends):
        while open_depth >= item.depth:
            yield "\t" * open_depth + "}"
            open_depth -= 1
        tabs = "\t" * item.depth
        keyword = "ROOT" if item.depth == 0 else "JOINT"
        yield tabs + (f"{keyword} {item.name}" if item.channels is not None else "End Site")
        yield tabs + "{"
        yield f"{tabs}\tOFFSET " + " ".join(f"{x / unit:.9g}" for x in item.offset)
        if item.channels is not None:
            yield f"{tabs}\tCHANNELS {len(item.channels)} {' '.join(item.channels)}".rstrip()
        open_depth = item.depth
    for d in range(open_depth, -1, -1):
        yield "\t" * d + "}"


def _frame_time(asset: Asset, motion: Motion | None) -> str:
    """Return the frame time as it was read if it means the motion's framerate, else in full."""
    stated = repr(float(asset.metadata.get("frame_time_s", 1 / 30)))
    if motion is None or framerate(stated) == motion.framerate:
        return stated
    return repr(1 / motion.framerate)


def _table(
    motion: Motion, channels: Sequence[tuple[str, ...]], joints: Iterable[int], unit: float
) -> NDArray[np.float64]:
    """Return channel values `[F, C]` in file units and degrees."""
    blocks = []
    for joint in joints:
        names = channels[joint]
        block = np.empty((motion.frame_count, len(names)))
        for axis, i in axis_columns(names, "position"):
            block[:, i] = motion.positions[:, joint, axis] / unit
        for axis, i in axis_columns(names, "scale"):
            block[:, i] = 1.0 if motion.scales is None else motion.scales[:, joint, axis]
        if order := rotation_order(names):
            at = [i for _, i in axis_columns(names, "rotation")]
            block[:, at] = angles(order, motion.rotations[:, joint])
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def _rows(table: NDArray[np.float64], digits: int) -> Iterator[str]:
    line = " ".join([f"%.{digits}g"] * table.shape[1])
    for row in table:
        yield line % tuple(row.tolist())


def write_text(path: Path, lines: Iterable[str]) -> None:
    """Write `lines` to a new file beside `path` and put it in its place when it is whole."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in lines)
        os.chmod(name, _mode())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
