"""A crowd on a square, filmed: `python crowd.py crowd.mp4 WALK.bvh... [--run RUN.bvh] [--wave WAVE.bvh]`.

Everybody walks one of the clips, from somewhere in the middle of it. The hero speeds up from a walk to
a run (a blend tree), then waves, with all who stand near (a transition that keeps its momentum). Some
look at the hero all the while. The camera goes around the hero, then walks behind. Without clips the
samples walk and jog.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import numpy as np

from kinetoscope import Host
from kinetoscope_spec import Asset, Ground, Light, Motion, Scene, anatomy
from kinetoscope_spec.body import MATERIALS, capsule_character
from kinetoscope_stage import (
    Along,
    Animator,
    BlendValues,
    CameraRig,
    GlobalTransform,
    Library,
    LookAt,
    Loop,
    Recording,
    Schedule,
    Take,
    Transform,
    World,
    camera,
    play,
    sway,
    system,
)
from kinetoscope_stage.character import character, scene
from kinetoscope_stage.systems.cameras import ORBIT, THIRD_PERSON

SYSTEMS = ("animation", "transforms", "look-at", "sway", "poses", "cameras", "recorder")
RUN_AT_S, WAVE_AT_S, BEHIND_AT_S = 2.0, 5.0, 3.5
NEAR_M = 5.0
CLAY = attrs.evolve(MATERIALS[0], name="clay", base_color=np.array([0.52, 0.16, 0.045, 1.0]))
SQUARE = {
    "lights": (Light("sun", (1.0, 0.9, 0.76), 3.6, direction=(-0.5, -1.0, 0.45)),),
    "ground": Ground(color=(0.105, 0.11, 0.12), line_color=(0.19, 0.20, 0.215)),
    "sky": (0.20, 0.25, 0.33),
    "earth": (0.08, 0.075, 0.07),
    "background": (0.215, 0.226, 0.248, 1.0),
}


@system(writes=[BlendValues], name="mood")
def speed_up(world, dt):
    """Let whoever blends go from the first clip to the second within a second, and back."""
    gone = np.clip(min(world.time - RUN_AT_S, WAVE_AT_S - world.time), 0.0, 1.0)
    for chunk in world.query(BlendValues):
        chunk[BlendValues].values[:, 0] = gone


def fill(world: World, walks: list[Motion], run: Motion, count: int) -> tuple[int, np.ndarray, int]:
    """Put hero, crowd and camera on the stage; return hero, crowd and camera."""
    library, random = world.resource(Library), np.random.default_rng(world.seed)
    numbers = [library.clip(motion) for motion in walks]
    skeleton = walks[0].skeleton
    body = Asset("walker", skeleton, (), *_worn(capsule_character(skeleton, motion=walks[0])))
    hero_body = attrs.evolve(body, name="hero", materials=(CLAY, *body.materials[1:]))
    pace = library.tree(Along(0, {0.0: numbers[0], 1.0: library.clip(run)}))
    (hero,) = character(world, hero_body, clip=pace).spawn(world, 1, BlendValues())

    head = anatomy.roles(skeleton)["head"]
    side = int(np.ceil(np.sqrt(count)))
    places = np.stack(np.divmod(np.arange(count), side), axis=1) - (side - 1) / 2
    places = places * 2.6 + random.uniform(-0.8, 0.8, (count, 2)) + [0.0, 5.0]
    place = np.stack([places[:, 0], np.zeros(count), places[:, 1]], axis=1)
    yaw = random.uniform(-np.pi, np.pi, count) / 2
    turn = np.stack([0 * yaw, np.sin(yaw), 0 * yaw, np.cos(yaw)], axis=1)
    who = random.integers(0, len(numbers), count)
    seconds = np.array([motion.duration for motion in walks])[who]
    crowd = character(world, body).spawn(
        world,
        count,
        Transform(place, turn, random.uniform(0.92, 1.06, count)),
        Animator(clip=np.array(numbers)[who], time=random.uniform(0, 1, count) * seconds),
    )
    world.insert(crowd[::2], LookAt(joint=head, entity=hero, most=0.9, widest=1.9, halflife=0.2))
    world.insert(crowd[1::2], sway(skeleton, skeleton.names[head], frequency=1.8, damping=0.3, most=0.25))
    rig = world.spawn(CameraRig(mode=ORBIT, entity=hero, distance=6.5, yaw=2.4, pitch=0.25, halflife=0.35))
    return int(hero), crowd, rig


def _worn(body):
    return body.meshes, body.materials


def direct(world: World, hero: int, crowd: np.ndarray, rig: int, wave: int) -> None:
    """Say what happens when, between two frames."""
    view = world.get(rig, CameraRig)
    view.yaw[...] = 2.4 - 0.35 * world.time if view.mode == ORBIT else 0.35
    if np.isclose(world.time, BEHIND_AT_S):
        view.mode[...], view.distance[...] = THIRD_PERSON, 5.0
    if np.isclose(world.time, WAVE_AT_S):
        here = world.get(hero, GlobalTransform).position
        for entity in (hero, *crowd.tolist()):
            if np.linalg.norm(world.get(entity, GlobalTransform).position - here) < NEAR_M:
                play(world, entity, wave)


def film(host: Host, walks: list[Motion], run: Motion, wave: Motion, out: Path, *, count: int, seconds: float,
         size: tuple[int, int], quality: str = "medium", rate: int = 30) -> tuple[World, Recording, int]:  # fmt: skip
    """Film the crowd; return the world, what it was told, and the hero."""
    world = World(seed=4)
    hero, crowd, rig = fill(world, walks, run, count)
    number = world.resource(Library).clip(wave)
    schedule = Schedule([speed_up, *(host.provider("system", name) for name in SYSTEMS)])
    loop = Loop(world, schedule, steps_per_second=60, recording=Recording())

    def pictures():
        with host.renderer().open(size, quality) as session:
            for _ in range(round(seconds * rate)):
                direct(world, hero, crowd, rig, number)
                loop.tick(1 / rate)
                stage: Scene = scene(world, **SQUARE)
                yield session.render(stage, camera(world, rig, field_of_view=np.radians(40.0))).color

    host.provider("media").write(out, pictures(), rate=rate)
    return world, loop.recording, hero


def samples(host: Host) -> tuple[list[Motion], Motion, Motion]:
    """Return a walk, a jog, and a walk in its place for a wave: what needs no files."""
    found = []
    with TemporaryDirectory() as folder:
        for action in ("walk", "jog", "walk"):
            recipe = Path(folder, f"{action}.sample")
            recipe.write_text(f"# kinetoscope sample\naction = {action!r}\nseconds = 4.0\n", encoding="utf-8")
            found.append(host.open(str(recipe)).motions[0])
    return found[:1], found[1], found[2]


def main() -> None:
    """Film what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("walks", nargs="*", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--wave", type=Path)
    parser.add_argument("--count", type=int, default=35)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--width", type=int, default=1280)
    given = parser.parse_args()
    with Host() as host:
        walks, run, wave = samples(host)
        if given.walks:
            walks = [host.open(str(path)).motions[0] for path in given.walks]
            run, wave = (
                host.open(str(path)).motions[0] if path else walks[-1] for path in (given.run, given.wave)
            )
        size = (given.width, given.width * 9 // 16)
        world, _, hero = film(
            host, walks, run, wave, given.out, count=given.count, seconds=given.seconds, size=size
        )
        take = world.resource(Take).asset(world, hero, "hero")
        host.importer("glb").write(take, str(given.out.with_suffix(".glb")))


if __name__ == "__main__":
    main()
