"""Draw the README's picture from a film's motion: `python docs/picture.py demo-out/shot.bvh OUT.png`.

Five moments of one generated walk in one scene, the last of them in clay.
"""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import numpy as np

from kinetoscope import Host
from kinetoscope.shot import measure
from kinetoscope_spec import Actor, Camera, Ground, Light, Motion, Scene
from kinetoscope_spec.body import MATERIALS, capsule_character

CLAY = (0.52, 0.16, 0.045, 1.0)
MOMENTS, APART_S, FIRST_S = 5, 0.62, 1.2


def scene(motion: Motion) -> tuple[Scene, Camera]:
    """Return five moments of `motion` side by side along its way, and where to look from."""
    clay = (attrs.evolve(MATERIALS[0], name="clay", base_color=np.asarray(CLAY)), *MATERIALS[1:])
    plain = capsule_character(motion.skeleton, motion=motion)
    lead = capsule_character(motion.skeleton, motion=motion, materials=clay)
    frames = [int((FIRST_S + i * APART_S) * motion.framerate) for i in range(MOMENTS)]
    actors = tuple(
        Actor.at(lead if i == MOMENTS - 1 else plain, motion, frame, id=i + 1)
        for i, frame in enumerate(frames)
    )
    ground = measure.pelvis(motion)
    first, last = (np.array([x, 0.0, z]) for x, z in ground[[frames[0], frames[-1]]])
    along = (last - first) / np.linalg.norm(last - first)
    aside = np.array([-along[2], 0.0, along[0]])
    middle = 0.5 * (first + last) + [0.0, 0.86, 0.0]
    sun = Light(
        "sun", (1.0, 0.9, 0.76), 3.6, direction=-0.55 * aside - 0.25 * along - np.array([0.0, 1.0, 0.0])
    )
    rim = Light(
        "point", (0.45, 0.68, 1.0), 26.0, position=middle - 3.2 * aside + [0.0, 1.6, 0.0], shadow=False
    )
    stage = Scene(
        actors=actors,
        lights=(sun, rim),
        ground=Ground(color=(0.105, 0.11, 0.12), line_color=(0.19, 0.20, 0.215)),
        sky=(0.20, 0.25, 0.33),
        earth=(0.08, 0.075, 0.07),
        background=(0.215, 0.226, 0.248, 1.0),
        exposure=1.05,
        annotations={"trajectory": {"points": ground, "color": (0.80, 0.22, 0.04)}},
    )
    eye = middle + 5.4 * aside + 2.3 * along + [0.0, 0.5, 0.0]
    return stage, Camera(eye, middle + 0.15 * along, field_of_view=np.radians(27.0))


def main(clip: str, out: str) -> None:
    """Draw and write the picture."""
    with Host() as host:
        stage, camera = scene(host.open(clip).motions[0])
        with host.renderer().open((1280, 600), "high") as session:
            picture = session.render(stage, camera).color[..., :3]
        host.provider("media").write_image(Path(out), picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
