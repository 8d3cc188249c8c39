"""From channel values to local transforms, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import rotation

Floats = NDArray[np.floating]


def axis_columns(channels: Sequence[str], kind: str) -> list[tuple[int, int]]:
    """Return (axis, column) for every channel of a kind: `position`, `rotation` or `scale`."""
    return [("XYZ".index(name[0]), i) for i, name in enumerate(channels) if name[1:] == kind]


def rotation_order(channels: Sequence[str]) -> str:
    """Return the axes of the rotation channels in their order, such as `zxy`."""
    return "".join(name[0].lower() for name in channels if name.endswith("rotation"))


def positions(
    values: Floats,
    rest: NDArray[np.float64],
    channels: Sequence[Sequence[str]],
    columns: Sequence[int],
    unit: float,
) -> NDArray[np.float32]:
    """Return local positions `[F, J, 3]` m: position channels stand in for the OFFSET's axes."""
    out = np.empty((len(values), len(rest), 3), np.float32)
    out[:] = rest
    for joint, names in enumerate(channels):
        for axis, i in axis_columns(names, "position"):
            out[:, joint, axis] = values[:, columns[joint] + i] * unit
    return out


def rotations(
    values: Floats, channels: Sequence[Sequence[str]], columns: Sequence[int]
) -> NDArray[np.float32]:
    """Return local rotations `[F, J, 4]` xyzw: the product of the rotation channels, in order."""
    out = np.zeros((len(values), len(channels), 4), np.float32)
    out[..., 3] = 1
    for joint, names in enumerate(channels):
        order = rotation_order(names)
        if order:
            at = [columns[joint] + i for _, i in axis_columns(names, "rotation")]
            out[:, joint] = rotation.from_euler(order, np.deg2rad(np.fmod(values[:, at], 360.0)))
    return out


def scales(
    values: Floats, channels: Sequence[Sequence[str]], columns: Sequence[int]
) -> NDArray[np.float32] | None:
    """Return local scales `[F, J, 3]`, or None where no joint has a scale channel."""
    if not any(name.endswith("scale") for names in channels for name in names):
        return None
    out = np.ones((len(values), len(channels), 3), np.float32)
    for joint, names in enumerate(channels):
        for axis, i in axis_columns(names, "scale"):
            out[:, joint, axis] = values[:, columns[joint] + i]
    return out
