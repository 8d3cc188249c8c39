"""A host against a model that is nothing but dictionaries, through any history of what it is asked."""

from __future__ import annotations

import types

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kinetoscope import Config, Host
from kinetoscope_spec import KinetoscopeError, PluginError, Provider, ProviderNotFound, hookimpl

HOOKS = ("importer", "voice")
NAMES = ("a", "b", "c", "d")
LABELS = ("x", "y")


class Thing:
    def __init__(self, mark):
        self.mark = mark


def implementation(held, fate):
    @hookimpl
    def offer():
        if fate == "raises":
            raise RuntimeError("the hook raised")
        return held

    return offer


def module_of(number, hooks, fate):
    """Make a plugin with providers `(hook, name, label, order)`; `fate` says what is wrong with it."""
    module = types.ModuleType(f"plugin{number}")
    for hook in {hook for hook, *_ in hooks}:
        held = [
            Provider(name, "test", load=lambda m=(number, kind, name): Thing(m), reads=(label,), order=order)
            for kind, name, label, order in hooks
            if kind == hook
        ]
        setattr(module, hook, implementation(held, fate))
    if fate == "misspelt":
        module.importr = implementation([], fate)
    return module


OFFER = st.tuples(
    st.sampled_from(HOOKS), st.sampled_from(NAMES), st.sampled_from(LABELS), st.sampled_from((-1, 0, 1))
)
PLUGIN = st.tuples(
    st.lists(OFFER, min_size=1, max_size=3, unique_by=lambda offer: offer[:2]),
    st.sampled_from(("fine", "fine", "fine", "raises", "misspelt")),
)


class HostMachine(RuleBasedStateMachine):
    """Every provider has a name of its own here; who shares one stands in `test_shadowing.py`."""

    @initialize(
        plugins=st.lists(PLUGIN, max_size=4),
        order=st.randoms(use_true_random=False),
        block=st.lists(st.sampled_from(NAMES), max_size=2),
        allow=st.none() | st.lists(st.sampled_from(NAMES)),
        default=st.none() | st.sampled_from(NAMES),
    )
    def start(self, plugins, order, block, allow, default):
        taken = set()
        modules = []
        self.model = {hook: {} for hook in HOOKS}
        for number, (offers, fate) in enumerate(plugins):
            own = [offer for offer in offers if offer[:2] not in taken]
            taken.update(offer[:2] for offer in own)
            modules.append(module_of(number, own, fate))
            for hook, name, label, rank in own if fate == "fine" else ():
                used = name not in block and (allow is None or name in allow)
                self.model[hook][name] = ((number, hook, name), label, rank, used)
        order.shuffle(modules)
        choice = {"providers": {"importer": default}} if default else {}
        self.default = {"importer": default, "voice": None}
        config = Config.load({"block": block, "allow": allow, **choice}, folder="/", environ={})
        self.host = Host(plugins=modules, autoload=False, config=config)
        self.seen = {}
        self.closed = False

    def expected(self, hook, label):
        usable = {n: held for n, held in self.model[hook].items() if held[3] and label in (None, held[1])}
        default = self.default[hook]
        if default in usable:
            return usable[default][0]
        if default is not None and label is None:
            return None
        return min(((-held[2], name, held[0]) for name, held in usable.items()), default=(0, "", None))[2]

    def check(self, thing, mark):
        assert thing.mark == mark
        assert self.seen.setdefault(mark, thing) is thing

    @rule(hook=st.sampled_from(HOOKS), name=st.sampled_from(NAMES))
    def by_name(self, hook, name):
        held = self.model[hook].get(name)
        try:
            thing = self.host.provider(hook, name)
        except ProviderNotFound:
            assert not self.closed
            assert held is None or not held[3]
        except KinetoscopeError:
            assert self.closed
        else:
            assert held[3]
            self.check(thing, held[0])

    @rule(hook=st.sampled_from(HOOKS), label=st.none() | st.sampled_from(LABELS))
    def by_capability(self, hook, label):
        mark = self.expected(hook, label)
        try:
            thing = self.host.provider(hook, for_=label)
        except ProviderNotFound:
            assert not self.closed
            assert mark is None
        except KinetoscopeError:
            assert self.closed
        else:
            self.check(thing, mark)

    @rule(hook=st.sampled_from(HOOKS), label=st.none() | st.sampled_from(LABELS))
    def explained(self, hook, label):
        if self.closed:
            return
        mark = self.expected(hook, label)
        why = self.host.explain(hook, label)
        if mark is not None:
            assert why.chosen == mark[2]
        else:
            usable = [name for name, held in self.model[hook].items() if held[3]]
            assert why.chosen is None or why.chosen not in usable

    @rule(hook=st.sampled_from(HOOKS))
    def listed(self, hook):
        states = {info.name: info.state for info in self.host.providers(hook)}
        expected = {name: "loaded" if held[3] else "blocked" for name, held in self.model[hook].items()}
        assert states == expected

    @rule()
    def close(self):
        self.host.close()
        self.closed = True
        self.seen.clear()

    @invariant()
    def a_slip_is_always_told(self):
        if not hasattr(self, "host") or self.closed:
            return
        slips = [module for module in self.host._registry._embedded if hasattr(module, "importr")]
        try:
            self.host.providers("importer")
            self.host.check_pending()
        except PluginError:
            assert slips
        else:
            assert not slips


TestHost = HostMachine.TestCase
TestHost.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
