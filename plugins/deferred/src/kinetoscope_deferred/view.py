"""One frame's numbers: camera-relative matrices, draws, bones and lights.

Everything on the device is relative to the camera's position; the subtraction is done here in
float64, so a scene a hundred kilometres from the origin is as sharp as one at it.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_deferred.cache import DeviceMesh, MeshCache
from kinetoscope_deferred.meshes import bone_matrices
from kinetoscope_spec import kinematics, temporal
from kinetoscope_spec.detail import Sight
from kinetoscope_spec.ghosts import Ghost, ghosts_in
from kinetoscope_spec.scene import Camera, Light, Scene

__all__ = ["BONES_A_ROW", "Draw", "View", "build_view"]

Array = NDArray[np.float64]

BONES_A_ROW = 256
"""Matrices in one row of the bone texture; each takes three texels."""


@attrs.frozen(eq=False)
class Draw:
    """One mesh of one actor: where its bones begin, and whether its pose mirrors it.

    `corners [N, 3]` of boxes hold it, relative to the camera. It is `level` levels
    of detail below the full.
    """

    mesh: DeviceMesh
    actor_id: int
    first_bone: int
    mirrored: bool
    corners: Array
    level: int = 0


@attrs.frozen(eq=False)
class View:
    """What the passes read of one frame.

    Attributes:
        size: (width, height).
        rotation: `[3, 3]` from the world's axes to the camera's.
        projection: `[4, 4]` to clip space, through the places within pixels at which this frame looks.
        origin: `[3]` m, the camera; device positions are relative to it.
        draws: what casts and is seen.
        ghosts: what is drawn of each ghost, the farthest first.
        bones: float32 `[rows, 3 * BONES_A_ROW, 4]`, rows of affine matrices, or of what they are apart.
        bones_before: the same of the frame before, where motion is asked for.
        sun: the light with the shadow map, or None.
        held: what passes work out once for a frame.
        number: frames since the last cut, where frames are mixed with those before; else 0.
        before: the camera of the frame before, where this one is mixed with it.
        offset: from a pixel's centre to where this frame looks, pixels right and down.
        film: which of several that a session shows in turn it belongs to.
    """

    scene: Scene
    camera: Camera
    size: tuple[int, int]
    rotation: Array
    projection: Array
    origin: Array
    draws: tuple[Draw, ...]
    ghosts: tuple[tuple[Ghost, tuple[Draw, ...]], ...]
    bones: NDArray[np.float32]
    bones_before: NDArray[np.float32] | None
    sun: Light | None
    held: dict[str, Any] = attrs.field(factory=dict)
    number: int = 0
    before: Camera | None = None
    offset: tuple[float, float] = (0.0, 0.0)
    film: int = 0

    @property
    def tangents(self) -> tuple[float, float]:
        """Half the width and height of the picture at one metre."""
        return float(1 / self.projection[0, 0]), float(1 / self.projection[1, 1])

    @property
    def emissive(self) -> bool:
        """Whether anything gives light of its own."""
        drawn = chain(self.draws, *(draws for _, draws in self.ghosts))
        return any(np.any(material.emissive > 0) for draw in drawn for material in draw.mesh.materials)

    def following(self, before: temporal.Take | None, take: temporal.Take) -> View:
        """Return the view as `take` looks at it, to be mixed with the frame `before` if it follows that."""
        if before is None or not take.number:
            return self
        right, down = temporal.offset(take.number)
        projection = self.projection.copy()
        projection[0, 2], projection[1, 2] = 2 * right / self.size[0], -2 * down / self.size[1]
        return attrs.evolve(
            self, projection=projection, number=take.number, before=before.camera, offset=(right, down)
        )


def build_view(
    scene: Scene,
    camera: Camera,
    size: tuple[int, int],
    cache: MeshCache,
    *,
    moving: bool = False,
    detail_px: float | None = None,
) -> View:
    """Gather one frame, uploading the meshes of characters not seen before; `moving` with the one before.

    Where triangles outnumber pixels meshes may be coarser, by `detail_px` pixels at most. That goes by the
    frame alone and not by what was shown before: the same scene gives the same picture.
    """
    origin = np.asarray(camera.position, np.float64)
    bones = _Bones([], [])
    draws = _drawn_actors(scene, cache, origin, _sight(scene, camera, size, cache, detail_px), bones, moving)
    ghosts = _drawn_ghosts(scene, camera, cache, origin, bones)
    suns = [light for light in scene.lights if light.kind == "sun" and light.shadow and light.intensity > 0]
    return View(
        scene=scene,
        camera=camera,
        size=size,
        rotation=camera.view_matrix()[:3, :3],
        projection=camera.projection_matrix(size[0] / size[1]),
        origin=origin,
        draws=draws,
        ghosts=ghosts,
        bones=_bone_texels(bones.now),
        bones_before=_bone_texels(bones.before) if moving else None,
        sun=max(suns, key=lambda light: light.intensity * float(light.color.mean()), default=None),
    )


@attrs.define(eq=False)
class _Bones:
    """The bones of all that is drawn, mesh by mesh, and those of actors in the frame before."""

    now: list[Array]
    before: list[Array]
    count: int = 0

    def add(self, rows: Array) -> None:
        self.now.append(rows)
        self.count += len(rows)


def _drawn_actors(
    scene: Scene, cache: MeshCache, origin: Array, sight: Sight | None, bones: _Bones, moving: bool
) -> tuple[Draw, ...]:
    draws = []
    for actor in scene.actors:
        for part, mesh in enumerate(cache.meshes(actor.character)):
            carry = _relative_bones(actor.pose, mesh, origin)
            draw, rows = _draw(mesh, carry, actor.id, bones.count), _rows(mesh, carry)
            if sight is not None:
                held = cache.coarser(actor.character, part)
                level = int(sight.down([error for _, error in held], draw.corners, carry))
                draw = draw if level == 0 else attrs.evolve(draw, mesh=held[level - 1][0], level=level)
            draws.append(draw)
            bones.add(rows)
            if moving:
                past = actor.pose if actor.previous_pose is None else actor.previous_pose
                bones.before.append(_rows(mesh, _relative_bones(past, mesh, origin)))
    return tuple(draws)


def _drawn_ghosts(
    scene: Scene, camera: Camera, cache: MeshCache, origin: Array, bones: _Bones
) -> tuple[tuple[Ghost, tuple[Draw, ...]], ...]:
    ghosts = []
    for ghost in ghosts_in(scene, camera):
        parts = []
        for mesh in cache.meshes(ghost.character):
            carry = _relative_bones(ghost.pose, mesh, origin)
            parts.append(_draw(mesh, carry, 0, bones.count))
            bones.add(_rows(mesh, carry))
        ghosts.append((ghost, tuple(parts)))
    return tuple(ghosts)


def _sight(
    scene: Scene, camera: Camera, size: tuple[int, int], cache: MeshCache, detail_px: float | None
) -> Sight | None:
    """Return what levels of detail go by, or None where all is to be shown in full."""
    if detail_px is None:
        return None
    count = sum(mesh.triangles for actor in scene.actors for mesh in cache.meshes(actor.character))
    return Sight.of(camera, size, count, detail_px)


def _draw(mesh: DeviceMesh, carry: Array, number: int, first: int) -> Draw:
    """Return how a mesh is drawn that `carry [B, 4, 4]` carries, whose bones begin at `first` on the device."""
    mirrored = bool(np.linalg.det(carry[0, :3, :3]) < 0)
    return Draw(mesh, number, first, mirrored, mesh.packed.bounds.corners(carry))


def _relative_bones(pose: Array, mesh: DeviceMesh, origin: Array) -> Array:
    bones = np.array(bone_matrices(mesh.packed, pose), np.float64)
    bones[:, :3, 3] -= origin
    return bones


def _rows(mesh: DeviceMesh, bones: Array) -> Array:
    """Return what the device holds of `bones [B, 4, 4]`: `[B, 3, 4]`, the rows of their matrices.

    Where they blend as dual quaternions it is `[2 B, 3, 4]`: what each stretches and how it moves, side by
    side, then its turn in a row of its own.
    """
    if not mesh.packed.dual:
        return bones[:, :3]
    turns, stretches = kinematics.polar(bones[:, :3, :3])
    rows = np.zeros((len(bones), 2, 3, 4))
    rows[:, 0, :, :3], rows[:, 0, :, 3] = stretches, bones[:, :3, 3]
    rows[:, 1, 0] = turns
    return rows.reshape(-1, 3, 4)


def _bone_texels(matrices: list[Array]) -> NDArray[np.float32]:
    rows = np.concatenate(matrices) if matrices else np.zeros((1, 3, 4))
    height = -(-len(rows) // BONES_A_ROW)
    texels = np.zeros((height * BONES_A_ROW, 3, 4), np.float32)
    texels[: len(rows)] = rows
    return texels.reshape(height, 3 * BONES_A_ROW, 4)
