"""The sample shot: recipe files of mocap, a plate, and a shot file that puts a walking person into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.recipes import RECIPES, write_mocap

__all__ = ["PATH", "PLATE_PATH", "write_sample"]

PATH = ((0.0, 0.0), (0.4, 2.4), (2.2, 4.2), (4.6, 4.6), (6.2, 6.6))
"""Points on the ground, x and z in m: straight on, a bend to the left, one to the right."""

PLATE_PATH = ((2.1, 7.4), (0.9, 6.3), (-0.3, 5.3), (-1.6, 4.7), (-3.2, 4.5))
"""Where the person walks on the plate's ground, from its left to its right, towards the camera."""

WORDS = "[cheerful] There was a ball here a moment ago. Now it is my turn to cross the yard."

_SHOT = """\
# A shot of the sample: learn to walk from the recipes in mocap/, then walk along the path.
# `kinetoscope shoot` on this file takes up whatever it has made before, makes the rest, and writes
# the film with a report beside it. `kinetoscope shot plan` on it says what that takes.
name = "sample"

[performer]
mocap = ["mocap"]
path = {path}
speed = {speed}
seed = 7
training = {{ steps = {steps} }}
{tables}
[output]
file = "shot.mp4"
size = [{width}, {height}]
quality = "{quality}"
"""

_FOLLOW = """
[camera]
kind = "follow"
"""

_PLATE = """
[plate]
video = "plate.mp4"                 # a ball rolls over a paved ground; the camera pans

[plate.remove]
mask = "ball.mp4"                   # bright on the ball and its shadow

[camera]
kind = "plate"                      # found in the plate; where the ground is the film does not say
height = {height_m}
pitch = {pitch:.1f}
field_of_view = {fov:.1f}

[light]
azimuth = {azimuth:.0f}
elevation = {elevation:.0f}
"""

_VOICE = """
[voice]
text = "{words}"
at = 0.3
"""


def write_sample(
    folder: str | Path,
    *,
    steps: int = 2400,
    size: tuple[int, int] = (960, 540),
    quality: str = "medium",
    path: Sequence[Sequence[float]] | None = None,
    speed_m_s: float = 1.2,
    media: Any = None,
    plate: PlateScene | None = None,
    voice: bool = False,
) -> Path:
    """Write the sample's mocap recipes, plate and shot file into `folder`; return the shot file.

    Only walks are written: a model that also learned to jog and to stand would have to be told which.

    Args:
        folder: made if it is not there.
        steps: of the training.
        size, quality: of the film; with a plate its size is the plate's.
        path, speed_m_s: where and how fast the person walks.
        media: a provider of the hook `media`, who writes the plate; without one there is none.
        plate: what it shows; the sample's own if None.
        voice: whether the person speaks.

    Raises:
        OSError: the folder can't be written.
    """
    folder = Path(folder)
    walks = tuple(name for name in RECIPES if name.startswith("walk") and "stop" not in name)
    write_mocap(folder / "mocap", names=walks)
    tables = _FOLLOW
    if media is not None:
        scene = plate or PlateScene()
        tables, size = _plate(folder, media, scene), scene.size
    if voice:
        tables += _VOICE.format(words=WORDS)
    shot = folder / "shot.toml"
    route = path or (PATH if media is None else PLATE_PATH)
    text = _SHOT.format(
        path=[[float(x) for x in point] for point in route],
        speed=speed_m_s,
        steps=steps,
        tables=tables,
        width=size[0],
        height=size[1],
        quality=quality,
    )
    shot.write_text(text, encoding="utf-8", newline="\n")
    return shot


def _plate(folder: Path, media: Any, scene: PlateScene) -> str:
    """Write plate and mask; return the tables that go with them."""
    media.write(folder / "plate.mp4", scene.video(), quality="high")
    mask = scene.mask()

    def grey(start: int, stop: int | None) -> Any:
        for frame in mask.frames(start, stop):
            yield np.repeat(frame[..., None], 3, axis=2)

    media.write(folder / "ball.mp4", attrs.evolve(scene.video(), source=grey), quality="high")
    angles = {"fov": scene.field_of_view, "azimuth": scene.azimuth, "elevation": scene.elevation}
    return _PLATE.format(
        height_m=scene.height_m,
        pitch=np.degrees(scene.pitch),
        **{name: np.degrees(angle) for name, angle in angles.items()},
    )
