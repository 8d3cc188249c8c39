"""Two hosts in one process. Each reads the same file its own way and knows nothing of the other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from kinetoscope import Host
from kinetoscope_spec import Asset, Motion, Provider, Signature, Skeleton, hookimpl, rotation

__all__ = ["Studio", "distances"]


class Points:
    """Reads rows of x, y, z: where one point is in each frame."""

    def __init__(self, unit_m: float) -> None:
        self.unit_m = unit_m

    def read(self, path: str | Path) -> Asset:
        """Return the track of the point."""
        track = np.loadtxt(path, delimiter=",", ndmin=2)[:, None] * self.unit_m
        skeleton = Skeleton(["point"], [-1], np.zeros((1, 3)))
        motion = Motion(skeleton, track, rotation.identity(np.zeros((len(track), 1, 4))), 30.0)
        metadata = {"format": "points", "unit_m": self.unit_m, "axes": "+X+Y+Z"}
        return Asset(Path(path).stem, skeleton, [motion], metadata=metadata)


class Studio:
    """A plugin that is an object: what it offers depends on whose it is."""

    def __init__(self, unit_m: float) -> None:
        self.unit_m = unit_m

    @hookimpl
    def importer(self) -> Sequence[Provider]:
        """Offer `points`, in the unit of this studio."""
        signature = Signature("points", magic=b"# points\n", is_text=True)
        load = partial(Points, self.unit_m)
        return [
            Provider("points", "tracks of one point", load=load, reads=["points"], signatures=[signature])
        ]


def distances(path: Path, units_m: Sequence[float]) -> list[float]:
    """Return how far the point of a file goes, m, as studios with these units read it, all at once."""

    def distance(unit_m: float) -> float:
        with Host(plugins=[Studio(unit_m)], autoload=False) as host:
            track = host.open(path).motions[0].positions[:, 0]
        return float(np.linalg.norm(track[-1] - track[0]))

    with ThreadPoolExecutor(len(units_m)) as threads:
        return list(threads.map(distance, units_m))
