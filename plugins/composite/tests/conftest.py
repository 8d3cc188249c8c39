"""Plates whose camera is known: a world all around of which every ray has a colour."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from kinetoscope_spec import Video


class Sphere:
    """Speckles of several sizes on a sphere, looked up by direction."""

    def __init__(self, seed: int, width: int = 4096) -> None:
        random = np.random.default_rng(seed)
        height = width // 2
        whole = np.zeros((height, width))
        for blur in (1.5, 4, 12):
            octave = gaussian_filter(random.normal(size=(height, width)), blur, mode=("nearest", "wrap"))
            whole += octave / octave.std()
        self.map = np.clip(128 + 35 * whole, 0, 255)

    def seen(self, rotation: np.ndarray, focal: float, size: tuple[int, int]) -> np.ndarray:
        """Return `uint8 [H, W, 3]`; `rotation` is from the world's axes to the camera's."""
        width, height = size
        u, v = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
        rays = np.stack([u, v, np.full_like(u, -focal)], axis=-1)
        rays = (rays / np.linalg.norm(rays, axis=-1, keepdims=True)) @ rotation
        rows, columns = self.map.shape
        x = (np.arctan2(rays[..., 0], -rays[..., 2]) / (2 * np.pi) + 0.5) * columns
        y = (0.5 - np.arcsin(rays[..., 1].clip(-1, 1)) / np.pi) * rows
        grey = map_coordinates(self.map, [y, x], order=1, mode="wrap")
        return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)

    size = (320, 180)

    @staticmethod
    def turns(degrees: np.ndarray) -> np.ndarray:
        """Return rotations `[T, 3, 3]` to camera axes of pan (to the right), tilt (up) and roll `[T, 3]`."""
        made = Rotation.from_euler("YXZ", np.asarray(degrees) * [-1, 1, 1], degrees=True)
        return made.inv().as_matrix()

    def filmed(self, rotations: np.ndarray, view: float, *, noise: float = 2.0) -> Video:
        """Return what a camera of this vertical field of view, rad, sees so."""
        focal = self.size[1] / 2 / np.tan(view / 2)
        random = np.random.default_rng(1)
        frames = np.stack([self.seen(turn, focal, self.size) for turn in rotations]).astype(float)
        frames += random.normal(scale=noise, size=frames.shape)
        return Video.from_frames(np.rint(frames).clip(0, 255).astype(np.uint8), 25)


@pytest.fixture(scope="session")
def sphere() -> Sphere:
    return Sphere(0)
