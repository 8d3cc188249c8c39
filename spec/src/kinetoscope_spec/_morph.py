"""Morphs: how much of each shape a channel's weight brings in, and what becomes of the vertices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kinetoscope_spec._arrays import Array

if TYPE_CHECKING:
    from kinetoscope_spec.character import Mesh

__all__ = ["morph_factors", "morphed_vertices"]


def morph_factors(mesh: Mesh, weights: Mapping[str, float] | None = None) -> Array:
    """Return by what each of a mesh's shapes is multiplied, `[M]`.

    The weight of a channel runs along straight lines through its shapes: nothing at weight 0, each
    shape in full at its peak, and beyond the outermost peak the line goes on. A channel of one
    shape with peak 1 is thus multiplied by its weight, as glTF 2.0 (3.7.2.2) has it.

    Args:
        mesh: whose shapes.
        weights: of channels, by name; those not named have the weight they rest at.
    """
    given = dict(mesh.morph_weights) | dict(weights or {})
    factors = np.zeros(len(mesh.morph_names))
    peaks = np.zeros(0) if mesh.morph_peaks is None else np.asarray(mesh.morph_peaks, np.float64)
    for channel in dict.fromkeys(mesh.morph_names):
        weight = float(given.get(channel, 0.0))
        shapes = [i for i, name in enumerate(mesh.morph_names) if name == channel]
        # The rest shape stands at weight 0; it has no number of its own.
        places: list[tuple[float, int | None]] = sorted(
            [(0.0, None), *((float(peaks[i]), i) for i in shapes)], key=lambda place: place[0]
        )
        above = next((k for k, place in enumerate(places) if place[0] >= weight), len(places) - 1)
        low, high = places[max(above, 1) - 1], places[max(above, 1)]
        share = (weight - low[0]) / (high[0] - low[0])
        for (_, shape), part in ((low, 1.0 - share), (high, share)):
            if shape is not None:
                factors[shape] = part
    return factors


def morphed_vertices(mesh: Mesh, weights: Mapping[str, float] | None = None) -> Array:
    """Return a mesh's vertices with its shapes brought in, `[V, 3]` m, before any skinning.

    Args:
        mesh: whose vertices.
        weights: of channels, by name; those not named have the weight they rest at.
    """
    if mesh.morphs is None:
        return mesh.vertices
    moved: Array = mesh.vertices + np.tensordot(morph_factors(mesh, weights), mesh.morphs, axes=1)
    return moved
