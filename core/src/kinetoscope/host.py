"""The host: an ordinary object that finds plugins, chooses among them, and hands out providers."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from kinetoscope._detection import by_signature, check_readable, describe, told
from kinetoscope._getters import Getters
from kinetoscope._registry import Registry
from kinetoscope._rows import Row
from kinetoscope._shooting import Shooting
from kinetoscope.config import Config
from kinetoscope.gate import extensions_of
from kinetoscope.infos import Diagnostic, Explanation, ProviderInfo, Timing
from kinetoscope_spec.errors import (
    FormatError,
    KinetoscopeError,
    PluginError,
    ProviderNotFound,
    ProviderUnavailable,
    nearest,
)

if TYPE_CHECKING:
    from kinetoscope._building import Builder
    from kinetoscope._marking import Marker
    from kinetoscope.sound import WrittenAudio
    from kinetoscope_spec import (
        Asset,
        Audio,
        Detection,
        Hook,
        Signature,
    )

__all__ = ["Host"]

_LABEL = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Host(Getters, Shooting):
    """Finds providers, chooses among them, and builds each once. Many may live in one process.

    Args:
        plugins: modules or objects with hook implementations, used whatever `autoload` says.
        autoload: whether installed plugins are used, by their entry points.
        config: a `Config` taken as it is; a mapping, stronger than files and variables; a file, read
            instead of `kinetoscope.toml`; None, what files and variables say.
        block: names, `hook:name`s or distributions that are left out, before import.
        allow: those that alone are used.
        trace: time what providers do (`timings()`) and tell plugins before and after each call.

    Raises:
        ConfigError: a setting is unknown or wrong.
    """

    def __init__(
        self,
        plugins: Sequence[object] | None = None,
        *,
        autoload: bool = True,
        config: Config | Mapping[str, Any] | str | Path | None = None,
        block: Sequence[str] | None = None,
        allow: Sequence[str] | None = None,
        trace: bool | None = None,
    ) -> None:
        arguments = {"block": block or None, "allow": allow, "trace": trace}
        self.config = _config(config, arguments)
        self._lock = threading.RLock()
        self._registry = Registry(self.config, plugins or (), autoload=autoload and self.config.autoload)
        self._defaults: dict[str, Any] = {}
        self._instances: dict[tuple[str, str], Any] = {}
        self._building: Builder | None = None
        self._closed = False

    @property
    def _builder(self) -> Builder:
        if self._building is None:
            from kinetoscope._building import Builder

            if self.config.trace:
                self._registry.bring_hooks()  # those that listen may be among them
            self._building = Builder(self, self._registry, tracing=self.config.trace)
            self._instances = self._building.instances
        return self._building

    # -- providers

    def provider(self, hook: str, name: str | None = None, *, for_: str | Path | None = None) -> Any:
        """Return the provider of `hook`: by `name`, else the one that the host chooses.

        `for_` is what it is to be able to do: a content label (`bvh`), a file (whose label the
        detector tells), a language, a device. A provider is built once a host; getting it again is
        a dict lookup. Exceptions from its methods carry a note that names plugin and distribution.

        Raises:
            ProviderNotFound: there is no such hook, name or capability.
            ProviderUnavailable: it lacks weights, a key, a driver or a library.
            PluginError: its plugin is broken, or two distributions claim its name.
        """
        if for_ is None:
            held = self._instances.get((hook, name)) if name is not None else self._defaults.get(hook)
            if held is not None:
                return held
        row, explanation = self._choose(hook, name, for_)
        with self._lock:
            self._check_open()
            built = self._builder.get(self._usable(row, explanation, name))
            if for_ is None and name is None:
                self._defaults[hook] = built
            return built

    def writer(self, label: str, *, hook: str = "importer") -> Any:
        """Return the provider of `hook` that writes files of a content label.

        Raises:
            ProviderNotFound: none does; names the labels that can be written.
        """
        row, explanation = self._choose(hook, None, label, writing=True)
        with self._lock:
            return self._builder.get(self._usable(row, explanation, None))

    # -- files

    def detect(self, path: str | Path, *, data: bytes | None = None) -> Detection:
        """Say what a file is: the detector does, or where none can, the importers' signatures.

        Where its bytes are at hand (`data`), they are what is looked at, and the file is not opened.

        Raises:
            FormatError: it can't be read (an `OSError` too).
        """
        return self._detected(Path(path), data)[0]

    def open(self, path: str | Path, **options: Any) -> Asset:
        """Read a file with the importer for what it is, whatever its name; `options` go to `read`.

        The configuration's `gate` says what may come in. What looks wrong (a name that says something
        else, an alarm of the detector's) is refused, or told in the asset's warnings and the log.

        Raises:
            FormatError: it can't be read, the gate refuses it, no importer reads what it is, or it is
                damaged.
        """
        file = Path(path)
        detection, size = self._detected(file)
        doubts = self.admitted(file, detection, size)
        try:
            importer = self.importer(for_=detection.label)
        except ProviderNotFound as error:
            named = f"is named {file.suffix} and " if file.suffix else ""
            raise FormatError(
                f"{named}is {describe(detection)}, which no importer reads; {self._readable()}", path=file
            ) from error
        try:
            return told(importer.read(file, **options), file, doubts)
        except FormatError as error:
            error.add_note(f"detected as {describe(detection)}")
            raise

    def _detected(self, file: Path, data: bytes | None = None) -> tuple[Detection, int]:
        """Return what a file is, and its size in bytes."""
        size = check_readable(file) if data is None else len(data)
        try:
            detector = self.detector()
        except (ProviderNotFound, ProviderUnavailable, PluginError):
            return by_signature(file, self.signatures(), data), size
        detection: Detection = detector.detect(file if data is None else data)
        if detection.error:
            raise FormatError(detection.error, path=file)
        return detection, size

    def admitted(self, file: Path, detection: Detection, size: int) -> tuple[str, ...]:
        """Return what looks wrong about a file of `size` bytes that may come in.

        Raises:
            FormatError: the configuration's gate refuses it.
        """
        gate = self.config.gate
        refused = gate.refusal(detection, size)
        if refused is not None:
            raise FormatError(f"is {describe(detection)} and may not be opened: {refused}", path=file)
        doubts = tuple(gate.doubts(detection, file, self.extensions()))
        if doubts and gate.policy == "strict":
            raise FormatError(
                f"is {describe(detection)} and is not opened, as gate.policy is strict: {'; '.join(doubts)}",
                path=file,
            )
        return doubts

    def _readable(self) -> str:
        held = (f"{row.name} ({', '.join(row.provider.reads)})" for row in self._importers() if row.provider)
        return f"there are: {', '.join(held) or 'none at all'}"

    def signatures(self) -> Sequence[Signature]:
        """Return the signatures that all usable importers bring."""
        return tuple(s for row in self._importers() if row.provider for s in row.provider.signatures)

    def extensions(self, detector: str | None = None) -> Mapping[str, frozenset[str]]:
        """Return the labels that the extension of a name (small letters, no dot) may stand for.

        The detector tells, if it can (`detector.extensions()`); else the importers' signatures do.
        """
        try:
            found = self.detector(detector)
        except (ProviderNotFound, ProviderUnavailable, PluginError):
            return extensions_of(self.signatures())
        told: Mapping[str, frozenset[str]]
        told = found.extensions() if hasattr(found, "extensions") else extensions_of(self.signatures())
        return told

    def _importers(self) -> list[Row]:
        """Return the importers that are loaded and may be used, by name."""
        with self._lock:
            rows = self._registry.gather("importer")
        usable = (row for row in rows if row.provider and not (row.blocked or row.broken))
        return sorted(usable, key=lambda row: (row.name, row.distribution))

    # -- sound

    @property
    def marker(self) -> Marker:
        """What marks all that voices say, and knows what it marked."""
        with self._lock:
            return self._builder.marker

    def write_audio(self, path: str | Path, audio: Audio, **options: Any) -> WrittenAudio:
        """Write what a voice said, with where it came from in the file and in a record beside it.

        The name's suffix tells the format: `.wav`, or what the provider of `media` writes besides.
        `options` go to that provider.

        Raises:
            ValidationError: the sound is not marked, or carries no provenance.
            ConfigError: nothing writes such files.
        """
        from kinetoscope.sound import write_audio

        return write_audio(self, path, audio, **options)

    # -- what there is, and why

    def hooks(self) -> list[str]:
        """Return the names of the hooks that there are, the seven of the specification first."""
        with self._lock:
            return self._registry.hook_names()

    def hook(self, name: str) -> Hook:
        """Return what a hook says of itself: its summary, protocol and contract.

        Raises:
            ProviderNotFound: there is no such hook; names the nearest.
        """
        with self._lock:
            return self._registry.hook(name)

    def providers(self, hook: str | None = None, *, load: bool = True) -> list[ProviderInfo]:
        """Return the providers of `hook` (of all hooks), sorted by name.

        With `load=False` nothing is imported: state and reason are then what entry points and the
        record of earlier processes tell.

        Raises:
            ProviderNotFound: there is no such hook.
        """
        with self._lock:
            if hook is not None:
                rows = self._registry.gather(hook) if load else self._registry.rows().get(hook, [])
                return _infos(rows)
            if load:
                self.load_all(classes=False)
            return _infos([row for rows in self._registry.rows().values() for row in rows])

    def load_all(self, *, classes: bool = True) -> None:
        """Import every plugin, and with `classes` what its providers' `load` names; renew the record."""
        with self._lock:
            self._check_open()
            self._registry.bring_hooks()
            if classes:
                self._registry.load_commands()
            for hook in self._registry.hook_names():
                try:
                    rows = self._registry.gather(hook)
                except ProviderNotFound as error:
                    rows = self._registry.rows()[hook]
                    for row in rows:
                        if not (row.blocked or row.broken):
                            self._registry.break_row(row, PluginError(str(error)))
                for row in rows if classes else ():
                    if row.provider is not None and row.state()[0] == "loaded":
                        self._builder.load_class(row)
                    self._registry.save(row)

    def explain(
        self, hook: str, path_or_label: str | Path | None = None, *, name: str | None = None
    ) -> Explanation:
        """Say which provider would be chosen (or is meant by `name`), and why, and why not the others.

        Raises:
            ProviderNotFound: there is no such hook.
            FormatError: a path was given and can't be read.
        """
        return self._choose(hook, name, path_or_label)[1]

    def diagnostics(self) -> list[Diagnostic]:
        """Return what is not as it should be: blocked, broken and unavailable providers, with reasons."""
        with self._lock:
            self._registry.admit()
            rows = [row for rows in self._registry.rows().values() for row in rows]
            found = [_diagnostic(row) for row in rows if row.state()[0] not in ("available", "loaded")]
            return sorted([*self._registry.notes, *found], key=lambda item: (item.hook, item.plugin))

    def check_pending(self) -> None:
        """Raise if a plugin that is embedded or loaded implements a hook that nobody specified.

        Raises:
            PluginError: names the plugin, the hook and the nearest known one.
        """
        with self._lock:
            broken = [item for item in self.diagnostics() if "nobody specified" in item.reason]
        if broken:
            raise PluginError("; ".join(str(item) for item in broken))

    def timings(self) -> list[Timing]:
        """Return what was timed, the slowest first; empty without `trace`."""
        return self._building.trace.timings() if self._building and self.config.trace else []

    # -- the end

    def close(self) -> None:
        """Close what was built and can be closed, the newest first; closing twice is harmless.

        One that fails keeps none of the others open; what it raised is raised when all are closed.
        """
        with self._lock:
            self._closed = True
            held = list(self._instances.values())
            self._instances.clear()
            self._defaults.clear()
        with ExitStack() as stack:
            for provider in held:
                close = getattr(provider, "close", None)
                if callable(close):
                    stack.callback(close)

    def __enter__(self) -> Host:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Host with {len(self._instances)} providers in use{', closed' if self._closed else ''}>"

    def _check_open(self) -> None:
        if self._closed:
            raise KinetoscopeError("this host is closed; make another one")

    # -- choosing

    def _choose(
        self, hook: str, name: str | None, for_: str | Path | None, *, writing: bool = False
    ) -> tuple[Row | None, Explanation]:
        from kinetoscope._selection import choose

        with self._lock:
            self._check_open()
            rows = list(self._registry.gather(hook))
        wanted, detected = None, None
        if for_ is not None and name is None:
            # Not under the lock: a detector may work in threads of its own that ask this host.
            wanted, detected = self._wanted(rows, for_, writing=writing)
        return choose(
            hook,
            rows,
            name=name,
            choice=self.config.providers.get(hook),
            wanted=wanted,
            writing=writing,
            detected=detected,
        )

    def _wanted(self, rows: Sequence[Row], for_: str | Path, *, writing: bool) -> tuple[str, str | None]:
        """Tell a label from a path; return the label, and what the detector said of the path."""
        from kinetoscope._selection import capabilities

        if isinstance(for_, str):
            words = (capabilities(row.provider, writing=writing) for row in rows if row.provider)
            known = any(for_ in some for some in words)
            if known or writing or (_LABEL.fullmatch(for_) and not Path(for_).exists()):
                return for_, None
        detection = self.detect(for_)
        return detection.label, describe(detection)

    def _usable(self, row: Row | None, explanation: Explanation, name: str | None) -> Row:
        """Return the chosen row, or raise what is wrong with it."""
        if row is None:
            raise ProviderNotFound(self._nothing(explanation, name))
        what = f"{row.hook} {row.name!r} of {row.source}"
        if row.conflict:
            raise PluginError(row.conflict)
        state, reason = row.state()
        if state == "blocked":
            raise ProviderNotFound(
                f"{what} is {reason}" if reason.startswith("blocked") else f"{what}: {reason}"
            )
        if state == "broken":
            raise PluginError(f"{what} is broken: {reason}") from row.error
        if state == "unavailable":
            from kinetoscope.requirements import advice

            todo = "; ".join(advice(text) for text in row.missing())
            raise ProviderUnavailable(f"{what} is unavailable: {reason}; {todo}")
        return row

    def _nothing(self, explanation: Explanation, name: str | None) -> str:
        """Say that there is no provider, what there is instead, and what is broken."""
        hook, candidates = explanation.hook, explanation.candidates
        names = [candidate.info.name for candidate in candidates]
        text = f"{explanation.why if name else f'no {hook}: {explanation.why}'}"
        if name:
            text += nearest(name, names) or (
                f"; there are {', '.join(names)}" if names else "; there is none"
            )
        else:
            text += "".join(f"; {item.info.name}: {item.reason}" for item in candidates)
        return text + "".join(f"; {note}" for note in self._registry.notes if note.state == "broken")


def _config(config: Config | Mapping[str, Any] | str | Path | None, arguments: Mapping[str, Any]) -> Config:
    """Return the settings, with the host's own arguments as the strongest."""
    given = {key: value for key, value in arguments.items() if value is not None}
    if isinstance(config, Config):
        import attrs

        given.update({key: tuple(value) for key, value in given.items() if key in ("block", "allow")})
        return attrs.evolve(config, **given) if given else config
    if isinstance(config, str | Path):
        return Config.load(given, file=config)
    return Config.load({**(config or {}), **given})


def _infos(rows: Sequence[Row]) -> list[ProviderInfo]:
    return sorted((row.info() for row in rows), key=lambda info: (info.hook, info.name, info.distribution))


def _diagnostic(row: Row) -> Diagnostic:
    state, reason = row.state()
    return Diagnostic(row.name, row.hook, row.distribution, row.version, state, reason, row.error)
