"""The scenes of the golden pictures, and the command that draws them anew: `make golden`.

    python golden_pictures.py [FOLDER]

writes every picture into a folder, the goldens' own unless another is given. What a scene shows is made
here from a few numbers; a picture is small, and shows much at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from kinetoscope_deferred.devices import is_software
from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec import (
    Actor,
    Camera,
    Character,
    Frame,
    Ground,
    Light,
    Material,
    Mesh,
    Scene,
    Skeleton,
    Skin,
)
from kinetoscope_spec.environment import Environment, directions
from kinetoscope_spec.ghosts import Ghost

FOLDER = Path(__file__).parent / "golden"
SIZE = (160, 90)
VIEW = Camera(position=(1.1, 1.5, 3.3), target=(0.0, 0.55, 0.0))


def grid(rows: int, columns: int) -> np.ndarray:
    """Return the triangles of a sheet of `rows` by `columns` points."""
    i, j = (part.ravel() for part in np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij"))
    a = i * columns + j
    b = a + columns
    return np.concatenate([np.stack([a, b, a + 1], 1), np.stack([a + 1, b, b + 1], 1)])


def ball(radius: float, material: Material, at: tuple[float, ...], number: int) -> Actor:
    up, around = np.meshgrid(np.linspace(0, np.pi, 25), np.linspace(0, 2 * np.pi, 49), indexing="ij")
    points = np.stack([np.sin(up) * np.sin(around), np.cos(up), np.sin(up) * np.cos(around)], -1).reshape(
        -1, 3
    )
    uv = np.stack([around / (2 * np.pi), up / np.pi], -1).reshape(-1, 2)
    mesh = Mesh.from_triangles("ball", radius * points, grid(25, 49), node=0, normals=points, uvs=uv)
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = at
    return Actor(
        Character("ball", Skeleton(("node",), [-1], [(0, 0, 0)]), (mesh,), (material,)), pose, id=number
    )


def arm(bend: float, number: int) -> Actor:
    """Return a tube of three joints, upright, its upper two bent by `bend` rad each towards +X."""
    along, around = np.meshgrid(np.linspace(0, 1.2, 31), np.linspace(0, 2 * np.pi, 25), indexing="ij")
    points = np.stack([0.15 * np.sin(around), along, 0.15 * np.cos(around)], -1).reshape(-1, 3)
    share = np.clip((points[:, 1, None] - (0.4, 0.8)) / 0.2 + 0.5, 0, 1)
    weights = np.stack([1 - share[:, 0], share[:, 0] - share[:, 1], share[:, 1]], -1)
    rest = np.tile(np.eye(4), (3, 1, 1))
    rest[:, 1, 3] = 0, -0.4, -0.8
    skin = Skin(np.tile(np.arange(3), (len(points), 1)), weights, np.arange(3), rest)
    mesh = Mesh.from_triangles("arm", points, grid(31, 25), skin=skin)
    turn = np.array([[np.cos(bend), np.sin(bend), 0], [-np.sin(bend), np.cos(bend), 0], [0, 0, 1]])
    pose = np.tile(np.eye(4), (3, 1, 1))
    for joint in (1, 2):
        pose[joint, :3, :3] = pose[joint - 1, :3, :3] @ turn
        pose[joint, :3, 3] = pose[joint - 1, :3, 3] + pose[joint - 1, :3, :3] @ (0, 0.4, 0)
    material = Material("clay", base_color=np.array([0.5, 0.1, 0.02, 1.0]), double_sided=True)
    skeleton = Skeleton(("low", "middle", "high"), [-1, 0, 1], [(0, 0, 0), (0, 0.4, 0), (0, 0.4, 0)])
    return Actor(Character("arm", skeleton, (mesh,), (material,)), pose, id=number)


def still_life() -> Scene:
    """Skinning, a texture, rough and smooth, the sun's shadow, the floor's grid, occlusion."""
    checks = np.kron(np.indices((8, 16)).sum(0) % 2, np.ones((4, 4)))[..., None] * (40, 120, 160) + 60
    checked = Material("checked", base_color_image=checks.astype(np.uint8), roughness=0.9)
    smooth = Material("smooth", base_color=np.array([0.9, 0.7, 0.3, 1.0]), roughness=0.3, metallic=1.0)
    actors = (arm(0.5, 1), ball(0.35, checked, (-0.9, 0.35, 0.2), 2), ball(0.25, smooth, (0.7, 0.25, 0.7), 3))
    return Scene(actors=actors, ground=Ground(), lights=(Light(direction=(-0.5, -1.0, -0.6)),))


def lamps() -> Scene:
    """Points and a cone of light in the dark, one so bright that it glows."""
    white = Material("white", roughness=0.7)
    glowing = Material("glowing", emissive=np.array([6.0, 3.0, 0.8]))
    points = tuple(
        Light("point", color, 3.0, position=(0.9 * np.cos(turn), 0.5, 0.9 * np.sin(turn)), radius=2.0)
        for turn, color in zip((0.4, 1.7, 3.0, 4.6), np.eye(4, 3) * 0.9 + 0.1, strict=True)
    )
    spot = Light(
        "spot", (1.0, 0.95, 0.8), 12.0, position=(-1.0, 2.2, 1.0), direction=(0.5, -1.0, -0.5), radius=5.0
    )
    actors = (ball(0.4, white, (0.0, 0.4, 0.0), 1), ball(0.12, glowing, (0.8, 1.1, 0.2), 2))
    dark = {"sky": (0.02, 0.02, 0.03), "earth": (0.01, 0.01, 0.01), "background": (0.01, 0.01, 0.015, 1.0)}
    return Scene(actors=actors, ground=Ground(), lights=(*points, spot), **dark)


def glass() -> Scene:
    """Things one sees through in front of each other, ghosts, and marks on and above the floor."""
    tints = ((0.9, 0.2, 0.1, 0.5), (0.1, 0.5, 0.9, 0.4))
    panes = [
        Material("glass", base_color=np.array(tint), alpha_mode="blend", roughness=0.2) for tint in tints
    ]
    here, before = arm(0.3, 3), arm(-0.4, 4).pose.copy()
    before[:, 0, 3] -= 0.45  # where both would have the same surface, rounding would say which is seen
    marks = {
        "ghosts": (Ghost(here.character, before, 0.5, (0.2, 0.4, 0.8)),),
        "trajectory": {"points": np.array([[-1.4, 1.0], [0.0, 0.8], [1.4, 1.1]]), "color": (0.9, 0.3, 0.05)},
        "axes": {"matrices": here.pose[2:], "length": 0.4, "width": 0.03},
        "text": {"strings": ["arm"], "points": [[-1.0, 1.3, 0.0]], "size": 0.25},
    }
    actors = (ball(0.3, panes[0], (-0.5, 0.4, 0.8), 1), ball(0.3, panes[1], (-0.2, 0.5, 0.4), 2), here)
    return Scene(actors=actors, ground=Ground(), annotations=marks)


def surroundings() -> Scene:
    """Balls from smooth to rough and from paint to metal under a sky that is seen."""
    seen = directions(32, 64)
    light = np.where(seen[..., 1:2] > 0, (0.3, 0.5, 0.9), (0.25, 0.2, 0.15)) * (1 + 0.5 * seen[..., :1])
    light[(seen @ (0.6, 0.6, -0.53)) > 0.96] = (14.0, 12.0, 9.0)
    actors = tuple(
        ball(
            0.24,
            Material("m", np.array([0.8, 0.6, 0.4, 1.0]), metallic=float(row), roughness=0.1 + 0.3 * column),
            (0.6 * column - 0.9, 0.85 - 0.55 * row, 0.3 * row),
            1 + column + 4 * row,
        )
        for row in (0, 1)
        for column in range(4)
    )
    return Scene(
        actors=actors, lights=(), environment=Environment(light, seen=True), fog=((0.5, 0.5, 0.6), 0.02)
    )


SCENES: dict[str, tuple[str, Callable[[], Scene]]] = {
    "still-life": ("medium", still_life),
    "lamps": ("medium", lamps),
    "glass": ("high", glass),
    "surroundings": ("high", surroundings),
}
"""The quality that each is drawn in, and what makes it."""


def drawn(name: str) -> tuple[Frame, str]:
    """Return a scene's frame with its ids, and the driver that drew it."""
    quality, scene = SCENES[name]
    with DeferredRenderer().open(SIZE, quality, buffers=("id",)) as session:
        return session.render(scene(), VIEW), session.driver


def main(folder: Path = FOLDER) -> None:
    """Write every picture; none of a graphics card becomes a golden one."""
    for name in SCENES:
        frame, driver = drawn(name)
        if folder == FOLDER and not is_software(driver):
            raise SystemExit(f"{driver} draws here; golden pictures are drawn by a driver on the processor")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame.color[..., :3]).save(folder / f"{name}.png", optimize=True)
    print(driver)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
