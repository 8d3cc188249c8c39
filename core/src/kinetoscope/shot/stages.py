"""The record of a run: which stage, by which provider and why, how long, from the cache or not."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from kinetoscope_spec.errors import PluginError, ProviderNotFound, ProviderUnavailable

if TYPE_CHECKING:
    from kinetoscope import Host, ProviderInfo
    from kinetoscope.shot.events import Teller
    from kinetoscope_spec import Provider

__all__ = ["Stage", "Stages", "Timed", "source_digest"]


@attrs.define
class Stage:
    """One stage of a run.

    Attributes:
        name: what is done.
        provider, distribution, version: by whom.
        why: why that provider was chosen.
        seconds: wall-clock time.
        memory_mb: the most that the process had taken by its end, MB; 0 where the system does not tell.
        cached: taken up from a run before.
        source: hash of the provider's source: a plugin at work on may change without its version.
        details: figures of the stage's own.
    """

    name: str
    provider: str | None = None
    distribution: str | None = None
    version: str | None = None
    why: str | None = None
    seconds: float = 0.0
    memory_mb: float = 0.0
    cached: bool = False
    source: str | None = None
    details: dict[str, Any] = attrs.field(factory=dict)


class Timed:
    """Goes through an iterator and adds up the seconds that its items took to make."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        start = time.perf_counter()
        try:
            return next(self._items)
        finally:
            self.seconds += time.perf_counter() - start

    def close(self) -> None:
        """Close the iterator, as a generator is closed."""
        close = getattr(self._items, "close", None)
        if close is not None:
            close()


@attrs.define
class Stages:
    """The stages of a run.

    Attributes:
        host: whose providers work.
        teller: told as stages begin and end, or None.
        done: the record, as they began.
    """

    host: Host
    teller: Teller | None = None
    done: list[Stage] = attrs.field(factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a stage; it is on record even when it fails.

        Raises:
            Cancelled: the run was cancelled before it.
        """
        if self.teller is not None:
            self.teller.begin(name)
        stage = Stage(name)
        self.done.append(stage)
        start = time.perf_counter()
        try:
            yield stage
        finally:
            stage.seconds = round(time.perf_counter() - start, 3)
            stage.memory_mb = _peak_mb()
        if self.teller is not None:
            self.teller.end(name)

    def provider(self, stage: Stage, hook: str, name: str | None = None) -> Any:
        """Return the provider of `hook`, by name or as the host chooses, and note who and why."""
        provider = self.host.provider(hook, name)
        chosen = self.host.explain(hook, name=name)
        self._note(stage, hook, chosen.chosen, chosen.why)
        return provider

    def renderer(self, stage: Stage, name: str | None = None, *, device: str | None = None) -> Any:
        """Return the renderer by name, or the first in the host's order that can draw here; note who and why.

        Whether a driver gives a context is known only by asking it for one. A renderer that says on what it
        draws then, and why, has that in the stage's `why`. One that is to draw on a `device` is not replaced.

        Raises:
            ProviderUnavailable: none can, or not the one that was named, here or in the configuration.
        """
        renderer = self.provider(stage, "renderer", name)
        choice = self.host.config.providers.get("renderer")
        if name is not None or device is not None or (choice and choice.default):
            return renderer
        try:
            _add_device(stage, _try_out(renderer))
            return renderer
        except ProviderUnavailable as error:
            refused = error
        for candidate in self.host.explain("renderer").candidates[1:]:
            try:
                other = self.host.provider("renderer", candidate.info.name)
                told = _try_out(other)
            except (ProviderNotFound, ProviderUnavailable, PluginError):
                continue
            self._note(stage, "renderer", candidate.info.name, f"{stage.provider} can't draw here: {refused}")
            _add_device(stage, told)
            return other
        raise refused

    def writer(self, stage: Stage, label: str) -> Any:
        """Return the importer that writes files of a content label, and note who."""
        writer = self.host.writer(label)
        names = [info.name for info in self.host.providers("importer") if self._writes(info, label)]
        self._note(stage, "importer", names[0] if names else None, f"it writes {label!r}")
        return writer

    @staticmethod
    def _writes(info: ProviderInfo, label: str) -> bool:
        return info.provider is not None and label in info.provider.writes

    def note_importer(self, stage: Stage, path: Path) -> None:
        """Note which importer reads files such as `path`, and by whose word."""
        chosen = self.host.explain("importer", path)
        self._note(stage, "importer", chosen.chosen, chosen.why)
        stage.details["detector"] = self.host.explain("detector").chosen

    def _note(self, stage: Stage, hook: str, name: str | None, why: str) -> None:
        stage.provider, stage.why = name, why
        for info in self.host.providers(hook):
            if info.name == name:
                stage.distribution, stage.version = info.distribution, info.version
                stage.source = _source_digest(info.provider)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the stages as the report has them."""
        return [attrs.asdict(stage) for stage in self.in_order()]

    def in_order(self) -> list[Stage]:
        """Return those that were begun in the order in which one waits for the other, side by side or not."""
        from kinetoscope.shot.steps import NAMES

        place = {name: i for i, name in enumerate(NAMES)}
        return sorted(self.done, key=lambda stage: place.get(stage.name, len(place)))


def _try_out(renderer: Any) -> str:
    """Open a small session and close it; return what it says it draws on."""
    session = renderer.open((8, 8), "draft")
    told = str(getattr(session, "why", ""))
    session.close()
    return told


def _add_device(stage: Stage, told: str) -> None:
    if told:
        stage.why = f"{stage.why}; {told}"
        stage.details["device"] = told


def _peak_mb() -> float:
    """Return the most memory that this process has had, MB; 0 on Windows."""
    try:
        import resource
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes on Linux
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def _source_digest(provider: Provider | None) -> str | None:
    if provider is None:
        return None
    load = provider.load
    return source_digest(load.partition(":")[0] if isinstance(load, str) else load.__module__)


def source_digest(module: str) -> str | None:
    """Return a hash of the Python files of the package (or of the one file) that `module` is in."""
    found = find_spec(module.partition(".")[0])
    if found is None:
        return None
    folders = found.submodule_search_locations or ()
    files = sorted(file for folder in folders for file in Path(folder).rglob("*.py"))
    if not files and found.origin and Path(found.origin).is_file():
        files = [Path(found.origin)]
    if not files:
        return None
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
