"""Which level of detail a picture shows of a mesh, by boxes that hold it wherever its bones carry it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec import kinematics
from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Mesh
from kinetoscope_spec.scene import Camera

__all__ = ["FACES_A_PIXEL", "Bounds", "Sight"]

FACES_A_PIXEL = 2.0
"""A picture of no more triangles than this is drawn in full: what it shows is then what rays would meet."""

_ON_THE_WAY = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Shares of the second of two bones at which it is asked how far out they carry vertices together."""


@attrs.frozen(eq=False)
class Bounds:
    """Boxes that hold a mesh wherever its bones carry it.

    Attributes:
        boxes: `[N, 8, 3]` m, corners of each used bone's vertices in mesh space.
        bones: `[N]`, the bone of each box.
        shared: `[P, 8, 3]` m, corners of what each of `pairs [P, 2]` of bones carry together, where they
            blend as dual quaternions; they may then carry it beyond both.
    """

    boxes: Array
    bones: Array
    shared: Array
    pairs: Array

    @classmethod
    def of(cls, mesh: Mesh) -> Bounds:
        """Bound a mesh in the shape that it has."""
        points = np.asarray(kinematics.morphed_vertices(mesh), np.float64)
        joints, weights = np.zeros((len(points), 1), np.int64), np.ones((len(points), 1))
        if mesh.skin is not None:
            order = np.argsort(-np.asarray(mesh.skin.weights, np.float64), axis=1, kind="stable")
            joints = np.take_along_axis(np.asarray(mesh.skin.joints, np.int64), order, axis=1)
            weights = np.take_along_axis(np.asarray(mesh.skin.weights, np.float64), order, axis=1)
        vertex, slot = np.nonzero(weights)
        bones, place = np.unique(joints[vertex, slot], return_inverse=True)
        # Every pair is bounded with the heaviest bone, of whose quaternions' side the others are.
        dual = mesh.skin is not None and mesh.skin.blending == "dual_quaternion"
        vertex_too, other = np.nonzero(weights[:, 1:] if dual else weights[:, :0])
        met = np.stack([joints[vertex_too, 0], joints[vertex_too, other + 1]], axis=1)
        pairs, place_too = np.unique(met, axis=0, return_inverse=True)
        return cls(
            _boxes(points[vertex], place.ravel(), len(bones)),
            bones,
            _boxes(points[vertex_too], place_too.ravel(), len(pairs)),
            pairs,
        )

    def corners(self, carry: Array) -> Array:
        """Return corners `[..., M, 3]` m of boxes that hold the mesh.

        Args:
            carry: `[..., B, 3|4, 4]`, its bones, from mesh space to where the corners are wanted.
        """
        held = [_carried(carry[..., self.bones, :3, :], self.boxes)]
        if len(self.pairs):
            # Between two bones vertices go along arcs, of which a few places are told.
            shares = np.repeat(_ON_THE_WAY, len(self.pairs))
            pairs = np.tile(self.pairs, (len(_ON_THE_WAY), 1))
            weights = np.stack([1 - shares, shares], axis=1)
            between = [
                kinematics.dual_quaternion_blend(bones, pairs, weights)
                for bones in carry.reshape(-1, *carry.shape[-3:])
            ]
            shape = (*carry.shape[:-3], len(pairs), 3, 4)
            held.append(_carried(np.reshape(between, shape), np.tile(self.shared, (len(_ON_THE_WAY), 1, 1))))
        return np.concatenate(held, axis=-3).reshape(*carry.shape[:-3], -1, 3)


@attrs.frozen(eq=False)
class Sight:
    """What levels of detail go by: a camera, the direction `[3]` it looks in, the height of its picture and
    how far meshes may be off, both in pixels."""

    camera: Camera
    ahead: Array
    height: int
    most_px: float

    @classmethod
    def of(cls, camera: Camera, size: tuple[int, int], triangles: int, most_px: float) -> Sight | None:
        """Return what a picture's levels go by, or None where all that is in the scene is to be shown in full.

        Args:
            camera: who looks.
            size: width and height of the picture, pixels.
            triangles: how many the scene has in full.
            most_px: pixels that coarser meshes may be off.
        """
        if triangles <= FACES_A_PIXEL * size[0] * size[1]:
            return None
        return cls(camera, -camera.view_matrix()[2, :3], size[1], most_px)

    def down(self, errors: Sequence[float], corners: Array, carry: Array) -> Array:
        """Return how many levels down a mesh may be shown, `[...]`: off by `most_px` where it is nearest.

        Args:
            errors: of its levels, m, in the rest pose, the finest first.
            corners: `[..., M, 3]` m of boxes that hold it, relative to the camera.
            carry: `[..., B, 3|4, 4]`, its bones, which may make it larger than it is at rest.
        """
        nearest = (corners @ self.ahead).min(axis=-1, initial=np.inf)
        metre_px = self.height / (2 * np.tan(self.camera.field_of_view / 2) * np.maximum(nearest, 1e-12))
        # No direction grows by more than the root of a row's sum here (Gershgorin); that is exact where none shears.
        axes = np.asarray(carry, np.float64)[..., :3, :3]
        grown = np.abs(np.swapaxes(axes, -1, -2) @ axes).sum(axis=-1)
        scale = np.sqrt(grown.max(axis=(-2, -1)))
        off_px = np.asarray(errors, np.float64) * (scale * metre_px)[..., None]
        fits = (off_px <= self.most_px) & (nearest > self.camera.near)[..., None]
        levels: Array = fits.sum(axis=-1)
        return levels


def _carried(bones: Array, boxes: Array) -> Array:
    """Return where each of `bones [..., N, 3, 4]` carries its box `[N, 8, 3]`."""
    moved: Array = boxes @ np.swapaxes(bones[..., :3], -1, -2) + bones[..., None, :, 3]
    return moved


def _boxes(points: Array, place: Array, count: int) -> Array:
    """Return the corners `[count, 8, 3]` of the boxes around the points of each place."""
    low = np.full((count, 3), np.inf)
    high = np.full((count, 3), -np.inf)
    np.minimum.at(low, place, points)
    np.maximum.at(high, place, points)
    pick = (np.arange(8)[:, None] >> np.arange(3)) & 1
    return np.where(pick, high[:, None], low[:, None])
