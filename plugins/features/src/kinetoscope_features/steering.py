"""What is wanted, put in terms of what a body can do: controls eased into the motion that goes on.

A control may ask for anything at once; mocap never shows a body whose next tenth of a second leaves
the way it is going. So the near future follows the body's own momentum and the far one the control,
as in Holden, Komura and Saito 2017, "Phase-Functioned Neural Networks", section 4.3.
"""

from __future__ import annotations

import numpy as np

from kinetoscope_features import formulas
from kinetoscope_features.body import Array
from kinetoscope_features.track import Track

__all__ = ["along", "eased"]

_MOMENTUM_S = 0.25
"""How much of the past tells how fast and which way the root is going."""


def along(times: Array, values: Array, at: Array, *, beyond: bool = True) -> Array:
    """Return `values [K, 2]` of `times [K]` at `at [F]`, linearly; `beyond` the last it goes on so."""
    inside = np.minimum(at, times[-1])
    found = np.stack([np.interp(inside, times, values[:, i]) for i in (0, 1)], axis=-1)
    if beyond:
        slope = (values[-1] - values[-2]) / (times[-1] - times[-2])
        found += (at - inside)[:, None] * slope
    return found


def _unit(v: Array) -> Array:
    unit: Array = v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
    return unit


def eased(track: Track, framerate: float, at: Array, wanted: Array, facings: Array) -> tuple[Array, Array]:
    """Return `wanted` and `facings`, `[F, 2]` each, led out of the motion that `track` ends in.

    The weight of the control grows from 0 now to 1 at the last of the times `at [F]`. Where easing
    turns the way of travel, the facing turns with it.
    """
    back = min(max(round(_MOMENTUM_S * framerate), 1), len(track) - 1)
    here, yaw = track.ground[-1], track.yaw[-1]
    seconds = max(back, 1) / framerate
    velocity = (here - track.ground[-1 - back]) / seconds
    turn_rate = (yaw - track.yaw[-1 - back]) / seconds
    share = at / at[-1]
    weight = (share * (2 - share))[:, None]
    # The mean velocity until then is turned by half the angle, and that of the past was behind by as much.
    halfway = turn_rate * 0.5 * (at + seconds)
    carried = here + formulas.turned(halfway, np.broadcast_to(velocity, wanted.shape)) * at[:, None]
    path = carried + (wanted - carried) * weight
    before = np.concatenate([[here], path[:-1]])
    asked_before = np.concatenate([[here], wanted[:-1]])
    travel, asked = path - before, wanted - asked_before
    bend = np.arctan2(asked[:, 1] * travel[:, 0] - asked[:, 0] * travel[:, 1], (asked * travel).sum(axis=-1))
    slow = np.minimum(np.linalg.norm(travel, axis=-1), np.linalg.norm(asked, axis=-1)) < 1e-3
    bend = np.where(slow | (np.abs(bend) > 1.0), 0.0, bend)
    turned = formulas.turned(bend, _unit(facings))
    now = formulas.heading(yaw + turn_rate * at)
    return path, _unit(now + (turned - now) * weight)
