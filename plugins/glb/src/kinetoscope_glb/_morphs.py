"""Morph targets as channels: names, in-betweens, rest weights."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb._budget import Warnings
from kinetoscope_glb._json import Item
from kinetoscope_glb._nodes import unique_names

EXTRAS = "kinetoscope"
"""Key in a mesh's `extras` under which a writer of ours keeps which targets are one channel's."""


@attrs.frozen
class Channels:
    """What the morph targets of a mesh are called, `M` of them.

    Attributes:
        names: of the channels; equal ones are in-betweens of one channel.
        peaks: the weight of its channel at which each target stands in full.
    """

    names: tuple[str, ...]
    peaks: NDArray[np.float64]

    def weights(self, targets: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Turn weights of targets `[..., M]` into weights of channels `[...]`.

        Between two neighbours of a channel the weights of its targets are shares of the way from one
        peak to the other, so the channel's weight is their mean, weighted by their peaks.
        """
        found: dict[str, NDArray[np.float64]] = {}
        for i, name in enumerate(self.names):
            found[name] = found.get(name, 0.0) + targets[..., i] * self.peaks[i]
        return found


def channels(item: Item, count: int, warnings: Warnings) -> Channels:
    """Return the channels of the mesh `item`, which has `count` morph targets."""
    extras = item.data.get("extras")
    given = extras.get("targetNames") if isinstance(extras, dict) else None
    names = [f"morph_{i}" for i in range(count)]
    if isinstance(given, list):
        texts = Item({str(i): name for i, name in enumerate(given)}, f"{item.where}.targetNames", item.path)
        for i in range(min(count, len(given))):
            if isinstance(given[i], str) and given[i]:
                names[i] = texts.text(str(i))
    ours = _ours(extras, count)
    if ours is not None:
        return ours
    unique = unique_names(names, f"morph targets of {item.where}", warnings)
    return Channels(tuple(unique), np.ones(count))


def _ours(extras: object, count: int) -> Channels | None:
    """Return the channels that a writer of ours noted, if what is there fits."""
    held = extras.get(EXTRAS) if isinstance(extras, dict) else None
    if not isinstance(held, dict):
        return None
    names, peaks = held.get("channels"), held.get("peaks")
    if not (isinstance(names, list) and isinstance(peaks, list) and len(names) == len(peaks) == count):
        return None
    if not all(isinstance(name, str) and name.isprintable() and name for name in names):
        return None
    if not all(type(peak) in (int, float) and 1e-6 <= abs(peak) <= 1e6 for peak in peaks):
        return None
    if len(set(zip(names, peaks, strict=True))) < count:
        return None
    return Channels(tuple(names), np.array(peaks, np.float64))


def offsets(
    parts: Sequence[tuple[int, Sequence[NDArray[np.float32] | None]]], held: Channels
) -> NDArray[np.float32] | None:
    """Return the offsets `[M, V, 3]` of a mesh made of `parts`, each (its vertices, its targets)."""
    if not held.names:
        return None
    found = np.zeros((len(held.names), sum(count for count, _ in parts), 3), np.float32)
    start = 0
    for count, targets in parts:
        for i, target in enumerate(targets):
            if target is not None:
                found[i, start : start + count] = target
        start += count
    return found


def rest_weights(node: Item, mesh: Item, held: Channels) -> dict[str, float]:
    """Return the weights at rest by channel: the node's, or else the mesh's (3.7.2.2)."""
    item = node if "weights" in node else mesh
    if not held.names or "weights" not in item:
        return {}
    weights = held.weights(np.array(item.numbers("weights", len(held.names))))
    return {name: float(weight) for name, weight in weights.items() if weight}
