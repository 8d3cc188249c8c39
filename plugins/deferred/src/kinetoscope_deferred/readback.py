"""From the device to arrays: top row first, in metres and linear light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_deferred.device import Device
from kinetoscope_deferred.view import View

__all__ = ["read_buffer", "read_color"]

Array = NDArray[Any]


def read_color(device: Device, name: str) -> Array:
    """Return an 8-bit texture as `uint8 [H, W, 4]`."""
    return _read(device, name, np.uint8, 4)


def read_buffer(device: Device, view: View, name: str, color: Array) -> Array:
    """Return the buffer `name` as `Frame.buffers` describes it."""
    if name == "final":
        return color
    if name == "id":
        return _read(device, "id", np.uint16, 1)[..., 0]
    if name == "motion":
        motion = _read(device, "motion", np.float32, 2)
        motion[_read(device, "id", np.uint16, 1)[..., 0] == 0] = 0  # the floor and ribbons stand still
        return motion
    if name == "hdr":
        return _read(device, "hdr", np.float16, 4)[..., :3].astype(np.float32)
    depth = _read(device, "depth", np.float32, 1)[..., 0]
    if name == "depth":
        return _metres(depth, view.camera.near, view.camera.far)
    empty = depth >= 1.0
    if name == "normal":
        values = _normals(_read(device, "normal", np.float16, 2).astype(np.float32))
    elif name == "albedo":
        values = (_read(device, "albedo", np.uint8, 4)[..., :3].astype(np.float32) / 255) ** 2
    else:
        values = _material(device, view)
    values[empty] = 0
    return values


def _read(device: Device, name: str, dtype: Any, components: int) -> Array:
    texture = device.textures[name]
    width, height = texture.size
    rows = np.frombuffer(texture.read(alignment=1), dtype).reshape(height, width, components)
    return np.ascontiguousarray(rows[::-1])


def _metres(depth: Array, near: float, far: float) -> Array:
    z = depth.astype(np.float64)
    away = 2 * far * near / ((far + near) - (2 * z - 1) * (far - near))
    return np.where(z >= 1.0, np.inf, away).astype(np.float32)


def _normals(folded: Array) -> Array:
    z = 1 - np.abs(folded).sum(axis=-1)
    signs = np.where(folded >= 0, 1, -1)
    xy = np.where(z[..., None] < 0, (1 - np.abs(folded[..., ::-1])) * signs, folded)
    n = np.concatenate([xy, z[..., None]], axis=-1)
    unit: Array = (n / np.linalg.norm(n, axis=-1, keepdims=True)).astype(np.float32)
    return unit


def _material(device: Device, view: View) -> Array:
    values = _read(device, "material", np.uint8, 4)[..., :3].astype(np.float32) / 255
    values[..., 2] = 0
    if view.emissive:
        light = _read(device, "emission", np.float16, 4)[..., :3].astype(np.float32)
        values[..., 2] = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return values
