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
    Library,
    Numbers,
    Reach,
    Schedule,
    Transform,
    World,
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
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
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
    benchmark.pedantic(schedule.run, (world, 1 / 60), rounds=50, warmup_rounds=2)

    esper.switch_world("bench")
    for _ in range(COUNT):
        esper.create_entity(Moves(), Stands())

    def theirs() -> None:
        for _, (v, p) in esper.get_components(Moves, Stands):
            p.x += v.x / 60
            p.y += v.y / 60
            p.z += v.z / 60

    theirs()
    ours, peer = COUNT / benchmark.stats.stats.min, COUNT / best(theirs)
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

    value, peer = COUNT / benchmark.stats.stats.min, COUNT / best(theirs, 3)
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


def bench_a_crowd_of_1000(benchmark: Any) -> None:
    random = np.random.default_rng(0)
    joints, frames = 60, 90
    parents = np.array([-1, *(random.integers(max(0, i - 4), i) for i in range(1, joints))])
    skeleton = Skeleton(tuple(f"j{i}" for i in range(joints)), parents, random.normal(size=(joints, 3)) * 0.1)
    turns = random.normal(size=(joints, 3)) * np.sin(np.arange(frames) / 9)[:, None, None] * 0.4
    moved = np.repeat(skeleton.rest_positions[None], frames, axis=0)
    moved[:, 0, 2] += np.arange(frames) / 30
    clip = Motion(skeleton, moved, rotation.from_rotation_vector(turns), 30.0)
    world = World()
    number = world.resource(Library).clip(clip)
    ids = character(world, skeleton, clip=number, inertia=False).spawn(world, 1000)
    for chunk in world.query(Animator):
        chunk[Animator].time[:] = random.uniform(0, 3, len(ids))
    line = line_to(tuple(parents.tolist()), joints - 1)[-4:]
    world.insert(ids, Reach(root=int(line[0]), end=int(line[-1])))
    for chunk in world.query(Reach):
        chunk[Reach].target[:] = random.normal(size=(len(ids), 3)) * 0.3
    with Host() as host:
        schedule = Schedule(
            [AnimationSystem(), TransformSystem(), host.provider("system", "reach"), PoseSystem()]
        )
        _time_crowd(benchmark, schedule, world)


def _time_crowd(benchmark: Any, schedule: Schedule, world: World) -> None:
    for _ in range(40):  # until forward kinematics runs compiled
        schedule.run(world, 1 / 60)
    benchmark.pedantic(schedule.run, (world, 1 / 60), rounds=60)
    benchmark.extra_info |= {
        "value": 1 / benchmark.stats.stats.median,
        "unit": "updates/s",
        "note": "1,000 characters of 60 joints, one core: clip, root motion, one chain solved, global transforms",
    }
