"""The systems together: each through the contract, their order, and a whole stage that repeats itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path as File

import numpy as np
import pytest

from kinetoscope import Host
from kinetoscope_spec import Path
from kinetoscope_stage import (
    Along,
    Animator,
    BlendValues,
    CameraRig,
    Follower,
    Inertia,
    Library,
    LookAt,
    Loop,
    Pose,
    Rig,
    RootMotion,
    Schedule,
    Spring,
    World,
    play,
    sway,
)
from kinetoscope_stage.character import character
from kinetoscope_stage.contract_crowd import CrowdContract
from kinetoscope_stage.hooks import SystemContract
from kinetoscope_stage.springs import SpringSystem
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.systems.cameras import CameraSystem
from kinetoscope_stage.systems.movement import FollowSystem
from kinetoscope_stage.systems.poses import LookAtSystem, PoseSystem
from kinetoscope_stage.systems.recorder import RecorderSystem
from kinetoscope_stage.systems.sway import SwaySystem
from kinetoscope_stage.transforms import TransformSystem

_spec = importlib.util.spec_from_file_location("stages", File(__file__).with_name("stages.py"))
stages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stages)
clips, SKELETON, stage, shown = stages.clips, stages.SKELETON, stages.stage, stages.shown
ALL = (
    AnimationSystem,
    LookAtSystem,
    SwaySystem,
    SpringSystem,
    FollowSystem,
    TransformSystem,
    PoseSystem,
    CameraSystem,
    RecorderSystem,
)


def crowd(world, count, seed):
    random = np.random.default_rng(seed)
    library = world.resource(Library)
    numbers = [library.clip(clips.clip(i)) for i in range(3)]
    numbers.append(library.tree(Along(0, {0.0: numbers[0], 1.0: numbers[1]})))
    library.path(Path([[0, 0], [3, 1], [4, 5]]))
    ids = character(world, SKELETON).spawn(
        world,
        count,
        Animator(clip=random.choice(numbers, count), time=random.uniform(0, 3, count)),
        LookAt(joint=2, target=random.normal(size=(count, 3)) * 4),
        Spring(goal=random.normal(size=(count, 3))),
        CameraRig(yaw=random.normal(size=count)),
        Follower(path=0, speed=random.normal(size=count)),
        sway(SKELETON, "neck", "hand"),
        BlendValues(random.uniform(-1, 2, (count, 4))),
    )
    for entity in ids[::2]:
        play(world, int(entity), numbers[0])
    return ids


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@pytest.mark.parametrize("law", [law.name for law in SystemContract.laws()])
def test_contract(kind, law) -> None:
    from kinetoscope_spec.contracts import check

    check(CrowdContract.of(kind()), examples=10, seed=0, laws=[law]).require()


def test_the_host_finds_them_all() -> None:
    with Host() as host:
        assert {host.provider("system", kind.name).name for kind in ALL} == {kind.name for kind in ALL}
        assert host.provider("system", "reach").writes == (Pose,)


def test_the_order_of_all_together() -> None:
    order = Schedule([kind() for kind in reversed(ALL)]).order
    assert order.index("animation") < order.index("transforms") < order.index("look-at")
    assert order.index("look-at") < order.index("poses")
    assert order.index("look-at") < order.index("recorder")


def test_a_whole_stage_repeats_itself() -> None:
    def run(threads: int) -> str:
        world = World(seed=4)
        crowd(world, 7, 1)
        world.insert(
            np.concatenate([chunk.entities for chunk in world.query(Rig)])[:3],
            RootMotion(0.5),
            Inertia(offset=np.zeros((5, 3))),
        )
        schedule = Schedule([kind() for kind in ALL], threads=threads)
        Loop(world, schedule).headless(40)
        schedule.close()
        return world.digest()

    assert run(1) == run(1) == run(3)
