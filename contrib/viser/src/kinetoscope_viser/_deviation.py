"""How far the page's vertices are from the file's, and why."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Asset, Character, Motion, kinematics
from kinetoscope_viser._bake import INFLUENCES, Baked

__all__ = ["Deviation", "deviation", "weights_at"]

Array = NDArray[Any]

_MOST_VERTICES: Final = 800_000
"""So many, over all frames, are compared; more would take longer than all else that opening a page does."""


_EXACT_MM: Final = 1e-3
"""Less is nothing: the page's numbers are of 24 bits."""


@attrs.frozen
class Deviation:
    """How far the page's vertices are from the file's, mm, over frames spread along a motion.

    Attributes:
        max_mm, p99_mm: the most, and what 99 of 100 vertices stay below; 0 without vertices.
        frames, of: frames that were compared, of how many.
        influences: the most bones that a vertex of the file has; the page uses the four heaviest.
        cut: vertices that have more.
    """

    max_mm: float
    p99_mm: float
    frames: int
    of: int
    influences: int
    cut: int

    def told(self) -> str:
        """Return it as a sentence or two."""
        if self.max_mm < _EXACT_MM:
            text = "Vertices are where the file has them"
        else:
            text = f"Vertices are off by {self.max_mm:.2g} mm at most, 99 of 100 by less than {self.p99_mm:.2g} mm"
        text += f" ({self.frames} of {self.of} frames compared)."
        if self.cut:
            text += (
                f" {self.cut} vertices have up to {self.influences} bones; the page uses the four heaviest."
            )
        return text


def weights_at(motion: Motion, frame: int) -> dict[str, float]:
    """Return the weights of a motion's morph channels in a frame, by name."""
    return {name: float(curve[frame]) for name, curve in motion.morph_weights.items()}


def deviation(character: Character, baked: Baked, motion: Motion) -> Deviation:
    """Compare the page with `kinetoscope_spec.kinematics.skinned_vertices`, all influences and scales."""
    count = sum(len(mesh.vertices) for mesh in character.meshes)
    most = int(np.clip(_MOST_VERTICES // max(count, 1), 1, motion.frame_count))
    frames = np.unique(np.linspace(0, motion.frame_count - 1, most).round().astype(int)).tolist()
    asset = Asset(
        "",
        character.skeleton,
        meshes=character.meshes,
        materials=character.materials,
    )
    far = np.zeros((len(frames), count))
    for row, frame in enumerate(frames if count else ()):
        posed = motion.slice(frame, frame + 1)
        there = [kinematics.skinned_vertices(asset, mesh, posed, 0) for mesh in asset.meshes]
        shown = baked.shown(posed.global_matrices()[0], baked.factors(weights_at(motion, frame)))
        far[row] = 1000 * np.linalg.norm(np.concatenate(there) - shown, axis=1)
    return Deviation(
        float(far.max(initial=0.0)),
        float(np.percentile(far, 99)) if far.size else 0.0,
        len(frames) if count else 0,
        motion.frame_count,
        baked.influences,
        baked.cut if baked.influences > INFLUENCES else 0,
    )
