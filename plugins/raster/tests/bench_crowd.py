"""Pictures a second of crowds that sway, by the clock on the wall, with the threads that a user has; peer: `deferred`."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import ProviderUnavailable, Scene

pytestmark = pytest.mark.bench
SIZE = (640, 360)
LIGHTS = 16
CASES = [(1, "levels"), (64, "full"), (64, "levels")]
PROMISED = {(1, "levels"): 25, (64, "full"): 3, (64, "levels"): 10}
"""Pictures a second on two idle cores."""
WARM, PICTURES = 3, 12
_TURN = 0.1
"""Radians by which bodies sway from one picture to the next: what is kept of the picture before is of no use."""


def beside(name: str) -> Any:
    """Return the benchmark `name` of this folder, whose crowd this one is."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def swaying(crowd: Scene, count: int) -> list[Scene]:
    """Return `count` moments of bodies that turn about where they stand."""
    scenes = []
    for moment in range(count):
        c, s = np.cos(_TURN * moment), np.sin(_TURN * moment)
        turn = np.eye(4)
        turn[[0, 0, 2, 2], [0, 2, 0, 2]] = c, s, -s, c
        scenes.append(
            attrs.evolve(
                crowd, actors=[attrs.evolve(actor, pose=actor.pose @ turn) for actor in crowd.actors]
            )
        )
    return scenes


def pictures_a_second(renderer: Any, case: tuple[int, str]) -> float:
    """Return how many pictures a second there are, by the median of twelve."""
    bodies, shown = case
    raster = beside("bench_raster")
    scenes = swaying(raster.crowd(LIGHTS, bodies), WARM + PICTURES)
    taken = []
    with renderer.open(SIZE, "medium", passes={"lod": shown == "levels"}) as session:
        for scene in scenes:
            start = time.perf_counter()
            session.render(scene, raster.CAMERA)
            taken.append(time.perf_counter() - start)
    return float(1 / np.median(taken[WARM:]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}bodies-{case[1]}")
def test_pictures(benchmark: Any, case: tuple[int, str]) -> None:
    value = benchmark.pedantic(pictures_a_second, (RasterRenderer(), case), rounds=1)
    told = {"note": f"promised: {PROMISED[case]}"}
    deferred = pytest.importorskip("kinetoscope_deferred.renderer")
    try:
        other = pictures_a_second(deferred.DeferredRenderer(), case)
        told |= {"peer": "deferred", "peer_value": other, "ratio": value / other}
    except ProviderUnavailable:
        told["note"] += "; no OpenGL driver"
    benchmark.extra_info.update({"value": value, "unit": "pictures/s", **told})
