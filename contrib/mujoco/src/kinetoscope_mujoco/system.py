"""Rigid bodies as a system of the stage."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_mujoco.bodies import BOX, CAPSULE, SPHERE, Body, Physics
from kinetoscope_spec import ValidationError
from kinetoscope_stage.hooks import Parent, Transform, View

if TYPE_CHECKING:
    from kinetoscope_mujoco._model import Model, Table

__all__ = ["RigidBodySystem"]

Array = NDArray[Any]

_USED: Final = {SPHERE: 1, CAPSULE: 2, BOX: 3}
"""How many numbers of `size` a shape uses."""

_LIGHTEST_KG: Final = 1e-9
"""MuJoCo refuses what has next to no mass or inertia."""

_KEPT: Final = 4
"""Compiled models that are kept, for worlds that take turns."""


class RigidBodySystem:
    """Moves every `Body` by MuJoCo: falls, collisions, friction; bodies of mass 0 push and are not moved.

    Each step is a function of the components: the engine is told where all bodies are and how fast
    they go, and remembers nothing, not even the forces of the last step's contacts, so that worlds
    replay bit for bit. A model is compiled when bodies come, go or change their shape.
    """

    name = "rigid-bodies"
    reads = (Body, Transform, Parent)
    writes = (Body, Transform)

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[bytes, Physics], Model] = OrderedDict()
        self._lock = Lock()

    def step(self, world: View, dt: float) -> None:
        """Move on by `dt` s.

        Raises:
            ValidationError: a shape, size, mass or friction that is none or that MuJoCo refuses; bodies
                that flew apart.
        """
        chunks = list(world.query(Body, Transform, without=(Parent,)))
        if not chunks or dt <= 0:
            return
        ids = np.concatenate([chunk.entities for chunk in chunks])
        # By id: where a row lies in its table must not matter to what becomes of it.
        order = np.argsort(ids)

        def gathered(kind: type, name: str) -> Array:
            held: Array = np.concatenate([getattr(chunk[kind], name) for chunk in chunks])[order]
            return held

        scale = gathered(Transform, "scale")[:, None]
        table = _table(gathered, scale, ids[order])
        place, turn = gathered(Transform, "position"), gathered(Transform, "rotation")
        motion = [gathered(Body, name) for name in ("velocity", "spin", "force")]
        # The engine's memory is one: threads that share a system wait for each other.
        with self._lock:
            model = self._model(table, world.resource(Physics))
            if not len(model.moved):
                return
            found = model.step(dt, place, turn, *motion)
        if found is None:
            raise ValidationError(
                f"{len(ids)} bodies flew apart: expected speeds, forces and masses of this world's size"
            )
        self._write(chunks, ids, order[model.moved], found)

    def _write(self, chunks: list[Any], ids: Array, rows: Array, found: tuple[Array, ...]) -> None:
        """Write what became of the bodies in `rows` of all chunks in a row."""
        fields = ((Transform, "position"), (Transform, "rotation"), (Body, "velocity"), (Body, "spin"))
        start = 0
        for chunk in chunks:
            here = np.flatnonzero((rows >= start) & (rows < start + len(chunk)))
            for (kind, name), values in zip(fields, found, strict=True):
                getattr(chunk[kind], name)[rows[here] - start] = values[here]
            start += len(chunk)

    def _model(self, table: Table, physics: Physics) -> Model:
        key = table.key(), physics
        found = self._models.pop(key, None)
        if found is None:
            from kinetoscope_mujoco._model import Model

            try:
                found = Model(table, physics)
            except ValueError as error:  # sizes so small that there is no inertia, or out of all bounds
                raise ValidationError(f"MuJoCo takes none of {len(table.mass)} bodies: {error}") from error
        self._models[key] = found
        while len(self._models) > _KEPT:
            self._models.popitem(last=False)
        return found


def _table(gathered: Any, scale: Array, ids: Array) -> Table:
    from kinetoscope_mujoco._model import Table

    shape, mass, friction = (gathered(Body, name) for name in ("shape", "mass", "friction"))
    size = gathered(Body, "size") * scale
    for row in np.flatnonzero(~np.isin(shape, list(_USED))):
        raise ValidationError(
            f"Body.shape of entity {ids[row]} is {shape[row]}, expected 0 to {len(_USED) - 1}"
        )
    used = np.arange(3) < np.array([_USED[held] for held in shape.tolist()])[:, None]
    size = np.where(used, size, 0.0)
    for name, values, fine, expected in (
        ("size", size, ((size > 0) | ~used).all(axis=1), "above 0"),
        (
            "mass",
            mass,
            (mass == 0) | (mass >= _LIGHTEST_KG) & np.isfinite(mass),
            f"0, or {_LIGHTEST_KG} or more",
        ),
        ("friction", friction, (friction >= 0) & np.isfinite(friction), "0 or more"),
    ):
        for row in np.flatnonzero(~fine):
            raise ValidationError(f"Body.{name} of entity {ids[row]} is {values[row]}, expected {expected}")
    return Table(shape, size, gathered(Body, "center") * scale, mass, friction)
