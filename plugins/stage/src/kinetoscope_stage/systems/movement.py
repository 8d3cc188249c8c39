"""Entities that follow a path on the ground."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import ValidationError, rotation
from kinetoscope_stage._component import Numbers, column, component
from kinetoscope_stage.library import Library
from kinetoscope_stage.transforms import Transform
from kinetoscope_stage.view import View

__all__ = ["FollowSystem", "Follower"]


@component
class Follower:
    """Goes along a path of the `Library`."""

    path: Numbers = column(dtype=np.int32, default=-1)
    distance: Numbers = column(default=0)  # m along the path
    speed: Numbers = column(default=1.0)  # m/s; negative goes back, still facing ahead
    loop: Numbers = column(dtype=np.bool_, default=0)  # begins anew at the end; stops there otherwise


class FollowSystem:
    """Moves `Follower`s along their paths: `Transform` stands on the path and faces along it.

    The height of the entity stays what it is.
    """

    name = "follow"
    reads = (Follower, Transform)
    writes = (Follower, Transform)

    def step(self, world: View, dt: float) -> None:
        """Go on by `dt` s.

        Raises:
            ValidationError: a path that is not in the library.
        """
        paths = world.resource(Library).paths
        for chunk in world.query(Follower, Transform):
            held, at = chunk[Follower], chunk[Transform]
            for number in np.unique(held.path[held.path >= 0]):
                if number >= len(paths):
                    raise ValidationError(f"path {number} is not in the library, which holds {len(paths)}")
                path, rows = paths[int(number)], np.flatnonzero(held.path == number)
                gone = held.distance[rows] + held.speed[rows] * dt
                gone = np.where(held.loop[rows], gone % path.length, np.clip(gone, 0.0, path.length))
                point, way = path.at(gone), path.direction(gone)
                held.distance[rows] = gone
                at.position[rows, 0], at.position[rows, 2] = point[:, 0], point[:, 1]
                at.rotation[rows] = rotation.from_yaw(np.arctan2(way[:, 0], way[:, 1]))
