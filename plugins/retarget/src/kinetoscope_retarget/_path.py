"""Where the hips go: the source's path, at the target's size, over the target's ground."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_retarget import _soles
from kinetoscope_retarget._bones import chained, metric_offsets
from kinetoscope_retarget._stand import leg_length, legs_middle
from kinetoscope_retarget._transfer import Rig
from kinetoscope_retarget.protocol import Array
from kinetoscope_spec.anatomy import SIDES, Tree

__all__ = ["Ground", "carried", "ground_of", "placed", "scale_of"]


@attrs.frozen
class Ground:
    """Heights m of ankles and toes that stand, and of the ground, in the source and in the target.

    Attributes:
        ankles, toes: source's and target's; without toes, those of the ankles.
        floor: of the target's ground.
    """

    ankles: tuple[float, float]
    toes: tuple[float, float]
    floor: float


def scale_of(rig: Rig, positions: Array) -> float:
    """Return the target's size over the source's: by legs, else by what both have."""
    if rig.scale is not None:
        return rig.scale
    ours, theirs = leg_length(positions, rig.source), leg_length(rig.places, rig.target)
    if min(ours, theirs) > 1e-9:
        return theirs / ours
    sizes = [
        float(np.linalg.norm(metric_offsets(body.skeleton), axis=-1).sum())
        for body in (rig.source, rig.target)
    ]
    return sizes[1] / sizes[0] if min(sizes) > 1e-9 else 1.0


def ground_of(rig: Rig, positions: Array, scale: float) -> Ground | None:
    """Compare how both stand; None without feet.

    The source's ground is at 0 where its toes come near that, else under its lowest toes. If either
    has no toes, both stand on their ankles.
    """
    ankles = [joint for side in SIDES if (joint := rig.source.limb(side, "foot")) is not None]
    their_feet = _soles.feet_of(rig.target)
    if not (ankles and their_feet):
        return None
    ankle, toes = _soles.lowest(positions, ankles), _soles.lowest(positions, _soles.feet_of(rig.source))
    level = _soles.level_of(toes, leg_length(positions, rig.source))
    floor = scale * level
    drop = _soles.mean_drop(rig.places, rig.target)
    if not (_soles.has_toes(rig.source) and _soles.has_toes(rig.target)):
        over = scale * max(ankle - level, 0.0) if rig.toes is None else rig.toes + drop
        return Ground((ankle, floor + over), (ankle, floor + over), floor)
    over = scale * max(toes - level, 0.0) if rig.toes is None else rig.toes
    return Ground((ankle, floor + over + drop), (toes, floor + over), floor)


def carried(rig: Rig, positions: Array, scale: float, ground: Ground | None, *, metres: bool) -> Array:
    """Return the path `[T, 3]` m of the middle between the target's hip joints."""
    middle = legs_middle(positions, rig.source)
    path: Array = middle * (np.array([1.0, scale, 1.0]) if metres else scale)
    if rig.scale is None and ground is not None:
        path[:, 1] = ground.ankles[1] + scale * (middle[:, 1] - ground.ankles[0])
    return path


def placed(rig: Rig, world: Array, path: Array) -> Array:
    """Return the target's global positions `[T, J, 3]` with its hip joints' middle on `path`.

    Joints above the one that carries legs and trunk stay where the rest pose has them.
    """
    body = rig.target
    positions = chained(body.skeleton, rig.offsets, world)
    carrier = body.carrier
    top = 0 if carrier is None else carrier
    moved = [top, *Tree(body.skeleton).below(top)]
    positions[:, moved] += (path - legs_middle(positions, body))[:, None]
    return positions
