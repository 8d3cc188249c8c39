"""One run of a shot: who does each stage, what is kept of it, and what is made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from kinetoscope.shot.crew import Crew
from kinetoscope.shot.settings import Shot, ShotFile
from kinetoscope.shot.stages import Stage, Stages, source_digest
from kinetoscope.shot.store import Store, key_of
from kinetoscope.shot.waiting import asking
from kinetoscope_spec import SPEC_VERSION
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Job", "identity", "values_of"]

T = TypeVar("T")


def identity(stage: Stage) -> str:
    """Return who did a stage: provider, distribution, version, and a hash of the source."""
    return f"{stage.provider} ({stage.distribution} {stage.version}, {stage.source})"


def values_of(host: Host, hook: str) -> ModuleType:
    """Return the module that brought a hook: the values that its protocol speaks of are there.

    Raises:
        ProviderNotFound: there is no such hook.
    """
    return import_module(host.hook(hook).protocol.partition(":")[0])


@attrs.define
class Job:
    """What every stage of a run is handed.

    Attributes:
        stages: the record; it has the host.
        shot_file: what is asked for.
        store: what earlier runs have made.
        choices: providers by stage, stronger than the shot file.
        fresh: stages that are made again.
        crew: who helps.
        warnings: what the report says besides.
    """

    stages: Stages
    shot_file: ShotFile
    store: Store
    choices: Mapping[str, str] = attrs.field(factory=dict)
    fresh: frozenset[str] = frozenset()
    crew: Crew = attrs.field(factory=Crew)
    warnings: list[str] = attrs.field(factory=list)
    _measured_by: list[str | None] = attrs.field(factory=list, init=False)

    @property
    def host(self) -> Host:
        """The host that the providers are of."""
        return self.stages.host

    @property
    def progress(self) -> Progress | None:
        """Told as the work of this thread's stage goes on, from whichever thread; None where nobody listens."""
        teller = self.stages.teller
        return None if teller is None else teller.of_this_stage()

    @property
    def shot(self) -> Shot:
        """What is asked for."""
        return self.shot_file.shot

    def branch(self) -> Job:
        """Return this run for a part of it, with warnings of its own."""
        self.key()  # what counts of the code is looked at once, whichever part needs it first
        part = attrs.evolve(self, warnings=[])
        part._measured_by = self._measured_by
        return part

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a stage and put it on record."""
        with self.stages.stage(name) as stage:
            yield stage

    def provider(self, stage: Stage, hook: str, name: str | None = None) -> Any:
        """Return the provider of a stage: by the run's choice, else by name, else the host's choice."""
        return self.stages.provider(stage, hook, self.choices.get(stage.name, name))

    def key(self, *parts: Any) -> str:
        """Return the key of what `parts` decide, and the code of spec and core with them."""
        if not self._measured_by:
            self._measured_by += [source_digest("kinetoscope_spec"), source_digest("kinetoscope")]
        return key_of(SPEC_VERSION, self._measured_by, *parts)

    def kept(
        self, stage: Stage, parts: Any, make: Callable[[Path], None], load: Callable[[Path], T]
    ) -> tuple[T, str]:
        """Return what a stage makes of `parts`, made now or by an earlier run, and its key.

        Args:
            stage: with its provider; who that is counts.
            parts: all that decides the result, JSON.
            make: fills a folder.
            load: reads it.
        """
        key = self.key(stage.name, identity(stage), parts)
        value, stage.cached = self.store.kept(
            stage.name,
            key,
            make,
            load,
            fresh=stage.name in self.fresh,
            waiting=asking(self.progress, stage.name),
        )
        return value, key
