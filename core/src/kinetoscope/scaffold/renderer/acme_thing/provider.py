"""Draws scenes triangle by triangle, flat-shaded, with NumPy alone: no driver, no display, no hurry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import (
    Actor,
    Camera,
    ConfigError,
    Frame,
    KinetoscopeError,
    Material,
    Mesh,
    Scene,
    kinematics,
)

__all__ = ["AcmeThingRenderer", "AcmeThingSession"]

Array = NDArray[Any]

QUALITIES = ("draft", "medium", "high")
BUFFERS = ("depth", "id")


class AcmeThingRenderer:
    """Draws what actors wear, under suns and the sky; the floor and fog are left out."""

    def open(
        self, size: tuple[int, int], quality: str = "medium", *, buffers: Sequence[str] = (), **options: Any
    ) -> AcmeThingSession:
        """Open a session for pictures of `size` (width, height); every quality draws the same.

        Raises:
            ConfigError: a size, quality, buffer or option that does not exist.
        """
        unknown = [*sorted(set(buffers) - set(BUFFERS)), *options]
        if unknown:
            raise ConfigError(f"no buffer or option {unknown[0]!r}, expected buffers of {', '.join(BUFFERS)}")
        if quality not in QUALITIES:
            raise ConfigError(f"quality is {quality!r}, expected one of {', '.join(QUALITIES)}")
        width, height = size
        if width < 1 or height < 1:
            raise ConfigError(f"size is {size}, expected width and height of at least 1 pixel")
        return AcmeThingSession((int(width), int(height)), tuple(buffers))


@attrs.define(eq=False)
class AcmeThingSession:
    """An open renderer; closing twice is harmless."""

    size: tuple[int, int]
    buffers: tuple[str, ...]
    closed: bool = False

    def render(self, scene: Scene, camera: Camera) -> Frame:
        """Draw one picture.

        Raises:
            KinetoscopeError: the session is closed.
        """
        if self.closed:
            raise KinetoscopeError("this session is closed; open a new one")
        canvas = _Canvas.of(camera, self.size)
        light = np.zeros((*canvas.depth.shape, 3))
        for actor in scene.actors:
            for corners, material, color in _triangles(actor):
                hit = canvas.draw(corners - camera.position, actor.id, material.double_sided)
                if hit.any():
                    light[hit] = _shade(scene, camera, corners, material, color)
        held = {"depth": canvas.depth.astype(np.float32), "id": canvas.ids}
        return Frame(_picture(scene, light, canvas.ids > 0), {name: held[name] for name in self.buffers})

    def close(self) -> None:
        """Close; nothing is drawn after this."""
        self.closed = True

    def __enter__(self) -> AcmeThingSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@attrs.frozen(eq=False)
class _Canvas:
    """The nearest surface at each pixel: its depth and whose it is, `[H, W]`."""

    camera: Camera
    rays: Array
    depth: Array
    ids: Array

    @classmethod
    def of(cls, camera: Camera, size: tuple[int, int]) -> _Canvas:
        """Return an empty one, with the ray `[3, H * W]` through each pixel's centre, a metre long ahead."""
        width, height = size
        pixel = 2 * np.tan(0.5 * camera.field_of_view) / height
        right, up = np.meshgrid(
            (np.arange(width) + 0.5 - 0.5 * width) * pixel, (0.5 * height - 0.5 - np.arange(height)) * pixel
        )
        seen = np.stack([right.ravel(), up.ravel(), np.full(right.size, -1.0)])
        rays = camera.view_matrix()[:3, :3].T @ seen
        return cls(camera, rays, np.full((height, width), np.inf), np.zeros((height, width), np.uint16))

    def draw(self, corners: Array, number: int, double_sided: bool) -> Array:
        """Draw a triangle `[3, 3]`, relative to the camera, and return the pixels `[H, W]` that it took.

        A ray is the sum of the corners, each times a share: it meets the triangle where no share is
        negative, and the shares of its point add up to one, which gives the depth.
        """
        outward = np.linalg.det(corners) < 0
        if not outward and not double_sided:
            return np.zeros(self.depth.shape, bool)
        try:
            shares = np.linalg.solve(corners.T, self.rays)
        except np.linalg.LinAlgError:  # seen edge on, or without area
            return np.zeros(self.depth.shape, bool)
        with np.errstate(divide="ignore"):
            depth = (1 / shares.sum(axis=0)).reshape(self.depth.shape)
        hit: Array = (shares >= 0).all(axis=0).reshape(depth.shape) & (depth < self.depth)
        hit &= (depth >= self.camera.near) & (depth <= self.camera.far)
        self.depth[hit] = depth[hit]
        self.ids[hit] = number
        return hit


def _triangles(actor: Actor) -> Iterator[tuple[Array, Material, Array]]:
    """Yield the corners `[3, 3]` in the world, the material and the linear RGB of each triangle."""
    materials = actor.character.materials or (Material(),)
    for mesh in actor.character.meshes:
        points = _carry(mesh, np.asarray(actor.pose, np.float64))
        mirrored = mesh.node is not None and np.linalg.det(actor.pose[mesh.node, :3, :3]) < 0
        for i, face in enumerate(mesh.faces[:, ::-1] if mirrored else mesh.faces):
            material = materials[0 if mesh.face_material is None else mesh.face_material[i]]
            tint = 1.0 if mesh.colors is None else mesh.colors[face, :3].mean(axis=0)
            yield points[mesh.corner_vertex[face]], material, material.base_color[:3] * tint


def _carry(mesh: Mesh, pose: Array) -> Array:
    """Return the vertices `[V, 3]` where the pose has them (skinned as the mesh says)."""
    points = np.concatenate([mesh.vertices, np.ones((len(mesh.vertices), 1))], axis=1)
    if mesh.skin is None:
        moved: Array = points if mesh.node is None else points @ pose[mesh.node].T
    else:
        moved = np.einsum("vij,vj->vi", kinematics.vertex_matrices(mesh.skin, pose), points)
    return moved[:, :3]


def _shade(scene: Scene, camera: Camera, corners: Array, material: Material, color: Array) -> Array:
    """Return the linear RGB `[3]` that a matt triangle sends to the camera."""
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    normal = normal / np.linalg.norm(normal)
    if normal @ (corners[0] - camera.position) > 0:
        normal = -normal
    arriving = scene.earth + (scene.sky - scene.earth) * (0.5 + 0.5 * normal[1])
    for light in scene.lights:
        if light.kind == "sun":
            facing = -(normal @ light.direction) / np.linalg.norm(light.direction)
            arriving = arriving + light.color * light.intensity * max(0.0, float(facing)) / np.pi
    sent: Array = color * arriving + material.emissive
    return sent


def _picture(scene: Scene, light: Array, covered: Array) -> Array:
    """Return sRGB `uint8 [H, W, 4]`: exposed light over the background."""
    linear = np.where(covered[..., None], np.clip(light * scene.exposure, 0, 1), scene.background[:3])
    linear = np.clip(linear, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    alpha = np.where(covered, 1.0, np.clip(scene.background[3], 0, 1))
    rgba: Array = np.rint(255 * np.concatenate([encoded, alpha[..., None]], axis=-1)).astype(np.uint8)
    return rgba
