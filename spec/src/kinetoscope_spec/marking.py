"""What of a motion is drawn beside it: bones, frames, ways, contacts, velocities, for `Scene.annotations`."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import anatomy
from kinetoscope_spec._arrays import Array
from kinetoscope_spec.errors import ConfigError
from kinetoscope_spec.motion import Motion

__all__ = ["CONTACT_HEIGHT_M", "CONTACT_SPEED_M_S", "head", "marked", "way"]

CONTACT_HEIGHT_M, CONTACT_SPEED_M_S = 0.05, 0.4
"""Toes that are lower over their lowest and slower than that may touch the ground."""
_OVER_HEAD, _OVER = 0.36, 0.08
"""How far a name is above the highest joint: in heights from the pelvis to it, or of all of what is no person."""


def marked(kind: str, motion: Motion, places: Array, frame: int) -> Array:
    """Return what is drawn of a kind, as `kinetoscope_spec.annotations` has it.

    Args:
        kind: `bones` (none leads to a node above the pelvis, which often stands still), `trajectory` (the
            root's whole way on the floor), `contacts` or `velocities`.
        motion: what moves.
        places: of its joints in all frames, `[T, J, 3]` m.
        frame: which frame is now.

    Raises:
        ConfigError: there is no such kind.
    """
    if kind == "bones":
        parents, child = np.asarray(motion.skeleton.parents), _children(motion)
        return np.stack([places[frame, parents[child]], places[frame, child]], axis=1)
    if kind == "trajectory":
        return way(motion, places, 0, len(places))
    before, after = max(frame - 1, 0), min(frame + 1, len(places) - 1)
    speed = (places[after] - places[before]) * motion.framerate / max(after - before, 1)
    if kind == "velocities":
        return np.stack([places[frame], speed], axis=1)
    if kind != "contacts":
        raise ConfigError(f"{kind!r} is no mark, expected bones, trajectory, contacts or velocities")
    toes = _toes(motion)
    low = places[frame, toes, 1] < places[:, toes, 1].min(axis=0) + CONTACT_HEIGHT_M
    slow = np.linalg.norm(speed[toes], axis=-1) < CONTACT_SPEED_M_S
    touching: Array = places[frame, toes][low & slow]
    return touching


def way(motion: Motion, places: Array, start: int, stop: int) -> Array:
    """Return where the root is on the floor in frames `start` to `stop` (not included), `[K, 2]` m, x and z.

    The root is the pelvis where there is one: a skeleton's first node may stay where it is.
    """
    found: Array = places[max(start, 0) : stop, _root(motion)][:, [0, 2]]
    return found


def head(motion: Motion, places: Array, frame: int) -> Array:
    """Return a place for a name, `[3]` m: over the root, and higher than the highest joint.

    On a person by as much as a head is higher than its joint, and a little more.
    """
    now = places[frame]
    x, y, z = now[_root(motion)]
    top, low = now[:, 1].max(), now[:, 1].min()
    above = _OVER_HEAD * (top - y) if "hips" in anatomy.roles(motion.skeleton) else _OVER * (top - low)
    return np.array([x, top + above, z])


def _root(motion: Motion) -> int:
    return anatomy.roles(motion.skeleton).get("hips", 0)


def _children(motion: Motion) -> Array:
    """Return the nodes that a bone leads to: all but the root and what is above it."""
    shown = np.ones(len(motion.skeleton), bool)
    node = _root(motion)
    while node >= 0:
        shown[node] = False
        node = int(motion.skeleton.parents[node])
    return np.flatnonzero(shown & (np.asarray(motion.skeleton.parents) >= 0))


def _toes(motion: Motion) -> Array:
    roles = anatomy.roles(motion.skeleton)
    found = [
        roles[side + part]
        for side in ("left_", "right_")
        for part in ("toes", "foot")
        if side + part in roles
    ]
    return np.array(found, np.int64)
