"""The host's inner half: rows of providers, plugins loaded hook by hook, one instance of each provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kinetoscope import discovery
from kinetoscope._log import warn
from kinetoscope._rows import EMBEDDED, Row, row_of, settle
from kinetoscope.config import Config
from kinetoscope.discovery import Entry
from kinetoscope.infos import Diagnostic
from kinetoscope.record import Outcome, read_record, renew_record
from kinetoscope_spec.errors import PluginError, ProviderNotFound, nearest

if TYPE_CHECKING:
    from kinetoscope._plugins import Plugin, PluginSet
    from kinetoscope_spec.hooks import Hook

__all__ = ["Registry"]

SPEC_HOOKS = ("importer", "feature", "model", "renderer", "detector", "voice", "inpainter")
NOT_PROVIDERS = ("addhooks", "command")


class Registry:
    """Rows by hook. Not locked: the host is. Nothing is scanned, and nothing imported, before need."""

    def __init__(self, config: Config, embedded: Sequence[object], *, autoload: bool) -> None:
        self.config = config
        self._embedded = tuple(embedded)
        self._autoload = autoload
        self._rows: dict[str, list[Row]] | None = None
        self._gathered: set[str] = set()
        self._set: PluginSet | None = None
        self._brought = False
        self.notes: list[Diagnostic] = []

    # -- what is there, without importing anything

    def rows(self) -> dict[str, list[Row]]:
        """Return the rows of every hook that is known so far."""
        if self._rows is None:
            self._rows = {}
            record = read_record() if self._autoload else {}
            for entry in discovery.entries() if self._autoload else ():
                row = row_of(entry, self.config)
                row.recorded = record.get(row.key)
                self._rows.setdefault(row.hook, []).append(row)
            for rows in self._rows.values():
                settle(rows, self.config)
        return self._rows

    def hook_names(self) -> list[str]:
        """Return the hooks that have a specification or an installed provider, the seven first."""
        self.admit()  # those that embedded plugins bring are among them
        brought = self._set.hooks if self._set else ()
        others = {*self.rows(), *brought} - {*SPEC_HOOKS, *NOT_PROVIDERS}
        return [*SPEC_HOOKS, *sorted(others)]

    # -- plugins

    @property
    def plugins(self) -> PluginSet:
        """The plugins that are loaded; the embedded ones are, from the first use on."""
        if self._set is None:
            from kinetoscope._plugins import PluginSet

            self._set = PluginSet(self._settings_of)
            self._register_embedded()
        return self._set

    def admit(self) -> None:
        """Register the embedded plugins now, so that what is wrong with them is known."""
        if self._embedded:
            self.plugins  # noqa: B018 - the property registers them

    def _settings_of(self, plugin: Plugin) -> Mapping[str, Any]:
        short = plugin.distribution.removeprefix("kinetoscope-")
        names = sorted({row.name for rows in self.rows().values() for row in rows if _is_of(row, plugin)})
        return self.config.settings(plugin.distribution, short, *names, plugin.name)

    def _register_embedded(self) -> None:
        from kinetoscope._plugins import name_of

        # One that brings hooks comes before those that fill them, whatever the order they stand in.
        waiting = list(self._embedded)
        ready = [held for held in waiting if not self.plugins.unknown_hooks(held)]
        for held in [*ready, *(held for held in waiting if not any(held is other for other in ready))]:
            if self.plugins.find(held) is not None:
                continue
            distribution, version = self._origin(held)
            try:
                self._register(held, name_of(held), distribution, version)
            except PluginError as error:
                self._note(name_of(held), "plugin", distribution, version, "broken", str(error), error)

    def _origin(self, held: object) -> tuple[str, str]:
        """Return the distribution that a handed-over object comes from, where an entry point tells."""
        module = getattr(held, "__module__", None) or getattr(held, "__name__", "")
        top = str(module).partition(".")[0]
        for entry in discovery.entries() if top else ():
            if entry.value.partition(":")[0].partition(".")[0] == top:
                return entry.distribution, entry.version
        return EMBEDDED, ""

    def _register(self, held: object, name: str, distribution: str, version: str) -> Plugin:
        if self.plugins.unknown_hooks(held):
            # Only now do we need the plugins that bring hooks, to tell a hook of theirs from a slip.
            self.bring_hooks()
        return self.plugins.find(held) or self.plugins.register(held, name, distribution, version)

    def bring_hooks(self) -> None:
        """Load the plugins of the group `kinetoscope`: light modules that bring hooks, or listen to all."""
        if self._brought:
            return
        self._brought = True
        for row in self.rows().get("addhooks", ()):
            self._load(row)
        self._save(self.rows().get("addhooks", ()))

    def _load(self, row: Row) -> Plugin | None:
        """Import and register the plugin of a row; what fails becomes the row's reason."""
        if row.blocked or row.broken or row.entry is None:
            return None
        entry: Entry = row.entry
        try:
            held = self.plugins.load(entry.name, entry.value, entry.distribution, entry.version)
            plugin = self.plugins.find(held)
            if plugin is None:
                plugin = self._register(held, entry.name, entry.distribution, entry.version)
        except PluginError as error:
            self.break_row(row, error)
            return None
        row.loaded = True
        return plugin

    def break_row(self, row: Row, error: BaseException, reason: str | None = None) -> None:
        """Write down that a provider can't be used; everything else goes on."""
        row.broken = reason or str(error)
        row.error = error
        warn(f"{row.hook} {row.name!r} of {row.source} is broken: {row.broken}")

    def load_commands(self) -> None:
        """Import what the commands of plugins name, to see whether it can be."""
        rows = self.rows().get("command", [])
        for row in rows:
            if row.entry is None or row.blocked or row.broken:
                continue
            try:
                self.plugins.load(row.name, row.entry.value, row.distribution, row.version)
                row.loaded = True
            except PluginError as error:
                self.break_row(row, error)
        self._save(rows)

    def hook(self, name: str) -> Hook:
        """Return what is known of a hook.

        Raises:
            ProviderNotFound: there is no such hook; names the nearest.
        """
        self._check(name)
        return self.plugins.hooks[name]

    # -- providers

    def gather(self, hook: str) -> list[Row]:
        """Import the plugins of `hook`, once, and return its rows.

        Raises:
            ProviderNotFound: there is no such hook; names the nearest.
        """
        if hook not in self._gathered:
            self._check(hook)
            rows = self.rows().setdefault(hook, [])
            self._gather_entries(hook, rows)
            self._gather_embedded(hook, rows)
            if rows:
                settle(rows, self.config)
            self._save(rows)
            self._gathered.add(hook)
        return self.rows()[hook]

    def _check(self, hook: str) -> None:
        if hook in self.plugins.hooks:
            return
        self.bring_hooks()
        if hook not in self.plugins.hooks:
            known = list(self.plugins.hooks)
            hint = nearest(hook, known) or f"; known are {', '.join(known)}"
            broken = [str(note) for note in self.notes]
            bringing = self.rows().get("addhooks", ())
            broken += [_broken(row) for row in bringing if row.broken]
            broken += [
                f"{row.name!r} of {row.source}, which brings hooks, is {row.blocked}"
                for row in bringing
                if row.blocked
            ]
            raise ProviderNotFound("; ".join([f"there is no hook {hook!r}{hint}", *broken]))

    def _gather_entries(self, hook: str, rows: list[Row]) -> None:
        loaded = [(row, plugin) for row in rows if (plugin := self._load(row)) is not None]
        offers: dict[int, Any] = {}
        for row, plugin in loaded:
            if id(plugin) not in offers:
                offers[id(plugin)] = self._offers(plugin, hook)
                self._note_unnamed(plugin, hook, offers[id(plugin)], rows)
            held = offers[id(plugin)]
            if isinstance(held, PluginError):
                self.break_row(row, held)
            elif row.name in held:
                row.provider = held[row.name]
            else:
                offered = ", ".join(repr(name) for name in held) or "none"
                text = f"its entry point is named {row.name!r}, but the {hook}s it offers are: {offered}"
                self.break_row(row, PluginError(text))

    def _offers(self, plugin: Plugin, hook: str) -> dict[str, Any] | PluginError:
        try:
            return {provider.name: provider for provider in self.plugins.offers(plugin, hook)}
        except PluginError as error:
            return error

    def _note_unnamed(self, plugin: Plugin, hook: str, offers: Any, rows: list[Row]) -> None:
        if isinstance(offers, PluginError) or self._is_embedded(plugin):
            return
        for name in sorted(set(offers) - {row.name for row in rows if _is_of(row, plugin)}):
            text = f"it is offered, but left out: no entry point in kinetoscope.{hook} has its name"
            self._note(name, hook, plugin.distribution, plugin.version, "blocked", text)

    def _is_embedded(self, plugin: Plugin) -> bool:
        return any(plugin.held is held for held in self._embedded)

    def _gather_embedded(self, hook: str, rows: list[Row]) -> None:
        for plugin in self.plugins.plugins:
            if not self._is_embedded(plugin):
                continue
            held = self._offers(plugin, hook)
            if isinstance(held, PluginError):
                text = f"{held} (plugin {plugin.name})"
                self._note(plugin.name, hook, plugin.distribution, plugin.version, "broken", text, held)
                continue
            taken = {row.name for row in rows if _is_of(row, plugin) and row.provider is not None}
            for name in sorted(held.keys() - taken):
                row = self._row_for(plugin, hook, name, rows)
                row.provider, row.loaded = held[name], True

    def _row_for(self, plugin: Plugin, hook: str, name: str, rows: list[Row]) -> Row:
        for row in rows:
            if row.name == name and _is_of(row, plugin):
                return row
        row = row_of(Entry(f"kinetoscope.{hook}", name, "", plugin.distribution, plugin.version), self.config)
        row.entry = None
        rows.append(row)
        return row

    # -- what went wrong

    def _note(
        self,
        plugin: str,
        hook: str,
        distribution: str,
        version: str,
        state: str,
        reason: str,
        error: BaseException | None = None,
    ) -> None:
        note = Diagnostic(plugin, hook, distribution, version, state, reason, error)
        self.notes.append(note)
        warn(str(note))

    def save(self, row: Row) -> None:
        """Renew the record of one row."""
        self._save([row])

    def _save(self, rows: Sequence[Row]) -> None:
        """Keep what became of `rows` for lists of later processes."""
        outcomes = {}
        for row in rows:
            if row.entry is not None and not row.blocked and (row.loaded or row.error is not None):
                requires = row.provider.requires if row.provider else ()
                outcomes[row.key] = Outcome(row.broken, requires)
        if outcomes:
            renew_record(outcomes)


def _is_of(row: Row, plugin: Plugin) -> bool:
    return row.distribution == plugin.distribution and row.version == plugin.version


def _broken(row: Row) -> str:
    return f"{row.name!r} of {row.source} is broken: {row.broken}"
