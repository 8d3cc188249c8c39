"""Reference geometry of the renderer's laws: rays through triangles, in float64.

Nothing here is shared with `Camera` or `kinematics`, which renderers use. Rasterisers round: a pixel
is judged only where no edge of any triangle comes near its centre.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Mesh, Skin
from kinetoscope_spec.contracts._dual_quaternion import Carrier, dual_quaternion_blend, sides
from kinetoscope_spec.scene import Actor, Camera

__all__ = ["Cast", "Triangles", "axes", "cast", "half_turned", "rays", "skinned", "triangles"]


@attrs.frozen(eq=False)
class Triangles:
    """Triangles in the world, counter-clockwise as seen from outside.

    Attributes:
        corners: `[F, 3, 3]` m.
        ids: `[F]`, whose they are.
        backs: bool `[F]`, seen from behind too.
    """

    corners: Array
    ids: Array
    backs: Array


@attrs.frozen(eq=False)
class Cast:
    """What a ray through the centre of each pixel meets.

    Attributes:
        met: bool `[F, H, W]`, triangles that are certainly met and certainly seen.
        depth: `[F, H, W]` m along the camera's axis to the plane of each triangle.
        slack: `[F, H, W]` m by which a depth buffer may be off there.
        sure: bool `[H, W]`, pixels which no edge comes near.
        ids: `[F]`, whose the triangles are.
    """

    met: Array
    depth: Array
    slack: Array
    sure: Array
    ids: Array

    @property
    def nearest(self) -> tuple[Array, Array]:
        """The depth of the nearest triangle that is met and its slack, `[H, W]`; inf where none is."""
        if not len(self.ids):
            nothing = np.full(self.sure.shape, np.inf)
            return nothing, nothing
        depth = np.where(self.met, self.depth, np.inf)
        first = depth.argmin(axis=0)[None]
        near, slack = (np.take_along_axis(held, first, axis=0)[0] for held in (depth, self.slack))
        return near, np.where(np.isfinite(near), slack, np.inf)

    @property
    def tied(self) -> Array:
        """Where two triangles are met so close to each other that rounding decides, bool `[H, W]`."""
        depth = np.sort(np.where(self.met, self.depth, np.inf), axis=0)
        slack = np.where(self.met, self.slack, 0).max(axis=0, initial=0)
        with np.errstate(invalid="ignore"):
            close: Array = (np.diff(depth, axis=0) <= 2 * slack).any(axis=0)
        return close

    def whose(self) -> tuple[Array, Array]:
        """Return the id that is met, 0 for none, and where no more than one actor is met, `[H, W]`."""
        masked = np.where(self.met, self.ids[:, None, None], 0)
        highest = masked.max(axis=0, initial=0)
        lowest = np.where(self.met, self.ids[:, None, None], 1 << 20).min(axis=0, initial=1 << 20)
        return highest, (highest == 0) | (lowest == highest)


def axes(camera: Camera) -> Array:
    """Return rows right, up, ahead."""
    ahead = camera.target - camera.position
    ahead = ahead / np.sqrt(ahead @ ahead)
    right = np.cross(ahead, camera.up)
    right = right / np.sqrt(right @ right)
    return np.stack([right, np.cross(right, ahead), ahead])


def _slopes(camera: Camera, size: tuple[int, int]) -> tuple[Array, Array, float]:
    """Return how far right `[W]` and up `[H]` the ray of each pixel goes a metre ahead, and a pixel's width."""
    width, height = size
    pixel = 2 * np.tan(camera.field_of_view / 2) / height
    return (np.arange(width) + 0.5 - width / 2) * pixel, (height / 2 - np.arange(height) - 0.5) * pixel, pixel


def rays(camera: Camera, size: tuple[int, int]) -> Array:
    """Return world directions `[H, W, 3]` through the pixels' centres, a metre long along the camera's axis."""
    right, up, ahead = axes(camera)
    x, y, _ = _slopes(camera, size)
    directions: Array = ahead + x[None, :, None] * right + y[:, None, None] * up
    return directions


def skinned(mesh: Mesh, pose: Array, *, align: bool = True) -> Array:
    """Return the vertices `[V, 3]` of a mesh under the global matrices `pose [J, 4, 4]`, vertex by vertex.

    `align=False` blends dual quaternions as they come, which is wrong.
    """
    points = np.asarray(mesh.vertices, np.float64)
    if mesh.skin is not None:
        return _carried(mesh.skin, points, pose, align=align)
    if mesh.node is None:
        return points
    moved: Array = points @ pose[mesh.node, :3, :3].T + pose[mesh.node, :3, 3]
    return moved


def _carried(skin: Skin, points: Array, pose: Array, *, align: bool) -> Array:
    bones = [pose[bone] @ bind for bone, bind in zip(skin.bones, skin.inverse_bind, strict=True)]
    if skin.blending == "linear":
        return np.stack(
            [_mean(skin.joints[v], skin.weights[v], bones, point) for v, point in enumerate(points)]
        )
    apart = [Carrier.of(bone) for bone in bones]
    return np.stack(
        [
            dual_quaternion_blend([apart[j] for j in skin.joints[v]], skin.weights[v], point, align=align)
            for v, point in enumerate(points)
        ]
    )


def _mean(joints: Array, weights: Array, bones: Sequence[Array], point: Array) -> Array:
    """Return the mean of where each bone carries the point, weighed."""
    total = np.zeros(3)
    for joint, weight in zip(joints, weights, strict=True):
        total += weight * (bones[joint] @ np.array([*point, 1.0]))[:3]
    return total


def half_turned(skin: Skin, pose: Array) -> bool:
    """Whether two bones of a vertex differ by so nearly half a turn that rounding tells which way round it is."""
    apart = [Carrier.of(pose[bone] @ bind) for bone, bind in zip(skin.bones, skin.inverse_bind, strict=True)]
    return any(
        abs(side) < 1e-3 and weight > 0
        for joints, weights in zip(skin.joints, skin.weights, strict=True)
        for side, weight in zip(sides([apart[j] for j in joints], weights), weights, strict=True)
    )


def triangles(actors: Sequence[Actor]) -> Triangles:
    """Return all triangles of all actors; a pose that mirrors turns their order, not their outside."""
    corners, ids, backs = [np.zeros((0, 3, 3))], [np.zeros(0, int)], [np.zeros(0, bool)]
    for actor in actors:
        pose = np.asarray(actor.pose, np.float64)
        for mesh in actor.character.meshes:
            held = skinned(mesh, pose)[mesh.corner_vertex[mesh.faces]].reshape(-1, 3, 3)
            if mesh.node is not None and np.linalg.det(pose[mesh.node, :3, :3]) < 0:
                held = held[:, ::-1]
            surfaces = [material.double_sided for material in actor.character.materials] or [False]
            chosen = np.zeros(len(held), int) if mesh.face_material is None else mesh.face_material
            corners.append(held)
            ids.append(np.full(len(held), actor.id))
            backs.append(np.array(surfaces)[chosen].reshape(-1))
    return Triangles(np.concatenate(corners), np.concatenate(ids), np.concatenate(backs))


def cast(camera: Camera, size: tuple[int, int], given: Triangles, *, edge_px: float) -> Cast:
    """Send a ray through the centre of every pixel of a picture of `size` (width, height).

    A triangle is met where the centre lies more than `edge_px` inside all its edges and is left alone
    where it lies more than that outside one of them; what is between makes a pixel unsure.
    """
    seen = (given.corners - camera.position) @ axes(camera).T  # right, up, ahead
    # A triangle without area covers nothing.
    area = np.linalg.norm(np.cross(seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0]), axis=-1)
    seen, ids, backs = seen[area > 0], given.ids[area > 0], given.backs[area > 0]
    x, y, pixel = _slopes(camera, size)
    # Planes through the eye and each edge; the ray (x, y, 1) lies inside of all three or it misses.
    planes = np.cross(seen[:, [1, 2, 0]], seen[:, [2, 0, 1]])
    volume = np.einsum("fi,fi->f", seen[:, 0], planes[:, 0])
    front = volume > 0  # these axes are left-handed, which turns the sign
    planes = planes * np.where(front, 1, -1)[:, None, None]
    heights = planes[..., None, None, 0] * x + planes[..., None, None, 1] * y[:, None]
    heights = heights + planes[..., None, None, 2]
    steep = np.hypot(planes[..., 0], planes[..., 1])[..., None, None] * pixel
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inside = np.where((heights == 0) & (steep == 0), np.inf, heights / steep).min(axis=1)
        nearness = planes.sum(axis=1) / np.abs(volume)[:, None]
        depth = 1 / (
            nearness[:, None, None, 0] * x
            + nearness[:, None, None, 1] * y[:, None]
            + nearness[:, None, None, 2]
        )
        # Coordinates are rounded to a part of a pixel: depth goes with them by the surface's slope.
        slope = depth**2 * np.hypot(nearness[:, 0], nearness[:, 1])[:, None, None] * pixel
        slack = slope * edge_px + 1e-4 * depth + depth**2 * 2.0**-22 / camera.near
    shown = (front | backs)[:, None, None]
    within = (depth > camera.near + slack) & (depth < camera.far - slack)
    beyond = (depth < camera.near - slack) | (depth > camera.far + slack)
    met = shown & within & (inside > edge_px)
    missed = ~shown | beyond | (inside < -edge_px)
    return Cast(met, depth, slack, (met | missed).all(axis=0), ids)
