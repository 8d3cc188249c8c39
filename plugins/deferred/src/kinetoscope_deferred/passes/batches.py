"""Crowds in few draws: those that share a mesh go to the driver as instances of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import moderngl
import numpy as np

from kinetoscope_deferred.device import Device
from kinetoscope_deferred.view import Draw

__all__ = ["Batch", "batched", "upload_instances"]

Batch = Sequence[Draw]
"""Draws of one mesh, all mirrored or none: they differ in their bones and ids alone."""

_ROW = 256
"""Instances in one row of their texture."""


def batched(draws: Iterable[Draw]) -> list[Batch]:
    """Gather draws that go together, each lot where its first one stands, in the order given.

    Where two meshes meet at the same depth to the bit, the one whose lot stands first is seen.
    """
    lots: dict[tuple[int, bool], list[Draw]] = {}
    for draw in draws:
        lots.setdefault((id(draw.mesh), draw.mirrored), []).append(draw)
    return list(lots.values())


def upload_instances(device: Device, name: str, batches: Iterable[Batch]) -> moderngl.Texture:
    """Write what `skinning.glsl` reads of the batches' draws, one after the other, into the texture `name`.

    A texel holds where a draw's bones begin and its id: whole numbers, which float32 has to the last below 2^24.
    """
    rows = [(draw.first_bone, draw.actor_id) for batch in batches for draw in batch]
    texels = np.zeros((max(-(-len(rows) // _ROW), 1) * _ROW, 4), np.float32)
    if rows:
        texels[: len(rows), :2] = rows
    return device.upload(name, texels.reshape(-1, _ROW, 4))
