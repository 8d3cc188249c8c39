"""The sample's plate: a ball rolls over a paved ground, seen from a camera that pans.

All of it is known: where the ground is, how the camera turned, what the ball and its shadow cover, and
what is behind them. Everything is cast along rays in NumPy; nothing is drawn by lot but noise with a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Mask, Video, rotation

__all__ = ["PlateScene"]

Array = NDArray[Any]

_TILE = 256
_WALL_M = (17.0, 4.2)
"""How far off the wall stands, and how high it is."""

_SUN = np.array([1.0, 0.95, 0.85], np.float32)
_SKY = np.array([0.34, 0.40, 0.50], np.float32)
_BALL = np.array([0.75, 0.06, 0.04], np.float32)
_REACH = np.array([1.5, -3.0])
"""Where the ball is at first and in the end, m along x."""


@attrs.frozen
class PlateScene:
    """A plate and what is true of it.

    Attributes:
        size: width and height, px.
        frames: how many.
        rate: frames per second.
        height_m: of the camera over the ground.
        pitch: rad, by which it looks down.
        field_of_view: vertical, rad.
        pan: rad, by which it turns to its right from the first frame to the last.
        azimuth, elevation: rad, where the sun stands: about the vertical from +Z towards +X, over the horizon.
        noise: standard deviation of the grain, levels.
        seed: of ground, wall and grain.
    """

    size: tuple[int, int] = (640, 360)
    frames: int = 100
    rate: int = 25
    height_m: float = 1.6
    pitch: float = np.radians(7.0)
    field_of_view: float = np.radians(40.0)
    pan: float = np.radians(13.0)
    azimuth: float = np.radians(135.0)
    elevation: float = np.radians(44.0)
    noise: float = 2.0
    seed: int = 3

    def video(self, *, ball: bool = True) -> Video:
        """Return the plate, or what it would be without the ball; frames are made as they are read."""
        return self._stream(Video, lambda cast, i: self._picture(cast, i, ball=ball))

    def mask(self) -> Mask:
        """Return what the ball and its shadow cover, and two pixels around."""
        return self._stream(Mask, lambda cast, i: _grown(cast.ball(self._ball(i), self._sun())[1], 2))

    def yaw(self, frame: int) -> float:
        """Return by how much the camera has turned to its right, rad: it starts and stops gently."""
        share = frame / max(self.frames - 1, 1)
        return float(self.pan * share * share * (3 - 2 * share))

    def _stream(self, kind: Any, made: Any) -> Any:
        def source(start: int, stop: int | None) -> Iterator[Array]:
            last = self.frames if stop is None else min(stop, self.frames)
            surfaces = _Surfaces.of(self.seed)
            for i in range(start, last):
                yield made(_Cast.through(self, i, surfaces), i)

        return kind(*self.size, self.rate, source, self.frames)

    def _ball(self, frame: int) -> Array:
        share = frame / max(self.frames - 1, 1)
        return np.array(
            [_REACH[0] + share * (_REACH[1] - _REACH[0]), 0.42, 6.2 - 0.6 * share, 0.42], np.float32
        )

    def _sun(self) -> Array:
        level = np.array([np.sin(self.azimuth), 0.0, np.cos(self.azimuth)]) * np.cos(self.elevation)
        return np.asarray(level + np.array([0.0, np.sin(self.elevation), 0.0]), np.float32)

    def _picture(self, cast: _Cast, frame: int, *, ball: bool) -> Array:
        light = cast.background(self._sun())
        if ball:
            shaded, _ = cast.ball(self._ball(frame), self._sun())
            light = shaded(light)
        light = np.clip(light, 0, 1)
        levels = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        random = np.random.default_rng((self.seed, frame))
        grain = random.standard_normal(levels.shape, np.float32)
        return np.rint(levels + self.noise * grain).clip(0, 255).astype(np.uint8)


@attrs.frozen(eq=False)
class _Surfaces:
    """Blotches that repeat every `_TILE` cells, `[_TILE, _TILE]`, about 0."""

    coarse: Array
    fine: Array

    @classmethod
    def of(cls, seed: int) -> _Surfaces:
        random = np.random.default_rng(seed)
        return cls(_blotches(random, 9), _blotches(random, 2))

    @staticmethod
    def at(tile: Array, u: Array, v: Array) -> Array:
        """Return values between cells, bilinear."""
        left, top = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
        across, down = u - left, v - top
        rows, columns = (top % _TILE, (top + 1) % _TILE), (left % _TILE, (left + 1) % _TILE)
        upper = tile[rows[0], columns[0]] * (1 - across) + tile[rows[0], columns[1]] * across
        lower = tile[rows[1], columns[0]] * (1 - across) + tile[rows[1], columns[1]] * across
        return np.asarray(upper * (1 - down) + lower * down)


def _blotches(random: np.random.Generator, width: int) -> Array:
    """Return noise smoothed over `width` cells by Fourier transform, which lets it repeat."""
    waves = np.fft.fftfreq(_TILE)
    low = np.exp(-2 * (np.pi * width) ** 2 * (waves[:, None] ** 2 + waves[None] ** 2))
    field = np.fft.ifft2(np.fft.fft2(random.normal(size=(_TILE, _TILE))) * low).real
    return np.asarray(field / field.std(), np.float32)


@attrs.frozen(eq=False)
class _Cast:
    """Rays through the pixels of one frame.

    Attributes:
        eye: `[3]` m.
        rays: `[H, W, 3]`, unit.
        focal: px.
    """

    eye: Array
    rays: Array
    focal: float
    surfaces: _Surfaces

    @classmethod
    def through(cls, scene: PlateScene, frame: int, surfaces: _Surfaces) -> _Cast:
        width, height = scene.size
        focal = height / 2 / np.tan(scene.field_of_view / 2)
        right, up = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
        # The camera looks along +Z with Y up, so that its right is -X.
        rays = np.stack([-right, up, np.full_like(right, focal)], axis=-1)
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        turns = np.array([[scene.pitch, 0.0, 0.0], [0.0, -scene.yaw(frame), 0.0]])
        down, pan = rotation.to_matrix(rotation.from_rotation_vector(turns))
        # It is tilted in the first frame and turned about its own vertical from there.
        turned = (rays @ (down @ pan).T).astype(np.float32)
        return cls(np.array([0.0, scene.height_m, 0.0], np.float32), turned, focal, surfaces)

    def background(self, sun: Array) -> Array:
        """Return the light of ground, wall and sky, linear `[H, W, 3]`."""
        rise = self.rays[..., 1]
        light = _SKY + np.clip(rise, 0, 1)[..., None] * np.array([-0.12, -0.05, 0.14], np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            wall = np.where(self.rays[..., 2] > 0, _WALL_M[0] / self.rays[..., 2], np.inf)
            ground = np.where(rise < 0, -self.eye[1] / rise, np.inf)
        on_wall = (wall < ground) & (self.eye[1] + wall * rise < _WALL_M[1])
        on_ground = (ground <= wall) & np.isfinite(ground)
        light[on_wall] = self._wall(wall[on_wall], self.rays[on_wall], sun)
        light[on_ground] = self._ground(ground[on_ground], self.rays[on_ground], sun)
        return light

    def _ground(self, distance: Array, rays: Array, sun: Array) -> Array:
        at = self.eye + distance[..., None] * rays
        x, z = at[..., 0], at[..., 2]
        # Far off a pixel covers much ground: what is finer than that is left out.
        covers = distance / self.focal / np.maximum(-rays[..., 1], 0.02)
        tone = 0.05 * _Surfaces.at(self.surfaces.coarse, 12 * x, 12 * z) * np.exp(-covers * 6)
        tone = tone + 0.035 * _Surfaces.at(self.surfaces.fine, 40 * x, 40 * z) * np.exp(-covers * 25)
        slab = 0.07 * _Surfaces.at(self.surfaces.fine, 37 * np.floor(x), 53 * np.floor(z))
        joints = sum(
            np.exp(-((np.abs(c - np.rint(c)) / (0.012 + 0.5 * covers)) ** 2)) * 0.02 / (0.02 + covers)
            for c in (x, z)
        )
        albedo = np.clip(0.36 + tone + slab * np.exp(-covers * 2) - 0.16 * joints, 0.02, 0.9)
        light = 0.95 * sun[1] * _SUN + 0.45 * _SKY
        return albedo[..., None] * np.array([1.0, 0.96, 0.90]) * light

    def _wall(self, distance: Array, rays: Array, sun: Array) -> Array:
        at = self.eye + distance[..., None] * rays
        x, y = at[..., 0], at[..., 1]
        bricks = _Surfaces.at(self.surfaces.coarse, 9 * x, 9 * y)
        pillar = 0.10 * (np.abs(x / 2.4 - np.rint(x / 2.4)) < 0.09) - 0.08 * (np.abs(y - 3.6) < 0.12)
        albedo = np.clip(0.28 + 0.05 * bricks + pillar, 0.02, 0.9)
        light = 0.95 * max(-sun[2], 0.0) * _SUN + 0.4 * _SKY
        return albedo[..., None] * np.array([0.95, 0.75, 0.62]) * light

    def ball(self, ball: Array, sun: Array) -> tuple[Any, Array]:
        """Return a function that puts a ball (centre and radius) over light, and what it covers, `[H, W]`."""
        centre, radius = ball[:3], ball[3]
        along = (self.rays * (centre - self.eye)).sum(axis=-1)
        near = self.eye + along[..., None] * self.rays
        off = np.linalg.norm(near - centre, axis=-1)
        cover = np.clip((radius - off) * self.focal / np.maximum(along, 0.1) + 0.5, 0, 1) * (along > 0)
        depth = np.sqrt(np.maximum(radius**2 - off**2, 0.0))
        normal = (near - depth[..., None] * self.rays - centre) / radius
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
        bright = 0.95 * np.clip(normal @ sun, 0, 1)[..., None] * _SUN
        skin = _BALL * (bright + (0.35 + 0.25 * normal[..., 1:2]) * _SKY)
        shadow = self._shadow(centre, radius, sun)

        def put(light: Array) -> Array:
            dimmed = light * (
                1 - shadow[..., None] * (1 - 0.45 * _SKY / (0.95 * sun[1] * _SUN + 0.45 * _SKY))
            )
            return np.asarray(dimmed * (1 - cover[..., None]) + skin * cover[..., None])

        return put, np.asarray((cover > 0) | (shadow > 0.01))

    def _shadow(self, centre: Array, radius: float, sun: Array) -> Array:
        rise = self.rays[..., 1]
        distance = np.where(rise < -1e-3, -self.eye[1] / np.minimum(rise, -1e-3), 0.0)
        at = self.eye + distance[..., None] * self.rays - centre
        off = np.linalg.norm(at - (at @ sun)[..., None] * sun, axis=-1)
        return np.asarray(np.clip((radius - off) / 0.06 + 0.5, 0, 1) * (distance > 0))


def _grown(covered: Array, by: int) -> Array:
    """Return a mask `uint8` of what is covered and `by` pixels around."""
    for _ in range(by):
        wide = np.pad(covered, 1)
        covered = wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:] | covered
    return np.where(covered, np.uint8(255), np.uint8(0))
