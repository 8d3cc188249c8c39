"""A folder of varied recipes: mocap enough to teach a model to follow paths."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import attrs

from kinetoscope_samples.recipe import Recipe, Segment, to_toml

__all__ = ["RECIPES", "write_mocap"]


def _weave(speeds: tuple[float, ...], turns: tuple[float, ...], each_s: float) -> tuple[Segment, ...]:
    """Return segments that run through `turns`, taking `speeds` in rotation."""
    return tuple(Segment(each_s, speeds[i % len(speeds)], turn) for i, turn in enumerate(turns))


def _both_ways(name: str, recipe: Recipe) -> dict[str, Recipe]:
    """Return the recipe and its mirror image, each with a seed of its own."""
    mirrored = attrs.evolve(
        recipe,
        turn=-recipe.turn,
        seed=recipe.seed + 1,
        segments=[attrs.evolve(segment, turn=-segment.turn) for segment in recipe.segments],
    )
    return {f"{name}-left": recipe, f"{name}-right": mirrored}


def _all() -> dict[str, Recipe]:
    walk = Recipe(action="walk", seconds=14.0, turn_variation=4.0)
    wander = attrs.evolve(walk, seconds=20.0, turn_variation=6.0)
    jog = Recipe(action="jog", speed=2.6, seconds=12.0, turn_variation=4.0, speed_variation=0.05)
    sway_slow = (0.0, 25.0, 0.0, -25.0, 10.0, 45.0, 0.0, -45.0, -10.0, 0.0)
    sway_quick = (60.0, 0.0, -60.0, 30.0, 75.0, -30.0, -75.0, 0.0)
    recipes = {
        "walk-slow": attrs.evolve(walk, seed=1, speed=0.85, arm_swing=0.8),
        "walk-straight": attrs.evolve(walk, seed=2, speed=1.25),
        "walk-brisk": attrs.evolve(walk, seed=3, speed=1.6, arm_swing=1.15),
    }
    recipes |= _both_ways("walk-gentle-slow", attrs.evolve(walk, seed=10, speed=0.95, turn=14.0))
    recipes |= _both_ways("walk-gentle", attrs.evolve(walk, seed=12, speed=1.3, turn=22.0))
    recipes |= _both_ways("walk-bend", attrs.evolve(walk, seed=14, speed=1.15, turn=38.0))
    recipes |= _both_ways("walk-sharp", attrs.evolve(walk, seed=16, speed=0.95, turn=65.0))
    recipes |= _both_ways(
        "walk-weave", attrs.evolve(wander, seed=18, segments=_weave((1.2, 1.35), sway_slow, 2.0))
    )
    recipes |= _both_ways(
        "walk-dodge", attrs.evolve(wander, seed=20, segments=_weave((1.1, 0.9), sway_quick, 2.5))
    )
    stop_and_go = [
        (2.0, 0.0, 0.0),
        (4.0, 1.2, 0.0),
        (3.0, 1.3, 30.0),
        (2.0, 0.0, 0.0),
        (4.0, 1.1, -30.0),
        (2.0, 0.0, 0.0),
    ]
    recipes |= _both_ways(
        "walk-start-stop",
        attrs.evolve(walk, seed=22, seconds=17.0, segments=[Segment(*s) for s in stop_and_go]),
    )
    recipes |= {"jog-straight": attrs.evolve(jog, seed=30)}
    recipes |= _both_ways("jog-curve", attrs.evolve(jog, seed=31, turn=30.0))
    recipes |= {
        "jog-from-walk": attrs.evolve(
            jog, seed=33, seconds=16.0, segments=_weave((1.4, 2.6, 2.8, 1.4), (0.0, 15.0, -20.0, 0.0), 4.0)
        )
    }
    recipes |= _both_ways("turn", Recipe(action="turn", speed=0.0, turn=55.0, seconds=10.0, seed=40))
    recipes |= {"idle": Recipe(action="idle", speed=0.0, seconds=12.0, seed=50)}
    return recipes


RECIPES: Mapping[str, Recipe] = MappingProxyType(_all())
"""All recipes by name: walks straight and turning at several speeds, jogs, turns on the spot, an idle."""


def write_mocap(
    folder: str | Path, *, names: tuple[str, ...] | None = None, seconds: float | None = None
) -> list[Path]:
    """Write recipe files into `folder` and return them, in order.

    Args:
        folder: made if it is not there.
        names: which of `RECIPES`; all if None.
        seconds: length of every clip, instead of its own.

    Raises:
        KeyError: a name that is not among the recipes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in RECIPES if names is None else names:
        recipe = RECIPES[name] if seconds is None else attrs.evolve(RECIPES[name], seconds=seconds)
        path = folder / f"{name}.sample.toml"
        _write(path, to_toml(recipe))
        written.append(path)
    return written


def _write(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
