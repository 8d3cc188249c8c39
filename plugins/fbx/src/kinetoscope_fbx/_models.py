"""The nodes of the scene, their order, and their local transforms, in the file's own space."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._animation import Stack
from kinetoscope_fbx._axes import euler_quaternions
from kinetoscope_fbx._document import ROOT, Document, Id, Object
from kinetoscope_spec import rotation

__all__ = ["Model", "Pose", "geometric_matrix", "local_pose", "models_of"]

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
    """Local transforms over F frames, or over one that holds for all: `[F, 3]`, `[F, 4]`, `[F, 3]`."""

    positions: Array
    rotations: Array
    scales: Array


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


def local_pose(model: Model, stack: Stack | None, times: Array) -> Pose:
    """Return a node's local transforms at `times [F]`, or at rest without a stack.

    `T Roff Rp Rpre R Rpost^-1 Rp^-1 Soff Sp S Sp^-1`, as the FBX SDK's documentation gives it ("Computing
    transformation matrices"); the linear part of that is a turn after a scale, pivots only move.
    """
    held = model.held
    order = int(held.number("RotationOrder", 0))

    def value(name: str, default: tuple[float, float, float]) -> Array:
        rest = held.vector(name, default)
        if stack is None or not stack.moves(held, name):
            return rest[None]
        found = stack.value(held, name, rest, times, order)
        return found[:1] if (found == found[:1]).all() else found

    moved, scales = value("Lcl Translation", _ZERO), value("Lcl Scaling", _ONE)
    turned = euler_quaternions(value("Lcl Rotation", _ZERO), order)
    before, after = held.vector("PreRotation", _ZERO), held.vector("PostRotation", _ZERO)
    if before.any():
        turned = rotation.multiply(np.broadcast_to(euler_quaternions(before), turned.shape), turned)
    if after.any():
        back = rotation.conjugate(euler_quaternions(after))
        turned = rotation.multiply(turned, np.broadcast_to(back, turned.shape))
    turn_pivot, scale_pivot = held.vector("RotationPivot", _ZERO), held.vector("ScalingPivot", _ZERO)
    inner = held.vector("ScalingOffset", _ZERO) - turn_pivot + scale_pivot - scales * scale_pivot
    if inner.any():
        count = max(len(inner), len(turned))
        inner = rotation.rotate(np.broadcast_to(turned, (count, 4)), np.broadcast_to(inner, (count, 3)))
    return Pose(moved + held.vector("RotationOffset", _ZERO) + turn_pivot + inner, turned, scales)


def geometric_matrix(held: Object) -> Array:
    """Return the `[4, 4]` that moves a node's geometry alone, not its children."""
    matrix = np.eye(4)
    turn = rotation.to_matrix(euler_quaternions(held.vector("GeometricRotation", _ZERO)))
    matrix[:3, :3] = turn * held.vector("GeometricScaling", _ONE)
    matrix[:3, 3] = held.vector("GeometricTranslation", _ZERO)
    return matrix
