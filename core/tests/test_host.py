from __future__ import annotations

import pickle
import re
import threading
import types

import pytest

from kinetoscope import Config, Host
from kinetoscope_spec import (
    Importer,
    KinetoscopeError,
    PluginError,
    Provider,
    ProviderNotFound,
    ProviderUnavailable,
    hookimpl,
)


class Reader:
    """Reads nothing at all."""

    built = 0

    def __init__(self):
        type(self).built += 1
        self.closed = False
        self.calls = 0

    def read(self, path, **options):
        """Read."""
        self.calls += 1
        return path, options

    def close(self):
        self.closed = True


class Plugin:
    def __init__(self, *providers, hook="importer"):
        self._providers = providers

    @hookimpl
    def importer(self):
        return self._providers


def host_of(*providers, **options):
    return Host(plugins=[Plugin(*providers)], autoload=False, config=Config(), **options)


def test_an_embedded_plugin_needs_no_installation():
    with host_of(Provider("mine", "test", load=Reader)) as host:
        reader = host.importer("mine")
        assert isinstance(reader, Importer)
        assert isinstance(reader, Reader)
        assert reader.read("a", unit=2) == ("a", {"unit": 2})
        [info] = host.providers("importer")
        assert (info.name, info.distribution, info.state) == ("mine", "embedded", "loaded")


def test_a_module_is_a_plugin_too():
    module = types.ModuleType("a_plugin")

    @hookimpl
    def importer():
        return [Provider("mod", "test", load=Reader)]

    module.importer = importer
    assert Host(plugins=[module], autoload=False).importer("mod").read(1) == (1, {})


def test_autoload_false_uses_nothing_installed(shelf):
    shelf.provide("acme-anim", "importer", "acme")
    with Host(autoload=False) as host:
        assert host.providers() == []
        with pytest.raises(ProviderNotFound, match="'acme'"):
            host.importer("acme")
    assert shelf.imported() == []


def test_a_provider_is_built_once_a_host_and_not_before_it_is_asked_for():
    Reader.built = 0
    host, other = (host_of(Provider("mine", "test", load=Reader)) for _ in range(2))
    host.providers("importer")
    assert Reader.built == 0
    assert host.importer("mine") is host.importer("mine") is host.importer()
    assert Reader.built == 1
    assert other.importer("mine") is not host.importer("mine")
    assert Reader.built == 2


def test_a_hook_is_called_once_a_host_however_often_it_is_asked_for():
    class Counting:
        asked = 0

        @hookimpl
        def importer(self):
            self.asked += 1
            return [Provider("mine", "test", load=Reader, reads=("x",))]

    plugin = Counting()
    host = Host(plugins=[plugin], autoload=False)
    for _ in range(3):
        host.importer("mine")
        host.importer(for_="x")
        host.explain("importer")
        host.providers()
    assert plugin.asked == 1


def test_plugins_are_imported_only_when_a_provider_of_their_hook_is_asked_for(shelf):
    importer = shelf.provide("acme-anim", "importer", "acme")
    voice = shelf.provide("acme-voice", "voice", "acme")
    with Host(allow=["acme-anim", "acme-voice"]) as host:
        voices = host.providers("voice", load=False)
        assert {info.name for info in voices if info.state != "blocked"} == {"acme"}
        assert [item for item in host.diagnostics() if item.distribution.startswith("acme")] == []
        assert shelf.imported() == []
        host.importer("acme")
        assert shelf.imported() == [importer]
        host.voice("acme")
        assert shelf.imported() == [importer, voice]


def test_blocked_and_not_allowed_plugins_are_not_imported(shelf):
    shelf.provide("acme-anim", "importer", "acme")
    for options, word in (
        ({"block": ["acme"]}, "blocked"),
        ({"block": ["acme-anim"]}, "blocked"),
        ({"block": ["importer:acme"]}, "blocked"),
        ({"allow": ["bvh"]}, "allowed"),
        ({"allow": []}, "allowed"),
    ):
        with Host(**options) as host:
            [info] = [info for info in host.providers() if info.distribution == "acme-anim"]
            assert info.state == "blocked"
            assert word in info.reason
            with pytest.raises(ProviderNotFound, match=word):
                host.importer("acme")
    assert shelf.imported() == []
    with Host(block=["voice:acme"]) as host:
        assert host.importer("acme").work(1) == 2


def test_blocking_reaches_embedded_plugins():
    host = host_of(Provider("mine", "test", load=Reader), block=["mine"])
    with pytest.raises(ProviderNotFound, match="blocked"):
        host.importer("mine")


def test_hooks_that_plugins_bring_work_as_the_seven_do(shelf):
    shelf.add(
        "acme-hooks",
        {"kinetoscope": {"acme": "acme_hooks"}, "kinetoscope.juggler": {"three": "acme_three"}},
        {
            "acme_hooks": """
                import sys
                from kinetoscope_spec import Hook, hookimpl, hookspec
                HOOKS = (Hook("juggler", "juggling", "acme_hooks:Juggler"),)
                @hookspec
                def juggler(): "Jugglers."
                @hookimpl
                def addhooks(): return [sys.modules[__name__]]
            """,
            "acme_three": """
                from kinetoscope_spec import Provider, hookimpl
                class Three:
                    def juggle(self): return 3
                @hookimpl
                def juggler(): return [Provider("three", "balls", load="acme_three:Three")]
            """,
        },
    )
    with Host() as host:
        assert "juggler" in host.hooks()
        assert host.provider("juggler", "three").juggle() == 3
        assert host.provider("juggler").juggle() == 3
        assert host.explain("juggler").chosen == "three"
        [info] = host.providers("juggler")
        assert (info.hook, info.state) == ("juggler", "loaded")
    with Host() as host, pytest.raises(ProviderNotFound, match="did you mean 'juggler'"):
        host.provider("jugler")


def test_one_module_may_bring_a_hook_and_fill_it(shelf):
    text = """
        import sys
        from kinetoscope_spec import Hook, Provider, hookimpl, hookspec
        HOOKS = (Hook("juggler", "juggling", "acme_both:Juggler"),)
        @hookspec
        def juggler(): "Jugglers."
        class Three:
            def juggle(self): return 3
        this = sys.modules[__name__]
        class Fill:
            @hookimpl
            def addhooks(self): return [this]
            @hookimpl
            def juggler(self): return [Provider("three", "balls", load=Three)]
        fill = Fill()
    """
    entries = {"kinetoscope": {"both": "acme_both:fill"}, "kinetoscope.juggler": {"three": "acme_both:fill"}}
    shelf.add("acme-both", entries, {"acme_both": text})
    assert Host().provider("juggler", "three").juggle() == 3
    held = __import__("acme_both").fill
    assert Host(plugins=[held], autoload=False).provider("juggler").juggle() == 3
    assert Host(plugins=[held]).diagnostics() == []


def test_embedded_plugins_may_bring_hooks_in_any_order():
    spec = types.ModuleType("juggling_hooks")
    exec(
        "from kinetoscope_spec import Hook, hookimpl, hookspec\n"
        "import sys\n"
        "HOOKS = (Hook('juggler', 'juggling', 'x:Y'),)\n"
        "@hookspec\ndef juggler(): pass\n"
        "@hookimpl\ndef addhooks(): return [THIS]\n",
        spec.__dict__,
    )
    spec.THIS = spec

    class Juggling:
        @hookimpl
        def juggler(self):
            return [Provider("two", "test", load=Reader)]

    for plugins in ([spec, Juggling()], [Juggling(), spec]):
        host = Host(plugins=plugins, autoload=False)
        assert host.provider("juggler", "two").read(1) == (1, {})
        assert host.diagnostics() == []


def test_what_a_provider_needs_it_gets_and_nothing_more():
    class Needy:
        def __init__(self, services):
            self.services = services

        def read(self, path):
            return self.services.provider("importer", "plain").read(path)

    host = host_of(
        Provider("plain", "test", load=Reader, reads=("plain",)),
        Provider("needy", "test", load=Needy, needs=("importer",)),
    )
    needy = host.importer("needy")
    assert needy.read("x") == ("x", {})
    with pytest.raises(PluginError, match=r"declared needs=\(importer\)"):
        needy.services.provider("voice")
    with pytest.raises(PluginError, match="'signatures'"):
        needy.services.signatures()


def test_providers_that_need_each_other_are_named():
    class One:
        def __init__(self, services):
            services.provider("importer", "two")

    class Two:
        def __init__(self, services):
            services.provider("importer", "one")

    host = host_of(
        Provider("one", "test", load=One, needs=("importer",)),
        Provider("two", "test", load=Two, needs=("importer",)),
    )
    with pytest.raises(PluginError, match="importer 'one' needs importer 'two' needs importer 'one'"):
        host.importer("one")


@pytest.mark.parametrize(
    "need",
    [
        "module:no_such_module_anywhere",
        "module:os.no_such",
        "env:NO_SUCH_KEY_AT_ALL",
        "library:libnothing.so.9",
        "library:libnothing.so.9 | module:no_such_module_anywhere",
        "weights:nothing.safetensors",
        "unheard:of",
    ],
)
def test_what_is_missing_is_named_with_what_to_do(shelf, need):
    host = host_of(Provider("mine", "test", load=Reader, requires=("module:json", need)))
    [info] = host.providers("importer")
    assert info.state == "unavailable"
    assert info.reason == f"missing {need}"
    with pytest.raises(ProviderUnavailable, match=re.escape(need.partition(":")[2].partition(" | ")[0])):
        host.importer("mine")
    with pytest.raises(ProviderNotFound, match="unavailable"):
        host.importer()


def test_requirements_are_met_by_what_is_there(shelf, tmp_path, monkeypatch):
    monkeypatch.setenv("A_KEY_FOR_A_TEST", "secret")
    weights = tmp_path / "home" / "weights"
    weights.mkdir(parents=True)
    (weights / "net.safetensors").touch()
    needs = (
        "module:xml.etree.ElementTree",
        "module:sys",
        "env:A_KEY_FOR_A_TEST",
        "weights:net.safetensors",
        "library:libc.so.6",
        "library:libnothing.so.9 | module:json",
        "module:json | library:libnothing.so.9",
    )
    assert host_of(Provider("mine", "test", load=Reader, requires=needs)).importer("mine").read(1)


def test_a_module_is_looked_for_without_importing_it(shelf):
    (shelf.folder / "looked_for").mkdir()
    (shelf.folder / "looked_for" / "__init__.py").write_text("raise SystemExit('imported')")
    (shelf.folder / "looked_for" / "inner.py").write_text("")
    host = host_of(Provider("mine", "test", load=Reader, requires=("module:looked_for.inner",)))
    assert host.importer("mine").read(1)


def test_two_hosts_in_threads_keep_to_themselves(shelf):
    shelf.provide("acme-anim", "importer", "acme")
    Reader.built = 0
    hosts = [
        Host(plugins=[Plugin(Provider("mine", "test", load=Reader))], allow=["acme", "mine"])
        for _ in range(4)
    ]
    found: dict[int, set[int]] = {number: set() for number in range(len(hosts))}
    barrier = threading.Barrier(16)
    errors = []

    def work(number):
        try:
            barrier.wait()
            for _ in range(50):
                found[number].add(id(hosts[number].importer("mine")))
                assert hosts[number].importer("acme").work(1) == 2
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number % 4,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [len(ids) for ids in found.values()] == [1, 1, 1, 1]
    assert Reader.built == 4


def test_closing_closes_what_was_built_and_can_be_done_twice():
    host = host_of(Provider("mine", "test", load=Reader))
    with host:
        reader = host.importer("mine")
        assert not reader.closed
    assert reader.closed
    host.close()
    with pytest.raises(KinetoscopeError, match="closed"):
        host.importer("mine")


def test_notes_name_plugin_distribution_and_version(shelf):
    shelf.provide("acme-anim", "importer", "acme", version="7.1")
    with Host() as host, pytest.raises(ValueError, match="no good") as caught:
        host.importer("acme").fail()
    assert caught.value.__notes__ == ["in importer 'acme' of acme-anim 7.1"]


def test_a_module_handed_over_is_known_by_the_distribution_it_came_in(shelf):
    name = shelf.provide("acme-anim", "importer", "acme", version="7.1")
    module = __import__(name)
    with Host(plugins=[module], autoload=False) as host, pytest.raises(ValueError, match="no good") as caught:
        host.importer("acme").fail()
    assert "acme-anim 7.1" in caught.value.__notes__[0]
    with Host(plugins=[module]) as host:
        assert [info.distribution for info in host.providers("importer") if info.name == "acme"] == [
            "acme-anim"
        ]


def test_settings_of_a_plugin_reach_it_and_no_other():
    class Listening:
        told = None

        @hookimpl
        def configured(self, settings):
            self.told = dict(settings)

    plugin = Listening()
    host = Host(
        plugins=[plugin], autoload=False, config={"plugins": {"Listening": {"unit": 2}, "other": {"x": 1}}}
    )
    host.providers("importer")
    assert plugin.told == {"unit": 2}


def test_calls_are_timed_and_told_on_request_only():
    host = host_of(Provider("mine", "test", load=Reader))
    host.importer("mine").read(1)
    assert host.timings() == []

    host = host_of(Provider("mine", "test", load=Reader), trace=True)
    for _ in range(3):
        host.importer("mine").read(1)
    timings = {timing.operation: timing for timing in host.timings()}
    assert timings["read"].calls == 3
    assert timings["read"].seconds >= 0
    assert timings["build"].calls == 1


def test_a_plugin_that_listens_is_told_of_every_use_and_cannot_break_it():
    class Listener:
        def __init__(self):
            self.heard = []

        @hookimpl
        def before_use(self, hook, provider, operation):
            self.heard.append(("before", hook, provider, operation))
            raise RuntimeError("a listener that fails")

        @hookimpl
        def after_use(self, operation, error):
            self.heard.append(("after", operation, error))

    listener = Listener()
    host = Host(plugins=[Plugin(Provider("mine", "test", load=Reader)), listener], autoload=False)
    assert host.importer("mine").read(1) == (1, {})
    assert ("before", "importer", "mine", "read") in listener.heard
    assert listener.heard[-1] == ("after", "read", None)


def test_a_stand_in_travels_as_the_provider_itself():
    reader = host_of(Provider("mine", "test", load=Reader)).importer("mine")
    assert type(pickle.loads(pickle.dumps(reader))) is Reader


@pytest.mark.parametrize(
    "returned", ["text", 3, [1], ["bvh"], [Provider("a", "", load=Reader)] * 2, {"a": 1}]
)
def test_a_hook_that_returns_something_else_is_named(returned):
    host = Host(plugins=[Plugin()], autoload=False)
    host._registry._embedded[0]._providers = returned
    assert host.providers("importer") == []
    [problem] = host.diagnostics()
    assert problem.plugin == "Plugin"
    assert "importer" in problem.reason
    with pytest.raises(ProviderNotFound, match="Plugin"):
        host.importer("a")
