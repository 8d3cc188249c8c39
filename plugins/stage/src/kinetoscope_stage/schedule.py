"""The order in which systems run, and running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kinetoscope_spec import ConfigError
from kinetoscope_stage._component import columns_of
from kinetoscope_stage.view import View
from kinetoscope_stage.world import World, WorldLocked

__all__ = ["Schedule"]

_PHASES = ("fixed", "frame")


class Schedule:
    """Systems in the order that their declarations ask for.

    For each component: systems that make it (write without reading) come first, then those that
    change it (read and write), then those that read it; among equals the order they are given in.
    `after` and `before` are heard before that. Declarations order systems of one phase only: the
    phases never run together. Systems that stand in no order to each other may
    run at the same time, in `threads` threads: none of them writes what another touches.

    Attributes:
        order: names of the systems, as they run one after the other.
        waves: the same in groups; the systems of a group stand in no order to each other.

    Raises:
        ConfigError: a name twice, an unknown name or phase, a cycle (the message names it).
    """

    def __init__(self, systems: Sequence[Any], *, threads: int = 1) -> None:
        if threads < 1:
            raise ConfigError(f"threads is {threads}, expected 1 or more")
        self.systems: dict[str, Any] = {}
        for system in systems:
            if system.name in self.systems:
                raise ConfigError(f"two systems are called {system.name!r}, expected each name once")
            for kind in (*system.reads, *system.writes):
                columns_of(kind)
            if _phase(system) not in _PHASES:
                raise ConfigError(
                    f"system {system.name!r} has phase {system.phase!r}, expected one of {_PHASES}"
                )
            self.systems[system.name] = system
        self.waves = _waves(_dependencies(self.systems))
        self.order = tuple(name for wave in self.waves for name in wave)
        self._pool = ThreadPoolExecutor(threads, "kinetoscope-stage") if threads > 1 else None

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()

    def run(self, world: World, dt: float, *, phase: str = "fixed", alpha: float = 1.0) -> None:
        """Run all systems of one phase, then carry out the changes they asked for, in their order.

        Raises:
            Exception: what a system raises, with a note that names it. No change that was asked for
                in this run is carried out then.
            WorldLocked: systems of this world are running already.
        """
        if world.locked:
            raise WorldLocked("systems of this world are running: one schedule at a time")
        views: list[View] = []
        world.locked = True
        try:
            for wave in self.waves:
                held = [
                    (self.systems[name], View(world, self.systems[name], alpha))
                    for name in wave
                    if _phase(self.systems[name]) == phase
                ]
                self._run_wave(held, dt)
                views += [view for _, view in held]
        finally:
            world.locked = False
        for view in views:
            view.apply()

    def _run_wave(self, wave: list[tuple[Any, View]], dt: float) -> None:
        if self._pool is None or len(wave) < 2:
            for system, view in wave:
                _step(system, view, dt)
            return
        futures = [self._pool.submit(_step, system, view, dt) for system, view in wave]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]


def _phase(system: Any) -> str:
    phase: str = getattr(system, "phase", "fixed")
    return phase


def _step(system: Any, view: View, dt: float) -> None:
    try:
        system.step(view, dt)
    except Exception as error:
        error.add_note(f"in the system {system.name!r}")
        raise


def _dependencies(systems: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return for each system those that run before it."""
    first: dict[str, set[str]] = {name: set() for name in systems}
    for name, system in systems.items():
        for other in _known(systems, name, getattr(system, "after", ())):
            first[name].add(other)
        for other in _known(systems, name, getattr(system, "before", ())):
            first[other].add(name)
    told = {name: set(others) for name, others in first.items()}
    names = list(systems)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if a in told[b] or b in told[a] or _phase(systems[a]) != _phase(systems[b]):
                continue
            for earlier, later in _implied(systems[a], systems[b]):
                first[later].add(earlier)
    return {name: [other for other in names if other in first[name]] for name in names}


def _known(systems: Mapping[str, Any], name: str, others: Sequence[str]) -> Sequence[str]:
    for other in others:
        if other not in systems:
            raise ConfigError(f"system {name!r} is to stand before or after {other!r}, which is not there")
    return others


def _rank(system: Any, kind: type) -> int:
    """0 makes the component, 1 changes it, 2 reads it."""
    if kind not in system.writes:
        return 2
    return 1 if kind in system.reads else 0


def _implied(a: Any, b: Any) -> list[tuple[str, str]]:
    """Return who comes before whom, for each component that both touch and one of them writes."""
    found: list[tuple[str, str]] = []
    shared = (set(a.reads) | set(a.writes)) & (set(b.reads) | set(b.writes))
    alike = False
    for kind in shared:
        ranks = _rank(a, kind), _rank(b, kind)
        if ranks[0] < ranks[1]:
            found.append((a.name, b.name))
        elif ranks[0] > ranks[1]:
            found.append((b.name, a.name))
        elif ranks[0] < 2:
            alike = True
    # Equals keep the order they are given in, unless another component has decided.
    return found or ([(a.name, b.name)] if alike else [])


def _waves(first: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    waves: list[tuple[str, ...]] = []
    done: set[str] = set()
    while len(done) < len(first):
        wave = tuple(name for name in first if name not in done and done.issuperset(first[name]))
        if not wave:
            raise ConfigError(f"systems wait for each other in a circle: {_cycle(first, done)}")
        waves.append(wave)
        done.update(wave)
    return tuple(waves)


def _cycle(first: Mapping[str, Sequence[str]], done: set[str]) -> str:
    path = [next(name for name in first if name not in done)]
    while path[-1] not in path[:-1]:
        path.append(next(other for other in first[path[-1]] if other not in done))
    circle = path[path.index(path[-1]) :][::-1]
    return " -> ".join(circle)
