"""Processor time of a picture: by size, preset, lights and characters, and by pass; peer: `deferred`."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numba
import numpy as np
import pytest

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import (
    Actor,
    Camera,
    Character,
    Ground,
    Light,
    Material,
    Mesh,
    ProviderUnavailable,
    Scene,
    Skeleton,
    Skin,
)
from kinetoscope_spec.ghosts import Ghost
from kinetoscope_spec.rendering import ALWAYS, PRESETS, Stopwatch

pytestmark = pytest.mark.bench
MEDIUM = ((640, 360), "medium", 16, 1)
CASES = [
    *(((width, width * 9 // 16), "medium", 16, 1) for width in (320, 640, 1280)),
    *((MEDIUM[0], preset, 16, 1) for preset in ("draft", "high")),
    *((MEDIUM[0], "medium", lights, 1) for lights in (1, 128, 1024)),
    *((MEDIUM[0], "medium", 16, characters) for characters in (16, 64)),
]
IN_ORDER = ("geometry", "annotations", "ground", "ssao", "shadow", "lighting", "transparent", "ghosts", "bloom",
            "tonemap", "taa", "fxaa")  # fmt: skip
REST = "rest"
"""What no pass takes: to look at the scene, and to hand over the picture."""
PASSES = [
    (width, preset, name)
    for preset in ("draft", "medium", "high")
    for width in (320, 640, 1280)
    for name in (*IN_ORDER, REST)
    if name in ALWAYS | PRESETS[preset].passes | {"taa", REST}
]
CAMERA = Camera(position=(1.2, 1.6, 3.4), target=(0.0, 0.9, 0.0))
PICTURES = 5
WARM = 2


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Numba's threads spin while they wait, which would count as work."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def figure() -> Character:
    """Return a body of 18,432 faces whose vertices follow four of 24 joints."""
    rings = 97
    up, around = np.meshgrid(np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, rings), indexing="ij")
    shape = [0.3 * np.sin(up) * np.cos(around), 0.9 - 0.9 * np.cos(up), 0.2 * np.sin(up) * np.sin(around)]
    points = np.stack(shape, axis=-1).reshape(-1, 3)
    i, j = (n.ravel() for n in np.meshgrid(np.arange(rings - 1), np.arange(rings - 1), indexing="ij"))
    a = i * rings + j
    b = a + rings
    faces = np.concatenate([np.stack([a, b, a + 1], 1), np.stack([a + 1, b, b + 1], 1)])
    bone = np.minimum(points[:, 1] / 1.8 * 20, 20).astype(int)
    weights = np.tile([0.4, 0.3, 0.2, 0.1], (len(points), 1))
    skin = Skin(bone[:, None] + np.arange(4), weights, np.arange(24), np.tile(np.eye(4), (24, 1, 1)))
    joints = tuple(f"joint{n}" for n in range(24))
    mesh = Mesh.from_triangles("figure", points, faces, skin=skin)
    return Character("figure", Skeleton(joints, [n - 1 for n in range(24)], np.zeros((24, 3))), (mesh,))


def crowd(lights: int, characters: int) -> Scene:
    """Return characters a metre apart under a sun and point lights of a metre's reach."""
    rng = np.random.default_rng(7)
    side = int(np.ceil(np.sqrt(characters)))
    character, actors = figure(), []
    for n in range(characters):
        pose = np.tile(np.eye(4), (24, 1, 1))
        pose[:, :3, 3] = n % side - (side - 1) / 2, 0.0, -(n // side)
        actors.append(Actor(character, pose, id=n + 1))
    places = rng.uniform((-3, 0.3, -5), (3, 2.0, 2), (lights - 1, 3))
    lamps = [Light(kind="point", position=place, radius=1.0, intensity=1.0) for place in places]
    return Scene(actors=actors, ground=Ground(), lights=(Light(), *lamps))


def processor_ms(renderer: Any, case: tuple[Any, ...], **options: Any) -> float:
    """Return the processor time for one picture, the least of five: what others do on the machine only adds."""
    size, preset, lights, characters = case
    scene, taken = crowd(lights, characters), []
    with renderer.open(size, preset, **options) as session:
        session.render(scene, CAMERA)
        for _ in range(PICTURES):
            start = time.process_time()
            session.render(scene, CAMERA)
            taken.append(time.process_time() - start)
    return float(min(taken)) * 1e3


def peer(measure: Callable[[Any], float]) -> dict[str, Any]:
    """Return the same of `deferred`, where it is installed and has a driver."""
    deferred = pytest.importorskip("kinetoscope_deferred.renderer")
    try:
        return {"peer": "deferred", "peer_value": measure(deferred.DeferredRenderer())}
    except ProviderUnavailable:
        return {"note": "no OpenGL driver"}


def record(benchmark: Any, measure: Callable[[Any], float]) -> None:
    value = benchmark.pedantic(measure, (RasterRenderer(),), rounds=1)
    other = peer(measure)
    if other.get("peer_value"):
        other["ratio"] = value / other["peer_value"]
    benchmark.extra_info.update({"value": value, "unit": "CPU ms", **other})


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0][0]}x{c[0][1]}-{c[1]}-{c[2]}lights-{c[3]}bodies")
def test_picture(benchmark: Any, case: tuple[Any, ...]) -> None:
    record(benchmark, lambda renderer: processor_ms(renderer, case))


@pytest.mark.parametrize("case", PASSES, ids=lambda c: f"{c[0]}x{c[0] * 9 // 16}-{c[1]}-{c[2]}")
def test_pass(benchmark: Any, case: tuple[int, str, str]) -> None:
    """What a pass takes within a picture of everything that there are passes for."""
    width, preset, name = case
    record(benchmark, lambda renderer: by_pass(type(renderer), width, preset)[name])


@functools.cache
def by_pass(kind: type[Any], width: int, preset: str) -> dict[str, float]:
    """Return the processor time of each pass, ms, the least of five pictures; edges are smoothed in either way."""
    with kind().open((width, width * 9 // 16), preset) as session:
        least = watched(session)
    with kind().open((width, width * 9 // 16), preset, passes={"taa": True}) as session:
        return least | {"taa": watched(session)["taa"]}


def watched(session: Any) -> dict[str, float]:
    scene, least = everything(), dict[str, float]()
    for _ in range(WARM):
        session.render(scene, CAMERA)
    for _ in range(PICTURES):
        session.watch = watch = Stopwatch()
        start = time.process_time()
        session.render(scene, CAMERA)
        whole = time.process_time() - start
        taken = watch.seconds | {REST: whole - sum(watch.seconds.values())}
        least = {name: min(1e3 * seconds, least.get(name, np.inf)) for name, seconds in taken.items()}
    return least


def everything() -> Scene:
    """Return a body under 16 lights, one pane of glass, a ghost behind and bands in the floor: work for each pass."""
    scene = crowd(16, 1)
    (body,) = scene.actors
    pane = Mesh.from_triangles(
        "pane", [[-0.2, 0.4, 0.6], [0.8, 0.4, 0.6], [0.8, 1.4, 0.6], [-0.2, 1.4, 0.6]], [[0, 1, 2], [0, 2, 3]], node=0
    )  # fmt: skip
    glass = Material("glass", np.array([0.3, 0.6, 0.5, 0.4]), alpha_mode="blend")
    pane_body = Character("pane", Skeleton(("node",), [-1], [[0.0, 0.0, 0.0]]), (pane,), (glass,))
    beside = np.array(body.pose)
    beside[:, 0, 3] -= 0.8
    actors = [
        attrs.evolve(actor, previous_pose=actor.pose)
        for actor in (body, Actor(pane_body, np.eye(4)[None], id=2))
    ]
    way = np.linspace((-2.0, 1.0), (2.0, -1.0), 30)
    annotations = {"trajectory": way, "ghosts": (Ghost(body.character, beside),)}
    return attrs.evolve(scene, actors=actors, annotations=annotations)
