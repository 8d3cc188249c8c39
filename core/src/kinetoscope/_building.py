"""Building providers: each once a host, with what it asked for, behind a stand-in that names it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kinetoscope._cueing import Cueing
from kinetoscope._marking import Marker, Marks
from kinetoscope._proxy import annotate, stand_in
from kinetoscope._rows import Row
from kinetoscope._services import HostServices
from kinetoscope._trace import Trace
from kinetoscope_spec.errors import KinetoscopeError, PluginError, ProviderNotFound, ProviderUnavailable

if TYPE_CHECKING:
    from kinetoscope._registry import Registry
    from kinetoscope.host import Host

__all__ = ["Builder"]


class Builder:
    """The providers of one host that are built. Not locked for building: the host is."""

    def __init__(self, host: Host, registry: Registry, *, tracing: bool) -> None:
        self.instances: dict[tuple[str, str], Any] = {}
        self._host = host
        self._registry = registry
        self._tracing = tracing
        self.trace = Trace(registry.plugins.tell)
        self.marker = Marker(partial(_watermarker, host))
        self._cueing = Cueing(partial(_aligner, host))
        self._building: list[tuple[str, str]] = []

    def get(self, row: Row) -> Any:
        """Return the one instance of a row's provider.

        Raises:
            PluginError: it can't be imported or built, or needs itself.
        """
        key = (row.hook, row.name)
        held = self.instances.get(key)
        if held is not None:
            return held
        if key in self._building:
            chain = " needs ".join(f"{hook} {name!r}" for hook, name in [*self._building, key])
            raise PluginError(f"providers need each other in a circle: {chain}")
        self._building.append(key)
        try:
            self.instances[key] = self._new(row)
        finally:
            self._building.pop()
        return self.instances[key]

    def _new(self, row: Row) -> Any:
        assert row.provider is not None
        what = f"{row.hook} {row.name!r} of {row.source}"
        load = self.load_class(row)
        if load is None:
            raise PluginError(f"{what} is broken: {row.broken}") from row.error
        services = (HostServices(self._host, row.provider),) if row.provider.needs else ()
        try:
            with self._timed(row, "build"):
                target = load(*services)
        except Exception as error:
            annotate(error, f"in {what}")
            if isinstance(error, KinetoscopeError):
                raise
            raise PluginError(f"{what} could not be built: {type(error).__name__}: {error}") from error
        observe = self.trace.observer(row.hook, row.name) if self._observed() else None
        # Nothing that a voice says leaves the host unmarked, and no setting changes that.
        note = f"in {what}"
        marks = Marks(row.name, note, self.marker, self._cueing) if row.hook == "voice" else None
        return stand_in(target, note, observe, marks)

    def load_class(self, row: Row) -> Callable[..., Any] | None:
        """Import what `load` names; None for what can't be, whose row is then broken, on record too."""
        assert row.provider is not None
        load = row.provider.load
        if not isinstance(load, str):
            return load
        module, _, name = load.partition(":")
        try:
            with self._timed(row, "import"):
                held: Callable[..., Any] = getattr(import_module(module), name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it becomes the reason of its row
            text = " ".join(str(error).split())
            self._registry.break_row(row, error, f"import of {load!r} failed: {type(error).__name__}: {text}")
            self._registry.save(row)
            return None
        return held

    def _timed(self, row: Row, operation: str) -> Any:
        return self.trace.span(row.hook, row.name, operation) if self._observed() else nullcontext()

    def _observed(self) -> bool:
        """Whether calls are timed, or a plugin that is loaded wants to be told of them."""
        return self._tracing or self._registry.plugins.listens("before_use", "after_use")


def _watermarker(host: Host) -> tuple[str, Any]:
    """Return the name of what marks all that voices say, and itself.

    Raises:
        ProviderUnavailable: there is none that can be used; without one no voice speaks.
    """
    try:
        held = host.provider("watermarker")
        return host.explain("watermarker").chosen or "", held
    except (ProviderNotFound, ProviderUnavailable, PluginError) as error:
        raise ProviderUnavailable(
            "a voice speaks only where what it says is marked, and there is nothing to mark it: "
            f"{error}; pip install kinetoscope-perth"
        ) from error


def _aligner(host: Host) -> Any:
    """Return what finds the words of a voice that does not tell them; None where there is nothing."""
    try:
        return host.provider("aligner")
    except KinetoscopeError:
        return None
