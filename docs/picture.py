"""Make the README's picture and film of the sample shot: `python docs/picture.py demo-out docs/pages/images`.

The picture is one moment of the generated walk in clay, with ghosts of where it came from and where it
goes; the film shows the plate beside what was made of it.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kinetoscope import Host
from kinetoscope.shot import measure
from kinetoscope_spec import Actor, Camera, Ground, Light, Motion, Scene, kinematics
from kinetoscope_spec.body import MATERIALS, capsule_character
from kinetoscope_spec.environment import Environment, directions
from kinetoscope_spec.ghosts import Ghosts

Array = NDArray[np.float64]

CLAY = (0.50, 0.10, 0.018, 1.0)
PAST, AHEAD = (0.42, 0.40, 0.37), (0.03, 0.16, 0.55)
GHOSTS = Ghosts(4, ahead=3, spacing_s=0.42, opacity=0.5, color=PAST, color_ahead=AHEAD)
SIZE, FINER = (1280, 600), 2
MOMENT_S, SHOWN_S, AROUND_S = 2.2, 4.0, 0.8
FILM_SIZE, GAP, FILM_STEP, FRAME_MS = (480, 270), 6, 2, 40


def studio(along: Array, aside: Array) -> Environment:
    """Return a dim room with a warm soft box on the side of the camera and a cool strip behind."""
    seen = directions(128, 256)
    room = np.where(seen[..., 1:2] < 0, (0.05, 0.047, 0.045), (0.10, 0.115, 0.145))
    _lamp(room, seen, -0.2 * along + 0.9 * aside + (0.0, 0.9, 0.0), (0.7, 0.5), (5.0, 4.6, 4.1))
    _lamp(room, seen, 0.8 * along - 0.8 * aside + (0.0, 0.5, 0.0), (0.22, 0.9), (3.0, 4.2, 6.5))
    return Environment(room)


def _lamp(
    room: Array, seen: Array, toward: Array, half: tuple[float, float], color: tuple[float, ...]
) -> None:
    """Hang a rectangle into `room`, half as wide and high as `half` a metre away."""
    toward = toward / np.linalg.norm(toward)
    right = np.cross((0.0, 1.0, 0.0), toward)
    right /= np.linalg.norm(right)
    ahead = np.maximum(seen @ toward, 1e-6)
    beside, above = seen @ right / ahead, seen @ np.cross(toward, right) / ahead
    room[(seen @ toward > 0) & (np.abs(beside) < half[0]) & (np.abs(above) < half[1])] = color


def moment(motion: Motion) -> tuple[Scene, Camera]:
    """Return the walk as it is `MOMENT_S` seconds after it began, and where to look from."""
    clay = attrs.evolve(MATERIALS[0], name="clay", base_color=np.asarray(CLAY), roughness=0.42)
    body = capsule_character(motion.skeleton, motion=motion, materials=(clay, *MATERIALS[1:]))
    ground = measure.pelvis(motion)
    now, reach, around = (round(time * motion.framerate) for time in (MOMENT_S, SHOWN_S, AROUND_S))
    way = ground[now + around] - ground[now - around]
    along = np.array([way[0], 0.0, way[1]]) / np.linalg.norm(way)
    aside = np.array([-along[2], 0.0, along[0]])
    here = np.array([ground[now][0], 0.0, ground[now][1]])
    past, ahead = ground[max(now - reach, 0) : now + 1], ground[now : now + reach]
    poses = kinematics.matrices(*motion.global_transforms())
    scene = Scene(
        actors=(Actor.at(body, motion, now, id=1),),
        lights=_lamps(here, along, aside),
        ground=Ground(color=(0.055, 0.058, 0.065), line_color=(0.12, 0.13, 0.145)),
        environment=studio(along, aside),
        background=(0.075, 0.082, 0.098, 1.0),
        exposure=0.78,
        annotations={
            "trajectory": [{"points": past, "color": PAST}, {"points": ahead, "color": AHEAD}],
            "ghosts": GHOSTS.of(body, poses, motion.framerate, now),
        },
    )
    eye = here + 5.6 * aside + 1.5 * along + (0.0, 1.25, 0.0)
    return scene, Camera(eye, here + 0.35 * along + (0.0, 0.84, 0.0), field_of_view=np.radians(25.0))


def _lamps(here: Array, along: Array, aside: Array) -> tuple[Light, Light]:
    sun = Light(
        "sun", (1.0, 0.92, 0.8), 4.2, direction=-0.75 * aside - 0.35 * along - np.array([0.0, 1.15, 0.0])
    )
    rim = here - 2.2 * aside + 1.6 * along + (0.0, 2.2, 0.0)
    return sun, Light("point", (0.4, 0.62, 1.0), 30.0, position=rim, shadow=False)


def drawn(host: Host, clip: Path) -> Image.Image:
    """Draw the moment, finer than it is shown."""
    scene, camera = moment(host.open(clip).motions[0])
    with host.renderer().open(tuple(FINER * n for n in SIZE), "high") as session:
        finer = session.render(scene, camera).color[..., :3]
    return Image.fromarray(finer).resize(SIZE, Image.Resampling.LANCZOS)


def beside(host: Host, *films: Path) -> list[Image.Image]:
    """Return every `FILM_STEP`th frame of the films, next to each other."""
    opened = [host.provider("media").open(film) for film in films]
    pictures = []
    for frames in islice(zip(*(film.frames() for film in opened), strict=True), 0, None, FILM_STEP):
        joined = Image.new("RGB", (len(films) * (FILM_SIZE[0] + GAP) - GAP, FILM_SIZE[1]), "white")
        for i, frame in enumerate(frames):
            shown = Image.fromarray(frame[..., :3]).resize(FILM_SIZE, Image.Resampling.LANCZOS)
            joined.paste(shown, (i * (FILM_SIZE[0] + GAP), 0))
        pictures.append(joined)
    return pictures


def main(folder: str, out: str) -> None:
    """Draw and write both."""
    shot, images = Path(folder), Path(out)
    with Host() as host:
        drawn(host, shot / "shot.bvh").save(images / "walk.png", optimize=True)
        first, *others = beside(host, shot / "plate.mp4", shot / "shot.mp4")
    first.save(
        images / "film.webp",
        save_all=True,
        append_images=others,
        duration=FILM_STEP * FRAME_MS,
        loop=0,
        quality=68,
        method=6,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
