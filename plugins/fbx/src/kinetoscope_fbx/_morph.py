"""Blend shapes: channels of sparse offsets, with in-betweens, and the weights they rest at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import Document, Object
from kinetoscope_fbx._node import Node

__all__ = ["Shapes", "shapes_of"]

Array = NDArray[Any]

_MOST_NUMBERS: Final = 1 << 23
"""Offsets are sparse in a file and dense in memory: so many numbers whatever the file's size, and ..."""

_PER_BYTE: Final = 128
"""... so many for each byte of the file."""


@attrs.define(eq=False)
class Shapes:
    """The shapes of a mesh: `offsets [M, V, 3]`, and for each its channel, peak, and the channel's object."""

    offsets: Array
    names: list[str]
    peaks: list[float]
    channels: dict[str, Object]
    weights: dict[str, float]


def shapes_of(document: Document, geometry: Object, count: int, size: int) -> Shapes | None:
    """Return the shapes of a mesh of `count` vertices; None if it has none.

    Args:
        document: all objects.
        geometry: what the deformers are connected to.
        count: how many vertices there are.
        size: of the file, bytes, by which memory is bounded.

    Raises:
        FormatError: a shape moves vertices that are not there, or there are too many for the file.
    """
    found = list(_channels(document, geometry))
    total = sum(len(shapes) for _, shapes in found)
    if not total:
        return None
    if total * count * 3 > _MOST_NUMBERS + _PER_BYTE * size:
        raise geometry.node.place.error(
            f"{total} shapes of {count:,} vertices", f"no more than a file of {size:,} bytes can mean"
        )
    made = Shapes(np.zeros((total, count, 3), np.float32), [], [], {}, {})
    for channel, shapes in found:
        name = _unique(channel.name or "shape", made.channels)
        made.channels[name] = channel
        rest = channel.number("DeformPercent", 0.0) / 100.0
        if rest:
            made.weights[name] = rest
        for shape, peak in zip(shapes, _peaks(channel.node, len(shapes)), strict=True):
            _fill(made.offsets[len(made.names)], shape.node, count)
            made.names.append(name)
            made.peaks.append(peak)
    return made


def _unique(name: str, taken: dict[str, Object]) -> str:
    given, number = name, 0
    while given in taken:
        number += 1
        given = f"{name}_{number}"
    return given


def _channels(document: Document, geometry: Object) -> Iterator[tuple[Object, list[Object]]]:
    for deformer in document.children(geometry, "Deformer", "BlendShape"):
        for channel in document.children(deformer, "Deformer", "BlendShapeChannel"):
            yield channel, list(document.children(channel, "Geometry", "Shape"))
    for node in geometry.node.all("Shape"):  # before 7000 shapes stood in the mesh itself
        name = str(node.values[0]) if node.values else "shape"
        held = Object(geometry.id, "Shape", name, "Shape", node, {})
        yield held, [held]


def _peaks(node: Node, count: int) -> list[float]:
    held = node.array("FullWeights", np.float64)
    weights = [] if held is None else [float(weight) / 100.0 for weight in held[:count]]
    weights.extend((i + 1) / count for i in range(len(weights), count))
    if len(set(weights)) < count or 0.0 in weights:
        return [(i + 1) / count for i in range(count)]
    return weights


def _fill(offsets: Array, node: Node, count: int) -> None:
    moved = node.array("Vertices", np.float64, columns=3)
    vertices = node.array("Indexes", np.int64)
    if moved is None or not len(moved):
        return
    if vertices is None:
        vertices = np.arange(len(moved))
    if len(vertices) != len(moved) or not 0 <= vertices.min() <= vertices.max() < count:
        raise node.place.error(
            f"a shape moves {len(moved)} of {len(vertices)} vertices, up to number {vertices.max()}",
            f"as many offsets as vertices, all below {count}",
        )
    offsets[vertices] = moved
