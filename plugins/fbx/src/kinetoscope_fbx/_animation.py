"""Animation stacks: which curves move which property, and what the layers make of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._axes import ORDERS, euler_quaternions
from kinetoscope_fbx._curves import Curve
from kinetoscope_fbx._document import KTIME, Document, Id, Object
from kinetoscope_fbx._keys import curve_of_record, curve_of_take
from kinetoscope_fbx._node import Node
from kinetoscope_spec import rotation

__all__ = ["Layer", "Stack", "stacks_of"]

Array = NDArray[Any]

_TAKE_NAMES: Final = {"T": "Lcl Translation", "R": "Lcl Rotation", "S": "Lcl Scaling"}
_AXES: Final = {"X": 0, "Y": 1, "Z": 2}
_ADDITIVE, _OVERRIDE = 0, 1


@attrs.define(eq=False)
class Channel:
    """The curves of one property: one number, or three; None where a constant stands in."""

    curves: list[Curve | None]
    constants: list[float | None]

    @property
    def is_still(self) -> bool:
        """Whether it has one value at all times."""
        return all(curve is None or curve.is_still for curve in self.curves)


@attrs.define(eq=False)
class Layer:
    """One layer: its curves by object and property, and how it joins those below it."""

    channels: dict[tuple[Id, str], Channel] = attrs.field(factory=dict)
    blend: int = _ADDITIVE
    by_channel: bool = False
    adds_scales: bool = False
    weight: Channel = attrs.field(factory=lambda: Channel([None], [100.0]))


@attrs.define(eq=False)
class Stack:
    """A clip: its name, the seconds it spans, and its layers from the base up."""

    name: str
    start: float
    stop: float
    layers: list[Layer]

    def moves(self, held: Object, name: str) -> bool:
        """Tell whether any layer has curves for a property."""
        return any((held.id, name) in layer.channels for layer in self.layers)

    def changes(self, held: Object, name: str) -> bool:
        """Tell whether a property has different values at different times; most that have curves do not."""
        found = [layer for layer in self.layers if (held.id, name) in layer.channels]
        return any(not (layer.channels[held.id, name].is_still and layer.weight.is_still) for layer in found)

    def value(self, held: Object, name: str, rest: Array, times: Array, order: int = 0) -> Array:
        """Return a property at `times [F]`, `[F, C]`; `rest [C]` is what it is without animation.

        `order` is the rotation order of a rotation, which layers may blend as turns.
        """
        found = np.repeat(rest[None], len(times), axis=0)
        for i, layer in enumerate(self.layers):
            channel = layer.channels.get((held.id, name))
            if channel is None:
                continue
            value = _sampled(
                channel, found if i == 0 or layer.blend != _ADDITIVE else _nothing(name, found), times
            )
            if i == 0:
                found = value
                continue
            weight = np.clip(_sampled(layer.weight, np.full((len(times), 1), 100.0), times) / 100.0, 0.0, 1.0)
            found = _BLENDS.get(name, _blend_numbers)(layer, found, value, weight, order)
        return found


def _nothing(name: str, found: Array) -> Array:
    """Return what an additive layer that leaves an axis out adds there: nothing."""
    return np.ones_like(found) if name == "Lcl Scaling" else np.zeros_like(found)


def _sampled(channel: Channel, rest: Array, times: Array) -> Array:
    columns = []
    for i in range(rest.shape[1]):
        curve = channel.curves[i] if i < len(channel.curves) else None
        constant = channel.constants[i] if i < len(channel.constants) else None
        if curve is not None and len(curve.times):
            columns.append(curve.at(times))
        else:
            columns.append(rest[:, i] if constant is None else np.full(len(times), constant))
    return np.stack(columns, axis=1)


def _blend_numbers(layer: Layer, below: Array, value: Array, weight: Array, _: int) -> Array:
    if layer.blend == _OVERRIDE:
        return value
    added = value if layer.blend == _ADDITIVE else value - below
    joined: Array = below + added * weight
    return joined


def _blend_scales(layer: Layer, below: Array, value: Array, weight: Array, order: int) -> Array:
    if layer.adds_scales or layer.blend == _OVERRIDE:
        return _blend_numbers(layer, below, value, weight, order)
    kept = below if layer.blend == _ADDITIVE else _power(below, 1 - weight)
    joined: Array = kept * _power(value, weight)
    return joined


def _power(values: Array, weight: Array) -> Array:
    sign = np.where((values < 0) & (weight > 0), -1.0, 1.0)
    raised: Array = sign * np.abs(values) ** weight
    return raised


def _blend_rotations(layer: Layer, below: Array, value: Array, weight: Array, order: int) -> Array:
    if layer.by_channel or layer.blend == _OVERRIDE:
        return _blend_numbers(layer, below, value, weight, order)
    a, b = euler_quaternions(below, order), euler_quaternions(value, order)
    if layer.blend == _ADDITIVE:
        turned = rotation.multiply(a, rotation.slerp(rotation.identity(b), b, weight[:, 0]))
    else:
        turned = rotation.slerp(a, b, weight[:, 0])
    names = ORDERS[order if 0 <= order < len(ORDERS) else 0][::-1]
    angles = np.degrees(rotation.to_euler(turned, names))
    return np.stack([angles[:, names.index(axis)] for axis in "xyz"], axis=1)


_BLENDS: Final[dict[str, Callable[[Layer, Array, Array, Array, int], Array]]] = {
    "Lcl Scaling": _blend_scales,
    "Lcl Rotation": _blend_rotations,
}


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
    curves = [
        curve
        for layer in layers
        for channel in layer.channels.values()
        for curve in channel.curves
        if curve is not None and len(curve.times)
    ]
    first = min((float(curve.times[0]) for curve in curves), default=start / KTIME)
    return Stack(name, first, max((float(curve.times[-1]) for curve in curves), default=first), layers)


def _layer(document: Document, held: Object) -> Layer:
    made = Layer(
        blend=int(held.number("BlendMode", 0)),
        by_channel=bool(held.number("RotationAccumulationMode", 0)),
        adds_scales=bool(held.number("ScaleAccumulationMode", 0)),
        weight=Channel([None], [held.number("Weight", 100.0)]),
    )
    for node, _ in document.below.get(held.id, ()):
        if node.kind != "AnimationCurveNode":
            continue
        for target, name in document.above.get(node.id, ()):
            if name:
                made.channels[target, name] = _channel(document, node)
    for node, name in document.below.get(held.id, ()):
        if node.kind == "AnimationCurveNode" and name == "Weight":
            made.weight = _channel(document, node)
    return made


def _channel(document: Document, node: Object) -> Channel:
    curves: list[Curve | None] = [None] * 3
    constants: list[float | None] = [None] * 3
    for name, held in node.properties.items():
        if held and isinstance(held[0], int | float) and np.isfinite(held[0]):
            constants[_AXES.get(name.removeprefix("d|"), 0)] = float(held[0])
    for child, name in document.below.get(node.id, ()):
        if child.kind == "AnimationCurve":
            curves[_AXES.get(name.removeprefix("d|"), 0)] = curve_of_record(child.node)
    return Channel(curves, constants)


def _take(document: Document, take: Node) -> Stack:
    layer = Layer()
    name = str(take.values[0]) if take.values else "take"
    for held in take.all("Model"):
        target = str(held.values[0]) if held.values else ""
        for channel in held.all("Channel"):
            title = str(channel.values[0]) if channel.values else ""
            parts = list(channel.all("Channel")) if title == "Transform" else [channel]
            for part in parts:
                label = str(part.values[0]) if part.values else ""
                known = _TAKE_NAMES.get(label, label) if title == "Transform" else label
                layer.channels[target, known] = _take_channel(part)
    span = []
    for field in ("LocalTime", "ReferenceTime"):
        times = take.array(field, np.float64)
        span += [0.0, 0.0] if times is None or len(times) < 2 else [float(times[0]), float(times[1])]
    return _spanned(name, [layer], *span)


def _take_channel(node: Node) -> Channel:
    parts = [part for part in node.all("Channel") if part.find("Key") or part.find("Default")] or [node]
    curves: list[Curve | None] = []
    constants: list[float | None] = []
    for part in parts[:3]:
        curves.append(curve_of_take(part))
        held = part.array("Default", np.float64)
        constants.append(None if held is None or not len(held) else float(held[0]))
    return Channel(curves, constants)
