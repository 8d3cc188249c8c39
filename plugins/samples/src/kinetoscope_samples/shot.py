"""The sample shot: recipe files of mocap, and a shot file that learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kinetoscope_samples.recipes import RECIPES, write_mocap

__all__ = ["PATH", "write_sample"]

PATH = ((0.0, 0.0), (0.4, 2.4), (2.2, 4.2), (4.6, 4.6), (6.2, 6.6))
"""Points on the ground, x and z in m: straight on, a bend to the left, one to the right."""

_SHOT = """\
# A shot of the sample: learn to walk from the recipes in mocap/, then walk along the path.
# `kinetoscope shoot` on this file trains (or takes up what it trained before), generates,
# plants the feet, renders, and writes the film with a report beside it.
name = "sample"

[performer]
mocap = ["mocap"]
path = {path}
speed = {speed}
seed = 7
training = {{ steps = {steps} }}

[camera]
kind = "follow"

[output]
file = "shot.mp4"
size = [{width}, {height}]
quality = "{quality}"
"""


def write_sample(
    folder: str | Path,
    *,
    steps: int = 2400,
    size: tuple[int, int] = (960, 540),
    quality: str = "medium",
    path: Sequence[Sequence[float]] = PATH,
    speed_m_s: float = 1.2,
) -> Path:
    """Write the sample's mocap recipes and its shot file into `folder`; return the shot file.

    Only walks are written: a model that also learned to jog and to stand would have to be told which.

    Raises:
        OSError: the folder can't be written.
    """
    folder = Path(folder)
    walks = tuple(name for name in RECIPES if name.startswith("walk") and "stop" not in name)
    write_mocap(folder / "mocap", names=walks)
    shot = folder / "shot.toml"
    text = _SHOT.format(
        path=[[float(x) for x in point] for point in path],
        speed=speed_m_s,
        steps=steps,
        width=size[0],
        height=size[1],
        quality=quality,
    )
    shot.write_text(text, encoding="utf-8", newline="\n")
    return shot
