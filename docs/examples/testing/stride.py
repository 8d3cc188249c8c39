"""An application: how far a character gets in a clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinetoscope import Host

__all__ = ["distance_m"]


def distance_m(host: Host, clip: str | Path) -> float:
    """Return how far the root of the clip's motion gets over the ground, in metres."""
    motion = host.open(clip).motions[0]
    start, *_, end = motion.positions[:, 0, [0, 2]]
    return float(np.linalg.norm(end - start))
