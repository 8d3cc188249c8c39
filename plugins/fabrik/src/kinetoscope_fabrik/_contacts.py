"""Where feet are to be held and moved."""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import footing

_FLOOR_M = 0.004
"""A foot in the air may sink this far below the ground, never deeper: pushing it up evenly leaves
no kink in its path."""


def targets(toes: Array, contact: Array, blend: int, ground: float) -> Array:
    """Return where one foot's toes `[T, 3]` are to go.

    In each run of contact they rest on one point, the mean of where they were, not below the
    ground. Outside, they take what remains of the offset to that point along, falling to nothing
    (or to the next point's) over `blend` frames, so the toes' velocity has no step that it had not.
    """
    offsets = np.zeros_like(toes)
    for start, stop in footing.runs(contact):
        point = toes[start:stop].mean(axis=0)
        point[1] = max(point[1], ground)
        offsets[start:stop] = point - toes[start:stop]
    return _above(toes + footing.bridged(offsets, contact, blend), contact, ground)


def _above(points: Array, contact: Array, ground: float) -> Array:
    depth = np.maximum(ground - points[:, 1], 0.0)
    raised = ground - depth / (1 + depth / _FLOOR_M)
    points[:, 1] = np.where(contact | (depth == 0), points[:, 1], raised)
    return points
