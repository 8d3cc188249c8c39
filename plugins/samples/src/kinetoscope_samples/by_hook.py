"""A shot for each hook that shots use: the sample's own, with one thing in it that is that hook's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np

from kinetoscope_samples.plate import PlateScene
from kinetoscope_spec import Asset

__all__ = ["SHOTS", "HookShot", "write_hero", "write_hook_shots"]

HERO = "hero.glb"


@attrs.frozen
class HookShot:
    """What the shot of a hook says besides the sample's own.

    Attributes:
        about: what it shows, one line for people.
        table: of the shot file, where the lines go.
        lines: of TOML; `{box}` is around the ball in the first frame.
        instead: the key whose line they replace, or None.
    """

    about: str
    table: str
    lines: str
    instead: str | None = None


SHOTS: Mapping[str, HookShot] = MappingProxyType(
    {
        "importer": HookShot(
            "clips named one by one", "performer", 'mocap = ["mocap/walk-s*.toml"]', instead="mocap"
        ),
        "feature": HookShot("windows of half a second", "performer", "options = { horizon = 15 }"),
        "model": HookShot("nothing is trained", "performer", 'model = "motion-matching"'),
        "solver": HookShot("legs of two bones", "performer", 'solver = "two-bone"'),
        "retargeter": HookShot("a character with joints of its own", "performer", f'character = "{HERO}"'),
        "segmenter": HookShot("a box around the ball", "plate.remove", "boxes = [{box}]", instead="mask"),
        "reasoner": HookShot(
            "the ball's shadow goes with it",
            "plate.remove",
            'boxes = [{box}]\nreasoner = "motion"',
            instead="mask",
        ),
        "inpainter": HookShot("what other frames show", "plate", 'inpainter = "propagate"'),
        "compositor": HookShot("all of the plate's colour, no grain", "plate", "tint = 1.0\ngrain = false"),
        "voice": HookShot(
            "two languages", "voice", 'script = "two-languages.txt"\nprovider = "espeak"', instead="text"
        ),
        "lipsync": HookShot("mouth and hands as they are", "voice", 'lipsync = "off"'),
        "renderer": HookShot("drawn without OpenGL", "output", 'renderer = "raster"'),
        "media": HookShot("another container", "output", 'file = "media.mov"', instead="file"),
    }
)
"""By hook. `aligner`, `watermarker` and `credentials` do their part in each of them."""

_WORDS = """\
@language en

There was a ball here a moment ago.
(de): Jetzt gehe ich über den Hof.
"""


def write_hook_shots(shot: Path, *, writer: Any, scene: PlateScene | None = None) -> list[Path]:
    """Write a shot file for each hook beside the sample's `shot`; return them.

    Args:
        shot: what `write_sample` wrote; hooks whose table is not in it get none.
        writer: an importer that writes GLB, or None: then there is no character with joints of its own.
        scene: the plate; the sample's own if None.

    Raises:
        OSError: the folder can't be written.
    """
    text, folder = shot.read_text(encoding="utf-8"), shot.parent
    written = []
    for hook, told in SHOTS.items():
        if f"[{told.table}]" not in text or (hook == "retargeter" and writer is None):
            continue
        lines = told.lines.replace("{box}", str(_box(scene or PlateScene())))
        made = _changed(text, told, lines).replace('file = "shot.mp4"', f'file = "{hook}.mp4"')
        made = made.replace('name = "sample"', f'name = "{hook}: {told.about}"')
        (folder / f"{hook}.toml").write_text(made, encoding="utf-8", newline="\n")
        written.append(folder / f"{hook}.toml")
    if "[voice]" in text:
        (folder / "two-languages.txt").write_text(_WORDS, encoding="utf-8", newline="\n")
    if writer is not None:
        write_hero(folder / HERO, writer)
    return written


def _changed(text: str, told: HookShot, lines: str) -> str:
    """Return a shot file with lines at the head of a table, without the line that they replace."""
    kept, table = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        if told.instead and table == told.table and line.startswith(f"{told.instead} ="):
            continue
        kept.append(line)
        if line == f"[{told.table}]":
            kept += lines.splitlines()
    return "\n".join(kept) + "\n"


def _box(scene: PlateScene) -> list[int]:
    """Return left, top, right and bottom, px, around the ball and its shadow in the first frame."""
    (first,) = scene.mask().frames(0, 1)
    rows, columns = np.nonzero(first)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def write_hero(path: Path, writer: Any) -> None:
    """Write a taller body than the clips', whose joints are called otherwise, as a skinned character."""
    from kinetoscope_samples.biped import generate
    from kinetoscope_spec.body import capsule_character
    from kinetoscope_spec.motion import rest_motion

    walk = generate(action="walk", speed=1.2, seconds=1.0, seed=0)
    given, size = walk.skeleton, 1.1
    skeleton = attrs.evolve(
        given,
        names=[f"hero:{name}" for name in given.names],
        rest_positions=size * given.rest_positions,
    )
    body = capsule_character(
        skeleton, motion=attrs.evolve(walk, skeleton=skeleton, positions=size * walk.positions)
    )
    asset = Asset("hero", skeleton, (rest_motion(skeleton),), body.meshes, body.materials)
    writer.write(asset, path)
