"""The record of a run: which stage, by which provider and why, how long, from the cache or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Stage", "Stages"]


@attrs.define
class Stage:
    """One stage of a run."""

    name: str
    provider: str | None = None
    distribution: str | None = None
    version: str | None = None
    why: str | None = None
    seconds: float = 0.0
    cached: bool = False
    details: dict[str, Any] = attrs.field(factory=dict)


@attrs.define
class Stages:
    """The stages of a run, in order."""

    host: Host
    done: list[Stage] = attrs.field(factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a stage; it is on record even when it fails."""
        stage = Stage(name)
        self.done.append(stage)
        start = time.perf_counter()
        try:
            yield stage
        finally:
            stage.seconds = round(time.perf_counter() - start, 3)

    def provider(self, stage: Stage, hook: str, name: str | None, what: str | None = None) -> Any:
        """Return the provider of `hook`, by name or as the host chooses, and note who and why."""
        provider = self.host.provider(hook, name, for_=what)
        chosen = self.host.explain(hook, what, name=name)
        stage.provider, stage.why = chosen.chosen, chosen.why
        for info in self.host.providers(hook):
            if info.name == chosen.chosen:
                stage.distribution, stage.version = info.distribution, info.version
        return provider

    def to_json(self) -> list[dict[str, Any]]:
        """Return the stages as the report has them."""
        return [attrs.asdict(stage) for stage in self.done]
