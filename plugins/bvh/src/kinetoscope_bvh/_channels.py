"""From channel values to local transforms, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_bvh import _turns

Floats = NDArray[Any]


def axis_columns(channels: Sequence[str], kind: str) -> list[tuple[int, int]]:
    """Return (axis, column) for every channel of a kind: `position`, `rotation` or `scale`."""
    return [("XYZ".index(name[0]), i) for i, name in enumerate(channels) if name[1:] == kind]


def rotation_order(channels: Sequence[str]) -> str:
    """Return the axes of the rotation channels in their order, such as `zxy`."""
    return "".join(name[0].lower() for name in channels if name.endswith("rotation"))


@attrs.frozen
class Layout:
    """Where the channels of each joint stand.

    Attributes:
        rest: `[J, 3]`, the offsets, in the unit wanted.
        channels: the channel names of each joint, in file order.
        columns: the column of each joint's first channel.
        unit: metres (or what is wanted) per unit of the file.
    """

    rest: NDArray[np.float64]
    channels: Sequence[Sequence[str]]
    columns: Sequence[int]
    unit: float


@attrs.frozen
class Transforms:
    """Local transforms: positions `[F, J, 3]`, rotations `[F, J, 4]`, scales `[F, J, 3]` or None."""

    positions: NDArray[np.float32]
    rotations: NDArray[np.float32]
    scales: NDArray[np.float32] | None


def transforms(values: NDArray[np.float64], layout: Layout, *, compiled: bool) -> Transforms:
    """Turn channel values `[F, C]` into transforms: position channels stand in for the OFFSET's axes."""
    shape = (len(values), len(layout.rest))
    positions = np.empty((*shape, 3), np.float32)
    positions[:] = layout.rest
    rotations = np.zeros((*shape, 4), np.float32)
    rotations[..., 3] = 1
    scaled = any(name.endswith("scale") for names in layout.channels for name in names)
    scales = np.ones((*shape, 3) if scaled else (0, 0, 3), np.float32)
    fill = _fill_compiled if compiled else _fill
    fill(values, layout, positions, rotations, scales)
    return Transforms(positions, rotations, scales if scaled else None)


def _fill(values: Floats, layout: Layout, positions: Floats, rotations: Floats, scales: Floats) -> None:
    for joint, names in enumerate(layout.channels):
        first = layout.columns[joint]
        for axis, i in axis_columns(names, "position"):
            positions[:, joint, axis] = values[:, first + i] * layout.unit
        for axis, i in axis_columns(names, "scale"):
            scales[:, joint, axis] = values[:, first + i]
        turning = axis_columns(names, "rotation")
        if turning:
            degrees = values[:, [first + i for _, i in turning]]
            rotations[:, joint] = _turns.product([axis for axis, _ in turning], degrees)


def _fill_compiled(
    values: Floats, layout: Layout, positions: Floats, rotations: Floats, scales: Floats
) -> None:
    from kinetoscope_bvh import _transforms

    kinds = ("position", "rotation", "scale")
    codes = [3 * kinds.index(name[1:]) + "XYZ".index(name[0]) for names in layout.channels for name in names]
    columns = [
        first + i
        for names, first in zip(layout.channels, layout.columns, strict=True)
        for i in range(len(names))
    ]
    starts = np.cumsum([0, *map(len, layout.channels)])
    codes_, columns_ = np.array(codes, np.int64), np.array(columns, np.int64)
    _transforms.transforms(values, starts, codes_, columns_, layout.unit, positions, rotations, scales)
