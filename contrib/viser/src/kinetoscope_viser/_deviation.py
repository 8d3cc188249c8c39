"""How far the page's vertices are from the file's, and why."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Asset, Character, Mesh, Motion, kinematics
from kinetoscope_viser._bake import INFLUENCES, Baked

__all__ = ["Deviation", "deviation"]

Array = NDArray[Any]

_MOST_VERTICES: Final = 800_000
"""So many, over all frames, are compared; more would take longer than all else that opening a page does."""


@attrs.frozen
class Deviation:
    """How far the page's vertices are from the file's, mm, over frames spread along a motion.

    Attributes:
        max_mm, p99_mm: the most, and what 99 of 100 vertices stay below; 0 without vertices.
        frames, of: frames that were compared, of how many.
        influences: the most bones that a vertex of the file has; the page uses the four heaviest.
        cut: vertices that have more.
        morph_mm: how far shapes that the motion plays, and the page does not, move a vertex at most.
    """

    max_mm: float
    p99_mm: float
    frames: int
    of: int
    influences: int
    cut: int
    morph_mm: float

    def told(self) -> str:
        """Return it as a sentence or two."""
        text = (
            f"Vertices are off by {self.max_mm:.2g} mm at most, 99 of 100 by less than {self.p99_mm:.2g} mm"
        )
        text += f" ({self.frames} of {self.of} frames compared)."
        if self.cut:
            text += (
                f" {self.cut} vertices have up to {self.influences} bones; the page uses the four heaviest."
            )
        if self.morph_mm > 0:
            text += f" Shapes (morphs) are not played: they move vertices by up to {self.morph_mm:.2g} mm."
        return text


def deviation(character: Character, baked: Baked, motion: Motion) -> Deviation:
    """Compare the page with `kinetoscope_spec.kinematics.skinned_vertices`, all influences and scales."""
    count = sum(len(mesh.vertices) for mesh in character.meshes)
    most = int(np.clip(_MOST_VERTICES // max(count, 1), 1, motion.frame_count))
    frames = np.unique(np.linspace(0, motion.frame_count - 1, most).round().astype(int)).tolist()
    asset = Asset(
        "",
        character.skeleton,
        meshes=[_still(mesh) for mesh in character.meshes],
        materials=character.materials,
    )
    plain = attrs.evolve(motion, morph_weights={})
    far = np.zeros((len(frames), count))
    for row, frame in enumerate(frames if count else ()):
        posed = plain.slice(frame, frame + 1)
        there = [kinematics.skinned_vertices(asset, mesh, posed, 0) for mesh in asset.meshes]
        shown = baked.shown(posed.global_matrices()[0])
        far[row] = 1000 * np.linalg.norm(np.concatenate(there) - shown, axis=1)
    return Deviation(
        float(far.max(initial=0.0)),
        float(np.percentile(far, 99)) if far.size else 0.0,
        len(frames) if count else 0,
        motion.frame_count,
        baked.influences,
        baked.cut if baked.influences > INFLUENCES else 0,
        _morph_mm(character, motion),
    )


def _still(mesh: Mesh) -> Mesh:
    """Return a mesh with its shapes at rest for good: what the page shows is measured against that."""
    if mesh.morphs is None:
        return mesh
    vertices = kinematics.morphed_vertices(mesh)
    return attrs.evolve(
        mesh, vertices=vertices, morphs=None, morph_names=(), morph_peaks=None, morph_weights={}
    )


def _morph_mm(character: Character, motion: Motion) -> float:
    """Return how far morphs move a vertex from how it rests, before skinning, at most over all frames."""
    most = 0.0
    for mesh in character.meshes:
        names = [name for name in motion.morph_weights if name in mesh.morph_names]
        if mesh.morphs is None or not names:
            continue
        rest = kinematics.morphed_vertices(mesh)
        step = max(1, motion.frame_count // 50)
        for frame in range(0, motion.frame_count, step):
            weights = {name: float(motion.morph_weights[name][frame]) for name in names}
            moved = kinematics.morphed_vertices(mesh, weights) - rest
            most = max(most, 1000 * float(np.linalg.norm(moved, axis=1).max(initial=0.0)))
    return most
