"""What decides the pictures of a shot: frames that are kept of one are never taken for those of another."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from kinetoscope.shot import settings
from kinetoscope.shot.filming import _decided

OUTPUT: dict[str, Any] = {
    "size": (64, 48),
    "framerate": 24.0,
    "quality": "draft",
    "shutter": 0.25,
    "passes": ("outline",),
    "device": "cpu",
    "background": "environment",
    "skinning": "linear",
    "ghosts": 1,
    "ghosts_ahead": 2,
    "ghost_spacing": 0.5,
    "show": ("bones",),
    "span": 1.0,
    "bare": True,
}
LIGHT: dict[str, Any] = {
    "azimuth": 10.0,
    "elevation": 20.0,
    "intensity": 2.0,
    "color": (1.0, 1.0, 1.0),
    "ambient": 0.5,
    "tone": "neutral",
    "rotation": 90.0,
}
ELSEWHERE = {"file", "renderer", "media", "environment"}
"""Keys that name files, which count by what they hold, and providers, which count by who they are."""


def decided(name: str = "shot", light: dict[str, Any] | None = None, **output: Any) -> Any:
    """Return what decides a shot's pictures, beside those who make them; its surroundings are this file."""
    given = settings.Shot(
        settings.Performer(mocap=("a.bvh",), path=((0.0, 0.0), (1.0, 1.0))),
        light=settings.Light(environment=Path(__file__).name, **(light or {})),
        output=settings.Output(**output),
        name=name,
    )
    document = SimpleNamespace(path=Path(__file__))
    job = SimpleNamespace(shot=given, shot_file=settings.ShotFile(given, document))
    return _decided(job, {}, None, None)


@pytest.mark.parametrize(("key", "value"), OUTPUT.items())
def test_every_key_of_the_output_counts(key: str, value: Any) -> None:
    assert decided(**{key: value}) != decided()


@pytest.mark.parametrize(("key", "value"), LIGHT.items())
def test_every_key_of_the_light_counts(key: str, value: Any) -> None:
    assert decided(light={key: value}) != decided()


@pytest.mark.parametrize(("table", "held"), [(settings.Output, OUTPUT), (settings.Light, LIGHT)])
def test_no_key_is_left_out_here(table: type, held: dict[str, Any]) -> None:
    assert {field.name for field in attrs.fields(table)} - ELSEWHERE == set(held)


def test_a_name_counts_where_it_is_written_over_the_performer_and_there_alone() -> None:
    assert decided("Ada", show=("name",)) != decided("Ben", show=("name",))
    assert decided("Ada", show=("bones",)) == decided("Ben", show=("bones",))
