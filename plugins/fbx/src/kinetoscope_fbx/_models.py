"""The nodes of the scene, their order, and their local transforms, in the file's own space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._animation import Stack
from kinetoscope_fbx._axes import euler_quaternions
from kinetoscope_fbx._document import ROOT, Document, Id, Object
from kinetoscope_fbx._node import LARGEST
from kinetoscope_spec import FormatError, rotation

__all__ = ["Model", "Pose", "beyond_measure", "geometric_matrix", "local_poses", "models_of"]

Array = NDArray[Any]
_ZERO = (0.0, 0.0, 0.0)
_ONE = (1.0, 1.0, 1.0)


@attrs.frozen(eq=False)
class Model:
    """A node: its object, its unique name, and its parent's place among the nodes, -1 for roots."""

    held: Object
    name: str
    parent: int


@attrs.define(eq=False)
class Pose:
    """Local transforms over F frames, or over one that holds for all: `[F, 3]`, `[F, 4]`, `[F, 3]`.

    Of N nodes at once they are `[N, F, 3]`, `[N, F, 4]`, `[N, F, 3]`.
    """

    positions: Array
    rotations: Array
    scales: Array

    def of(self, node: int) -> Pose:
        """Return the transforms of one node."""
        return Pose(self.positions[node], self.rotations[node], self.scales[node])


def models_of(document: Document) -> list[Model]:
    """Return the nodes, parents before their children, siblings in the file's order.

    Raises:
        FormatError: the file has no node, or nodes are their own ancestors.
    """
    parents = {held.id: _parent(document, held) for held in document.of_kind("Model")}
    below: dict[Id | None, list[Object]] = {}
    for held in document.of_kind("Model"):
        below.setdefault(parents[held.id], []).append(held)
    models: list[Model] = []
    taken: set[str] = set()
    waiting = [(held, -1) for held in reversed(below.get(None, ()))]
    while waiting:
        held, parent = waiting.pop()
        models.append(Model(held, _unique(held.name or held.subtype or "node", taken), parent))
        waiting += [(child, len(models) - 1) for child in reversed(below.get(held.id, ()))]
    if len(models) < len(parents):
        met = {model.held.id for model in models}
        lost = next(held for held in document.of_kind("Model") if held.id not in met)
        raise lost.node.place.error(f"the node {lost.name!r} is its own ancestor", "a tree of nodes")
    if not models:
        raise document.root.place.error("holds no node", "at least one object 'Model'")
    return models


def _parent(document: Document, held: Object) -> Id | None:
    for target, name in document.above.get(held.id, ()):
        above = document.objects.get(target)
        if target != ROOT and not name and above is not None and above.kind == "Model":
            return target
    return None


def _unique(name: str, taken: set[str]) -> str:
    given, count = name, 0
    while given in taken:
        count += 1
        given = f"{name}_{count}"
    taken.add(given)
    return given


def local_poses(models: Sequence[Model], stack: Stack | None, times: Array) -> Pose:
    """Return the nodes' local transforms at `times [F]`, or at rest without a stack, over `[N, F]`.

    `T Roff Rp Rpre R Rpost^-1 Rp^-1 Soff Sp S Sp^-1`, as the FBX SDK's documentation gives it ("Computing
    transformation matrices"); the linear part of that is a turn after a scale, pivots only move.
    """
    orders = np.array([int(model.held.number("RotationOrder", 0)) for model in models])

    def value(name: str, default: tuple[float, float, float]) -> Array:
        rest = _vectors(models, name, default)
        if stack is None:
            return rest
        return stack.values([model.held for model in models], name, rest, times, orders)

    moved, scales = value("Lcl Translation", _ZERO), value("Lcl Scaling", _ONE)
    turned = _turns(value("Lcl Rotation", _ZERO), orders)
    before, after = _vectors(models, "PreRotation", _ZERO), _vectors(models, "PostRotation", _ZERO)
    if before.any():
        turned = _joined(euler_quaternions(before), turned)
    if after.any():
        turned = _joined(turned, rotation.conjugate(euler_quaternions(after)))
    turn_pivot = _vectors(models, "RotationPivot", _ZERO)
    scale_pivot = _vectors(models, "ScalingPivot", _ZERO)
    inner = _vectors(models, "ScalingOffset", _ZERO) - turn_pivot + scale_pivot - scales * scale_pivot
    if inner.any():
        inner = rotation.rotate(*_alike(turned, inner))
    return Pose(moved + _vectors(models, "RotationOffset", _ZERO) + turn_pivot + inner, turned, scales)


def _vectors(models: Sequence[Model], name: str, default: tuple[float, float, float]) -> Array:
    """Return a property of all nodes, `[N, 1, 3]`."""
    return np.array([model.held.vector(name, default) for model in models])[:, None]


def _turns(angles: Array, orders: Array) -> Array:
    turned = np.empty((*angles.shape[:2], 4))
    for order in np.unique(orders):
        rows = orders == order
        turned[rows] = euler_quaternions(angles[rows], int(order))
    return turned


def _joined(a: Array, b: Array) -> Array:
    joined: Array = rotation.multiply(*_alike(a, b))
    return joined


def _alike(a: Array, b: Array) -> tuple[Array, Array]:
    """Return arrays `[N, F, C]` and `[N, 1, D]` over the same frames."""
    frames = max(a.shape[1], b.shape[1])
    return tuple(np.broadcast_to(held, (len(held), frames, held.shape[2])) for held in (a, b))  # type: ignore[return-value]


def beyond_measure(model: Model) -> FormatError:
    """Return the error to raise about a node whose transform is more than numbers can hold."""
    return model.held.node.place.error(
        f"{model.name!r} is scaled or moved beyond all measure", f"numbers up to {LARGEST:g}"
    )


def geometric_matrix(held: Object) -> Array:
    """Return the `[4, 4]` that moves a node's geometry alone, not its children."""
    matrix = np.eye(4)
    turn = rotation.to_matrix(euler_quaternions(np.array(held.vector("GeometricRotation", _ZERO))))
    matrix[:3, :3] = turn * np.array(held.vector("GeometricScaling", _ONE))
    matrix[:3, 3] = held.vector("GeometricTranslation", _ZERO)
    return matrix
