"""How fast a world turns: entities against esper's, and a crowd of characters."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from kinetoscope import Host
from kinetoscope_spec import Motion, Skeleton, rotation
from kinetoscope_stage import (
    Animator,
    GlobalTransform,
    Library,
    Numbers,
    Parent,
    Reach,
    Schedule,
    Transform,
    World,
    _fast,
    column,
    component,
    system,
)
from kinetoscope_stage.character import character
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.systems.poses import PoseSystem, line_to
from kinetoscope_stage.transforms import TransformSystem

pytestmark = pytest.mark.bench
COUNT = 100_000


@component
class Velocity:
    linear: Numbers = column(3, default=0)


@system(reads=[Velocity, Transform], writes=[Transform])
def drift(world, dt) -> None:
    for chunk in world.query(Velocity, Transform):
        chunk[Transform].position[:] += chunk[Velocity].linear * dt


def best(work, rounds: int = 5) -> float:
    """Return the least processor time in seconds: other programs take no part in it."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


class Moves:
    def __init__(self) -> None:
        self.x = self.y = self.z = 0.0


class Stands(Moves):
    pass


def bench_entities_moved(benchmark: Any) -> None:
    import esper

    world = World()
    world.spawn_many(COUNT, Transform(), Velocity([1, 2, 3]))
    schedule = Schedule([drift])
    benchmark.pedantic(schedule.run, (world, 1 / 60), rounds=20, warmup_rounds=2)

    esper.switch_world("bench")
    for _ in range(COUNT):
        esper.create_entity(Moves(), Stands())

    def theirs() -> None:
        for _, (v, p) in esper.get_components(Moves, Stands):
            p.x += v.x / 60
            p.y += v.y / 60
            p.z += v.z / 60

    theirs()
    ours, peer = COUNT / best(lambda: schedule.run(world, 1 / 60), 30), COUNT / best(theirs)
    esper.switch_world("default")
    esper.delete_world("bench")
    benchmark.extra_info |= {
        "value": ours,
        "unit": "entities/s",
        "peer": "esper 3",
        "peer_value": peer,
        "ratio": ours / peer,
        "note": f"{COUNT} entities with a position and a velocity of three numbers, moved",
    }


def bench_entities_made_and_gone(benchmark: Any) -> None:
    import esper

    world = World()

    def ours() -> None:
        world.despawn(world.spawn_many(COUNT, Transform(), Velocity()))

    benchmark.pedantic(ours, rounds=10, warmup_rounds=1)
    esper.switch_world("bench")

    def theirs() -> None:
        made = [esper.create_entity(Moves(), Stands()) for _ in range(COUNT)]
        for entity in made:
            esper.delete_entity(entity, immediate=True)

    value, peer = COUNT / best(ours, 10), COUNT / best(theirs, 3)
    esper.switch_world("default")
    esper.delete_world("bench")
    benchmark.extra_info |= {
        "value": value,
        "unit": "entities/s",
        "peer": "esper 3",
        "peer_value": peer,
        "ratio": value / peer,
        "note": f"{COUNT} entities of two components, made in one call and taken away in one",
    }


JOINTS, FRAMES, CROWD = 60, 90, 1000


def walker(random: np.random.Generator) -> Motion:
    """Return a clip of three seconds: the root goes ahead, every joint sways."""
    parents = np.array([-1, *(random.integers(max(0, i - 4), i) for i in range(1, JOINTS))])
    names = tuple(f"j{i}" for i in range(JOINTS))
    skeleton = Skeleton(names, parents, random.normal(size=(JOINTS, 3)) * 0.1)
    turns = random.normal(size=(JOINTS, 3)) * np.sin(np.arange(FRAMES) / 9)[:, None, None] * 0.4
    moved = np.repeat(skeleton.rest_positions[None], FRAMES, axis=0)
    moved[:, 0, 2] += np.arange(FRAMES) / 30
    return Motion(skeleton, moved, rotation.from_rotation_vector(turns), 30.0)


def crowd(random: np.random.Generator) -> World:
    """Return a thousand characters, each of which reaches for something that it carries along."""
    clip = walker(random)
    skeleton, parents = clip.skeleton, tuple(clip.skeleton.parents.tolist())
    world = World()
    number = world.resource(Library).clip(clip)
    depth = [len(line_to(parents, joint)) for joint in range(JOINTS)]
    chain = line_to(parents, depth.index(5))[1:]
    base = skeleton.rest_transforms()[0][chain[0]]
    length = np.linalg.norm(skeleton.rest_positions[chain[1:]], axis=-1).sum()
    ids = character(world, skeleton, clip=number, inertia=False).spawn(world, CROWD)
    way = random.normal(size=(CROWD, 3))
    way *= 0.6 * length / np.linalg.norm(way, axis=-1, keepdims=True)
    held = world.spawn_many(CROWD, Transform(base + way), GlobalTransform(), Parent(ids))
    world.insert(ids, Reach(root=chain[0], end=chain[-1], entity=held))
    for chunk in world.query(Animator):
        chunk[Animator].time[:] = random.uniform(0, 3, len(ids))
    return world


@pytest.mark.parametrize("compiled", [True, False], ids=["numba", "numpy"])
def bench_a_crowd_of_1000(benchmark: Any, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fast, "available", lambda: compiled)
    world = crowd(np.random.default_rng(0))
    with Host() as host:
        schedule = Schedule(
            [AnimationSystem(), TransformSystem(), host.provider("system", "reach"), PoseSystem()]
        )
        for _ in range(40):  # until forward kinematics runs compiled
            schedule.run(world, 1 / 60)
        spent: list[float] = []

        def update() -> None:
            start = time.process_time()
            schedule.run(world, 1 / 60)
            spent.append(time.process_time() - start)

        benchmark.pedantic(update, rounds=60)
    benchmark.extra_info |= {
        "value": 1 / float(np.median(spent)),
        "unit": "updates/s",
        "note": f"{CROWD} characters of {JOINTS} joints by processor time, on one core: clip, root motion, "
        "a chain of four joints solved, global transforms; 60 are wanted on two",
    }
