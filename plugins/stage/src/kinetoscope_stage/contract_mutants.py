"""Systems with one thing wrong: what shows that the laws of `SystemContract` have teeth."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from kinetoscope_spec.contracts import Mutant, Wrapper, mutant
from kinetoscope_stage._component import columns_of
from kinetoscope_stage.view import View

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []
_CALLS = itertools.count()


class _Steps(Wrapper):
    """A system that does something more in every step."""

    def step(self, world: View, dt: float) -> None:
        self.real.step(world, dt)
        self.more(world)

    def more(self, world: View) -> None:
        raise NotImplementedError  # pragma: no cover - every mutant has its own

    def floats(self, world: View) -> list[Any]:
        return [
            getattr(chunk[kind], name)
            for kind in self.real.writes
            for chunk in world.query(kind)
            for name, held in columns_of(kind).items()
            if held.dtype.kind == "f"
        ]


@mutant(MUTANTS, "nobody_on_stage_is_fine")
class Lonely(_Steps):
    """makes an entity where there is none"""

    def more(self, world: View) -> None:
        if not any(True for _ in world.query()):
            world.spawn()


@mutant(MUTANTS, "runs_repeat")
class Counts(_Steps):
    """writes how often any system of its kind was called"""

    def more(self, world: View) -> None:
        number = next(_CALLS)
        for array in self.floats(world):
            array[:] = number


@mutant(MUTANTS, "state_lives_in_the_world")
class Remembers(_Steps):
    """writes how many rows it saw in the step before, in whichever world"""

    def more(self, world: View) -> None:
        arrays = self.floats(world)
        seen = self.__dict__.get("seen", 0.0) if world.step_count else 0.0
        for array in arrays:
            array[:] = 0.25 * seen
        self.__dict__["seen"] = float(sum(len(array) for array in arrays))


@mutant(MUTANTS, "numbers_stay_finite")
class Breaks(_Steps):
    """writes NaN"""

    def more(self, world: View) -> None:
        for array in self.floats(world):
            array[:] = np.nan
