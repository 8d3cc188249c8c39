"""Animation stacks: which curves move which property, and what the layers make of them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._axes import ORDERS, euler_quaternions
from kinetoscope_fbx._curves import Curves
from kinetoscope_fbx._document import Id, Object
from kinetoscope_spec import rotation

__all__ = ["Channel", "Layer", "Stack"]

Array = NDArray[Any]

_TRANSFORMS: Final = frozenset(("Lcl Translation", "Lcl Rotation", "Lcl Scaling"))
_ADDITIVE, _OVERRIDE = 0, 1


@attrs.define(eq=False)
class Channel:
    """One property: of each of its numbers the curve's place in the layer, -1 without; a constant stands in."""

    curves: list[int]
    constants: list[float | None]


@attrs.define(eq=False)
class Layer:
    """One layer: its curves by object and property, and how it joins those below it."""

    channels: dict[tuple[Id, str], Channel]
    curves: Curves
    weight: Channel = attrs.field(factory=lambda: Channel([-1], [100.0]))
    blend: int = _ADDITIVE
    by_channel: bool = False
    adds_scales: bool = False

    def moves(self, channel: Channel) -> bool:
        """Tell whether a channel has different values at different times; most do not."""
        return any(curve >= 0 and not self.curves.is_still[curve] for curve in channel.curves)

    def weights(self, times: Array) -> Array:
        """Return how much the layer counts at `times [F]`, `[F, 1]`, from 0 to 1."""
        found = self.sampled([self.weight], np.full((1, len(times), 1), 100.0), times)[0]
        weights: Array = np.clip(found / 100.0, 0.0, 1.0)
        return weights

    def sampled(self, channels: Sequence[Channel], rest: Array, times: Array) -> Array:
        """Return the values of N channels at `times [F]`; `rest [N, F, C]` where they say nothing."""
        found = rest.copy()
        fixed: list[tuple[int, int, float]] = []
        moved: list[tuple[int, int, int]] = []
        for row, channel in enumerate(channels):
            for axis, (curve, constant) in enumerate(zip(channel.curves, channel.constants, strict=True)):
                if axis >= rest.shape[2]:
                    break
                if curve >= 0:
                    moved.append((row, axis, curve))
                elif constant is not None:
                    fixed.append((row, axis, constant))
        if fixed:
            rows, axes, values = zip(*fixed, strict=True)
            found[rows, :, axes] = np.array(values)[:, None]
        if moved:
            rows, axes, curves = zip(*moved, strict=True)
            found[rows, :, axes] = self.curves.at(np.array(curves), times)
        return found


@attrs.define(eq=False, slots=False)
class Stack:
    """A clip: its name, the seconds it spans, and its layers from the base up."""

    name: str
    start: float
    stop: float
    layers: list[Layer]

    def moves(self, held: Object, name: str) -> bool:
        """Tell whether any layer has curves for a property."""
        return any((held.id, name) in layer.channels for layer in self.layers)

    @cached_property
    def touched(self) -> tuple[set[Id], set[Id]]:
        """The ids of nodes whose transforms any layer holds, and of those whose transforms change."""
        held, changing = set[Id](), set[Id]()
        for layer in self.layers:
            weight_moves = layer.moves(layer.weight)
            for (target, name), channel in layer.channels.items():
                if name in _TRANSFORMS:
                    held.add(target)
                    if weight_moves or layer.moves(channel):
                        changing.add(target)
        return held, changing

    def values(
        self, held: Sequence[Object], name: str, rest: Array, times: Array, orders: Array | None = None
    ) -> Array:
        """Return a property of N objects at `times [F]`, `[N, F, C]`.

        Args:
            held: the objects.
            name: of the property.
            rest: `[N, 1, C]`, what it is without animation.
            times: `[F]` s.
            orders: `[N]`, the rotation orders of rotations, which layers may blend as turns.
        """
        found = np.repeat(rest, len(times), axis=1)
        orders = np.zeros(len(held), np.int64) if orders is None else orders
        for i, layer in enumerate(self.layers):
            pairs = [(row, layer.channels.get((one.id, name))) for row, one in enumerate(held)]
            channels = [channel for _, channel in pairs if channel is not None]
            if not channels:
                continue
            rows = [row for row, channel in pairs if channel is not None]
            below = found[rows]
            unsaid = below if i == 0 or layer.blend != _ADDITIVE else _nothing(name, below)
            value = layer.sampled(channels, unsaid, times)
            if i > 0:
                blend = _BLENDS.get(name, _blend_numbers)
                value = blend(layer, below, value, layer.weights(times), orders[rows])
            found[rows] = value
        return found


def _nothing(name: str, found: Array) -> Array:
    """Return what an additive layer that leaves an axis out adds there: nothing."""
    return np.ones_like(found) if name == "Lcl Scaling" else np.zeros_like(found)


def _blend_numbers(layer: Layer, below: Array, value: Array, weight: Array, _: Array) -> Array:
    if layer.blend == _OVERRIDE:
        return value
    added = value if layer.blend == _ADDITIVE else value - below
    joined: Array = below + added * weight
    return joined


def _blend_scales(layer: Layer, below: Array, value: Array, weight: Array, orders: Array) -> Array:
    if layer.adds_scales or layer.blend == _OVERRIDE:
        return _blend_numbers(layer, below, value, weight, orders)
    kept = below if layer.blend == _ADDITIVE else _power(below, 1 - weight)
    joined: Array = kept * _power(value, weight)
    return joined


def _power(values: Array, weight: Array) -> Array:
    sign = np.where((values < 0) & (weight > 0), -1.0, 1.0)
    raised: Array = sign * np.abs(values) ** weight
    return raised


def _blend_rotations(layer: Layer, below: Array, value: Array, weight: Array, orders: Array) -> Array:
    if layer.by_channel or layer.blend == _OVERRIDE:
        return _blend_numbers(layer, below, value, weight, orders)
    found = np.empty_like(value)
    for order in np.unique(orders).tolist():
        rows = orders == order
        a, b = euler_quaternions(below[rows], order), euler_quaternions(value[rows], order)
        if layer.blend == _ADDITIVE:
            turned = rotation.multiply(a, rotation.slerp(rotation.identity(b), b, weight[:, 0]))
        else:
            turned = rotation.slerp(a, b, weight[:, 0])
        names = ORDERS[order if 0 <= order < len(ORDERS) else 0][::-1]
        angles = np.degrees(rotation.to_euler(turned, names))
        found[rows] = np.stack([angles[..., names.index(axis)] for axis in "xyz"], axis=-1)
    return found


_BLENDS: Final[dict[str, Callable[[Layer, Array, Array, Array, Array], Array]]] = {
    "Lcl Scaling": _blend_scales,
    "Lcl Rotation": _blend_rotations,
}
