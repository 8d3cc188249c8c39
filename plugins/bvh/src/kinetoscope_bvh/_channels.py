"""From channel values to local transforms, and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_bvh import _turns

Floats = NDArray[Any]


KINDS = ("position", "rotation", "scale")
CODES = {f"{axis}{kind}": 3 * k + i for k, kind in enumerate(KINDS) for i, axis in enumerate("XYZ")}
"""A number for each channel: 0 to 2 positions along x, y, z, then rotations, then scales."""


def axis_columns(channels: Sequence[str], kind: str) -> list[tuple[int, int]]:
    """Return (axis, column) for every channel of a kind: `position`, `rotation` or `scale`."""
    first = 3 * KINDS.index(kind)
    codes = [CODES[name] - first for name in channels]
    return [(code, i) for i, code in enumerate(codes) if 0 <= code < 3]


def rotation_order(channels: Sequence[str]) -> str:
    """Return the axes of the rotation channels in their order, such as `zxy`."""
    return "".join("xyz"[axis] for axis, _ in axis_columns(channels, "rotation"))


@attrs.frozen
class Layout:
    """Where the channels of each joint stand.

    Attributes:
        channels: the channel names of each joint, in file order.
        columns: the column of each joint's first channel.
    """

    channels: Sequence[Sequence[str]]
    columns: Sequence[int]

    @cached_property
    def arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return `starts [J + 1]`, `codes [C]`, `columns [C]`, and the columns of rotations.

        Joint j has channels `starts[j]` to `starts[j + 1]`.
        """
        starts = np.cumsum([0, *map(len, self.channels)])
        codes = [CODES[name] for names in self.channels for name in names]
        columns = [
            first + i
            for names, first in zip(self.channels, self.columns, strict=True)
            for i in range(len(names))
        ]
        turning = [column for code, column in zip(codes, columns, strict=True) if 3 <= code < 6]
        held = (np.array(numbers, np.int64) for numbers in (codes, columns, turning))
        return starts, *held  # type: ignore[return-value]  # a generator of three

    @cached_property
    def scales(self) -> bool:
        """Tell whether any joint has a scale channel."""
        return any(name.endswith("scale") for names in self.channels for name in names)


@attrs.frozen
class Transforms:
    """Local transforms: positions `[F, J, 3]`, rotations `[F, J, 4]`, scales `[F, J, 3]` or None."""

    positions: NDArray[np.float32]
    rotations: NDArray[np.float32]
    scales: NDArray[np.float32] | None


def transforms(
    values: NDArray[np.float64], layout: Layout, rest: NDArray[np.float64], unit: float, *, compiled: bool
) -> Transforms:
    """Turn channel values `[F, C]` into transforms: position channels stand in for the OFFSET's axes.

    `rest [J, 3]` holds the offsets in metres, `unit` is how many metres a unit of the file has.
    """
    shape = (len(values), len(rest))
    positions = np.empty((*shape, 3), np.float32)
    rotations = np.empty((*shape, 4), np.float32)
    scales = np.ones((*shape, 3) if layout.scales else (0, 0, 3), np.float32)
    fill = _fill_compiled if compiled else _fill
    fill(values, layout, rest.astype(np.float32), unit, positions, rotations, scales)
    return Transforms(positions, rotations, scales if layout.scales else None)


def _fill(
    values: Floats,
    layout: Layout,
    rest: Floats,
    unit: float,
    positions: Floats,
    rotations: Floats,
    scales: Floats,
) -> None:
    positions[:] = rest
    rotations[:] = 0, 0, 0, 1
    for joint, names in enumerate(layout.channels):
        first = layout.columns[joint]
        for axis, i in axis_columns(names, "position"):
            positions[:, joint, axis] = values[:, first + i] * unit
        for axis, i in axis_columns(names, "scale"):
            scales[:, joint, axis] = values[:, first + i]
        turning = axis_columns(names, "rotation")
        if turning:
            degrees = values[:, [first + i for _, i in turning]]
            rotations[:, joint] = _turns.product([axis for axis, _ in turning], degrees)


def _fill_compiled(
    values: Floats,
    layout: Layout,
    rest: Floats,
    unit: float,
    positions: Floats,
    rotations: Floats,
    scales: Floats,
) -> None:
    from kinetoscope_bvh import _transforms

    _transforms.transforms(values, *layout.arrays, rest, unit, positions, rotations, scales)
