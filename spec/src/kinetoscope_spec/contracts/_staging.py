"""What the renderer's laws put in front of the camera, and how they compare pictures."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Character, Material, Mesh
from kinetoscope_spec.contracts._raycast import rays
from kinetoscope_spec.motion import Skeleton
from kinetoscope_spec.scene import Actor, Camera, Ground, Light, Scene

__all__ = ["copied", "eroded", "first_pixel", "moved_camera", "moved_scene", "movement", "signpost", "srgb"]


def srgb(linear: Array) -> Array:
    """Return levels from 0 to 255, not rounded, of linear light (IEC 61966-2-1)."""
    light = np.clip(np.asarray(linear, np.float64), 0, 1)
    levels: Array = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return levels


def movement(yaw: float, offset: Sequence[float]) -> Array:
    """Return the matrix `[4, 4]` that turns by `yaw` radians about the vertical, then moves."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, 0, s, offset[0]], [0, 1, 0, offset[1]], [-s, 0, c, offset[2]], [0, 0, 0, 1]])


def moved_camera(camera: Camera, move: Array) -> Camera:
    """Return the camera where `move` takes it."""
    turn, offset = move[:3, :3], move[:3, 3]
    return attrs.evolve(
        camera,
        position=turn @ camera.position + offset,
        target=turn @ camera.target + offset,
        up=turn @ camera.up,
    )


def moved_scene(scene: Scene, move: Array) -> Scene:
    """Return the scene where `move` takes it: actors, lights and the height of the floor."""
    floor = scene.ground
    return attrs.evolve(
        scene,
        actors=[attrs.evolve(actor, pose=move @ actor.pose) for actor in scene.actors],
        lights=[_moved_light(light, move) for light in scene.lights],
        ground=None if floor is None else _raised(floor, move[1, 3]),
    )


def _moved_light(light: Light, move: Array) -> Light:
    turn, offset = move[:3, :3], move[:3, 3]
    return attrs.evolve(light, direction=turn @ light.direction, position=turn @ light.position + offset)


def _raised(floor: Ground, height: float) -> Ground:
    return attrs.evolve(floor, height=floor.height + height)


def copied(scene: Scene) -> Scene:
    """Return an equal scene of other objects: what is kept for one of them must do for the other."""
    return attrs.evolve(
        scene,
        actors=[
            attrs.evolve(actor, character=attrs.evolve(actor.character), pose=actor.pose.copy())
            for actor in scene.actors
        ],
    )


def signpost(camera: Camera, size: tuple[int, int], pixel: tuple[int, int], width: float) -> Actor:
    """Return a white triangle, four metres ahead, of about `width` pixels around `pixel` (x, y)."""
    directions = rays(camera, size)
    x, y = pixel
    across = directions[0, -1] - directions[0, 0] if size[0] > 1 else np.zeros(3)
    upward = directions[0, 0] - directions[-1, 0] if size[1] > 1 else np.zeros(3)
    right, up = across / max(size[0] - 1, 1) * width / 2, upward / max(size[1] - 1, 1) * width / 2
    centre = directions[y, x]
    corners = camera.position + 4.0 * np.stack([centre - right - up, centre + right - up, centre + up])
    white = Material("white", np.ones(4), emissive=np.full(3, 0.5), double_sided=True)
    mesh = Mesh.from_triangles("signpost", corners, np.array([[0, 1, 2]]), node=0)
    character = Character("signpost", Skeleton(("root",), [-1], [[0.0, 0.0, 0.0]]), (mesh,), (white,))
    return Actor(character, np.eye(4)[None])


def eroded(held: Array, pixels: int) -> Array:
    """Return where `held` is true as far as `pixels` around; beyond the picture's edge it is not."""
    inner = held
    for _ in range(pixels):
        padded = np.pad(inner, 1)
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inner


def first_pixel(wrong: Array, found: Array, expected: Array) -> str:
    """Say what the first of the `wrong` pixels holds and should hold."""
    if not wrong.any():
        return ""
    y, x = (int(n) for n in np.argwhere(wrong)[0])
    return f"pixel ({x}, {y}) holds {found[y, x].tolist()}, expected {expected[y, x].tolist()}"
