"""The nodes of the scene, their order, and what the file says of them at rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._axes import euler_quaternions
from kinetoscope_fbx._document import ROOT, Document, Id, Object, Template, Vector
from kinetoscope_fbx._node import LARGEST
from kinetoscope_spec import FormatError, rotation

__all__ = ["Model", "Nodes", "beyond_measure", "geometric_matrix", "models_of"]

Array = NDArray[Any]
_ZERO: Final = (0.0, 0.0, 0.0)
_ONE: Final = (1.0, 1.0, 1.0)
_VECTORS: Final[Mapping[str, Vector]] = {
    "Lcl Translation": _ZERO, "Lcl Rotation": _ZERO, "Lcl Scaling": _ONE, "PreRotation": _ZERO,
    "PostRotation": _ZERO, "RotationPivot": _ZERO, "RotationOffset": _ZERO, "ScalingPivot": _ZERO,
    "ScalingOffset": _ZERO,
}  # fmt: skip


@attrs.frozen(eq=False)
class Model:
    """A node: its object, its unique name, and its parent's place among the nodes, -1 for roots."""

    held: Object
    name: str
    parent: int


@attrs.frozen(eq=False)
class Nodes:
    """All N nodes, and what the file says of them at rest.

    Attributes:
        models: the nodes, parents before their children.
        orders: `[N]`, rotation orders.
        modes: `[N]`, how they inherit scale.
        vectors: by name of the property `[N, 1, 3]`.
        generations: the nodes that have no parent, their children, and so on.
    """

    models: list[Model]
    orders: Array
    modes: Array
    vectors: Mapping[str, Array]
    generations: list[Array]

    @classmethod
    def of(cls, models: list[Model]) -> Nodes:
        """Gather the properties of nodes."""
        rows: dict[str, list[Vector]] = {name: [] for name in _VECTORS}
        orders, modes, depths = [], [], [-1]  # the last one is that of no parent
        defaults: dict[Template | None, dict[str, Vector]] = {None: dict(_VECTORS)}
        for model in models:
            held = model.held
            of_kind = defaults.get(held.template)
            if of_kind is None:
                of_kind = {name: held.of_kind(name, default) for name, default in _VECTORS.items()}
                defaults[held.template] = of_kind
            own = held.properties
            for name, default in of_kind.items():
                rows[name].append(held.vector(name, default) if name in own else default)
            orders.append(int(held.number("RotationOrder", 0)))
            modes.append(int(held.number("InheritType", 0)))
            depths.insert(-1, depths[model.parent] + 1)
        found = np.array(depths[:-1])
        return cls(
            models,
            np.array(orders),
            np.array(modes),
            {name: np.array(row)[:, None] for name, row in rows.items()},
            [np.flatnonzero(found == depth) for depth in range(int(found.max()) + 1)],
        )


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


def beyond_measure(model: Model) -> FormatError:
    """Return the error to raise about a node whose transform is more than numbers can hold."""
    return model.held.node.place.error(
        f"{model.name!r} is scaled or moved beyond all measure", f"numbers up to {LARGEST:g}"
    )


def geometric_matrix(held: Object) -> Array:
    """Return the `[4, 4]` that moves a node's geometry alone, not its children."""
    matrix = np.eye(4)
    angles = held.vector("GeometricRotation", _ZERO)
    if angles != _ZERO:
        matrix[:3, :3] = rotation.to_matrix(euler_quaternions(np.array(angles)))
    matrix[:3, :3] *= held.vector("GeometricScaling", _ONE)
    matrix[:3, 3] = held.vector("GeometricTranslation", _ZERO)
    return matrix
