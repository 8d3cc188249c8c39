"""The laws of the hook `system`, to be run on any provider of it.

    class TestMine(SystemContract):
        provider = MySystem()

        def populate(self, world, count, seed):
            return world.spawn_many(count, ...)

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec.contracts import Contract, law, require
from kinetoscope_stage._component import Array, columns_of, views
from kinetoscope_stage.schedule import Schedule
from kinetoscope_stage.world import World

__all__ = ["SystemContract"]

_SIZE = 3
_DTS = st.lists(st.sampled_from((0.0, 1 / 60, 1 / 30, 0.1)), min_size=1, max_size=4)
_COUNTS = st.integers(0, 6)
_SEEDS = st.integers(0, 2**16)


class SystemContract(Contract):
    """What a schedule relies on; subclass it and set `provider`, and `populate` with what it moves."""

    hook: ClassVar[str] = "system"
    mutants: ClassVar[str | None] = "kinetoscope_stage.contract_mutants:MUTANTS"

    def populate(self, world: World, count: int, seed: int) -> Array:
        """Make `count` entities that the system moves, different for each seed; return their ids.

        Unless overridden: entities of all components that it declares, with their defaults.
        """
        system = self.subject
        kinds = dict.fromkeys((*system.reads, *system.writes))
        return world.spawn_many(count, *(_defaults(kind) for kind in kinds))

    @law(_DTS)
    def test_nobody_on_stage_is_fine(self, dts: list[float]) -> None:
        """In an empty world a system does nothing; what it declares makes a schedule."""
        world = World()
        self._run(world, dts)
        require(len(world) == 0, f"in an empty world it made {len(world)} entities")

    @law(_COUNTS, _SEEDS, _DTS)
    def test_runs_repeat(self, count: int, seed: int, dts: list[float]) -> None:
        """The same world and the same steps end in the same state, bit for bit."""
        worlds = World(seed=seed), World(seed=seed)
        for world in worlds:
            self.populate(world, count, seed)
            self._run(world, dts)
        require(worlds[0].digest() == worlds[1].digest(), "two runs of the same world ended differently")

    @law(_COUNTS, _SEEDS, _DTS)
    def test_state_lives_in_the_world(self, count: int, seed: int, dts: list[float]) -> None:
        """A run in between, in another world, changes nothing: the system itself remembers nothing."""
        straight, broken = World(seed=seed), World(seed=seed)
        for world in (straight, broken):
            self.populate(world, count, seed)
        self._run(straight, dts)
        for dt in dts:
            self._run(broken, [dt])
            other = World(seed=seed + 1)
            self.populate(other, 2, seed + 1)
            self._run(other, [dt])
        require(straight.digest() == broken.digest(), "a run in another world changed what came after")

    @law(_COUNTS, _SEEDS, _DTS)
    def test_numbers_stay_finite(self, count: int, seed: int, dts: list[float]) -> None:
        """Nothing that it writes becomes NaN or infinite, also where no time passes."""
        world = World(seed=seed)
        self.populate(world, count, seed)
        self._run(world, dts)
        for chunk in world.query():
            for kind in self.subject.writes:
                for field in columns_of(kind) if kind in chunk else ():
                    array = getattr(chunk[kind], field)
                    require(np.isfinite(array), f"{kind.__name__}.{field} is not finite after {dts} s")

    def _run(self, world: World, dts: list[float]) -> None:
        phase = getattr(self.subject, "phase", "fixed")
        schedule = Schedule([self.subject])
        for dt in dts:
            world.events.turn()
            schedule.run(world, dt, phase=phase)
            world.step_count += 1
            world.time += dt


def _defaults(kind: type) -> Any:
    columns = columns_of(kind)
    shapes = {
        name: [d if isinstance(d, int) else _SIZE for d in held.shape] for name, held in columns.items()
    }
    return views(
        kind,
        {
            name: np.broadcast_to(np.asarray(held.default, held.dtype), shapes[name])
            for name, held in columns.items()
        },
    )
