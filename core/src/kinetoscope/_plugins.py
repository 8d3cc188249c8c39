"""Importing plugins and registering them with pluggy, one failure at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import attrs
import pluggy

from kinetoscope._log import log_failure
from kinetoscope_spec import hooks as spec_hooks
from kinetoscope_spec.errors import PluginError, nearest
from kinetoscope_spec.hooks import HOOKS, PROJECT, Hook
from kinetoscope_spec.provider import Provider

__all__ = ["Plugin", "PluginSet"]

_TOLD = ("addhooks", "configured", "before_use", "after_use")


@attrs.define(eq=False)
class Plugin:
    """A plugin that was imported and registered, and what it came with."""

    held: object
    name: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.name!r} of {self.distribution} {self.version}"


class PluginSet:
    """The plugins of one host. Not locked: the host is."""

    def __init__(self, settings_of: Callable[[Plugin], Mapping[str, Any]]) -> None:
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(spec_hooks)
        self.hooks: dict[str, Hook] = dict(HOOKS)
        self.owners: dict[str, Plugin] = {}
        self.plugins: list[Plugin] = []
        self._settings_of = settings_of

    def load(self, name: str, value: str, distribution: str, version: str) -> object:
        """Import what the value of an entry point, `module` or `module:object`, names.

        Raises:
            PluginError: whatever went wrong, `SystemExit` included.
        """
        module, _, path = value.partition(":")
        try:
            held: object = import_module(module)
            for attribute in path.split(".") if path else ():
                held = getattr(held, attribute)
        except (Exception, SystemExit) as error:
            raise PluginError(f"import of {value!r} failed: {_one_line(error)}") from error
        return held

    def find(self, held: object) -> Plugin | None:
        """Return the plugin that `held` is registered as, if it is."""
        return next((plugin for plugin in self.plugins if plugin.held is held), None)

    def unknown_hooks(self, held: object) -> list[str]:
        """Return the names of hooks that `held` implements and nobody specified."""
        return [name for name in self.implemented(held) if self._spec_of(name) is None]

    def _spec_of(self, name: str) -> object | None:
        caller = getattr(self.manager.hook, name, None)
        return None if caller is None else caller.spec

    def implemented(self, held: object) -> list[str]:
        """Return the names of the hooks that `held` implements, optional ones left out."""
        found = []
        for attribute in dir(held):
            options = self.manager.parse_hookimpl_opts(held, attribute)
            if options is not None and not options.get("optionalhook"):
                found.append(options.get("specname") or attribute)
        return found

    def register(self, held: object, name: str, distribution: str, version: str) -> Plugin:
        """Register `held`, tell it its settings, and add the hooks that it brings.

        Raises:
            PluginError: it misspells a hook, or a hook's arguments; nothing of it stays registered.
        """
        plugin = Plugin(held, name, distribution, version)
        try:
            self.manager.register(held, name=f"{distribution}:{name}:{id(held):x}")
            self.plugins.append(plugin)
            # Its own hooks first: a plugin may specify a hook and fill it in the same module.
            self._add_hooks(plugin)
            self._refuse_unknown(held)
            self.manager.check_pending()
            self._configure(plugin)
        except PluginError:
            self.unregister(plugin)
            raise
        except Exception as error:
            self.unregister(plugin)
            raise PluginError(f"could not be registered: {_one_line(error)}") from error
        return plugin

    def _refuse_unknown(self, held: object) -> None:
        for hook in self.hooks:
            if isinstance(getattr(held, hook, None), ModuleType) and hook not in self.implemented(held):
                raise PluginError(
                    f"has a submodule {hook!r} where the hook's function was: name the module otherwise, "
                    f'or write @hookimpl(specname="{hook}") over a function of another name'
                )
        unknown = self.unknown_hooks(held)
        if unknown:
            known = sorted({*self.hooks, *_TOLD})
            slips = ", ".join(f"{word!r}{nearest(word, known)}" for word in unknown)
            raise PluginError(f"implements a hook that nobody specified: {slips}")

    def unregister(self, plugin: Plugin) -> None:
        """Take a plugin out as if it had never been there (hooks that it specified stay known)."""
        if self.manager.is_registered(plugin.held):
            self.manager.unregister(plugin.held)
        self.plugins = [other for other in self.plugins if other is not plugin]

    def _add_hooks(self, plugin: Plugin) -> None:
        if "addhooks" not in self.implemented(plugin.held):
            return
        for modules in self.call(plugin, "addhooks"):
            for module in modules:
                self._add_hooks_of(module, plugin)

    def _add_hooks_of(self, module: Any, plugin: Plugin) -> None:
        new = tuple(module.HOOKS.values() if isinstance(module.HOOKS, Mapping) else module.HOOKS)
        for hook in new:
            owner = self.owners.get(hook.name)
            if (
                hook.name in HOOKS
                or hook.name in _TOLD
                or (owner and owner.distribution != plugin.distribution)
            ):
                raise PluginError(f"brings the hook {hook.name!r}, which {owner or 'the specification'} has")
        fresh = [hook for hook in new if hook.name not in self.hooks]
        if fresh:
            self.manager.add_hookspecs(module)
        for hook in fresh:
            if self._spec_of(hook.name) is None:
                raise PluginError(f"lists the hook {hook.name!r} but has no @hookspec function of that name")
            self.hooks[hook.name] = hook
            self.owners[hook.name] = plugin

    def _configure(self, plugin: Plugin) -> None:
        if "configured" in self.implemented(plugin.held):
            self.call(plugin, "configured", settings=self._settings_of(plugin))

    def call(self, plugin: Plugin, hook: str, /, **arguments: Any) -> list[Any]:
        """Call a hook of one plugin, through the wrappers that others put around it."""
        caller = getattr(self.manager.hook, hook)
        others = {
            impl.plugin
            for impl in caller.get_hookimpls()
            if impl.plugin is not plugin.held and not (impl.wrapper or impl.hookwrapper)
        }
        result: list[Any] = self.manager.subset_hook_caller(hook, others)(**arguments)
        return result

    def tell(self, hook: str, /, **arguments: Any) -> None:
        """Call a hook of every plugin; one that raises is logged and the rest are told."""
        for plugin in tuple(self.plugins):
            if not any(
                impl.plugin is plugin.held for impl in getattr(self.manager.hook, hook).get_hookimpls()
            ):
                continue
            try:
                self.call(plugin, hook, **arguments)
            except Exception:  # noqa: BLE001 - a listener must not break what it listens to
                log_failure(f"plugin {plugin} failed in the hook {hook}")

    def listens(self, *hooks: str) -> bool:
        """Whether any plugin implements one of `hooks`."""
        return any(getattr(self.manager.hook, hook).get_hookimpls() for hook in hooks)

    def offers(self, plugin: Plugin, hook: str) -> list[Provider]:
        """Return the providers that a plugin has for `hook`.

        Raises:
            PluginError: the hook raised, or returned something else than providers.
        """
        if hook not in self.implemented(plugin.held):
            return []
        try:
            results = self.call(plugin, hook)
        except (Exception, SystemExit) as error:
            raise PluginError(f"its hook {hook!r} raised {_one_line(error)}") from error
        return [provider for result in results for provider in _providers(hook, result)]


def _providers(hook: str, result: object) -> Iterable[Provider]:
    if isinstance(result, Provider):
        result = [result]
    if not isinstance(result, Sequence) or not all(isinstance(item, Provider) for item in result):
        raise PluginError(f"its hook {hook!r} returned {result!r:.200}, expected a sequence of Provider")
    names = [provider.name for provider in result]
    if len(set(names)) < len(names):
        raise PluginError(f"its hook {hook!r} returned one name twice: {sorted(names)}")
    return list(result)


def name_of(held: object) -> str:
    """Return what to call a plugin that was handed over as an object."""
    return held.__name__ if isinstance(held, ModuleType | type) else type(held).__name__


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
