"""MuJoCo models of so many bodies. Imports MuJoCo.

The engine's axes are ours (y up): gravity and the floor say so. Its quaternions are `wxyz`, its
capsules and planes point along z.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs
import mujoco
import numpy as np
from numpy.typing import NDArray

from kinetoscope_mujoco.bodies import BOX, CAPSULE, SPHERE, Physics

__all__ = ["Model", "Table"]

Array = NDArray[Any]

_Z_TO_Y: Final = (np.sqrt(0.5), -np.sqrt(0.5), 0.0, 0.0)
"""wxyz: turns what points along z to point along y."""

_SHAPES: Final = {
    SPHERE: mujoco.mjtGeom.mjGEOM_SPHERE,
    CAPSULE: mujoco.mjtGeom.mjGEOM_CAPSULE,
    BOX: mujoco.mjtGeom.mjGEOM_BOX,
}
_ARENA_BYTES: Final = 16 << 20
_ARENA_BYTES_A_BODY: Final = 32 << 10
"""Room for contacts: some thirty of each body with others."""

_BAD: Final = (
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
)


@attrs.frozen(eq=False)
class Table:
    """All that a model depends on, `[n, ...]`: shapes, sizes and centres in m, masses in kg, frictions."""

    shape: Array
    size: Array
    center: Array
    mass: Array
    friction: Array

    def key(self) -> bytes:
        """Return what two tables share if, and only if, they are equal."""
        return b"".join(np.ascontiguousarray(held).tobytes() for held in attrs.astuple(self))


class Model:
    """A compiled model; `step` is a function of its arguments alone, and remembers nothing."""

    def __init__(self, table: Table, physics: Physics) -> None:
        spec = mujoco.MjSpec()
        spec.memory = _ARENA_BYTES + _ARENA_BYTES_A_BODY * len(table.mass)
        spec.option.gravity = physics.gravity
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        if physics.ground is not None:
            floor = {"type": mujoco.mjtGeom.mjGEOM_PLANE, "size": [0, 0, 1], "quat": _Z_TO_Y}
            spec.worldbody.add_geom(pos=[0, physics.ground, 0], friction=[0, 0.005, 1e-4], **floor)
        self.moved = np.flatnonzero(table.mass > 0)
        self.placed = np.flatnonzero(table.mass <= 0)
        # Those that are placed come last: bodies and their joints stand in the order of rows otherwise.
        for row in [*self.moved.tolist(), *self.placed.tolist()]:
            _add(spec.worldbody, table, row)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._longest = physics.longest_step

    def step(
        self, dt: float, place: Array, turn: Array, velocity: Array, spin: Array, force: Array
    ) -> tuple[Array, Array, Array, Array] | None:
        """Return place, turn, velocity and spin of `moved` bodies after `dt` s; None if they flew apart.

        Args:
            dt: seconds, above 0.
            place: `[n, 3]` m; turn: `[n, 4]` xyzw; velocity: `[n, 3]` m/s; spin: `[n, 3]` rad/s; force:
                `[n, 3]` N: of all bodies, in the world.
        """
        model, data, moved, placed = self._model, self._data, self.moved, self.placed
        mujoco.mj_resetData(model, data)
        count = len(moved)
        steps = int(np.ceil(dt / self._longest - 1e-9))
        model.opt.timestep = dt / steps
        data.qpos[:].reshape(count, 7)[:, :3] = place[moved]
        data.qpos[:].reshape(count, 7)[:, 3:] = turn[moved][:, [3, 0, 1, 2]]
        data.qvel[:].reshape(count, 6)[:, :3] = velocity[moved]
        data.qvel[:].reshape(count, 6)[:, 3:] = _turned_back(turn[moved], spin[moved])
        data.mocap_pos[:] = place[placed]
        data.mocap_quat[:] = turn[placed][:, [3, 0, 1, 2]]
        data.xfrc_applied[1 : 1 + count, :3] = force[moved]
        with _warnings_kept():
            mujoco.mj_step(model, data, nstep=steps)
        if any(data.warning[int(kind)].number for kind in _BAD):
            return None
        state, rates = data.qpos.reshape(count, 7), data.qvel.reshape(count, 6)
        turned = state[:, [4, 5, 6, 3]]
        turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
        return state[:, :3].copy(), turned, rates[:, :3].copy(), _turned(turned, rates[:, 3:])


@contextmanager
def _warnings_kept() -> Iterator[None]:
    """Keep MuJoCo's warnings in its data, which `step` looks at: left alone it writes a file of them."""
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(_silent)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def _silent(_: str) -> None:
    """Take a warning and say nothing."""


def _add(world: Any, table: Table, row: int) -> None:
    shape, size = int(table.shape[row]), table.size[row]
    body = world.add_body(mocap=bool(table.mass[row] <= 0))
    if table.mass[row] > 0:
        body.add_freejoint()
    # A floor of no friction: of two bodies in contact the larger counts, so the body's own does.
    body.add_geom(
        type=_SHAPES[shape],
        size=size,
        pos=table.center[row],
        quat=_Z_TO_Y if shape == CAPSULE else (1.0, 0.0, 0.0, 0.0),
        mass=max(float(table.mass[row]), 0.0),
        friction=[float(table.friction[row]), 0.005, 1e-4],
        condim=4,
    )


def _turned(q: Array, v: Array) -> Array:
    """Return `v [n, 3]` turned by `q [n, 4]`, xyzw."""
    t = 2.0 * np.cross(q[:, :3], v)
    held: Array = v + q[:, 3:] * t + np.cross(q[:, :3], t)
    return held


def _turned_back(q: Array, v: Array) -> Array:
    return _turned(q * [-1.0, -1.0, -1.0, 1.0], v)
