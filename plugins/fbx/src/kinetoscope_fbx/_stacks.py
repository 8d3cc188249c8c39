"""Where a file says which curves move which property: stacks and layers since 7000, takes before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from kinetoscope_fbx._animation import Channel, Layer, Stack
from kinetoscope_fbx._document import KTIME, Document, Id, Object
from kinetoscope_fbx._keys import curves_of_records
from kinetoscope_fbx._node import LARGEST, Node
from kinetoscope_fbx._takes import curves_of_takes

__all__ = ["stacks_of"]

_TAKE_NAMES: Final = {"T": "Lcl Translation", "R": "Lcl Rotation", "S": "Lcl Scaling"}
_AXES: Final = {"X": 0, "Y": 1, "Z": 2, "d|X": 0, "d|Y": 1, "d|Z": 2}


def stacks_of(document: Document) -> Iterator[Stack]:
    """Yield the animation stacks of a file (takes, before 7000), in its order.

    Raises:
        FormatError: a curve is damaged.
    """
    if document.version < 7000:
        for takes in document.root.all("Takes"):
            for take in takes.all("Take"):
                yield _take(document, take)
        return
    for held in document.of_kind("AnimationStack"):
        layers = list(document.children(held, "AnimationLayer"))
        alone = [layer for layer in layers if layer.number("Solo", 0)]
        played = alone or [layer for layer in layers if not layer.number("Mute", 0)]
        made = [_layer(document, layer) for layer in played]
        yield _spanned(held.name, made, *(held.number(name, 0.0) for name in _SPAN))


_SPAN: Final = ("LocalStart", "LocalStop", "ReferenceStart", "ReferenceStop")


def _spanned(
    name: str, layers: list[Layer], start: float, stop: float, other_start: float, other_stop: float
) -> Stack:
    """Return the stack over its own span, else the reference span, else that of its keys."""
    for first, last in ((start, stop), (other_start, other_stop)):
        if last > first:
            return Stack(name, first / KTIME, last / KTIME, layers)
    keys = [layer.curves.times for layer in layers if len(layer.curves.times)]
    first = min((float(times.min()) for times in keys), default=start / KTIME)
    return Stack(name, first, max((float(times.max()) for times in keys), default=first), layers)


def _layer(document: Document, held: Object) -> Layer:
    nodes: list[Node] = []
    channels: dict[tuple[Id, str], Channel] = {}
    weight = Channel([-1], [held.number("Weight", 100.0)])
    for node, said in document.below.get(held.id, ()):
        if node.kind != "AnimationCurveNode":
            continue
        channel = _channel(document, node, nodes)
        for target, name in document.above.get(node.id, ()):
            if name:
                channels[target, name] = channel
        if said == "Weight":
            weight = channel
    curves, places = curves_of_records(nodes)
    _place(set(channels.values()) | {weight}, places)
    return Layer(
        channels,
        curves,
        weight,
        blend=int(held.number("BlendMode", 0)),
        by_channel=bool(held.number("RotationAccumulationMode", 0)),
        adds_scales=bool(held.number("ScaleAccumulationMode", 0)),
    )


def _place(channels: Iterable[Channel], places: list[int]) -> None:
    """Have channels name their curves by their places among those that have keys."""
    for channel in channels:
        channel.curves = [places[curve] if curve >= 0 else -1 for curve in channel.curves]


def _channel(document: Document, node: Object, nodes: list[Node]) -> Channel:
    """Return the channel of an `AnimationCurveNode`; its curves go to the end of `nodes`."""
    curves = [-1, -1, -1]
    constants: list[float | None] = [None, None, None]
    for name, held in node.properties.items():
        if held and isinstance(held[0], int | float) and abs(held[0]) <= LARGEST:
            constants[_AXES.get(name, 0)] = float(held[0])
    for child, name in document.below.get(node.id, ()):
        if child.kind == "AnimationCurve":
            curves[_AXES.get(name, 0)] = len(nodes)
            nodes.append(child.node)
    return Channel(curves, constants)


def _take(document: Document, take: Node) -> Stack:
    nodes: list[Node] = []
    channels: dict[tuple[Id, str], Channel] = {}
    name = str(take.values[0]) if take.values else "take"
    for held in take.all("Model"):
        target = str(held.values[0]) if held.values else ""
        for channel in held.all("Channel"):
            title = str(channel.values[0]) if channel.values else ""
            parts = list(channel.all("Channel")) if title == "Transform" else [channel]
            for part in parts:
                label = str(part.values[0]) if part.values else ""
                known = _TAKE_NAMES.get(label, label) if title == "Transform" else label
                channels[target, known] = _take_channel(part, nodes)
    curves, places = curves_of_takes(nodes)
    _place(channels.values(), places)
    span = []
    for field in ("LocalTime", "ReferenceTime"):
        times = take.array(field, np.float64)
        span += [0.0, 0.0] if times is None or len(times) < 2 else [float(times[0]), float(times[1])]
    return _spanned(name, [Layer(channels, curves)], *span)


def _take_channel(node: Node, nodes: list[Node]) -> Channel:
    parts = [part for part in node.all("Channel") if part.find("Key") or part.find("Default")] or [node]
    constants: list[float | None] = []
    for part in parts[:3]:
        held = part.find("Default")
        given = [] if held is None else held.values
        if held is not None and not (
            len(given) == 1 and isinstance(given[0], float) and abs(given[0]) <= LARGEST
        ):
            given = held.numbers().tolist()
        constants.append(given[0] if given else None)
    first = len(nodes)
    nodes += parts[:3]
    return Channel(list(range(first, len(nodes))), constants)
